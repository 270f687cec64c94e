"""Lineage: what an allowed call's answer holds is remembered in the transaction of its outcome, and asked of later."""

from collections.abc import Mapping

from remit.control.change import Change
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.facts import Facts
from remit.core.lineage.argument import shape_of
from remit.core.lineage.source import Heed, Hold, harvest, whole
from remit.core.permit import Permit
from remit.core.task import Task
from remit.store import lineage as store
from remit.store import payload
from remit.store.facts import ancestors


def heed(call: Call, seen: Facts) -> Heed | None:
    """What it takes to read the answer of this call; None where its brief has no rule of lineage."""
    brief, evidence, credential = seen.brief, seen.evidence, seen.credential
    if brief is None or brief.lineage is None or evidence is None or credential is None or not evidence.key:
        return None
    return Heed(
        action=call.action,
        path=credential.path.value,
        shape=shape_of(seen.tools.get(call.kind), call.kind),
        rules=brief.lineage,
        request=evidence.request,
        arguments=call.arguments,
        key=evidence.key,
        version=brief.version,
    )


def taken(permit: Permit, result: Mapping[str, Json]) -> tuple[dict[str, Json], tuple[int, bytes] | None]:
    """Take the answer out of what is noted, and read it: before the queue, not under its lock."""
    said = dict(result)
    answer = said.pop("answer", None)
    if permit.heed is None or answer is None or said.get("result") != "ok":
        return said, None
    return said, store.packed(permit.heed.key, harvest(permit.heed, answer))


def remember(change: Change, permit: Permit, held: tuple[int, bytes]) -> None:
    """Write down what an answer held. What its task has no room for is not remembered, and vouches for nothing."""
    if permit.heed is not None:
        place = (permit.task, permit.leaf, permit.heed.action, permit.heed.path, permit.heed.version)
        store.put(change.db, permit.call, place, *held)


def holders(change: Change, task_id: str, value: Json) -> tuple[Hold, ...]:
    """Which earlier answers of this task hold this very value, as a field of their own or as an address in a text."""
    task = change.need(Task, task_id)
    above = ancestors(change.reader, task)
    held = payload.get(change.db, above[-1].id if above else task.id)
    if held is None:
        return ()
    found = store.holders(change.db, task_id, held[0], whole(value, "text"))
    return tuple({(one.call, one.field, one.record): one for holds in found.values() for one in holds}.values())
