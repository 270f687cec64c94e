"""`python -m bench [--quick] [--only NAME,NAME] [--markdown FILE]`: measure, and print one JSON document."""

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.goals import judged
from bench.places import ROOT

PARTS = {
    "disk": "disk",
    "decide": "law",
    "lineage": "lineage",
    "ledger": "ledger",
    "revoke": "revoke",
    "lease": "lease",
    "governed": "governed",
    "bound": "bound",
    "tokens": "tokens",
    "doors": "doors",
    "rightsize": "rightsize",
    "reach": "reach",
    "start": "start",
    "scan": "scanned",
}
PROSE = "\n## "
"""What stands below the table is written by hand, and stays."""
PACKAGES = ("apsw", "cedarpy", "cryptography", "httptools", "msgspec", "uvicorn", "uvloop")


def machine() -> dict[str, object]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def run(names: list[str], rounds: int, *, quick: bool) -> dict[str, object]:
    """Measure each part `rounds` times, the parts of a round one after another; report the median of each figure."""
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        for name in names:
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
            measure: Callable[..., dict[str, float]] = importlib.import_module(f"bench.{PARTS[name]}").measure
            for key, value in measure(quick=quick).items():
                found.setdefault(key, []).append(value)
    worst = {"revoke.let_through": max, "revoke.allows_before_min": min, "revoke.trials": sum}
    figures = {key: float(worst.get(key, median)(values)) for key, values in found.items()}
    return {
        "figures": judged(figures),
        "rounds": {"count": rounds, "of_each": {key: [round(v, 3) for v in values] for key, values in found.items()}},
        "machine": machine(),
    }


def markdown(document: dict[str, dict[str, dict[str, object]]]) -> str:
    """The table of docs/guide/figures.md."""
    facts = document["machine"]
    lines = [
        "# Figures",
        "",
        f"Medians of {document['rounds']['count']} rounds by `make bench` on {facts['cores']} cores",
        f"({facts['processor']}, {facts['system']}, Python {facts['python']}).",
        "Every commit is synced; nothing is switched off.",
        "",
        "| figure | measured | goal | met |",
        "|---|---|---|---|",
    ]
    for key, one in document["figures"].items():
        met = {True: "yes", False: "no", None: ""}[one.get("met")]  # type: ignore[index]
        lines.append(f"| `{key}` | {one['value']:,} | {one.get('goal', '')} | {met} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure, and print one JSON document.")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, default=0, help="how many rounds (default 5; 1 when quick)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--markdown", metavar="FILE", help="write docs/guide/figures.md from a document, and end")
    given = parser.parse_args()
    if given.markdown:
        page = ROOT / "docs/guide/figures.md"
        _, mark, prose = page.read_text().partition(PROSE)
        page.write_text(markdown(json.loads(Path(given.markdown).read_text())) + mark + prose)
        return
    names = given.only.split(",")
    print(json.dumps(run(names, given.rounds or (1 if given.quick else 5), quick=given.quick), indent=1))


if __name__ == "__main__":
    main()
