"""The scanner on a tree of 100,000 files: the first run, the second with nothing changed, and its memory."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.places import folder

NAMES = ("m.ts", "m.go", "a.py", "r.md", "p.txt", "c.css", "q.java", "z.rs", "h.html", "s.sh")
CLIENT = json.dumps(
    {"mcpServers": {"a": {"command": "npx", "args": ["-y", "x@1.0.0"], "env": {"A_TOKEN": "${A_TOKEN}"}}}}
)
CHART = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replicas: 2\n"
RUN = """
import sys, time
from remit.cli.main import run
start = time.perf_counter()
run(['scan', sys.argv[1], '-o', 'json'])
taken = time.perf_counter() - start
# Not getrusage: what that tells of a new program begins with what the one that started it held.
most = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]
print(taken, int(most) / 1024, file=sys.stderr)
"""


def tree(root: Path, count: int) -> None:
    """A tree of so many files: a tenth is Python, three in a hundred are settings, manifests and clients' files."""
    for part in range(count // 100):
        place = root / f"d{part // 100}" / f"s{part}"
        place.mkdir(parents=True)
        for at in range(100):
            name, text = f"{at}{NAMES[at % 10]}", "x = 1\n" * 40
            if at == 50:
                name, text = "package.json", '{"name": "a", "description": "", "scripts": {"a": "b"}}'
            elif at == 60:
                name, text = "deployment.yaml", CHART
            elif at == 70 and part % 10 == 0:
                name, text = ".mcp.json", CLIENT
            (place / name).write_text(text)


def once(root: Path, cache: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the most, of one scan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(root)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    seconds, megabytes = done.stderr.split()[-2:]
    return float(seconds), float(megabytes)


def measure(*, quick: bool) -> dict[str, float]:
    with folder() as place:
        tree(place / "tree", 10_000 if quick else 100_000)
        time.sleep(2.5)
        first, second = once(place / "tree", place / "cache"), once(place / "tree", place / "cache")
    return {"scan.first_s": first[0], "scan.second_s": second[0], "scan.rss_mb": max(first[1], second[1])}
