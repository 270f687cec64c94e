"""Reviews: what a scan met is put forward as `proposed`, and a person approves or refuses it, in one change.

Nothing rests on what is proposed: no task, gate, lease or policy. Silence leaves it so, and a fault too.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.control import agent as agents
from remit.control import brief as briefs
from remit.control.change import Change
from remit.core import approval as answers
from remit.core import resource as targets
from remit.core.agent import Agent
from remit.core.brief import LIFE as BRIEF_LIFE
from remit.core.brief import Brief
from remit.core.canonical import Json, canon
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import Record, changed, dump
from remit.core.resource import Resource, Upstream, split
from remit.core.review import LIFE, MOST, NOUNS, Item, Review, chosen
from remit.core.step import Step
from remit.store import payload
from remit.store.db import Database
from remit.store.record import Reader

Said = Mapping[str, Json]
"""Where something was seen and what a person should know of it; no secret stands in it."""
FINAL: Final = frozenset({"refused", "removed"})
GIVEN: Final = 400
"""So many resources one agent is put forward with: its ceiling is one entry of the ledger."""
ROOM: Final = 32 * 1024
"""Bytes that a brief is put forward with at most; a file that names more tools cannot hold up all that was met."""
LEFT: Final = frozenset({"review_lacks", "owner_gone", "domain_outside", "action_unknown"})
"""Faults that only say that something cannot be in force yet; they come before anything of it is written."""
_KINDS: Final[Mapping[str, type[Resource | Agent | Brief]]] = {"resource": Resource, "agent": Agent, "brief": Brief}


@dataclass(frozen=True, slots=True)
class Server:
    """A target that was met. `lacks` says why it cannot be used as it was met; empty when it can."""

    name: str
    upstream: Upstream
    owner: str
    said: Said
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Acting:
    """An agent that was met, with the resources that it is given and the steps that it was seen to be trusted with."""

    name: str
    purpose: str
    owner: str
    resources: tuple[str, ...]
    steps: tuple[Step, ...]
    said: Said


def open_review(
    change: Change, servers: Sequence[Server], acting: Sequence[Acting], review_due: Instant, by: str
) -> Review | None:
    """Put forward what is not registered, and agents that were put forward otherwise; None when there is none.

    What is in force stays as it is, and so does what was refused. At most `MOST` things; the next call takes more.
    Refuses a server under the name of another that was put forward (`review_moved`).
    """
    found: list[tuple[Item, dict[str, Json]]] = []
    moved = set()
    for one in servers:
        made = _resource(change, one, by) if len(found) < MOST else None
        if made is not None:
            moved.add(one.name)
            lacks = {"lacks": one.lacks} if one.lacks else {}
            found.append(_item("resource", made.name, made, {**one.said, **lacks}))
    for each in acting:
        if len(found) < MOST - 1:
            found += _agent(change, each, moved, review_due, by)
    return _opened(change, found, by) if found else None


def open_for(change: Change, agent: Agent, said: Said, by: str) -> Review:
    """Put forward an agent that was met in no file. Its review refuses it, or tells what is lacking until it acts."""
    lacks = _ceiling(agent.name)
    return _opened(change, [_item("agent", agent.name, agent, {**said, "ceiling": [], "lacks": lacks})], by)


def _ceiling(name: str) -> str:
    return f"nothing tells what it could ever use (remit agent review {name} --next 90d --ceiling ACTION)"


def _opened(change: Change, found: Sequence[tuple[Item, dict[str, Json]]], by: str) -> Review:
    identity, salt = change.authority.make("rvw"), change.authority.random(16)
    body: dict[str, Json] = {"v": 1, "items": [said for _, said in found]}
    payload.put(change.db, identity, salt, canon(body))
    items = tuple(item for item, _ in found)
    one_review = Review(id=identity, at=change.now, by=by, shown=answers.shown(body, salt), items=items)
    change.record("review.opened", one_review, by)
    return one_review


def _item(noun: str, name: str, record: Record, said: Said) -> tuple[Item, dict[str, Json]]:
    return Item(noun=noun, name=name), {**said, "noun": noun, "name": name, "record": _written(record)}


def _resource(change: Change, one: Server, by: str) -> Resource | None:
    before = change.reader.get(Resource, one.name)
    owner = one.owner if before is None else before.owner
    made = Resource(name=one.name, upstream=one.upstream, domain=one.name, owner=owner, state="proposed")
    if before is not None and before.state == "proposed" and before != made:
        raise _moved(f"Another server was put forward as {one.name}.")
    if before is not None:
        return None
    agents.owned_by(change, made.owner)
    change.record("resource.proposed", made, by)
    return made


def _agent(change: Change, one: Acting, moved: set[str], due: Instant, by: str) -> list[tuple[Item, dict[str, Json]]]:
    """An agent and its brief, as far as they are not there yet, or were put forward otherwise."""
    reader, found = change.reader, []
    places = {name: reader.get(Resource, name) for name in one.resources}
    given = [name for name, place in places.items() if place is None or place.state not in FINAL]
    said = {**one.said, **({"lacks": f"{len(given) - GIVEN} more servers than it can have"} if given[GIVEN:] else {})}
    given = given[:GIVEN]
    acts = agents.named(reader, one.name)
    if acts is None:
        acts = agents.propose(change, name=one.name, owner=one.owner, purpose=one.purpose, review_due=due, by=by)
        fresh = True
    else:
        fresh = acts.state == "proposed" and (acts.purpose != one.purpose or bool(moved & set(given)))
        if fresh:
            acts = changed(acts, purpose=one.purpose, review_due=due)
            change.record("agent.added", acts, by)
    if fresh:
        ceiling: list[Json] = [f"mcp:{name}/*" for name in given]
        found.append(_item("agent", one.name, acts, {**said, "ceiling": ceiling}))
    if acts.state == "retired" or not given:
        return found
    before, said = reader.get(Brief, one.name), dict(one.said)
    made = Brief(
        name=one.name,
        version=1,
        purpose=one.purpose,
        steps=tuple(step for step in one.steps if split(step.action)[0] in given),
        dispatchers=(acts.owner,),
        agents=(acts.id,),
        domains=tuple(sorted({place.domain if (place := places[name]) else name for name in given})),
        state="proposed",
    )
    if len(canon(dump(made))) > ROOM:
        said["lacks"] = f"its file names {len(made.steps)} tools, more than one brief holds"
        made = changed(made, steps=())
    if before is None or (before.state == "proposed" and before != made):
        change.record("brief.proposed", made, by)
        found.append(_item("brief", one.name, made, said))
    return found


def shown(db: Database, one: Review) -> dict[str, Json] | None:
    """What people are shown of a review; None once it is erased, or is not what was bound."""
    return answers.bound(payload.get(db, one.id), one.shown)


def waiting(
    reader: Reader, one: Review, body: Mapping[str, Json] | None, among: Mapping[str, Record] | None = None
) -> dict[str, dict[str, Json]]:
    """What of a review nobody has answered and is still as it was shown, by key.

    With `among`, which is all that is `proposed`, nothing is read for each thing by itself.
    """
    said = {f"{each['noun']}/{each['name']}": each for each in body["items"]} if body is not None else {}
    mine = (item for item in one.items if not item.answer and item.key in said)
    now_are = {item.key: _now(reader, item) if among is None else among.get(item.key) for item in mine}
    return {
        key: said[key]
        for key, record in now_are.items()
        if record is not None and _written(record) == said[key]["record"]
    }


def proposed(reader: Reader) -> dict[str, Record]:
    """Every record that is only proposed, by key: three reads for any number of reviews."""
    found: dict[str, Record] = {}
    for noun, kind in _KINDS.items():
        found |= {f"{noun}/{one.name}": one for one in reader.where(kind, "state = 'proposed'")}
    return found


def answer(
    change: Change,
    identity: str,
    by: str,
    *,
    approve: Iterable[str] = (),
    refuse: Iterable[str] = (),
    digest_shown: str,
    review_due: Instant,
) -> tuple[Review, dict[str, str]]:
    """Take a person's answer to exactly what they were shown: of all (`*`), by name, or of one alone (NOUN/NAME).

    What is refused is not approved with the rest. Of many, what cannot be in force yet stays proposed: it is returned
    with why; of one that is named alone it is the fault. Refuses what moved since or is answered (`review_moved`).
    """
    one = change.need(Review, identity)
    body = shown(change.db, one)
    LIFE.after(one.state, "answered")
    if body is None or digest_shown != one.shown:
        raise _moved("It is not what you were shown.")
    no, alone_no = chosen(one.items, refuse)
    yes, alone_yes = chosen(one.items, approve)
    if alone_yes & alone_no:
        raise RemitError("review_invalid", "The same thing is approved and refused.", "Say one of the two.")
    yes, no = (yes - no) | alone_yes, no - alone_yes
    open_now = waiting(change.reader, one, body)
    gone = (alone_yes | alone_no) - open_now.keys()
    if gone or not (yes | no) & open_now.keys():
        raise _moved(f"{', '.join(sorted(gone)) or 'What you named'} does not wait for an answer any more.")
    said: dict[str, str] = {}
    left: dict[str, str] = {}
    for key in _ordered(no & open_now.keys()):
        _refuse(change, key, by)
        said[key] = "refused"
    for key in _ordered(yes & open_now.keys()):
        try:
            _approve(change, key, open_now[key], review_due, by)
            said[key] = "approved"
        except RemitError as fault:
            if key in alone_yes or fault.code not in LEFT:
                raise
            left[key] = fault.message
    if not said:
        raise _lacks(next(iter(left.values())))
    items = tuple(changed(item, answer=said.get(item.key, item.answer)) for item in one.items)
    done = changed(one, items=items, turned=change.now)
    over = not waiting(change.reader, done, body)
    done = changed(done, state=LIFE.after(one.state, "closed" if over else "answered"))
    change.record("review.closed" if over else "review.answered", done, by)
    return done, left


def _ordered(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda key: (NOUNS.index(key.partition("/")[0]), key))


def _refuse(change: Change, key: str, by: str) -> None:
    noun, _, name = key.partition("/")
    if noun == "agent":
        agents.stop(change, _agent_of(change.reader, name).id, "retired", by, "refused")
    elif noun == "resource":
        place = change.need(Resource, name)
        change.record("resource.refused", changed(place, state=targets.LIFE.after(place.state, "refused")), by)
    else:
        brief = change.need(Brief, name)
        change.record("brief.refused", changed(brief, state=BRIEF_LIFE.after(brief.state, "refused")), by)


def _approve(change: Change, key: str, said: Mapping[str, Json], due: Instant, by: str) -> None:
    """Put one thing in force. Each refuses before it writes anything."""
    noun, _, name = key.partition("/")
    _APPROVES[noun](change, name, said, due, by)


def _approve_resource(change: Change, name: str, said: Mapping[str, Json], _: Instant, by: str) -> None:
    if said.get("lacks"):
        raise _lacks(f"The resource {name} cannot be used as it was met: {said['lacks']}.")
    place = change.need(Resource, name)
    agents.owned_by(change, place.owner)
    change.record("resource.approved", changed(place, state=targets.LIFE.after(place.state, "approved")), by)


def _approve_agent(change: Change, name: str, said: Mapping[str, Json], due: Instant, by: str) -> None:
    """Its ceiling is what it was met with, without what is refused: a later one needs another agent."""
    places = {entry: change.reader.get(Resource, split(entry)[0]) for entry in said["ceiling"]}
    ceiling = tuple(entry for entry, place in places.items() if place is None or place.state not in FINAL)
    if not ceiling:
        raise _lacks(f"The agent {name} cannot act: {_ceiling(name)}.")
    agents.review(change, _agent_of(change.reader, name).id, due, by, ceiling)


def _approve_brief(change: Change, name: str, _: Mapping[str, Json], __: Instant, by: str) -> None:
    brief = change.need(Brief, name)
    acts = [change.need(Agent, one) for one in brief.agents]
    if any(one.state != "active" for one in acts):
        raise _lacks(f"The brief {name} is for an agent that is not active.")
    places = [change.reader.get(Resource, split(step.action)[0]) for step in brief.steps]
    if not places or any(one is None or one.state != "active" for one in places):
        what = "has a step at a resource that is not active" if places else "has no step: no file says which tools"
        raise _lacks(f"The brief {name} {what}.")
    briefs.apply(change, brief, by, pinned=False)


_APPROVES: Final[Mapping[str, Callable[[Change, str, Mapping[str, Json], Instant, str], None]]] = {
    "resource": _approve_resource,
    "agent": _approve_agent,
    "brief": _approve_brief,
}


def _now(reader: Reader, item: Item) -> Record | None:
    """The record of this item, while it is only proposed."""
    if item.noun == "agent":
        found: Agent | Resource | Brief | None = agents.named(reader, item.name)
    else:
        found = reader.get(_KINDS[item.noun], item.name)
    return found if found is not None and found.state == "proposed" else None


def _agent_of(reader: Reader, name: str) -> Agent:
    found = agents.named(reader, name)
    if found is None:
        raise _moved(f"The agent {name} is gone.")
    return found


def _written(record: Record) -> dict[str, Json]:
    """A record as it is shown and bound."""
    written: dict[str, Json] = json.loads(canon(dump(record)))
    return written


def _lacks(why: str) -> RemitError:
    return RemitError(
        "review_lacks",
        f"This stays proposed. {why}",
        "Register it by hand with what is lacking, or refuse it: remit review refuse.",
    )


def _moved(why: str) -> RemitError:
    return RemitError("review_moved", f"This review has moved. {why}", "Look at it again: remit review show REVIEW.")
