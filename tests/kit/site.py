"""A governed world behind a real web server, in a thread of its own; and an identity provider of the same kind."""

import asyncio
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from joserfc.jwk import ECKey, RSAKey

from remit.control import agent as agents
from remit.control import login
from remit.store.db import Database
from remit.store.opening import Aside
from remit.store.sqlite import Sqlite
from remit.web.app import build
from remit.web.settings import WebSettings
from remit.web.site import do
from tests.kit import stores
from tests.kit.tokens import peer_sign
from tests.kit.world import DAY, ISSUER, World

ADMIN = "a-random-admin-token-of-these-tests-only"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """One request with the standard library; an error status is an answer too."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with opener.open(request, timeout=60) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as fault:
        with fault:
            return Answer(fault.code, {k.lower(): v for k, v in fault.headers.items()}, fault.read())


@contextmanager
def serving(app: Any, **more: Any) -> Iterator[tuple[str, asyncio.AbstractEventLoop]]:
    """Serve an application on loopback for as long as the block lasts: its address and its loop."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", access_log=False, interface="asgi3", **more
    )
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def run() -> None:
        task = asyncio.ensure_future(server.serve())
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        started.set()
        await task

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert started.wait(60)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", loop
    finally:
        server.should_exit = True
        thread.join(60)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@contextmanager
def kept_to(loop: asyncio.AbstractEventLoop, db: Database) -> Iterator[None]:
    """While this lasts, an embedded connection is the loop's thread's alone: two in one cursor break each other."""

    async def here() -> int:
        return threading.get_ident()

    thread = asyncio.run_coroutine_threadsafe(here(), loop).result(60)
    if not isinstance(db, Sqlite):
        yield
        return
    really = db._execute

    def execute(*said: Any) -> Any:
        assert threading.get_ident() == thread, "read it on the server's thread: place.read(...)"
        return really(*said)

    db._execute = execute
    try:
        yield
    finally:
        if db._execute is execute:
            db._execute = really


@dataclass
class Site:
    """The world as it is reached from outside. `act` and `read` work on the server's own thread."""

    world: World
    url: str
    loop: asyncio.AbstractEventLoop
    keys: dict[str, ECKey] = field(default_factory=dict)
    used: int = 0

    def act(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(do(self.world.batch, "test", work), self.loop).result(60)

    def read(self, work: Callable[[Database], Any]) -> Any:
        """What `work` finds by the connection that the server's pages read by."""

        async def there() -> Any:
            return work(self.world.authority.view)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(60)

    def get(self, path: str, token: str = ADMIN, **headers: str) -> Answer:
        return ask(self.url + path, headers={"authorization": f"Bearer {token}"} | headers if token else headers)

    def send(
        self,
        path: str,
        body: Any,
        token: str = ADMIN,
        method: str = "POST",
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"content-type": kind} | ({"authorization": f"Bearer {token}"} if token else {}) | (headers or {})
        return ask(self.url + path, method, data, head)

    def form(self, path: str, fields: Any, **headers: str) -> Answer:
        data = urllib.parse.urlencode(fields, doseq=True).encode() if not isinstance(fields, bytes) else fields
        return ask(self.url + path, "POST", data, {"content-type": "application/x-www-form-urlencoded"} | headers)

    def agent(self, name: str, ceiling: tuple[str, ...] = ("mcp:notes/*",)) -> str:
        """Register an agent with a key of its own."""
        key = ECKey.generate_key("P-256")
        public = {k: str(v) for k, v in key.as_dict(private=False).items()} | {"alg": "ES256", "kid": name}
        due = self.world.authority.clock.now() + 30 * DAY
        one = self.act(
            lambda c: agents.add(
                c,
                name=name,
                owner=self.world.owner.id,
                purpose="Tests.",
                review_due=due,
                ceiling=ceiling,
                keys=(public,),
                by="operator",
            )
        )
        self.keys[one.id] = key
        return one.id

    def assertion(self, agent: str, **changes: Any) -> str:
        """A fresh client assertion, signed by joserfc."""
        self.used += 1
        now = self.world.authority.clock.now() // 1000
        said = {"iss": agent, "sub": agent, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": f"{agent}{self.used}"}
        said = {k: v for k, v in (said | changes).items() if v is not None}
        return peer_sign(self.keys[agent], {"alg": "ES256"}, said)

    def client(self, agent: str, **changes: Any) -> dict[str, Any]:
        return {"client_assertion_type": ASSERTION, "client_assertion": self.assertion(agent, **changes)}

    def token(self, agent: str, errand: str, dpop: str = "", **more: Any) -> Answer:
        """Ask for a credential on the own path, bound to the key of a proof when there is one."""
        detail = json.dumps([{"type": "remit_task", "task": errand}])
        asked = {"grant_type": "client_credentials", "authorization_details": detail} | self.client(agent)
        fields = {k: v for k, v in (asked | more).items() if v is not None}
        return self.form("/oauth/token", fields, **({"dpop": dpop} if dpop else {}))

    def exchange(self, agent: str, task: str, subject: str, **more: Any) -> Answer:
        """Ask for a credential on the delegated path."""
        asked = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": ID_TOKEN, "task": task}
        return self.form(
            "/oauth/token", {k: v for k, v in (asked | self.client(agent) | more).items() if v is not None}
        )


@contextmanager
def site(folder: Path | str, settled: bool = True, **settings: Any) -> Iterator[Site]:
    """A world in this folder or database, served; settled unless it is there already."""
    world = World(folder)
    if settled:
        world.settle()

    async def gate(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b"the gate"})

    if settled:
        world.act(lambda c: login.keep(c, "token", ADMIN, "operator"))
    told, aside = WebSettings(**settings), Aside(stores.where(folder))
    try:
        with (
            serving(build(world.authority, world.batch, gate, told, world.gate, aside=aside)) as (url, loop),
            kept_to(loop, world.authority.view),
        ):
            yield Site(world, url, loop)
    finally:
        aside.close()
        world.close()


@dataclass
class Idp:
    """An identity provider: discovery, keys that can be rotated, and ID tokens. `hold` stops its key set."""

    url: str = ""
    keys: list[tuple[str, RSAKey]] = field(default_factory=list)
    asked: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    answer: bytes | None = None

    def rotate(self) -> None:
        self.keys.insert(0, (f"key{len(self.keys)}", RSAKey.generate_key(2048)))

    def token(self, now: int, subject: str = "pia-at-idp", **changes: Any) -> str:
        kid, key = self.keys[0]
        said = {"iss": self.url, "sub": subject, "aud": "remit", "iat": now, "exp": now + 300, "groups": ["staff"]}
        said = {k: v for k, v in (said | changes).items() if v is not None}
        return peer_sign(key, {"alg": "RS256", "kid": kid, "typ": "JWT"}, said)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/.well-known/openid-configuration":
            body = json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}).encode()
        else:
            self.asked += 1
            self.held.set()
            await asyncio.to_thread(self.hold.wait, 20)
            public = [
                {**key.as_dict(private=False), "kid": kid, "alg": "RS256", "use": "sig"} for kid, key in self.keys
            ]
            body = self.answer or json.dumps({"keys": public}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def idp() -> Iterator[Idp]:
    """A running identity provider with one key."""
    one = Idp()
    one.hold.set()
    one.rotate()
    with serving(one.app) as (url, _):
        one.url = url
        yield one
