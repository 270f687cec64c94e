"""Load on three nodes, a nemesis that hurts them, and what must hold all the same.

Lanes: each has one task at a time that two callers use at nodes in turn; the lane's operator revokes it at some node,
lets the callers go on for a while, and takes the next. Racers: three at once spend what counts once or twice. All write
down what they did, by one clock. Then `checker` judges.
"""

import json
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from remit.ledger import checkpoint, note
from remit.store import log
from tests.kit import checker, ledger
from tests.kit.agent import Agent
from tests.kit.checker import Event, Head, Said
from tests.kit.cluster import ADMIN, ISSUER, NAME, NODES, USES, Cluster
from tests.kit.nats import nats
from tests.kit.planted import Planted
from tests.kit.site import ASSERTION, ask
from tests.kit.tokens import peer_sign

LANES = 4
BEFORE = AFTER = 4
PATIENCE_S = 6.0
RACERS = 3
UNSURE = ("store_", "commit_", "queue_", "deadline_", "clock_", "permit_", "upstream_", "internal")
"""How codes begin that say neither yes nor no."""


@dataclass
class Story:
    """What was done and seen. `restarts` are seconds from a node's loss to serving again."""

    events: list[Event] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def count(self, kind: str, said: Said) -> int:
        return sum(one.kind == kind and one.said is said for one in self.events)


class Lane(threading.Thread):
    """One operator and its two callers. The operator is this thread."""

    def __init__(self, cluster: Cluster, story: Story, tasks: list[tuple[str, str]], seed: int) -> None:
        super().__init__(daemon=True)
        self._cluster, self._story, self._tasks = cluster, story, tasks
        self._random = random.Random(seed)
        self._now: tuple[str, str] | None = None
        self._calls = 0
        self._over = False

    def run(self) -> None:
        callers = [threading.Thread(target=self._caller, args=(number,), daemon=True) for number in range(2)]
        for one in callers:
            one.start()
        for task, token in self._tasks:
            self._now, self._calls = (task, token), 0
            self._wait(BEFORE)
            self._revoke(task)
            self._calls = 0
            self._wait(AFTER)
        self._over = True
        for one in callers:
            one.join(2 * PATIENCE_S)

    def _wait(self, calls: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while self._calls < calls and time.monotonic() < end:
            time.sleep(0.002)

    def _revoke(self, task: str) -> None:
        for _ in range(5):
            node = self._random.choice(self._cluster.nodes)
            invoked = time.monotonic_ns()
            done = revoked(node.port, task)
            self._story.events.append(
                Event("revoke", node.name, f"revoke-{task}", task, invoked, time.monotonic_ns(),
                      Said.DONE if done else Said.UNKNOWN)
            )  # fmt: skip
            if done:
                return
            time.sleep(0.1)

    def _caller(self, number: int) -> None:
        turn = number
        while not self._over:
            held = self._now
            if held is None:
                time.sleep(0.005)
                continue
            turn += 1
            node = self._cluster.nodes[turn % NODES]
            event = called(node.name, node.port, held[0], held[1], "echo", f"{held[0]}-{number}-{turn}")
            self._story.events.append(event)
            self._calls += 1
            if event.said is Said.UNKNOWN:
                time.sleep(0.02)


def called(node: str, port: int, task: str, token: str, tool: str, name: str, once: str = "") -> Event:
    """One call and what its caller heard: only an answer that says so was allowed or refused."""
    agent = Agent(f"http://127.0.0.1:{port}/mcp/{NAME}", token)
    data, headers = agent.modern("tools/call", {"name": tool, "arguments": {"text": name}})
    invoked, said = time.monotonic_ns(), Said.UNKNOWN
    try:
        connection, response = agent.open("POST", data, headers, PATIENCE_S)
        with closing(connection):
            said = heard(response.status, json.loads(response.read() or b"null"))
    except (OSError, HTTPException, ValueError):
        pass
    return Event("call", node, name, task, invoked, time.monotonic_ns(), said, once)


def heard(status: int, value: Any) -> Said:
    if status == 401:
        return Said.REFUSED
    result = value.get("result") if isinstance(value, dict) else None
    if status != 200 or not isinstance(result, dict):
        return Said.UNKNOWN
    if not result.get("isError"):
        return Said.ALLOWED
    code = result.get("_meta", {}).get("remit/code", "")
    return Said.UNKNOWN if not code or code.startswith(UNSURE) else Said.REFUSED


def posted(port: int, path: str, body: bytes, kind: str, token: str = "") -> int:
    """The status that a post was answered with; 0 for none."""
    headers = {"content-type": kind} | ({"authorization": f"Bearer {token}"} if token else {})
    try:
        return ask(f"http://127.0.0.1:{port}{path}", "POST", body, headers).status
    except (OSError, HTTPException):
        return 0


def revoked(port: int, task: str) -> bool:
    """Revoke a task as an operator does at one node; whether that was answered with a yes."""
    body = json.dumps({"kind": "task", "target": task}).encode()
    return posted(port, "/v1/revocations", body, "application/json", ADMIN) in (200, 201)


def race(cluster: Cluster, story: Story, rounds: int, tasks: list[tuple[str, str]]) -> None:
    """Each round: three callers each use a tool that may be used twice, and show one assertion at three doors."""
    for number in range(rounds):
        task, token = tasks[number]
        doors = [
            threading.Thread(target=_racer, args=(cluster, story, number, place, task, token), daemon=True)
            for place in range(RACERS)
        ]
        text = assertion(cluster, f"race-{number}")
        doors += [
            threading.Thread(target=_shown, args=(cluster, story, number, place, task, text), daemon=True)
            for place in range(RACERS)
        ]
        for one in doors:
            one.start()
        for one in doors:
            one.join(3 * PATIENCE_S)


def _racer(cluster: Cluster, story: Story, number: int, place: int, task: str, token: str) -> None:
    node = cluster.nodes[place % NODES]
    for turn in range(2):
        name = f"race-{number}-{place}-{turn}"
        story.events.append(called(node.name, node.port, task, token, "reflect", name, f"reflect-{task}"))


def assertion(cluster: Cluster, number: str) -> str:
    now = cluster.world.authority.clock.now() // 1000
    said = {"iss": cluster.agent.id, "sub": cluster.agent.id, "aud": ISSUER, "iat": now, "exp": now + 240}
    return peer_sign(cluster.key, {"alg": "ES256"}, said | {"jti": number})


def _shown(cluster: Cluster, story: Story, number: int, place: int, task: str, text: str) -> None:
    node = cluster.nodes[place % NODES]
    asked = {"grant_type": "client_credentials", "task": task}
    form = urlencode(asked | {"client_assertion_type": ASSERTION, "client_assertion": text}).encode()
    invoked = time.monotonic_ns()
    status = posted(node.port, "/oauth/token", form, "application/x-www-form-urlencoded")
    said = {200: Said.DONE, 401: Said.REFUSED}.get(status, Said.UNKNOWN)
    story.events.append(
        Event("token", node.name, f"jti-{number}-{place}", task, invoked, time.monotonic_ns(), said, f"jti-{number}")
    )


class Trouble(threading.Thread):
    """Hurts one thing after another until it is told to stop, and heals all that it hurt."""

    def __init__(self, cluster: Cluster, story: Story, seed: int) -> None:
        super().__init__(daemon=True)
        self._cluster, self._story = cluster, story
        self._random = random.Random(seed)
        self.over = threading.Event()

    def run(self) -> None:
        acts: list[Callable[[], None]] = [
            self._kill, self._stop, self._cut, self._delay, self._bus, self._database, self._stop, self._cut,
        ]  # fmt: skip
        self._random.shuffle(acts)
        number = 0
        while not self.over.wait(self._random.uniform(0.1, 0.6)):
            act = acts[number % len(acts)]
            number += 1
            self._story.done.append(act.__name__.strip("_"))
            act()

    def _node(self) -> Any:
        return self._random.choice(self._cluster.nodes)

    def _kill(self) -> None:
        node = self._node()
        node.kill()
        node.start()
        self._story.restarts.append(node.until_ready())

    def _stop(self) -> None:
        node = self._node()
        node.send(signal.SIGSTOP)
        time.sleep(self._random.choice((0.2, 1.0, 2.5)))
        node.send(signal.SIGCONT)

    def _cut(self) -> None:
        self._node().proxy.cut(self._random.choice((0.0, 0.3, 1.0)))

    def _delay(self) -> None:
        proxy = self._node().proxy
        proxy.delay = self._random.choice((0.02, 0.15))
        time.sleep(1.0)
        proxy.delay = 0.0

    def _bus(self) -> None:
        self._cluster.bus.close()
        time.sleep(0.5)
        self._cluster.bus.enter_context(nats(self._cluster.bus_port))

    def _database(self) -> None:
        self._cluster.server.restart()


def watch(cluster: Cluster, story: Story, over: threading.Event) -> None:
    """Read the head that each node publishes, again and again."""
    while not over.wait(0.1):
        for node in cluster.nodes:
            try:
                told = ask(f"http://127.0.0.1:{node.port}/log/checkpoint")
            except (OSError, HTTPException):
                continue
            if told.status == 200:
                head = checkpoint.parse(note.parse(told.body).text)
                story.heads.append(Head(node.name, head.size, head.root))


def run(
    folder: Path, revocations: int, races: int, *, trouble: bool, fault: Planted | None = None, seed: int = 1
) -> Story:
    """Let it all happen and judge it. `trouble` also sets two clocks off by an hour."""
    story = Story()
    with Cluster(folder, fault, 3600 if trouble else 0) as cluster:
        tasks = cluster.tasks(revocations + races)
        lanes = [Lane(cluster, story, tasks[races + n :: LANES], seed + n) for n in range(LANES)]
        racing = threading.Thread(target=race, args=(cluster, story, races, tasks[:races]), daemon=True)
        hurting, over = Trouble(cluster, story, seed), threading.Event()
        watching = threading.Thread(target=watch, args=(cluster, story, over), daemon=True)
        threads = [*lanes, racing, watching, *([hurting] if trouble else [])]
        for one in threads:
            one.start()
        for one in (*lanes, racing):
            one.join()
        hurting.over.set()
        over.set()
        for one in (watching, *([hurting] if trouble else [])):
            one.join(60)
        for node in cluster.nodes:
            node.send(signal.SIGCONT)
            node.until_ready()
        story.complaints = judged(cluster, story) + ([] if trouble else checker.unanswered(story.events))
    return story


def judged(cluster: Cluster, story: Story) -> list[str]:
    """Everything that is wrong with what was done, what arrived, the ledger and the heads."""
    world = cluster.world
    world.authority.db.reopen()
    world.authority.view.reopen()
    view = world.authority.view
    size = log.newest(view).size
    entries = list(log.entries(view, 0, size))
    allowed = {
        one["call"] for one in map(json.loads, entries) if one["kind"] == "call.decided" and one["decision"] == "allow"
    }
    named = {call: json.loads(body).get("text", "") for call, body in view.all("SELECT call, body FROM payload")}
    recorded = [named[call] for call in allowed if named.get(call)]
    came = [one["params"]["arguments"] for one in cluster.upstream.bodies if one.get("method") == "tools/call"]
    arrived = [one["text"] for one in came]
    most = {one.once: USES for one in story.events if one.once.startswith("reflect-")}
    return [
        *checker.late(story.events, arrived),
        *checker.twice(story.events, most),
        *checker.leafless(story.events, arrived, recorded),
        *checker.forked(story.heads, entries),
        *ledger.faults(world.authority),
    ]
