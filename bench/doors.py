"""The gates before APIs and before databases, beside the bare ways to the same targets."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from bench.house import HOUR, house, port
from bench.places import ROOT, folder
from bench.proving import Key
from remit.cli.desk import Desk, close, opened
from remit.cli.settings import Settings
from remit.control import agent, brief, credential, policy, resource, task
from remit.core.brief import Brief
from remit.core.resource import Upstream
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.gateway.postgres import catalogue
from tests.kit.postgres import Postgres

PAGE = {
    "name": "read_page",
    "http": {"method": "GET", "path": "/pages/{id}", "body": False},
    "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}
READ = {
    "action": "sql:bench/select", "path": "own",
    "arguments": {
        "relation": [{"prefix": "public.pgbench_"}], "columns": [{"any": True}], "where": [{"any": True}],
    },
}  # fmt: skip
ACCOUNTS = (
    "CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));"
    "INSERT INTO pgbench_branches VALUES (1, 0, '');"
    "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));"
    "INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, 100000) n; ANALYZE"
)


def govern(
    settings: Settings, scheme: str, kind: str, url: str, tools: dict[str, Any], step: dict[str, Any]
) -> dict[str, str]:
    """Register the target, an agent, policies and a brief, open a task; return a credential for it."""
    desk = Desk(settings, opened(settings))
    act, owner = desk.act, desk.by
    act(
        lambda c: resource.add(
            c, name="bench", upstream=Upstream(url=url), domain="office", owner=owner, tools=tools, kind=kind, by=owner,
            reads=catalogue.READS if kind == "postgres" else frozenset(tools),
        )
    )  # fmt: skip
    due = desk.authority.clock.now() + 24 * HOUR
    made = act(
        lambda c: agent.add(
            c, name="bench", owner=owner, purpose="Reads.", review_due=due, ceiling=(f"{scheme}:bench/*",), keys=(),
            by=owner,
        )
    )  # fmt: skip
    text = (
        f'@id("all") permit(principal, action in Action::"{scheme}:bench", resource);'
        f'@id("no") forbid(principal, action in Action::"{scheme}:bench", resource)'
        ' when { principal.tier == "none" };'
    )
    act(lambda c: policy.apply(c, {"common": {"bench.cedar": text}, "delegated": {}, "own": {}}, 1, owner))
    allowed = Brief(
        name="bench", version=1, purpose="Read.", steps=(Step.from_json(step),), dispatchers=(owner,),
        agents=(made.id,), domains=("office",), life=8 * HOUR, idle=HOUR, credential_life=HOUR, bearer_life=HOUR,
    )  # fmt: skip
    act(lambda c: brief.apply(c, allowed, owner))
    errand = act(lambda c: task.open_task(c, brief="bench", agent=made.id, requester=owner, by=owner))
    given = act(lambda c: credential.give(c, task_id=errand.id, agent_id=made.id, path=TrustPath.OWN))
    close(desk.authority)
    return {"token": given.text, "agent": made.id, "task": errand.id}


def ran(module: str, *words: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *words], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def started(*words: str) -> Iterator[str]:
    """One of the programs of bench.rest: its URL."""
    program = subprocess.Popen([sys.executable, "-m", "bench.rest", *words], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        line = program.stdout.readline() if program.stdout else b""
        yield json.loads(line)["url"]
    finally:
        program.terminate()
        program.wait(20)
        if program.stdout:
            program.stdout.close()


def http(seconds: str) -> dict[str, float]:
    """Requests through the gate, and through a bare proxy on the same stack."""

    def governed(settings: Settings, url: str, _: Key) -> dict[str, str]:
        step = {"action": "http:bench/read_page", "path": "own", "arguments": {"id": [{"max_length": 20}]}}
        return govern(settings, "http", "http", url, {"read_page": PAGE}, step)

    found = {}
    with (
        folder() as place,
        started("upstream") as bare,
        started("proxy", f"{bare}/v1") as proxy,
        house(place, f"{bare}/v1", governed) as one,
    ):
        gate = one.url.replace("/mcp/bench", "/http/bench")
        for url, token in ((gate, one.token), (proxy, "none")):
            ran("rest", "load", url, token, "8", "0.5")
        for clients in ("1", "32"):
            for name, url, token in (("http.passthrough", proxy, "none"), ("http", gate, one.token)):
                for key, value in ran("rest", "load", url, token, clients, seconds).items():
                    found[f"{name}.c{clients}.{key}"] = value
    found["http.ratio_to_passthrough"] = found["http.c32.rps"] / found["http.passthrough.c32.rps"]
    return found


@contextlib.contextmanager
def database() -> Iterator[dict[str, list[str]]]:
    """A governed database: port, user, database and password of the two ways to it, straight (`direct`) and `gate`."""
    server = Postgres()
    try:
        url = server.fresh()
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(ACCOUNTS.encode())
            rows = conn.execute(catalogue.schemas(["public"]).encode()).fetchall()
        tools = catalogue.definitions(catalogue.offered(rows))

        def governed(settings: Settings, where: str, _: Key) -> dict[str, str]:
            return govern(settings, "sql", "postgres", where, tools, READ)

        listening = str(port())
        with folder() as place, house(place, url, governed, REMIT_POSTGRES_PORT=listening) as one:
            yield {
                "direct": [str(server.port), "remit", url.rpartition("/")[2], ""],
                "gate": [listening, "remit", "bench", one.token],
            }
    finally:
        server.close()


def sql(seconds: str) -> dict[str, float]:
    """A prepared statement through the gate, and straight at the database."""
    found = {}
    with database() as ways:
        ran("sqlload", *ways["gate"], "4", "0.5")
        for clients in ("1", "16"):
            for name, way in (("sql.direct", "direct"), ("sql", "gate")):
                for key, value in ran("sqlload", *ways[way], clients, seconds).items():
                    found[f"{name}.c{clients}.{key}"] = value
    found["sql.c1.added_p50_ms"] = found["sql.c1.p50_ms"] - found["sql.direct.c1.p50_ms"]
    return found


def measure(*, quick: bool) -> dict[str, float]:
    seconds = "1.5" if quick else "3"
    return http(seconds) | sql(seconds)
