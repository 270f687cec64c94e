"""A whole gate for tests: a real store, the batch on an event loop, uvicorn on a loopback port."""

import asyncio
import http.client
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from remit.cli.attach import attach
from remit.control import agent, brief, credential, policy, resource, task
from remit.control.revocation import revoke
from remit.core.brief import Brief
from remit.core.grant import Step
from remit.core.resource import Injection, Upstream
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.gateway.serve.app import Mcp
from remit.gateway.serve.host import Settings
from tests.kit.world import DAY, World

NAME = "target"
OUTSIDE = {"name": "outside_the_plan", "description": "Never planned", "inputSchema": {"type": "object"}}
KINDS = ("@read", "@prompt", "@complete", "@subscribe")
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"


@dataclass
class Gate:
    """A gate that serves: its URL, a credential for it, and the world behind it."""

    url: str
    token: str
    world: World
    mcp: Mcp
    task: Any
    credential: Any
    loop: asyncio.AbstractEventLoop
    tokens: list[str] = field(default_factory=list)

    def on_loop(self, work: Callable[[], Any]) -> Any:
        """Do something on the gate's own thread and return what came of it."""

        async def run() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    def act(self, work: Callable[[Any], Any]) -> Any:
        """Do one piece of control work in the gate's batch."""
        done: Any = threading.Event()
        found: list[Any] = []

        def submit() -> None:
            self.world.batch.submit("", work, lambda result: (found.append(result), done.set()))
            self.world.batch.wake()

        self.on_loop(submit)
        assert done.wait(60)
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def revoke(self, what: str = "task") -> None:
        """End the task, or its credential, as an operator does."""
        identity = self.task.id if what == "task" else self.credential.id
        self.act(lambda c: revoke(c, what, identity, "operator"))

    def another(self) -> "tuple[Any, str]":
        """Another task of the same agent, and a credential for it."""
        world = self.world
        opened = self.act(
            lambda c: task.open_task(c, brief=NAME, agent=world.agent.id, requester=world.owner.id, by=world.owner.id)
        )
        return opened, self.fresh_token(opened.id).text

    def fresh_token(self, task_id: str) -> Any:
        """A further credential for a task."""
        world = self.world
        return self.act(lambda c: credential.give(c, task_id=task_id, agent_id=world.agent.id, path=TrustPath.OWN))

    def entries(self) -> list[dict[str, Any]]:
        """All receipts of the ledger, in order."""
        world = self.world

        def read() -> list[dict[str, Any]]:
            from remit.store import log

            size = log.newest(world.authority.view).size
            return [json.loads(one) for one in log.entries(world.authority.view, 0, size)]

        return self.on_loop(read)

    def calls(self) -> list[tuple[str, str]]:
        """Each decision in order: its action, and allow or the code of its denial."""
        return [
            (one["action"], one.get("code") or one["decision"])
            for one in self.entries()
            if one["kind"] == "call.decided"
        ]


def step(action: str, **more: Any) -> Step:
    """A step that takes any arguments."""
    return Step.from_json({"action": action, "path": "own", "allow_unknown": True, **more})


@contextmanager
def gate_for(
    url: str = "",
    *,
    denied: tuple[str, ...] = (),
    lends: str = "",
    variable: str = "",
    tools: dict[str, Any] | None = None,
    upstream: Upstream | None = None,
    reverse: tuple[str, ...] = ("sampling", "elicitation", "roots"),
    settings: Settings | None = None,
    kinds: tuple[str, ...] = KINDS,
) -> Iterator[Gate]:
    """A gate before the target at `url`: all its tools are in the plan but the denied; `lends` is a token."""
    offered = list_tools(url, lends) if tools is None else tools
    offered = offered | {"outside_the_plan": OUTSIDE}
    planned = [name for name in offered if name not in (*denied, "outside_the_plan")]
    place = upstream or Upstream(url=url)
    with tempfile.TemporaryDirectory() as text, socket.create_server(("127.0.0.1", 0)) as listening:
        folder = Path(text)
        folder.chmod(0o700)
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        world = World(folder, issuer=issuer).settle()
        injections = ()
        if lends:
            world.act(lambda c: resource.put_secret(c, "own-token", Secret(lends.encode())))
            header = Injection(secret="own-token", header="authorization", template="Bearer {secret}")
            injections = (Injection(secret="own-token", variable=variable) if variable else header,)
        opened, given = _govern(world, place, offered, planned, injections, reverse, kinds)
        with serving(world, issuer, listening, settings or Settings()) as (mcp, loop):
            yield Gate(f"{issuer}/mcp/{NAME}", given.text, world, mcp, opened, given.credential, loop)
        world.close()


def drive(
    world: World,
    place: Upstream,
    tools: dict[str, Any],
    steps: tuple[Step, ...],
    *,
    keys: tuple[dict[str, str], ...] = (),
    injections: Any = (),
    reverse: tuple[str, ...] = (),
) -> Any:
    """Register the target with these tools, a policy, a brief, and the agent that may drive it; return the agent."""
    act, due, hour = world.act, world.authority.clock.now() + 30 * DAY, 60 * 60 * 1000
    owner = world.owner.id
    act(
        lambda c: resource.add(
            c, name=NAME, upstream=place, domain="office", owner=owner, tools=tools, injections=injections,
            by="operator",
        )
    )  # fmt: skip
    driver = act(
        lambda c: agent.add(
            c, name="driver", owner=owner, purpose="Drives the target.", review_due=due, ceiling=(f"mcp:{NAME}/*",),
            keys=keys, by="operator",
        )
    )  # fmt: skip
    every = f'@id("all") permit(principal, action in Action::"mcp:{NAME}", resource);'
    never = '@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);'
    common = {"base.cedar": f"{every}\n{never}"}
    act(lambda c: policy.apply(c, {"common": common, "delegated": {}, "own": {}}, 1, "operator"))
    made = Brief(
        name=NAME, version=1, purpose="Drive the target.", steps=steps, dispatchers=(owner,), agents=(driver.id,),
        domains=("office",), life=8 * hour, idle=hour, credential_life=hour, bearer_life=hour, reverse=reverse,
    )  # fmt: skip
    act(lambda c: brief.apply(c, made, "operator"))
    return driver


def _govern(
    world: World,
    place: Upstream,
    offered: dict[str, Any],
    planned: list[str],
    injections: Any,
    reverse: tuple[str, ...],
    kinds: tuple[str, ...],
) -> tuple[Any, Any]:
    steps = tuple(step(f"mcp:{NAME}/{name}") for name in (*planned, *kinds))
    world.agent = drive(world, place, offered, steps, injections=injections, reverse=reverse)
    opened = world.act(
        lambda c: task.open_task(c, brief=NAME, agent=world.agent.id, requester=world.owner.id, by=world.owner.id)
    )
    given = world.act(lambda c: credential.give(c, task_id=opened.id, agent_id=world.agent.id, path=TrustPath.OWN))
    return opened, given


@contextmanager
def serving(world: World, issuer: str, listening: socket.socket, settings: Settings) -> Iterator[Any]:
    mcp = Mcp(world.gate, issuer, settings)
    config = uvicorn.Config(
        mcp, lifespan="off", log_level="error", access_log=False, proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    ready, found = threading.Event(), []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        detach = attach(world.batch, loop)
        found.append(loop)
        ready.set()
        try:
            await server.serve(sockets=[listening])
        finally:
            await mcp.close()
            while not world.batch.idle:  # noqa: ASYNC110 - the batch has no event to wait for
                await asyncio.sleep(0.01)
            detach()

    thread = threading.Thread(target=lambda: uvicorn_run(main), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield mcp, found[0]
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "the gate did not stop"


def uvicorn_run(main: Callable[[], Any]) -> None:
    import uvloop

    uvloop.run(main())


def list_tools(url: str, token: str = "") -> dict[str, Any]:
    """What a target offers, asked directly: the definitions that a person would see and pin."""
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/list",
    }
    if token:
        headers["authorization"] = f"Bearer {token}"
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("POST", parts.path, json.dumps(body), headers)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return {one["name"]: one for one in answer["result"]["tools"]}
