"""The past: the records as they stood at each entry, read from the ledger in order and kept in memory.

What a decision looked at can so be put together again, by the same code that put it together then. Only what decisions
of the wanted briefs rest on is kept, and an errand is let go of once it has ended.
"""

import functools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from remit.core.agent import Agent
from remit.core.approval import Approval, Asked, barred
from remit.core.blended import bit
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.facts import Facts
from remit.core.lineage.source import Hold
from remit.core.lineage.vouch import Evidence
from remit.core.moment import LAST, Instant
from remit.core.principal import Person
from remit.core.receipt import NOUNS
from remit.core.record import Record, load
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.store import facts as standing
from remit.store import lineage
from remit.store.apply import acted
from remit.store.db import Database
from remit.store.lineage import OVERDUE_MS
from remit.store.record import Reader, noun

R = TypeVar("R", bound=Record)
Used = Callable[[str, str], int]
Lens = Callable[[Facts], Facts]
KEPT: Final = frozenset(
    {
        "person", "service", "agent", "resource", "tool", "brief", "policy", "task", "plan", "credential", "path",
        "key", "consent", "binding", "session", "approval",
    }
)  # fmt: skip
TUNNEL: Final = re.compile(r"http:.*/@session")
"""What answers nothing by itself, however long it is open."""
SHAPED: Final = frozenset({"resource", "tool", "policy"})
PART: Final = 2048
_PLAIN: Final = b'{"at":'
_KIND: Final = b'"kind":"'
_DECIDES, _ENDED, _TASKS = b'call.decided"', b'call.outcome"', b"task."
_BELOW: Final = (b"plan.", b"credential.")
_DECIDED: Final = _KIND + _DECIDES
_TASK: Final = b'"task":"tsk_'
"""The last of these is the entry's own: an argument can be called task, but stands before it."""
_OWN: Final = re.compile(rb'"id":"(tsk_[a-z2-7]{26})"')
ID: Final = 30
"""The length of an id."""
AT_ONCE: Final = 512
_NONE: Final[dict[str, Any]] = {}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Past(Reader):
    """Records as of one entry. Owned by one reading of the ledger; `of` says which share of the errands it keeps."""

    def __init__(
        self, db: Database, briefs: frozenset[str], policies: standing.Policies, of: tuple[int, int] = (0, 1)
    ) -> None:
        super().__init__(db)
        self.tables: dict[str, dict[str, Any]] = {one: {} for one in KEPT}
        self._of_kind = {kind: self.tables[one] for one, kind in NOUNS.items() if one in KEPT}
        self.briefs, self.of, self.policies = briefs, of, policies
        self.roots: dict[str, str] = {}
        self.shapes = 0
        self.usable: dict[str, int] = {}
        self._errands: dict[str, tuple[list[str], list[str], list[str]]] = {}
        self._learned: dict[str, dict[tuple[str, str, str, Lens | None], Facts]] = {}
        self._task_of: dict[str, str] = {}
        self._open: dict[str, tuple[str, int]] = {}
        self._gaps: set[str] = set()
        self._traced: dict[str, bool] = {}
        self._known: dict[str, set[str]] = {}

    def get(self, kind: type[R], identity: str) -> R | None:
        """The record of this kind and id as it stood, or None."""
        table = self._of_kind.get(kind, _NONE)
        held = table.get(identity)
        if type(held) is dict:
            held = table[identity] = _plan(held) if kind is Plan else load(kind, held)
        return held

    def ahead(self, *places: tuple[type[Record], str]) -> None:  # noqa: ARG002 - as Reader has it
        """Nothing is far away here."""
        return

    def where(
        self, kind: type[R], condition: str = "1 = 1", values: tuple[str | int, ...] = (), most: int = -1
    ) -> Iterator[R]:
        """The records of this kind that meet a condition of equations joined by AND, by id."""
        given, wanted_is = list(values), {}
        for part in condition.split(" AND "):
            name, _, value = part.partition(" = ")
            if name != "1":
                wanted_is[name] = given.pop(0) if value == "?" else value.strip("'")
        found = 0
        for identity in sorted(self.tables.get(noun(kind), {})):
            one = self.get(kind, identity)
            if one is not None and all(getattr(one, name, "made") == value for name, value in wanted_is.items()):
                if found == most:
                    return
                found += 1
                yield one

    def mine(self, said: Mapping[str, Json]) -> bool:
        """Say whether a decision is of a kept errand."""
        return said.get("task") in self.roots

    def fold(self, receipt: Mapping[str, Json]) -> Record | None:
        """Take in a change. A task or plan that was kept is returned, since others keep what hangs on it."""
        body = receipt["record"]
        kind = body["noun"]
        if kind not in KEPT:
            return None
        identity = _identity(kind, body)
        if kind == "task":
            return self._task(identity, body)
        if kind in ("plan", "credential"):
            return self._below(kind, identity, body)
        self.tables[kind][identity] = body
        if kind == "brief":
            self._traced.clear()
        if kind in SHAPED:
            self.shapes += 1
        if kind != "approval":
            self._learned.clear()
        return None

    def _task(self, identity: str, body: Mapping[str, Json]) -> Record | None:
        if identity not in self.roots:
            above = body.get("parent", "")
            root = self.roots.get(above, "") if above else identity
            if body["brief"] not in self.briefs or not root or zlib.crc32(root.encode()) % self.of[1] != self.of[0]:
                return None
            self.roots[identity] = root
            self._errands.setdefault(root, ([], [], []))[0].append(identity)
            self.active[identity] = (0, -1, 0)
        self.tables["task"][identity] = body
        self._learned.pop(self.roots[identity], None)
        return self.get(Task, identity)

    def _below(self, kind: str, identity: str, body: Mapping[str, Json]) -> Record | None:
        task = body["task"]
        root = self.roots.get(task)
        if root is None:
            return None
        self.tables[kind][identity] = body
        self._learned.pop(root, None)
        tasks_plans_credentials = self._errands[root]
        tasks_plans_credentials[1 if kind == "plan" else 2].append(identity)
        return self.get(Plan, identity) if kind == "plan" else None

    def over(self, task: Task) -> tuple[list[str], list[str]]:
        """Let go of an errand whose first task has ended; return its tasks and plans."""
        if task.state != "ended" or self.roots[task.id] != task.id:
            return [], []
        tasks, plans, credentials = self._errands.pop(task.id)
        for table, names in (("task", tasks), ("plan", plans), ("credential", credentials)):
            for one in names:
                self.tables[table].pop(one, None)
        for one in tasks:
            self.active.pop(one, None)
            self._known.pop(one, None)
            self._gaps.discard(one)
        self._learned.pop(task.id, None)
        return tasks, plans

    def decided(self, leaf: int, said: Mapping[str, Json]) -> None:
        """Take in a decision: whether it was work, by which path, and that its call is open."""
        task = said["task"]
        before = self.active.get(task)
        if before is None:
            return
        work = acted(said)
        used = bit(said.get("path", "")) if work else 0
        self.active[task] = (work or before[0], leaf, before[2] | used)
        root = self.roots[task]
        if used and root != task and root in self.active:
            self.active[root] = (*self.active[root][:2], self.active[root][2] | used)
        if said["decision"] == "allow":
            if "approval" in said:
                self.usable[said["approval"]] = self.usable.get(said["approval"], 0) + 1
            if self._traces(said["brief"]):
                self._open[said["call"]] = (task, LAST if TUNNEL.fullmatch(said["action"]) else said["at"])

    def ended(self, said: Mapping[str, Json]) -> None:
        """Take in how a call ended, as far as lineage looks at it."""
        task, _ = self._open.pop(said["call"], ("", 0))
        if not task:
            return
        if said["result"] == "unknown":
            self._gaps.add(task)
        elif said["result"] == "ok":
            self._known.setdefault(task, set()).add(said["call"])

    def facts(self, said: Mapping[str, Json], call: Call, used: Used, lens: Lens | None = None) -> Facts:
        """What the recorded decision looked at. `used` counts uses of an errand by scope, for what lineage asks.

        With a lens, what that makes of all that rests on records: it is looked through once until one of them changes.
        """
        root = self.roots[said["task"]]
        learned = self._learned.get(root)
        if learned is None:
            learned = self._learned[root] = {}
        place = (said["credential"], call.action, call.relation, lens)
        held = learned.get(place)
        if held is None:
            held = standing.standing(self, said["credential"], call, said["at"], self.policies)[0]
            held = learned[place] = held if lens is None else lens(held)
        task = held.task
        if task is None or held.credential is None:
            return replace(held, now=Instant(said["at"]))
        at, last, mixed = self.active.get(task.id, (0, -1, 0))
        if held.ancestors:
            mixed |= self.active.get(held.ancestors[-1].id, (0, -1, 0))[2]
        return replace(
            held,
            now=Instant(said["at"]),
            active_at=Instant(max(at, task.opened)),
            last_leaf=last,
            paths=mixed,
            origin=said["decision"] == "allow",
            asked=self._asked(said, task) if "approval" in said else None,
            evidence=self._evidence(replace(held, now=Instant(said["at"])), task, call, used)
            if self._traces(task.brief)
            else None,
        )

    def _asked(self, said: Mapping[str, Json], task: Task) -> Asked | None:
        """The yes that an allowed call used up: people would have been asked the same, and have answered the same."""
        one = self.get(Approval, said["approval"])
        if one is None or said["decision"] != "allow":
            return None
        found = ((each.by, self.get(Person, each.by)) for each in one.yes)
        agent = self.get(Agent, task.agent)
        return Asked(
            approval=one,
            used=self.usable.get(one.id, 0),
            shown=one.shown,
            fits=True,
            people={by: person for by, person in found if person is not None},
            barred=barred(one.bar, task.requester, agent.owner if agent else "", task.person),
        )

    def _traces(self, brief: str) -> bool:
        found = self._traced.get(brief)
        if found is None:
            one = self.get(Brief, brief)
            found = self._traced[brief] = one is not None and one.lineage is not None
        return found

    def _evidence(self, held: Facts, task: Task, call: Call, used: Used) -> Evidence | None:
        """What lineage looked at: of the answers of the task, those that had come by then."""
        answers = self._known.get(task.id, set())

        def holders(key: bytes, atoms: Iterable[str]) -> dict[str, tuple[Hold, ...]]:
            holds = lineage.holders(self.db, task.id, key, atoms)
            return {atom: tuple(one for one in found if one.call in answers) for atom, found in holds.items()}

        def complete() -> bool:
            late = (one == task.id and at < held.now - OVERDUE_MS for one, at in self._open.values())
            return task.id not in self._gaps and not any(late)

        return standing.evidence(self.db, held, task, call, used, holders, complete)


def _plan(body: Mapping[str, Json]) -> Plan:
    """A plan from its JSON form; most plans of a brief have the same steps, which are read once."""
    plain = msgspec.convert({name: held for name, held in body.items() if name not in ("steps", "noun")}, _Rest)
    steps = _steps(_encode(body["steps"]))
    return Plan(
        task=plain.task, version=plain.version, steps=steps, sources=plain.sources, at=plain.at, moved=plain.moved,
        approval=plain.approval, because=plain.because,
    )  # fmt: skip


class _Rest(msgspec.Struct, forbid_unknown_fields=True):
    """A plan without its steps."""

    task: str
    version: int
    sources: tuple[int, ...]
    at: Instant
    moved: str = ""
    approval: str = ""
    because: str = ""


@functools.lru_cache(maxsize=1024)
def _steps(text: bytes) -> tuple[Step, ...]:
    return tuple(Step.from_json(one) for one in _decode(text))


def _identity(kind: str, body: Mapping[str, Json]) -> str:
    """What a record is looked up by, from its JSON members (see store/record)."""
    if kind == "plan":
        return f"{body['task']}:{body['version']}"
    if kind == "tool":
        return f"{body['resource']}/{body['name']}"
    return str(body["id"] if "id" in body else body["name"])


class Sieve:
    """Tells from the bytes of an entry whether a share of the errands may rest on it. Owned by one walk, in order.

    A large ledger is mostly what other shares decided, and what answers held that nobody asks for: neither is read.
    What is not surely another share's is kept; `Past` has the last word. With `whole` every outcome is kept.
    """

    def __init__(self, of: tuple[int, int] = (0, 1), *, whole: bool = False) -> None:
        self.of, self.whole = of, whole
        self.below: set[bytes] = set()
        """Tasks below others, whose share is that of the first one above, which their own bytes do not tell."""

    def keeps(self, body: bytes) -> bool:
        """Whether this entry may matter."""
        if not body.startswith(_PLAIN):
            return _DECIDED not in body or self._decided(body)
        # Nothing that others wrote stands before the kind of a change or an outcome.
        place = body.find(_KIND) + len(_KIND)
        if body.startswith(_ENDED, place):
            return self.whole or b'"rows"' in body or b'"unknown"' in body
        if self.of[1] == 1:
            return True
        if body.startswith(_BELOW, place):
            return self._below(_last_task(body))
        if body.startswith(_TASKS, place):
            return self._task(body)
        return not body.startswith(_DECIDES, place) or self._decided(body)

    def _decided(self, body: bytes) -> bool:
        """Of a decision with tasks above its own it is told later whose it is."""
        return self.of[1] == 1 or b'"above":[' in body or self._mine(_last_task(body))

    def _task(self, body: bytes) -> bool:
        found = _OWN.findall(body)
        if b'"parent":"' in body:
            self.below.update(found)
            return True
        return len(found) != 1 or self._mine(found[0])

    def _below(self, task: bytes) -> bool:
        return task in self.below or self._mine(task)

    def _mine(self, task: bytes) -> bool:
        return not task or zlib.crc32(task) % self.of[1] == self.of[0]


def _last_task(body: bytes) -> bytes:
    place = body.rfind(_TASK)
    return b"" if place < 0 else body[place + len(_TASK) - 4 : place + len(_TASK) - 4 + ID]


def entries(db: Database, start: int, end: int, sieve: Sieve) -> list[tuple[int, dict[str, Json]]]:
    """The receipts of these entries that the sieve keeps."""
    rows = db.all("SELECT number, body FROM leaf WHERE number >= ? AND number < ? ORDER BY number", (start, end))
    keeps = sieve.keeps
    return [(number, _decode(body)) for number, body in rows if keeps(body)]


def values(db: Database, calls: list[str]) -> dict[str, bytes]:
    """The argument values of these calls, as they were written; those that were erased or never kept are not there."""
    found: dict[str, bytes] = {}
    for start in range(0, len(calls), AT_ONCE):
        part = calls[start : start + AT_ONCE]
        marks = ", ".join("?" * len(part))
        sql = f"SELECT call, body FROM payload WHERE erased = 0 AND call IN ({marks})"  # noqa: S608 - marks alone
        found.update(db.all(sql, part))
    return found
