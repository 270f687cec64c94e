"""Right-sizing a large ledger: every recorded decision of one brief decided again, shared among two processes.

The ledger is generated: a real store with an agent, a resource, twelve policies that look at the call and a brief of
six steps; then, written straight into its tables, errands of ten decisions each with the receipts of their task, plan,
credential and end, and an outcome after each call that was allowed. One call in forty is refused, and the values of one
in a thousand are erased. Each decision has values of its own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.law import policies
from bench.places import folder
from remit.control import policy, rerun
from remit.control.authority import FILE
from remit.control.share import Shares
from remit.core import ids
from remit.core.call import Call
from remit.core.canonical import Json, b64
from remit.core.credential import Credential
from remit.core.generalise import propose
from remit.core.receipt import change, digests, encode, outcome
from remit.core.record import changed
from remit.core.rightsize import Support, wider
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store import log
from remit.store.db import Database
from tests.kit.world import World

EACH = 10
"""Decisions of one errand."""
PART = 5_000


def measure(*, quick: bool) -> dict[str, float]:
    decisions = 20_000 if quick else 1_000_000
    with folder() as place, Shares(place / FILE, 2) as shares:
        world = World(place).settle()
        world.act(lambda c: policy.apply(c, {"common": policies(12), "delegated": {}, "own": {}}, 1, "operator"))
        size = written(world, decisions)
        base = world.brief
        world.close()
        start = time.perf_counter()
        seen = shares.observe({base.name: base}, 0, size)
        watched = time.perf_counter() - start
        made = propose(base, seen.used[base.name], sorted(seen.agents[base.name]), {"notes": "office"}, Support())
        if made is None or wider(base, made.brief):
            raise SystemExit("nothing narrower was proposed")
        job = rerun.Job(made.brief, base, made.moved, 0, size)
        start = time.perf_counter()
        tally, _ = shares.replay(job)
        taken = time.perf_counter() - start
        found = (tally.allowed, tally.fail, tally.refused, tally.open, tally.unlike, tally.erased)
        refused, erased = decisions // 40, decisions // 1000
        if found != (decisions - refused - erased, 0, refused, 0, 0, erased):
            raise SystemExit(f"the replay found {found}")
    return {
        "rightsize.decisions": float(decisions),
        "rightsize.observe_s": watched,
        "rightsize.replay_s": taken,
        "rightsize.replay_per_s": decisions / taken,
    }


def written(world: World, decisions: int) -> int:
    """Append so many decisions, and return the size of the ledger that then is."""
    task, law = world.a_task(), world.act(lambda c: policy.current(c, TrustPath.OWN))
    paper: Credential = world.a_credential(task.id).credential
    plan = world.act(lambda c: c.need(Plan, f"{task.id}:1"))
    db, size = world.authority.db, log.newest(world.authority.db).size
    at = task.opened + 1_000
    with db.transaction():
        bodies: list[bytes] = []
        values: list[tuple[str, bytes, bytes | None, int]] = []
        for errand in range(decisions // EACH):
            for body, value in _errand(world, (task, plan, paper), errand, at, (size + len(bodies), law.digest)):
                bodies.append(body)
                if value is not None:
                    values.append(value)
            at += 1_000
            if len(bodies) >= PART:
                size = _put(db, size, bodies, values)
        return _put(db, size, bodies, values)


def _put(db: Database, size: int, bodies: list[bytes], values: list[Any]) -> int:
    db.many(
        "INSERT INTO leaf (number, hash, body) VALUES (?, ?, ?)", [(size + n, b"", b) for n, b in enumerate(bodies)]
    )
    db.many("INSERT INTO payload (call, salt, body, erased) VALUES (?, ?, ?, ?)", values)
    size += len(bodies)
    bodies.clear()
    values.clear()
    return size


def _errand(
    world: World, like: tuple[Task, Plan, Credential], errand: int, at: int, told: tuple[int, str]
) -> Iterator[tuple[bytes, Any]]:
    """The receipts of one errand, each with what lies beside it. `told`: its first entry, and the policies in force."""
    task_id, paper_id = (ids.make(kind, errand.to_bytes(16, "big")) for kind in ("tsk", "crd"))
    task = changed(like[0], id=task_id, opened=at, deadline=at + 900_000)
    paper = changed(like[2], id=paper_id, task=task_id, issued=at + 1, expires=at + 800_000)
    for tag, record in (
        ("task.opened", task),
        ("plan.made", changed(like[1], task=task_id, at=at)),
        ("credential.issued", paper),
    ):
        yield encode(change(tag, record, at, "operator")), None
    leaf, last, wrote = told[0] + 3, -1, 0
    for number in range(EACH):
        which, wrote = errand * EACH + number, wrote + (number % 4 == 3)
        call = _call(which, number)
        call_id, salt = ids.make("cal", which.to_bytes(16, "big")), bytes(16)
        said: dict[str, Json] = {
            "v": 1, "kind": "call.decided", "at": at + 2 + number, "call": call_id, "action": call.action,
            "digest": b64(call.digest), "args": digests(call.arguments, salt), "prev": last, "credential": paper_id,
            "path": "own", "plan": 1, "subject": paper.subject, "agent": world.agent.id, "task": task_id,
            "brief": "notes", "requester": task.requester, "owner": world.owner.id,
            "policy": told[1],
        }  # fmt: skip
        refused = which % 40 == 39
        if refused:
            said |= {"decision": "deny", "code": "argument_refused", "what": "Outside."}
        elif number % 4 == 3:
            charge = {"task": task_id, "uses": 1, "amounts": []}
            places = [{"scope": "plan:1", "step": 1}, {"scope": "brief:own:mcp:notes/write_note", "step": 0}]
            said |= {"decision": "allow", "step": 1, "charges": [charge | one for one in places]}
        else:
            said |= {"decision": "allow", "step": 0}
        yield encode(said), (call_id, salt, None if which % 1000 == 0 else call.text, which % 1000 == 0)
        last, leaf = leaf, leaf + 1
        if not refused:
            yield encode(outcome(call_id, last, at + 3 + number, {"result": "ok", "ms": 12})), None
            leaf += 1
    yield encode(change("task.ended", changed(task, state="ended", because="complete"), at + 900, "operator")), None


def _call(which: int, number: int) -> Call:
    if which % 40 == 39:
        return Call("mcp:notes/read_note", {"path": f"/etc/{which}"})
    if number % 4 == 3:
        given = {"path": f"/notes/{which % 7}/{which}", "text": f"Line {which}", "amount": which % 40}
        return Call("mcp:notes/write_note", given)
    return Call("mcp:notes/read_note", {"path": f"/notes/{which % 7}/{which}"})


__all__ = ["Path", "measure", "written"]
