"""Right-sizing: proposed from what was used, answered by the brief's approvers, applied, watched, and taken back.

What a proposal lists was seen in calls, so it lies beside the ledger, where it can be erased, until it is applied: a
brief's limits stand in the ledger for ever.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

from remit.control import brief as briefs
from remit.control import rerun
from remit.control.change import Change
from remit.control.observing import Seen, observing
from remit.core import approval as answers
from remit.core import rightsize as rules
from remit.core.agent import Agent
from remit.core.approval import Yes
from remit.core.brief import Brief
from remit.core.canonical import Json, b64, canon, digest
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.generalise import Proposed, propose
from remit.core.moment import Instant
from remit.core.observed import Used
from remit.core.principal import Person
from remit.core.record import changed, dump, load
from remit.core.resource import Resource, Tool
from remit.core.rightsize import LIFE, Rightsize, Support
from remit.core.shown import several
from remit.core.whatif import Tally
from remit.store import log, payload
from remit.store.db import Database
from remit.store.past import PART
from remit.store.record import Reader


class Readers(Protocol):
    """Who read the ledger: several processes (control/share)."""

    def observe(self, briefs: Mapping[str, Brief], since: int, size: int) -> Seen:
        """See what was used of these briefs."""

    def replay(self, job: rerun.Job) -> tuple[Tally, int]:
        """Decide every recorded call of the brief again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one brief: what was used of it, what is proposed, and what the replay says of that.

    `proposed` is None when nothing of it was used, and `tally` when nothing narrower is proposed.
    """

    brief: Brief
    used: Mapping[int, Used]
    proposed: Proposed | None
    since: Instant
    until: Instant
    size: int
    support: Support
    tally: Tally | None = None
    beyond: int = 0

    @property
    def narrows(self) -> bool:
        """Whether there is something to apply."""
        return self.tally is not None

    def replay(self) -> dict[str, Json]:
        """What the replay found, as it is shown."""
        tally = self.tally or Tally()
        return {**counts(tally, self.beyond), "failing": tally.named, "opened": tally.opened}


@dataclass(frozen=True, slots=True)
class Unused:
    """What nobody used since the instant: live briefs, active agents, steps' tools, and how many credentials."""

    briefs: tuple[str, ...]
    agents: tuple[str, ...]
    tools: tuple[str, ...]
    credentials: int


def look(
    db: Database,
    since: Instant,
    support: Support,
    readers: Readers | None = None,
    *,
    brief: str = "",
    agent: str = "",
) -> tuple[list[Found], Unused]:
    """See what was used of the live briefs since an instant, propose less, and replay each proposal."""
    return rerun.finished(looking(db, since, support, readers, brief=brief, agent=agent))


def looking(
    db: Database,
    since: Instant,
    support: Support,
    readers: Readers | None = None,
    *,
    brief: str = "",
    agent: str = "",
    part: int = PART,
) -> Generator[None, None, tuple[list[Found], Unused]]:
    """The same, a part of the ledger at each step; without `readers` all is done here.

    One brief, or those that list an agent, or all. Reads only (`not_found`).
    """
    reader, head = Reader(db), log.newest(db)
    every = {one.name: one for one in reader.where(Brief, "state = 'live'")}
    wanted = [one for one in every.values() if brief in ("", one.name) and (not agent or one.gives(agent, child=True))]
    if not every:
        raise RemitError(
            "not_found",
            "No brief is in force yet, so there is nothing to compare with what is used.",
            "Put one in force, let its tasks run, and look again: remit brief apply FILE.",
        )
    if not wanted:
        raise RemitError("not_found", "There is no live brief of this name or agent.", "List them: remit brief show.")
    if readers is None:
        seen = yield from observing(db, every, since, head.size, part)
    else:
        seen = readers.observe(every, since, head.size)
    domains = {str(one.name): one.domain for one in reader.where(Resource)}
    found = []
    for one in wanted:
        used, agents = seen.used.get(one.name, {}), sorted(seen.agents.get(one.name, ()))
        proposed = propose(one, used, agents, domains, support)
        made = Found(one, used, proposed, since, head.at, head.size, support)
        if proposed is not None and proposed.brief != one:
            job = rerun.Job(proposed.brief, one, proposed.moved, since, head.size)
            tally, beyond = readers.replay(job) if readers else (yield from rerun.replaying(db, job, part=part))
            made = Found(one, used, proposed, since, head.at, head.size, support, tally, beyond)
        found.append(made)
    return found, _unused(reader, seen, every, since)


def _unused(reader: Reader, seen: Seen, every: Mapping[str, Brief], since: Instant) -> Unused:
    acted = {one for agents in seen.agents.values() for one in agents}
    tools = (f"{one.resource}/{one.name}" for one in reader.where(Tool, "state = 'pinned'"))
    used = {action.partition(":")[2] for action in seen.actions}
    issued = (one for one in reader.where(Credential) if one.issued >= since)
    return Unused(
        tuple(sorted(every.keys() - seen.agents.keys())),
        tuple(one.name for one in reader.where(Agent, "state = 'active'") if one.id not in acted),
        tuple(one for one in tools if one not in used),
        sum(1 for one in issued if one.id not in seen.holders),
    )


def counts(tally: Tally, beyond: int) -> dict[str, int]:
    """A replay in numbers."""
    named = {name: getattr(tally, name) for name in rules.COUNTS if name != "plans"}
    return {**named, "plans": beyond}


def told(one: Found, made: Rightsize | None) -> dict[str, Json]:
    """What was found of a brief, and the proposal that was made of it."""
    return {
        "brief": one.brief.name,
        "proposal": made.id if made else None,
        "steps": len(one.brief.steps),
        "used": len(one.used),
        "notes": list(one.proposed.notes) if one.proposed else [],
        "replay": one.replay() if one.narrows else None,
    }


def unused(one: Unused) -> dict[str, Json]:
    """What nobody used."""
    names = {"briefs": list(one.briefs), "agents": list(one.agents), "tools": list(one.tools)}
    return {**names, "credentials": one.credentials}


def offer(change: Change, found: Found, by: str) -> Rightsize:
    """Write a proposal down, for people to answer. Refuses one of a brief that moved meanwhile (`rightsize_moved`)."""
    now_is = change.need(Brief, found.brief.name)
    if now_is != found.brief or found.proposed is None or found.tally is None:
        raise _moved()
    _narrow(now_is, found.proposed.brief)
    notes: list[Json] = list(found.proposed.notes)
    body = rules.body(found.proposed.brief, found.proposed.moved, {"steps": notes}, found.replay())
    identity, salt = change.authority.make("rsz"), change.authority.random(16)
    old = dump(now_is)
    payload.put(change.db, identity, salt, canon(body))
    payload.put_blob(change.db, b64(digest(old)), canon(old))
    one = Rightsize(
        id=identity,
        brief=now_is.name,
        base=now_is.version,
        before=b64(digest(old)),
        shown=answers.shown(body, salt),
        at=change.now,
        since=found.since,
        until=found.until,
        size=found.size,
        support=found.support,
        counts=counts(found.tally, found.beyond),
        by=by,
        groups=_asked(now_is),
        need=now_is.approval.need,
        turned=change.now,
    )
    change.record("rightsize.proposed", one, by)
    return one


def shown(db: Database, one: Rightsize) -> dict[str, Json] | None:
    """What people are shown of a proposal; None once it is erased, or is not what was bound."""
    return answers.bound(payload.get(db, one.id), one.shown)


def answer(change: Change, identity: str, by: str, *, yes: bool, digest_shown: str, via: str) -> Rightsize:
    """Take one person's answer to exactly what they were shown.

    Refuses what has moved since (`rightsize_moved`), and whoever is in no group that is asked (`approver_refused`).
    """
    one = change.need(Rightsize, identity)
    body = shown(change.db, one)
    if body is None or digest_shown != one.shown or change.need(Brief, one.brief).version != one.base:
        raise _moved()
    group = may_answer(change.reader, one, by)
    if not yes:
        return _dropped(change, one, by)
    said = changed(one, yes=(*one.yes, Yes(by=by, group=group, at=change.now, via=via)), turned=change.now)
    whole = not answers.lacking(said, _people(change.reader, said), _barred(said))
    said = changed(said, state=LIFE.after(one.state, "approved" if whole else "heard"))
    change.record("rightsize.approved" if whole else "rightsize.heard", said, by)
    return said


def drop(change: Change, identity: str, by: str) -> Rightsize:
    """Take a proposal away that was not applied, with what it lists."""
    return _dropped(change, change.need(Rightsize, identity), by)


def apply(change: Change, identity: str, by: str, *, anyway: bool = False, fails: int = 0) -> tuple[Rightsize, Brief]:
    """Put the proposed brief in force as the next version: only ever a narrower one (law 3).

    `fails` is how many calls would fail by a replay over what is recorded by now (`again`): calls go on while people
    are asked. What the proposal itself found counts too, though it were erased since.

    Refuses without the yes of each group of the brief's approvers (`rightsize_unapproved`), one of a brief that moved
    or that is erased (`rightsize_moved`), one that is not shown to be narrower (`rightsize_wider`), and, unless
    `anyway`, one that would fail a call that was allowed (`rightsize_fails`).
    """
    one = change.need(Rightsize, identity)
    state, old, body = LIFE.after(one.state, "applied"), change.need(Brief, one.brief), shown(change.db, one)
    if body is None or old.version != one.base or old.state != "live":
        raise _moved()
    asked = _asked(old)
    if asked and (one.groups != asked or answers.lacking(one, _people(change.reader, one), _barred(one))):
        raise RemitError(
            "rightsize_unapproved",
            f"This waits for a yes of {' and '.join(asked)}.",
            f"Let them answer it: remit rightsize approve {one.id}.",
        )
    new = _narrow(old, load(Brief, body["brief"]))
    if (fails := max(fails, one.counts["fail"])) and not anyway:
        raise RemitError(
            "rightsize_fails",
            f"It would fail {several(fails, 'call')} that had been allowed.",
            f"See which: remit rightsize replay {one.id}. Apply it with --anyway if they should fail.",
        )
    made = briefs.apply(change, changed(new, version=old.version), by)
    done = changed(one, state=state, applied=made.version, turned=change.now)
    change.record("rightsize.applied", done, by)
    return done, made


def undo(change: Change, identity: str, by: str) -> tuple[Rightsize, Brief]:
    """Put the brief back as it was before the proposal was applied. Refuses once it has moved (`rightsize_moved`)."""
    one = change.need(Rightsize, identity)
    state, now_is, old = LIFE.after(one.state, "undone"), change.need(Brief, one.brief), before(change.db, one)
    if now_is.version != one.applied or now_is.state != "live" or old is None:
        raise _moved()
    made = briefs.apply(change, changed(old, version=now_is.version), by)
    done = changed(one, state=state, undone=made.version, turned=change.now)
    change.record("rightsize.undone", done, by)
    return done, made


def before(db: Database, one: Rightsize) -> Brief | None:
    """The brief as it was when the proposal was made."""
    held = payload.get_blob(db, one.before)
    return load(Brief, json.loads(held)) if held is not None and b64(digest(json.loads(held))) == one.before else None


def again(db: Database, one: Rightsize) -> rerun.Job:
    """Replay a proposal over what is recorded by now (`rightsize_moved`)."""
    body, old = shown(db, one), before(db, one)
    if body is None or old is None:
        raise _moved()
    return rerun.Job(load(Brief, body["brief"]), old, tuple(body["moved"]), one.since, log.newest(db).size)


def watched(db: Database, one: Rightsize) -> rerun.Job:
    """Decide what was recorded since it was applied under the brief before it.

    What was refused since and would have been allowed is the tally's `open`.
    """
    body, old = shown(db, one), before(db, one)
    if one.state not in ("applied", "undone") or body is None or old is None:
        raise RemitError("rightsize_unapplied", "This was not applied.", "Apply it first: remit rightsize apply.")
    new = load(Brief, body["brief"])
    back = {number: place for place, number in enumerate(body["moved"]) if number >= 0}
    moved = tuple(back.get(number, -1) for number in range(len(new.steps)))
    return rerun.Job(old, changed(new, name=old.name), moved, one.turned, log.newest(db).size)


def _narrow(old: Brief, new: Brief) -> Brief:
    """The new brief, once it is shown to lie within the old one (`rightsize_wider`)."""
    beyond = rules.wider(old, new)
    if beyond:
        raise RemitError(
            "rightsize_wider",
            f"This proposal is not shown to be narrower than the brief in its {', '.join(beyond)}.",
            "Apply a brief of your own instead: remit brief apply.",
        )
    return new


def _dropped(change: Change, one: Rightsize, by: str) -> Rightsize:
    gone = changed(one, state=LIFE.after(one.state, "dropped"), turned=change.now)
    payload.erase(change.db, one.id)
    change.record("rightsize.dropped", gone, by)
    return gone


def _people(reader: Reader, one: Rightsize) -> dict[str, Person]:
    found = ((each.by, reader.get(Person, each.by)) for each in one.yes)
    return {identity: person for identity, person in found if person is not None}


def _asked(brief: Brief) -> tuple[str, ...]:
    return brief.asked(step.path for step in brief.steps)


def _barred(one: Rightsize) -> frozenset[str]:
    """Who offered it does not answer it (law 6)."""
    return frozenset({one.by})


def open_to(reader: Reader, one: Rightsize) -> dict[str, list[str]]:
    """Of each group that still lacks a yes, the people who may say it."""
    gone = _barred(one) | {each.by for each in one.yes}
    people = [each for each in reader.where(Person, "state = 'active'") if each.id not in gone]
    lacking = answers.lacking(one, _people(reader, one), _barred(one))
    return {group: [each.id for each in people if group in each.groups] for group in lacking}


def may_answer(reader: Reader, one: Rightsize, by: str) -> str:
    """The group for which this person's answer counts (`approver_refused`)."""
    if not one.groups:
        raise RemitError(
            "approver_refused",
            f"The brief {one.brief} names no approvers, so nobody is asked.",
            f"Put it in force: remit rightsize apply {one.id}. To have it answered, name approvers in the brief first.",
        )
    found = next((group for group, people in open_to(reader, one).items() if by in people), "")
    if not found:
        raise RemitError(
            "approver_refused",
            f"It takes somebody of {' and '.join(one.groups)} who did not offer or answer it.",
            "Let somebody else of these groups answer it.",
        )
    return found


def _moved() -> RemitError:
    return RemitError(
        "rightsize_moved", "The brief or the proposal is not what it was.", "Look anew: remit rightsize --brief NAME."
    )
