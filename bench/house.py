"""A Remit installation to be measured: set up by its own command, governed for one agent, served by `remit serve`."""

import contextlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.proving import Key
from bench.served import TOOL
from remit.cli.desk import Desk, close, opened
from remit.cli.settings import Settings
from remit.control import agent, brief, client, credential, policy, principal, resource, task
from remit.control.change import Change
from remit.control.consent import name
from remit.core.brief import Brief
from remit.core.canonical import b64
from remit.core.consent import Consent, Refresh
from remit.core.moment import Instant
from remit.core.record import changed
from remit.core.resource import Upstream
from remit.core.step import Step
from remit.core.trust import TrustPath

REMIT = str(Path(sys.executable).with_name("remit"))
HOUR = 60 * 60 * 1000
CHAINS = 32
POLICIES = """
@id("tools") permit(principal, action in Action::"mcp:bench", resource);
@id("no-private") forbid(principal, action == Action::"mcp:bench/read_page", resource)
  when { context.args has path && context.args.path like "*/private/*" };
"""


@dataclass(frozen=True, slots=True)
class House:
    """Where it serves, what an agent shows there, and the process. `bound` is a credential that `key` must prove.

    `identity` is the ID token of a person, whose own task of this agent `errand` is; `chains` are refresh tokens of
    theirs that `client` holds, each of a consent of its own.
    """

    url: str
    token: str
    pid: int
    started_s: float
    bound: str = ""
    key: str = ""
    agent: str = ""
    task: str = ""
    errand: str = ""
    identity: str = ""
    client: str = ""
    chains: tuple[str, ...] = ()


def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        number: int = bound.getsockname()[1]
        return number


@contextlib.contextmanager
def provider(key: Key) -> Iterator[str]:
    """An identity provider of one key: its issuer. What it signs is made with `key` in this process."""
    keys = json.dumps({"keys": [{**key.public, "alg": "ES256", "kid": key.thumb}]}).encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(keys)))
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def consented(change: Change, client: str, agent: str, person: str, errand: str) -> str:
    """A person's yes to this errand, as the consent page leaves it, and the refresh token that came of it."""
    now, make = change.now, change.authority.make
    text = f"rmr_{b64(change.authority.random(32))}"
    until = Instant(now + 4 * HOUR)
    yes = Consent(
        id=make("con"), person=person, client=client, agent=agent, brief="errands", task=errand, session=make("ses"),
        at=now, until=until, shown="x" * 43,
    )  # fmt: skip
    change.record("consent.given", yes, person)
    held = Refresh(id=name("rfr", text), consent=yes.id, client=client, audience=("bench",), made=now, until=until)
    change.record("refresh.made", held, agent)
    return text


def govern(settings: Settings, upstream: str, key: Key, issuer: str) -> dict[str, Any]:
    """Register target, agent, policies and brief, open a task; return it, its agent and two credentials for it."""
    desk = Desk(settings, opened(settings))
    act, owner = desk.act, desk.by
    act(
        lambda c: resource.add(
            c,
            name="bench",
            upstream=Upstream(url=upstream, modern=True),
            domain="office",
            owner=owner,
            tools={str(TOOL["name"]): TOOL},
            by=owner,
        )
    )
    due = desk.authority.clock.now() + 24 * HOUR
    made = act(
        lambda c: agent.add(
            c,
            name="bench",
            owner=owner,
            purpose="Reads pages.",
            review_due=due,
            ceiling=("mcp:bench/*",),
            keys=(key.public,),
            by=owner,
        )
    )
    act(lambda c: policy.apply(c, {"common": {"bench.cedar": POLICIES}, "delegated": {}, "own": {}}, 1, owner))
    limits = {"action": "mcp:bench/read_page", "path": "own", "arguments": {"path": [{"subpath": "/pages"}]}}
    person = act(lambda c: principal.add_person(c, issuer, "pia", "Pia", (), owner)).id
    allowed = Brief(
        name="bench",
        version=1,
        purpose="Read pages.",
        steps=(Step.from_json(limits),),
        dispatchers=(owner,),
        agents=(made.id,),
        domains=("office",),
        life=8 * HOUR,
        idle=HOUR,
        credential_life=HOUR,
        bearer_life=HOUR,
    )
    for_people = changed(
        allowed, name="errands", steps=(Step.from_json(limits | {"path": "delegated"}),), dispatchers=(person,)
    )
    for one in (allowed, for_people):
        act(lambda c, one=one: brief.apply(c, one, owner))
    errand = act(lambda c: task.open_task(c, brief="bench", agent=made.id, requester=owner, by=owner))
    theirs = act(lambda c: task.open_task(c, brief="errands", agent=made.id, requester=person, by=person))
    given = {"task_id": errand.id, "agent_id": made.id, "path": TrustPath.OWN}
    token = act(lambda c: credential.give(c, **given)).text
    bound = act(lambda c: credential.give(c, **given, thumb=key.thumb)).text
    stands = {"name": "bench", "redirects": ("http://127.0.0.1/back",), "confidential": False, "by": owner}
    program = act(lambda c: client.add(c, agent=made.id, **stands)).id
    chains = tuple(act(lambda c: consented(c, program, made.id, person, theirs.id)) for _ in range(CHAINS))
    close(desk.authority)
    said = {"token": token, "bound": bound, "agent": made.id, "task": errand.id, "errand": theirs.id}
    return {**said, "client": program, "chains": chains}


def ready(number: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def house(
    place: Path,
    upstream: str = "http://127.0.0.1:9/mcp",
    governed: Callable[[Settings, str, Key], dict[str, str]] | None = None,
    **more: str,
) -> Iterator[House]:
    """Set up, govern, serve; ended afterwards. `more` are further settings of the server's environment."""
    number = port()
    settings = Settings(data=place / "data", port=number)
    environment = os.environ | {"REMIT_DATA": str(settings.data), "REMIT_PORT": str(number)} | more
    subprocess.run([REMIT, "up", "--no-serve"], env=environment, check=True, cwd=place, capture_output=True)
    key = Key()
    if governed is not None:
        yield from _serving(place, settings, environment, key, governed(settings, upstream, key))
        return
    with provider(key) as issuer:
        known = f'client_rate = 0\n\n[[issuers]]\nissuer = "{issuer}"\naudience = "remit"\njwks_uri = "{issuer}/keys"\n'
        (place / "remit.toml").write_text(known)
        said = govern(settings, upstream, key, issuer) | {"identity": key.identity(issuer, "pia")}
        yield from _serving(place, settings, environment, key, said)


def _serving(
    place: Path, settings: Settings, environment: dict[str, str], key: Key, said: dict[str, Any]
) -> Iterator[House]:
    start = time.perf_counter()
    program = subprocess.Popen([REMIT, "serve"], env=environment, cwd=place, stderr=subprocess.DEVNULL)
    try:
        while not ready(settings.port):
            if program.poll() is not None or time.perf_counter() - start > 30:
                raise SystemExit("remit serve did not become ready")
            time.sleep(0.01)
        started = time.perf_counter() - start
        yield House(f"{settings.origin}/mcp/bench", pid=program.pid, started_s=started, key=key.scalar, **said)
    finally:
        program.terminate()
        program.wait(20)
