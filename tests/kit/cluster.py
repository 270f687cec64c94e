"""Three real `remit serve` processes on one PostgreSQL database, each behind its own proxy; and what they govern."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from joserfc.jwk import ECKey

from remit.control import credential, login, task
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.custody.root import make_root_file
from tests.kit.gate import NAME, drive, step
from tests.kit.nats import nats
from tests.kit.planted import Planted, patched
from tests.kit.ports import free
from tests.kit.postgres import Postgres
from tests.kit.proxy import Proxy
from tests.kit.upstream import TOOLS, small
from tests.kit.world import ISSUER, World

NODES = 3
ADMIN = "an-admin-token-of-these-three-nodes-only"
FREE = ("echo", "die", "garbage", "drip")
USES = 2
"""How often a task may use the tool `reflect`."""
SKEWED = """
import time
def _moved(by):
    wall, wall_ns, real, real_ns = time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns
    time.time = lambda: wall() + by
    time.time_ns = lambda: wall_ns() + by * 10**9
    time.clock_gettime = lambda which: real(which) + (by if which == time.CLOCK_REALTIME else 0)
    time.clock_gettime_ns = lambda which: real_ns(which) + (by * 10**9 if which == time.CLOCK_REALTIME else 0)
_moved({by})
"""


@dataclass
class Node:
    """One process, its address, and the proxy before its database."""

    name: str
    port: int
    proxy: Proxy
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "remit.cli.main", "serve"], env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(60)

    def ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            with contextlib.closing(connection.getresponse()) as told:
                return told.status == 200
        return False

    def until_ready(self, seconds: float = 60.0) -> float:
        """Wait until it serves; how long that took."""
        begun = time.monotonic()
        while not self.ready():
            assert time.monotonic() - begun < seconds, f"{self.name} did not become ready"
            time.sleep(0.02)
        return time.monotonic() - begun


class Cluster:
    """Enter it, and three nodes serve. `world` is this process's own way into the same store."""

    def __init__(self, folder: Path, fault: Planted | None = None, skew: int = 0) -> None:
        self._folder, self._fault, self._skew = folder, fault, skew

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _build(self) -> None:
        self.server = Postgres()
        self._stack.callback(self.server.close)
        self.upstream = self._stack.enter_context(small())
        self.bus_port, self.bus_watch = free(), free()
        self.bus = self._stack.enter_context(ExitStack())
        self.bus.enter_context(nats(self.bus_port, self.bus_watch))
        url = self.server.fresh()
        self.database = url.rpartition("/")[2]
        self.world = World(url).settle()
        self._stack.callback(self.world.close)
        self.key = ECKey.generate_key("P-256")
        self._govern()
        self._source = [str(patched(self._fault, self._folder / "src"))] if self._fault else []
        make_root_file(self._folder / "root.key", lambda _: bytes(range(1, 33)))
        self.nodes = [self._node(number) for number in range(NODES)]
        for one in self.nodes:
            one.start()
            self._stack.callback(one.kill)
        for one in self.nodes:
            one.until_ready()

    def _node(self, number: int) -> Node:
        proxy = Proxy(self.server.port)
        self._stack.callback(proxy.close)
        data, port = self._folder / f"n{number}", free()
        data.mkdir(mode=0o700)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")} | {
            "REMIT_DATA": str(data), "REMIT_PORT": str(port), "REMIT_ISSUER": ISSUER,
            "REMIT_STORE": self.server.url(self.database, proxy.port),
            "REMIT_ROOT_KEY": f"file:{self._folder / 'root.key'}", "REMIT_BUS": f"nats://127.0.0.1:{self.bus_port}",
            "PYTHONPATH": os.pathsep.join([*self._moved(number), *self._source]),
        }  # fmt: skip
        return Node(f"n{number}", port, proxy, environment)

    def _moved(self, number: int) -> list[str]:
        """A folder whose `sitecustomize` sets this node's clock off."""
        by = (self._skew, -self._skew, 0)[number]
        if not by:
            return []
        place = self._folder / f"clock{number}"
        place.mkdir()
        (place / "sitecustomize.py").write_text(SKEWED.replace("{by}", str(by)), encoding="utf-8")
        return [str(place)]

    def _govern(self) -> None:
        self.world.act(lambda c: login.keep(c, "token", ADMIN, "operator"))
        public = {k: str(v) for k, v in self.key.as_dict(private=False).items()} | {"alg": "ES256", "kid": "one"}
        steps = (step(f"mcp:{NAME}/reflect", uses=USES), *(step(f"mcp:{NAME}/{one}") for one in FREE))
        self.agent = drive(self.world, Upstream(url=self.upstream.url), TOOLS, steps, keys=(public,))

    def tasks(self, count: int) -> list[tuple[str, str]]:
        """So many open tasks, each with a credential's text."""
        world, owner = self.world, self.world.owner.id
        found: list[Any] = []

        def made(change: Any) -> tuple[str, str]:
            opened = task.open_task(change, brief=NAME, agent=self.agent.id, requester=owner, by=owner)
            given = credential.give(change, task_id=opened.id, agent_id=self.agent.id, path=TrustPath.OWN)
            return opened.id, given.text

        for number in range(count):
            world.batch.submit(f"maker{number % 16}", made, found.append)
            if number % 16 == 15 or number == count - 1:
                while not world.batch.idle:
                    world.batch.turn()
        assert all(isinstance(one, tuple) for one in found), [one for one in found if not isinstance(one, tuple)][:1]
        return found
