"""A governed database for tests: a real PostgreSQL with some tables, registered, and the gate before it on a port."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import uvloop

from remit.cli.attach import attach
from remit.control import agent, brief, credential, policy, resource, task
from remit.control.gate import Gate as ControlGate
from remit.control.lessor import Lessor
from remit.core.brief import Brief
from remit.core.grant import Step
from remit.core.resource import Injection, Minting, Upstream
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.gateway.postgres import catalogue
from remit.gateway.serve.postgres.gate import Postgres
from tests.kit.gate import Gate
from tests.kit.postgres import server
from tests.kit.world import DAY, World

NAME = "shop"
PASSWORD = "gate-password-Ω-7"
SCHEMA = """
CREATE SCHEMA hr;
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, total numeric(10,2) NOT NULL);
CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY, order_id int NOT NULL, amount numeric(10,2), note text);
CREATE TABLE notes (id int PRIMARY KEY, body text);
CREATE TABLE hr.pay (id int PRIMARY KEY, pay int);
CREATE SEQUENCE s;
CREATE VIEW paid AS SELECT id, total FROM orders WHERE status = 'paid';
CREATE FUNCTION bump(n int) RETURNS int LANGUAGE sql VOLATILE
  AS 'UPDATE notes SET body = body || ''!'' WHERE id = n; SELECT n';
CREATE FUNCTION sly(orders) RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM notes; SELECT 1';
INSERT INTO orders SELECT n, n % 3, CASE WHEN n % 2 = 0 THEN 'paid' ELSE 'open' END, n * 1.5
  FROM generate_series(1, 20) n;
INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 5) n;
INSERT INTO hr.pay VALUES (1, 100);
"""


def step(verb: str, arguments: dict[str, Any], **more: Any) -> Step:
    """A step on the own path."""
    return Step.from_json({"action": f"sql:{NAME}/{verb}", "path": "own", "arguments": arguments, **more})


ANY = [{"any": True}]
READ = step(
    "select", {"relation": [{"one_of": ["public.orders", "public.notes", "public.refunds", "public.paid"]}],
               "columns": ANY, "where": ANY},
)  # fmt: skip
STEPS = (
    READ,
    step("insert", {"relation": [{"equals": "public.refunds"}], "columns": ANY, "/values/order_id": ANY,
                    "/values/amount": [{"range": {"min": 0, "max": 50}}], "/values/note": ANY},
         optional=["/values/note"]),
    step("update", {"relation": [{"equals": "public.notes"}], "/columns/*": [{"equals": "body"}], "values": ANY,
                    "where": ANY}),
    step("insert", {"relation": [{"equals": "public.notes"}], "columns": ANY, "values": ANY}),
    step("delete", {"relation": [{"equals": "public.notes"}], "/where/id": [{"range": {"min": 1, "max": 3}}]}),
    step("call", {"relation": [{"equals": "public.bump"}], "/values/*": [{"range": {"min": 1, "max": 3}}]}),
)  # fmt: skip


@cache
def _role() -> str:
    """A role that the gate logs in as, by SCRAM: the agent never sees it."""
    with psycopg.connect(server().url(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE gate_role LOGIN PASSWORD '{PASSWORD}'")
        data = Path(conn.execute("SHOW hba_file").fetchone()[0])
        text = data.read_text(encoding="utf-8")
        data.write_text("host all gate_role 127.0.0.1/32 scram-sha-256\n" + text, encoding="utf-8")
        conn.execute("SELECT pg_reload_conf()")
    return "gate_role"


def database(schema: str = SCHEMA) -> str:
    """An empty database with the tables of this kit; its URL as its owner."""
    url = server().fresh()
    role = _role()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(schema)
        for name in ("public", "hr"):
            conn.execute(f"GRANT USAGE ON SCHEMA {name} TO {role}")
            conn.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO {role}")
            conn.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO {role}")
    return url


def offered(url: str, path: tuple[str, ...] = ("public", "hr"), *, catalogs: bool = False) -> dict[str, Any]:
    """What a database offers, asked directly."""
    with psycopg.connect(url) as conn:
        rows = conn.execute(catalogue.schemas(path, catalogs=catalogs).encode()).fetchall()
    return catalogue.definitions(catalogue.offered(rows))


@dataclass
class Shop(Gate):
    """The gate before a database: `owner` is the URL as its owner, `port` where agents connect."""

    owner: str = ""
    port: int = 0
    postgres: Any = None
    extra: dict[str, Any] = field(default_factory=dict)

    def dsn(self, token: str = "", user: str = "remit", database: str = NAME) -> str:
        """How an agent connects."""
        return (
            f"host=127.0.0.1 port={self.port} user={user} dbname={database} password={token or self.token}"
            " connect_timeout=60"
        )

    def connect(self, token: str = "", **more: Any) -> Any:
        """Connect as an agent."""
        return psycopg.connect(self.dsn(token), **more)

    def direct(self, text: str) -> list[Any]:
        """Ask the database itself, as its owner."""
        with psycopg.connect(self.owner, autocommit=True) as conn:
            found = conn.execute(text.encode())
            return found.fetchall() if found.description else []


@contextmanager
def shop(
    steps: tuple[Step, ...] = STEPS,
    *,
    tls: Any = None,
    url: str = "",
    path: tuple[str, ...] = ("public", "hr"),
    catalogs: bool = False,
    policies: str = "",
    place: str = "",
    leases: bool = False,
) -> Iterator[Shop]:
    """A governed database with a task that holds these steps; with `leases`, each task has a role of its own there."""
    owner = url or database()
    name = owner.rpartition("/")[2]
    port = server().port
    upstream = Upstream(url=place or f"postgresql://gate_role@127.0.0.1:{port}/{name}")
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o700)
        world = World(folder).settle()
        act, due, hour = world.act, world.authority.clock.now() + 30 * DAY, 3_600_000
        person = world.owner.id
        act(lambda c: resource.put_secret(c, "shop-db", Secret(PASSWORD.encode())))
        act(lambda c: resource.put_secret(c, "shop-admin", Secret(owner.encode())))
        minting = Minting(kind="postgres", secret="shop-admin") if leases else None
        act(
            lambda c: resource.add(
                c, name=NAME, upstream=upstream, domain="office", owner=person, kind="postgres",
                tools=offered(owner, path, catalogs=catalogs), reads=catalogue.READS,
                injections=() if leases else (Injection(secret="shop-db", variable="PGPASSWORD"),), minting=minting,
                by="operator",
            )
        )  # fmt: skip
        world.agent = act(
            lambda c: agent.add(
                c, name="driver", owner=person, purpose="Drives.", review_due=due, ceiling=(f"sql:{NAME}/*",), keys=(),
                by="operator",
            )
        )  # fmt: skip
        every = policies or f'@id("all") permit(principal, action in Action::"sql:{NAME}", resource);'
        never = '@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);'
        layers = {"common": {"base.cedar": f"{every}\n{never}"}, "delegated": {}, "own": {}}
        act(lambda c: policy.apply(c, layers, 1, "operator"))
        made = Brief(
            name="target", version=1, purpose="Drive.", steps=steps, dispatchers=(person,), agents=(world.agent.id,),
            domains=("office",), life=8 * hour, idle=hour, credential_life=hour,
        )  # fmt: skip
        act(lambda c: brief.apply(c, made, "operator"))
        opened = act(lambda c: task.open_task(c, brief="target", agent=world.agent.id, requester=person, by=person))
        given = act(lambda c: credential.give(c, task_id=opened.id, agent_id=world.agent.id, path=TrustPath.OWN))
        with _served(world, tls) as (gate, loop, listening):
            yield Shop(
                "", given.text, world, gate, opened, given.credential, loop, owner=owner, port=listening, postgres=gate
            )
        world.close()


@contextmanager
def _served(world: World, tls: Any) -> Iterator[Any]:
    ready, found, stop = threading.Event(), [], []
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        detach = attach(world.batch, loop)
        lessor = Lessor(world.authority, world.batch, loop.call_soon_threadsafe)
        world.batch.moved = lessor.look
        gate = Postgres(ControlGate(world.authority, world.batch, lessor), "http://127.0.0.1:8787", tls)
        await gate.start(listening)
        over = asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        found.extend((gate, loop))
        ready.set()
        await over.wait()
        await gate.close()
        lessor.look()
        while not lessor.idle:  # noqa: ASYNC110 - nor has the lessor
            await asyncio.sleep(0.01)
        lessor.close()
        while not world.batch.idle:  # noqa: ASYNC110 - the batch has no event to wait for
            await asyncio.sleep(0.01)
        detach()

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0], found[1], listening.getsockname()[1]
    finally:
        stop[0]()
        thread.join(60)
        assert not thread.is_alive(), "the gate did not stop"


def unique() -> str:
    """A name that no other test uses."""
    return f"n{uuid4().hex[:8]}"
