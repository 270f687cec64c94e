"""The stage of one run: a data folder, a server of its own on a free port, and all that an operator registers first."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from remit.cli import policy as policies
from remit.cli.demo.errands import Errand
from remit.cli.demo.key import Key
from remit.cli.demo.servers import Servers
from remit.cli.demo.site import Issuer
from remit.cli.desk import Desk, close
from remit.cli.resource import ask
from remit.cli.settings import load
from remit.cli.up import set_up
from remit.control import agent, brief, principal, resource, task
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.resource import Injection, Resource, Upstream
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.root import make_root_file
from remit.custody.secret import Secret

AUDIENCE: Final = "remit-demo"
SUBJECT: Final = "pia"
SECRET: Final = "egress"  # noqa: S105 - its name
DAY: Final = 24 * 60 * 60 * 1000
PATIENCE: Final = 20.0
_NOWHERE: Final = "/nonexistent"


@dataclass(frozen=True, slots=True)
class Cast:
    """An agent as it was registered: its record, its key, which is its own, and the task that it was given."""

    errand: Errand
    agent: Agent
    key: Key
    task: Task


class Stage:
    """One run's Remit. Owned by the run: leave it, and the server ends with everything it started."""

    def __init__(self, folder: Path, issuer: Issuer) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "remit.toml"
        self.log = folder / "server.log"
        self._issuer = issuer
        self._port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.config.write_text(
            f'data = "{self.data}"\nport = {self._port}\n\n'
            f'[[issuers]]\nissuer = "{issuer.url}"\naudience = "{AUDIENCE}"\n',
            "utf-8",
        )
        self.data.mkdir(mode=0o700)
        make_root_file(self.data / "root.key", os.urandom)
        self.desk: Desk = set_up(load({}, {}, str(self.config)))
        self.url = self.desk.settings.origin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        close(self.desk.authority)

    @property
    def process(self) -> int:
        """The server's process id."""
        return self._server.pid if self._server else 0

    def register(self, errands: list[Errand], servers: Servers, password: str) -> list[Cast]:
        """Do what an operator does once: people, secret, targets with their pins, agents, policies, briefs, tasks."""
        desk = self.desk
        owner = desk.act(lambda c: principal.add_person(c, "local", "olga", "Olga Owner", (), desk.by))
        person = desk.act(lambda c: principal.add_person(c, self._issuer.url, SUBJECT, "Pia Person", (), desk.by))
        desk.act(lambda c: resource.put_secret(c, SECRET, Secret(password.encode())))
        for one in errands:
            self._resource(one, servers, owner)
        self._policies(errands)
        return [self._cast(one, owner, person) for one in errands]

    def serve(self) -> None:
        """Start the server and wait until it is ready (`demo_server` with the last of its log)."""
        argv = [sys.executable, "-m", "remit.cli.main", "--config", str(self.config), "serve"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(argv, stdout=log, stderr=log, env=env, cwd=self.folder)  # noqa: S603 - ourselves
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._server.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=1):  # noqa: S310 - our own address
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        said = self.log.read_text("utf-8", "replace").strip().splitlines()
        raise RemitError("demo_server", f"The server did not start: {' / '.join(said[-3:])[:400]}", "Run remit doctor.")

    def stop(self) -> None:
        """End the server, kindly first."""
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(5)

    def post(self, path: str, form: Mapping[str, str]) -> tuple[int, dict[str, object]]:
        """Post a form to the server; status and JSON answer."""
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(f"{self.url}{path}", body, method="POST")  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"{}")

    def credential(self, cast: Cast) -> str:
        """Have the agent get its credential: by its own key, and on the delegated path for the person who signed in."""
        gate = f"{self.url}/mcp/{cast.errand.resource}"
        details = json.dumps([{"type": "remit_task", "task": cast.task.id}])
        form = self.proof(cast) | {"authorization_details": details, "resource": gate}
        if cast.errand.path is TrustPath.DELEGATED:
            form |= {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": self._issuer.sign_in(SUBJECT, "Pia Person"),
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            }
        else:
            form["grant_type"] = "client_credentials"
        status, said = self.post("/oauth/token", form)
        if status != 200:
            raise RemitError(
                "demo_token", f"No credential was given: {json.dumps(said)[:300]}", "See the server's log."
            )
        return str(said["access_token"])

    def proof(self, cast: Cast) -> dict[str, str]:
        """What an agent proves itself by: an assertion that its own key signed (RFC 7523)."""
        now = int(time.time())
        who = cast.agent.id
        said = {"iss": who, "sub": who, "aud": self.url, "jti": os.urandom(16).hex(), "iat": now, "exp": now + 60}
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {"client_id": who, "client_assertion_type": kind, "client_assertion": cast.key.sign(said)}

    def _resource(self, one: Errand, servers: Servers, owner: Person) -> Resource:
        injections = tuple(
            Injection(secret=SECRET, variable=name, template=text) for name, text in one.environment.items()
        )
        argv = (str(servers.programs[one.server]), *one.arguments)
        upstream = Upstream(argv=argv, environment=(("PATH", _path(one.server)),))
        sealed, tools = ask(self.desk, upstream, injections)
        return self.desk.act(
            lambda c: resource.add(
                c,
                name=one.resource,
                upstream=sealed,
                domain=one.domain,
                owner=owner.id,
                tools=tools,
                reads=one.reads,
                injections=injections,
                by=self.desk.by,
            )
        )

    def _policies(self, errands: list[Errand]) -> None:
        folder = self.folder / "policies"
        for layer in ("common", "delegated", "own"):
            (folder / layer).mkdir(parents=True)
        permits = [
            f'@id("{one.resource}")\npermit(principal, action, resource == Resource::"{one.resource}")'
            f' when {{ context.path == "{one.path.value}" }};'
            for one in errands
        ]
        (folder / "common" / "demo.cedar").write_text("\n".join(permits), "utf-8")
        tests = []
        for path in TrustPath:
            tests += [
                {
                    "name": f"{one.resource} on the {path.value} path",
                    "path": path.value,
                    "action": one.brief[0]["action"],
                    "expect": "allow" if one.path is path else "deny",
                    "args": _example(one),
                }
                for one in errands
            ]
        (folder / "demo.test.json").write_text(json.dumps(tests), "utf-8")
        policies.put_in_force(self.desk, policies.layers(str(folder)), policies.tests_of(str(folder)))

    def _cast(self, one: Errand, owner: Person, person: Person) -> Cast:
        desk, mine = self.desk, Key()
        due = Instant(desk.authority.clock.now() + 30 * DAY)
        made = desk.act(
            lambda c: agent.add(
                c,
                name=one.name,
                owner=owner.id,
                purpose=one.purpose,
                review_due=due,
                ceiling=(f"mcp:{one.resource}/*",),
                keys=(mine.public,),
                by=desk.by,
            )
        )
        asks = person if one.path is TrustPath.DELEGATED else owner
        ceiling = Brief(
            name=one.resource,
            version=1,
            purpose=one.purpose,
            steps=tuple(Step.from_json(step) for step in one.brief),
            dispatchers=(asks.id,),
            agents=(made.id,),
            domains=(one.domain,),
        )
        desk.act(lambda c: brief.apply(c, ceiling, desk.by))
        opened = desk.act(
            lambda c: task.open_task(
                c, brief=one.resource, agent=made.id, requester=asks.id, purpose=one.request, by=asks.id
            )
        )
        desk.act(lambda c: task.plan(c, opened.id, tuple(Step.from_json(step) for step in one.plan), asks.id))
        return Cast(one, made, mine, opened)


def _example(one: Errand) -> dict[str, object]:
    """Arguments of the right types for a policy test of the errand's first step."""
    named = one.brief[0]["arguments"]
    return {name: 1 if name in ("max_length", "start_index", "max_count") else "text" for name in named}


def _path(server: str) -> str:
    """Where a server finds programs: git where ours is, others nowhere: fetch would have node install things."""
    git = shutil.which("git") if server == "git" else None
    return str(Path(git).parent) if git else _NOWHERE


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
