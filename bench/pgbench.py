"""`python -m bench.pgbench [--seconds N]`: pgbench straight at a database and through the gate, as one JSON document.

It runs its own read-only script (`-S`) by each of its protocols, 16 clients on one thread; pgbench is Debian's.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

from bench.__main__ import machine
from bench.doors import database

CLIENTS = "16"


def tps(where: list[str], way: str, seconds: str) -> float:
    """Transactions per second; a failed one ends the measurement."""
    port, user, name, password = where
    words = ["pgbench", "-n", "-S", "-s", "1", "-M", way, "-c", CLIENTS, "-T", seconds]
    place = os.environ | {
        "PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": user, "PGDATABASE": name, "PGPASSWORD": password,
    }  # fmt: skip
    done = subprocess.run(words, env=place, capture_output=True, text=True, check=False)
    told = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or told is None or not re.search(r"failed transactions: 0 ", done.stdout):
        raise SystemExit(f"pgbench failed: {done.stderr[-1000:]}")
    return float(told[1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure pgbench through the gate.")
    parser.add_argument("--seconds", default="5", help="for each run")
    asked = parser.parse_args()
    if shutil.which("pgbench") is None:
        raise SystemExit("pgbench is not here: install Debian's postgresql-contrib")
    found = {}
    with database() as ways:
        tps(ways["gate"], "prepared", "1")
        for way in ("simple", "extended", "prepared"):
            direct, gate = (tps(ways[each], way, asked.seconds) for each in ("direct", "gate"))
            found |= {f"{way}.direct_tps": direct, f"{way}.gate_tps": gate, f"{way}.ratio": gate / direct}
    sys.stdout.write(json.dumps({"machine": machine(), "pgbench": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
