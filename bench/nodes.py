"""`python -m bench.nodes [--quick] [--rounds N]`: several nodes on one PostgreSQL database, as one JSON document.

The server is PostgreSQL from the package index, durable as it comes. Nodes are `remit serve` processes; the load is the
one that the other bench uses, its clients spread over the nodes.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from bench.__main__ import machine
from bench.governed import cpu, started
from bench.house import REMIT, govern, house, port, ready
from bench.places import ROOT, folder
from bench.revoke import nodes as deciders
from bench.revoke import trials
from bench.store import filled, grown, held
from remit.cli.settings import Settings
from tests.kit.postgres import Postgres
from tests.kit.world import World

CLIENTS = 32
GOALS = {
    "nodes.3.rps": (">= nodes.1.rps", lambda f: f["nodes.3.rps"] >= f["nodes.1.rps"]),
    "nodes.3.p99_ms": ("<= 3 x nodes.1.p99_ms", lambda f: f["nodes.3.p99_ms"] <= 3 * f["nodes.1.p99_ms"]),
    "revoke.late_allows": ("<= 0", lambda f: f["revoke.late_allows"] == 0),
    "revoke.p50_ms": ("<= 50 ms", lambda f: f["revoke.p50_ms"] <= 50),
    "revoke.p99_ms": ("<= 250 ms", lambda f: f["revoke.p99_ms"] <= 250),
    "holder.stopped_ms": ("<= 2,000 ms", lambda f: f["holder.stopped_ms"] <= 2000),
    "holder.killed_ms": ("<= 5,000 ms", lambda f: f["holder.killed_ms"] <= 5000),
    "restart_1m_leaves_s": ("<= 2 s", lambda f: f["restart_1m_leaves_s"] <= 2),
    "growth": ("<= 20 %", lambda f: f["growth"] <= 20),
}


@contextlib.contextmanager
def serving(place: Path, url: str, upstream: str, count: int) -> Iterator[tuple[list[int], list[str], str]]:
    """So many nodes on the database at `url`: their processes, their addresses, and a credential that all take."""
    ports = [port() for _ in range(count)]
    issuer = f"http://127.0.0.1:{ports[0]}"
    settings = Settings(data=place / "n0", store=url, issuer=issuer, port=ports[0])
    common = os.environ | {"REMIT_STORE": url, "REMIT_ISSUER": issuer, "REMIT_ROOT_KEY": f"file:{place}/n0/root.key"}
    first = {name: value for name, value in common.items() if name != "REMIT_ROOT_KEY"}
    first["REMIT_DATA"] = str(place / "n0")
    subprocess.run([REMIT, "up", "--no-serve"], env=first, check=True, cwd=place, capture_output=True)
    token = govern(settings, upstream)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, each in enumerate(ports):
            data = place / f"n{number}"
            data.mkdir(mode=0o700, exist_ok=True)
            running.append(serve(common | {"REMIT_DATA": str(data), "REMIT_PORT": str(each)}, place))
        for each in ports:
            wait(each)
        yield [one.pid for one in running], [f"http://127.0.0.1:{each}/mcp/bench" for each in ports], token
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(20)


def serve(environment: dict[str, str], place: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([REMIT, "serve"], env=environment, cwd=place, stderr=subprocess.DEVNULL)


def wait(number: int) -> None:
    end = time.perf_counter() + 60
    while not ready(number):
        if time.perf_counter() > end:
            raise SystemExit("a node did not become ready")
        time.sleep(0.005)


def spread(urls: list[str], token: str, seconds: float) -> dict[str, float]:
    """The load over these nodes at once: calls per second in all, the worst node's quantiles."""
    shares = [CLIENTS // len(urls) + (number < CLIENTS % len(urls)) for number in range(len(urls))]
    argv = [sys.executable, "-m", "bench.load"]
    running = [
        subprocess.Popen([*argv, url, token, str(share), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE)
        for url, share in zip(urls, shares, strict=True)
    ]
    found = [json.loads(one.communicate()[0]) for one in running]
    return {
        "rps": sum(one["rps"] for one in found),
        "calls": sum(one["calls"] for one in found),
        "p50_ms": max(one["p50_ms"] for one in found),
        "p99_ms": max(one["p99_ms"] for one in found),
    }


def load(server: Postgres, seconds: float) -> dict[str, float]:
    """The same load on the embedded store, and on one, two and three nodes."""
    found: dict[str, float] = {}
    with folder() as place, started("upstream") as (_, bare):
        with house(place, bare["url"]) as one:
            note(found, "sqlite", [one.pid], [one.url], one.token, seconds)
        for count in (1, 2, 3):
            place.joinpath(str(count)).mkdir()
            with serving(place / str(count), server.fresh(), bare["url"], count) as (pids, urls, token):
                note(found, f"nodes.{count}", pids, urls, token, seconds)
    return found


def note(found: dict[str, float], name: str, pids: list[int], urls: list[str], token: str, seconds: float) -> None:
    spread(urls, token, 0.5)
    before = sum(cpu(pid) for pid in pids)
    seen = spread(urls, token, seconds)
    found |= {f"{name}.{key}": seen[key] for key in ("rps", "p50_ms", "p99_ms")}
    found[f"{name}.cpu_us"] = (sum(cpu(pid) for pid in pids) - before) / (seen["calls"] * (1 + 0.15 / seconds)) * 1e6


def revoking(server: Postgres, wanted: int) -> dict[str, float]:
    """Two deciding processes on one database; see `bench.revoke`. Times are from asking to revoke to its answer."""
    with folder() as place:
        url = server.fresh()
        world = World(url).settle()
        agent, owner = world.agent.id, world.owner.id
        world.close()
        with deciders(place, agent, owner, url) as paths:
            seen = uvloop.run(trials(paths, wanted))
    names = {"let_through": "late_allows", "p50_ms": "p50_ms", "p99_ms": "p99_ms", "trials": "trials"}
    return {f"revoke.{new}": seen[f"revoke.{old}"] for old, new in names.items()}


def restarted(server: Postgres, leaves: int) -> float:
    """Seconds from `kill -9` of a node with so many leaves behind it to serving again."""
    with folder() as place, started("upstream") as (_, bare):
        url = server.fresh()
        with serving(place, url, bare["url"], 1) as (pids, urls, _):
            filled(url, place / "n0", leaves)
            number = int(urls[0].split(":")[2].split("/")[0])
            begun = time.perf_counter()
            os.kill(pids[0], signal.SIGKILL)
            environment = os.environ | {
                "REMIT_STORE": url, "REMIT_DATA": str(place / "n0"), "REMIT_PORT": str(number),
                "REMIT_ISSUER": f"http://127.0.0.1:{number}",
            }  # fmt: skip
            again = serve(environment, place)
            try:
                time.sleep(0.05)
                wait(number)
                return time.perf_counter() - begun
            finally:
                again.terminate()
                again.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.nodes", description="Measure several nodes on one database.")
    parser.add_argument("--quick", action="store_true", help="one short round, and a hundredth of the leaves")
    parser.add_argument("--rounds", type=int, default=0, help="how many rounds (default 5; 1 when quick)")
    given = parser.parse_args()
    rounds, share = given.rounds or (1 if given.quick else 5), 100 if given.quick else 1
    server = Postgres()
    try:
        print(json.dumps(document(server, rounds, share, quick=given.quick), indent=1))
    finally:
        server.close()


def document(server: Postgres, rounds: int, share: int, *, quick: bool) -> dict[str, Any]:
    """Everything, each figure beside its goal."""
    each: dict[str, list[float]] = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for key, value in (load(server, 1.5 if quick else 4.0) | held(server.fresh())).items():
            each.setdefault(key, []).append(value)
    figures = {key: median(values) for key, values in each.items()}
    figures |= revoking(server, 10_000 // share)
    print("a million leaves", file=sys.stderr)
    figures["restart_1m_leaves_s"] = restarted(server, 1_000_000 // share)
    figures |= grown(server, [10_000 // share, 100_000 // share, 1_000_000 // share])
    told: dict[str, dict[str, object]] = {}
    for key, value in figures.items():
        told[key] = {"value": round(value, 3)}
        if key in GOALS:
            says, met = GOALS[key]
            told[key] |= {"goal": says, "met": met(figures)}
    return {"figures": told, "rounds": rounds, "leaves_at_most": 1_000_000 // share, "machine": machine()}


if __name__ == "__main__":
    main()
