"""Evidence of a task: its receipts with proofs against one signed head, and what lies beside them, in one file.

The ledger is read outside any transaction; the last one only looks at what came meanwhile, and writes the receipt that
says how many entries concern the task. So a file cannot leave one out, not even the last.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remit.control.authority import Authority
from remit.control.change import Change
from remit.core import evidence as rules
from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError
from remit.core.evidence import Evidence
from remit.core.receipt import MADE, decode
from remit.core.scope import Scope, targets
from remit.core.task import Plan, Task
from remit.ledger import checkpoint, merkle, note
from remit.ledger.log import nodes
from remit.store import cosignature, log, payload
from remit.store.db import Database
from remit.store.facts import ancestors
from remit.store.record import Reader

PART: Final = 512
"""How many entries are read at once: a page that asks for evidence does other things between."""


@dataclass(slots=True)
class Taking:
    """One taking of evidence under way. Owned by whoever takes it, on the thread of `authority.view`."""

    authority: Authority
    task: str
    scope: Scope
    size: int = 0
    found: list[tuple[int, bytes]] = field(default_factory=list)
    beside: dict[str, Json] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    def read(self) -> Iterator[None]:
        """Read the ledger up to its newest head, a part at each step; then what lies beside."""
        end = log.newest(self.authority.view).size
        while self.size < end:
            stop = min(self.size + PART, end)
            self.take(log.entries(self.authority.view, self.size, stop))
            self.size = stop
            yield
        self.beside = _beside(self.authority.view, [decode(body) for _, body in self.found])
        self.keys = self.authority.verifiers()

    def take(self, bodies: Iterator[bytes]) -> None:
        """Keep those of these entries, the next ones, that concern the task."""
        for number, body in enumerate(bodies, self.size):
            if self.scope.concerns(decode(body)):
                self.found.append((number, body))


def begin(authority: Authority, task_id: str) -> Taking:
    """Begin to take evidence of a task and of all below it (`not_found`)."""
    return Taking(authority, task_id, _scope(Reader(authority.view), task_id))


def made(change: Change, taking: Taking) -> Evidence:
    """Write the receipt that binds what was read. Refuses when the task went on meanwhile (`evidence_moved`)."""
    since = [decode(one) for one in (*log.entries(change.db, taking.size, change.base), *change.bodies)]
    now_is = _scope(change.reader, taking.task)
    now_is.calls = set(taking.scope.calls)
    if now_is != taking.scope or any(now_is.concerns(one) for one in since):
        raise RemitError("evidence_moved", "The task went on while its evidence was taken.", "Take it again.")
    record = Evidence(
        id=change.authority.make("evd"),
        task=taking.task,
        tasks=tuple(sorted(taking.scope.tasks)),
        leaves=rules.leaves(number for number, _ in taking.found),
        count=len(taking.found),
        beside={name: rules.part(taking.beside[name]) for name in rules.PARTS},
        keys=taking.keys,
    )
    leaf = change.record(MADE, record, "operator")
    taking.found.append((leaf, change.bodies[leaf - change.base]))
    return record


def written(taking: Taking, since: bytes = b"") -> bytes:
    """The file, after the commit: every entry proven against the newest head; `since` is a signed head kept elsewhere.

    Refuses a head of another ledger, and one of entries that this ledger does not have (`head_unknown`).
    """
    view = taking.authority.view
    head = log.newest(view)
    get = nodes(head.size, lambda level, index, width: log.read_tile(view, level, index, width))
    entries: list[Json] = [
        [number, body.decode(), [b64(step) for step in merkle.inclusion_proof(number, head.size, get)]]
        for number, body in taking.found
    ]
    file: dict[str, Json] = {
        "format": rules.FORMAT,
        "task": taking.task,
        "head": head.note + cosignature.under(view, head.size),
        "entries": entries,
        "beside": taking.beside,
    }
    if since:
        old = checkpoint.parse(note.parse(since).text)
        if not 0 < old.size <= head.size or old.origin != taking.authority.name:
            raise RemitError("head_unknown", "This is no head of this ledger.", "Give one that it signed before.")
        proof = [b64(step) for step in merkle.consistency_proof(old.size, head.size, get)]
        file["since"] = {"head": since.decode(), "proof": proof}
    return canon(file)


def _scope(reader: Reader, task_id: str) -> Scope:
    top = reader.get(Task, task_id)
    if top is None:
        raise RemitError("not_found", f"There is no task {task_id}.", "List what there is: remit task list --all.")
    tasks = _below(reader, top)
    above = ancestors(reader, top) or ()
    agents = [one for one in (reader.get(Agent, name) for name in {each.agent for each in tasks}) if one is not None]
    people = {name for each in tasks for name in (each.requester, each.person)} | {one.owner for one in agents}
    others = {("agent", one.id) for one in agents} | {("brief", each.brief) for each in tasks}
    for each in tasks:
        for plan in reader.where(Plan, "task = ?", (each.id,)):
            others |= targets(plan.steps)
        for one in reader.where(Approval, "task = ?", (each.id,)):
            people |= {one.no, *(yes.by for yes in one.yes)}
    others |= {("service" if name.startswith("svc_") else "person", name) for name in people if name}
    return Scope(frozenset(each.id for each in tasks), frozenset(each.id for each in above), frozenset(others))


def _below(reader: Reader, top: Task) -> list[Task]:
    found = [top]
    for each in found:
        found.extend(reader.where(Task, "parent = ?", (each.id,)))
    return found


def _beside(db: Database, receipts: list[dict[str, Json]]) -> dict[str, Json]:
    """What lies beside these receipts and was not erased: values, cards, policy texts, names of people."""
    calls: dict[str, Json] = {}
    cards: dict[str, Json] = {}
    people: dict[str, Json] = {}
    policies: dict[str, Json] = {}
    for one in receipts:
        record = one.get("record", {})
        noun = record.get("noun")
        if "args" in one and (held := payload.get(db, one["call"])):
            calls[one["call"]] = {"salt": b64(held[0]), "arguments": json.loads(held[1])}
        elif noun == "approval" and (shown := _shown(db, record["call"])):
            cards[record["id"]] = shown
        elif noun == "person" and (names := payload.names(db, record["id"])):
            people[record["id"]] = names[0][2]
        elif noun == "policy" and (text := payload.get_blob(db, record["digest"])):
            policies[record["digest"]] = json.loads(text)
    return {"calls": calls, "cards": cards, "people": people, "policies": policies}


def _shown(db: Database, call: str) -> Json:
    """What people were shown, with the salt that binds it; nothing once either is erased."""
    card, held = payload.get_card(db, call), payload.get(db, call)
    return {"salt": b64(held[0]), "card": json.loads(card)} if card and held else None
