"""The same load on three paths in turn: the bare upstream, a bare proxy on the same stack, and the governed path."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.house import house
from bench.places import ROOT, folder

CLIENTS = (1, 8, 32)
TICK = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def started(*argv: str) -> Iterator[tuple[int, dict[str, str]]]:
    """A program that says where it is, ended afterwards."""
    program = subprocess.Popen([sys.executable, "-m", "bench.served", *argv], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        line = program.stdout.readline() if program.stdout else b""
        if not line:
            raise SystemExit(f"{argv[0]} did not start")
        yield program.pid, json.loads(line)
    finally:
        program.terminate()
        program.wait(20)
        if program.stdout:
            program.stdout.close()


def cpu(pid: int) -> float:
    """Seconds of processor time of a process and all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def load(place: dict[str, str], clients: int, seconds: float) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.load", place["url"], place["token"], str(clients), str(seconds)]
    argv += [place["key"]] if "key" in place else []
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(*, quick: bool) -> dict[str, float]:
    seconds = 1.5 if quick else 3.0
    found: dict[str, float] = {}
    with folder() as place, started("upstream") as (_, bare), contextlib.ExitStack() as stack:
        paths = {"bare": (0, bare)}
        for variant in ("pool", "streams"):
            paths[f"passthrough.{variant}"] = stack.enter_context(started("proxy", bare["url"], variant))
        one = stack.enter_context(house(place, bare["url"]))
        paths["governed"] = (one.pid, {"url": one.url, "token": one.token})
        for _, where in paths.values():
            load(where, 8, 0.5)
        for clients in CLIENTS:
            for name, (pid, where) in paths.items():
                if name == "passthrough.streams" and clients != max(CLIENTS):
                    continue
                before = cpu(pid) if pid else 0.0
                seen = load(where, clients, seconds)
                for key in ("rps", "p50_ms", "p99_ms"):
                    found[f"{name.removesuffix('.pool')}.c{clients}.{key}"] = seen[key]
                if pid:
                    # The warm-up's calls cost too: share the time over the whole run.
                    spent = (cpu(pid) - before) / (seen["calls"] * (1 + 0.15 / seconds)) * 1e6
                    found[f"{name.removesuffix('.pool')}.c{clients}.cpu_us"] = spent
    best = max(found["passthrough.c32.rps"], found["passthrough.streams.c32.rps"])
    found["passthrough.ratio_to_best"] = found["passthrough.c32.rps"] / best
    found["governed.ratio_to_passthrough"] = found["governed.c32.rps"] / found["passthrough.c32.rps"]
    found["governed.cpu_us"] = found["governed.c32.cpu_us"]
    found["governed.c1.added_p50_ms"] = found["governed.c1.p50_ms"] - found["passthrough.c1.p50_ms"]
    return found
