"""What each dependency's failure comes to: the cases that `test_failures` shows, and the page that is made of them.

`python -m tests.nodes.failures --write` writes docs/guide/failures.md.
"""

import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit.cluster import Cluster

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "failures.md"
Hurt = Callable[[Cluster], Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One dependency that fails in one way, for as long as `hurt` is entered, and what a call comes to meanwhile.

    `codes` are the possible answers, "allow" among them where nothing rests on the dependency; `within` is seconds.
    """

    dependency: str
    failure: str
    outcome: str
    codes: tuple[str, ...]
    within: float
    hurt: Hurt
    tool: str = "echo"

    def __str__(self) -> str:
        return f"{self.dependency}: {self.failure}"


@contextmanager
def cut(cluster: Cluster) -> Any:
    cluster.nodes[0].proxy.cut(1e6)
    try:
        yield
    finally:
        cluster.nodes[0].proxy.cut(0)


@contextmanager
def slow(cluster: Cluster) -> Any:
    cluster.nodes[0].proxy.delay = 0.05
    try:
        yield
    finally:
        cluster.nodes[0].proxy.delay = 0.0


@contextmanager
def down(cluster: Cluster) -> Any:
    cluster.server.stop("immediate")
    try:
        yield
    finally:
        cluster.server.start()


@contextmanager
def stopped(cluster: Cluster) -> Any:
    cluster.server.send(signal.SIGSTOP)
    try:
        yield
    finally:
        cluster.server.send(signal.SIGCONT)


@contextmanager
def restarted(cluster: Cluster) -> Any:
    cluster.server.restart()
    yield


@contextmanager
def bus_down(cluster: Cluster) -> Any:
    from tests.kit.nats import nats

    cluster.bus.close()
    try:
        yield
    finally:
        cluster.bus.enter_context(nats(cluster.bus_port))


@contextmanager
def node_killed(cluster: Cluster) -> Any:
    cluster.nodes[2].kill()
    try:
        yield
    finally:
        cluster.nodes[2].start()
        cluster.nodes[2].until_ready()


@contextmanager
def node_stopped(cluster: Cluster) -> Any:
    cluster.nodes[2].send(signal.SIGSTOP)
    try:
        yield
    finally:
        cluster.nodes[2].send(signal.SIGCONT)


@contextmanager
def lock_held(cluster: Cluster) -> Any:
    db = cluster.world.authority.db
    db.begin(timeout_ms=5000)
    yield


@contextmanager
def nothing(_: Cluster) -> Any:
    yield


LOST = (
    "store_unavailable", "store_dropped", "store_failed", "commit_unknown", "temporarily_unavailable",
    "deadline_passed",
)  # fmt: skip
YES = ("allow",)
CASES = (
    Case("database", "cannot be reached", "refused (503), with a code that says so", LOST, 6.5, cut),
    Case("database", "is down", "refused (503), with a code that says so", LOST, 6.5, down),
    Case("database", "accepts and says nothing", "refused once the node gives it up", LOST, 15, stopped),
    Case("database", "answers 100 ms late each time", "allowed, late", YES, 10, slow),
    Case("database", "was restarted", "the first call may be refused", (*YES, *LOST), 6.5, restarted),
    Case("database", "somebody holds the lock in silence", "allowed once the server has ended them", YES, 5, lock_held),
    Case("bus (NATS)", "is down", "allowed: nothing rests on it", YES, 5, bus_down),
    Case("another node", "was killed", "allowed", YES, 5, node_killed),
    Case("another node", "is stopped", "allowed; a lock that it holds is taken within 2 s", YES, 5, node_stopped),
    Case("upstream", "closes without an answer", "an error, recorded", ("upstream_closed",), 5, nothing, "die"),
    Case("upstream", "answers garbage", "an error, recorded", ("upstream_garbage",), 5, nothing, "garbage"),
)  # fmt: skip


def rendered() -> str:
    """The page."""
    rows = "\n".join(f"| {one.dependency} | {one.failure} | {one.outcome} | {one.within:g} s |" for one in CASES)
    return f"""# What a failure comes to

No failure of anything that Remit depends on is ever an allow. Each row is a test of `tests/nodes/test_failures.py`, on
three real nodes; this page is written from those tests (`python -m tests.nodes.failures --write`). "Within" is how soon
the caller has an answer at the latest; after each failure is over, the same call is allowed again without a restart.

| dependency | failure | what a call comes to meanwhile | within |
|---|---|---|---|
{rows}

Disks that are full or fail, power loss and kills are in `tests/faults`; identity providers that cannot be reached in
`tests/web/test_issuers.py`; witnesses that refuse or are gone in `tests/laws/test_law_witness.py`; upstreams that hang
in `tests/gateway`.
"""


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(rendered(), encoding="utf-8")
