"""Streams: made, changed and ended by the service that receives them; what is still to be told, and what was heard.

Where a receiver may be told, as what audience, and of whose people by name is the settings' alone.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from remit.control.change import Change
from remit.core import hook
from remit.core import stream as rules
from remit.core.agent import Agent
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person, Service
from remit.core.receipt import decode
from remit.core.record import Record, changed
from remit.core.stream import Stream, Told
from remit.core.task import Task
from remit.core.told import SUPPORTED, opaque
from remit.store import hook as outbox
from remit.store import log, payload
from remit.store.db import Database
from remit.store.record import Reader

PART: Final = 2_000
"""How many entries are looked at in one go."""
_KEPT_MS: Final = 30 * 24 * 3_600_000
_KIND: Final = "set"
_SUBJECTS: Final[dict[str, type[Record]]] = {"per_": Person, "agt_": Agent, "tsk_": Task}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A service that may be told, by its name: as which audience, and where it is pushed to, if at all.

    It is told who a person is at the provider `people`, and of nobody else more than an opaque id. `authorization` is
    what is sent along with a push; `algorithm` is that by which its events are signed.
    """

    service: str
    audience: str
    push: str = ""
    people: str = ""
    authorization: bytes = b""
    private: bool = False
    algorithm: str = "ES256"

    @property
    def name(self) -> str:
        """What its place in the ledger is kept under."""
        return hook.name(f"ssf {self.service}")


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that is still to be told, and its entry."""

    leaf: int
    told: Told


def of(reader: Reader, service: str) -> Stream | None:
    """The stream of this service, or None."""
    return next(iter(reader.where(Stream, "service = ? AND state != 'ended'", (service,))), None)


def need(reader: Reader, service: str, identity: str) -> Stream:
    """The stream of this service and id; another's does not exist (`not_found`)."""
    found = of(reader, service)
    if found is None or found.id != identity:
        raise RemitError("not_found", "There is no such stream.", "List them: GET /ssf/streams.")
    return found


def make(
    change: Change, service: Service, receiver: Receiver, *, push: bool, events: Collection[str], description: str
) -> Stream:
    """Tell a service from now on. It has one stream (`name_taken`)."""
    if of(change.reader, service.id) is not None:
        raise RemitError("name_taken", "There is a stream of this receiver already.", "Use it, or end it first.")
    made = Stream(
        id=change.authority.make("str"), service=service.id, audience=receiver.audience, push=push,
        events=_chosen(events), since=_next(change), description=description,
    )  # fmt: skip
    change.record("stream.made", made, service.id)
    outbox.begin(change.db, receiver.name, made.since)
    return made


def alter(change: Change, stream: Stream, *, events: Collection[str], description: str) -> Stream:
    """Tell it of other events, or describe it otherwise."""
    done = changed(stream, events=_chosen(events), description=description)
    change.record("stream.changed", done, stream.service)
    return done


def known(reader: Reader, receiver: Receiver, subject: Json) -> str:
    """The person, agent or task that a subject is (RFC 9493: `opaque`, or `iss_sub` of its people; `not_found`)."""
    said = subject if isinstance(subject, dict) else {}
    found: str | None = None
    if said.get("format") == "opaque" and isinstance(said.get("id"), str):
        kind = _SUBJECTS.get(said["id"][:4])
        found = said["id"] if kind is not None and reader.get(kind, said["id"]) is not None else None
    elif said.get("format") == "iss_sub" and receiver.people and said.get("iss") == receiver.people:
        found = payload.person_at(reader.db, receiver.people, str(said.get("sub")))
    if found is None:
        raise RemitError("not_found", "There is no such subject.", "Name it as events name it: opaque, or iss_sub.")
    return found


def choose(change: Change, stream: Stream, subject: str, *, told: bool) -> Stream:
    """Tell of a subject again, or no more (`stream_invalid` when too many are left out)."""
    kept = tuple(one for one in stream.without if one != subject)
    done = changed(stream, without=kept if told else (*kept, subject))
    if done != stream:
        change.record("stream.changed", done, stream.service)
    return done


def move(change: Change, stream: Stream, state: str, because: str = "") -> Stream:
    """Enable, pause (what happens meanwhile waits) or disable it (what happens meanwhile is never told)."""
    if state not in rules.STATES[:3]:
        raise RemitError("stream_invalid", "A stream is enabled, paused or disabled.", "Send one of the three.")
    since = _next(change) if "disabled" in (state, stream.state) else stream.since
    done = changed(stream, state=state, since=since)
    if done != stream:
        change.record("stream.changed", done, stream.service, because)
    return done


def verify(change: Change, stream: Stream, state: str) -> None:
    """Tell it a verification event, at most once a minute (`rate_exceeded`)."""
    if change.now < stream.verified + rules.VERIFY_MS and stream.verified:
        raise RemitError("rate_exceeded", "This was verified just now.", "Wait for a minute.")
    change.record("stream.verifying", changed(stream, asked=state, verified=change.now), stream.service)


def end(change: Change, stream: Stream) -> None:
    """Tell it nothing more."""
    change.record("stream.ended", changed(stream, state="ended"), stream.service)


def pending(db: Database, stream: Stream, receiver: Receiver, issuer: str, after: int, stop: int) -> Iterator[Pending]:
    """What the entries from after `after` up to `stop` tell this stream, oldest first."""

    def known_as(person: str) -> Json:
        at = [sub for iss, sub, _ in payload.names(db, person) if receiver.people and iss == receiver.people]
        return {"format": "iss_sub", "iss": receiver.people, "sub": at[0]} if at else opaque(person)

    first = max(after + 1, stream.since)
    for leaf, body in enumerate(log.entries(db, first, stop), first):
        if rules.may_tell(body):
            found = rules.event(stream, leaf, decode(body), issuer, known_as)
            if found is not None:
                yield Pending(leaf, found)


def waiting(db: Database, stream: Stream, receiver: Receiver, issuer: str, most: int) -> tuple[list[Pending], bool]:
    """What was not heard yet, up to `most`, and whether there may be more. Nothing while it is not enabled."""
    told = outbox.get(db, receiver.name)
    if stream.state != "enabled" or told is None:
        return [], False
    end, after = log.newest(db).size, max(told.leaf, stream.since - 1)
    stop = min(after + 1 + PART, end)
    found: list[Pending] = []
    for one in pending(db, stream, receiver, issuer, after, stop):
        if payload.spent(db, _KIND, one.told.jti):
            continue
        if len(found) == most:
            return found, True
        found.append(one)
    return found, stop < end


def heard(change: Change, stream: Stream, receiver: Receiver, names: Collection[str], trouble: str = "") -> None:
    """It has these events; they are not told again. What is not this stream's is passed over."""
    change.keep()
    told = outbox.get(change.db, receiver.name)
    if told is None or stream.state == "disabled":
        return
    leaf = after = max(told.leaf, stream.since - 1)
    stop, held = min(after + 1 + PART, change.base), False
    for one in pending(change.db, stream, receiver, change.authority.issuer, after, stop):
        known = one.told.jti in names
        if not known and not payload.spent(change.db, _KIND, one.told.jti):
            held = True
        elif not held:
            leaf = one.leaf
        elif known:
            payload.spend(change.db, _KIND, one.told.jti, change.now + _KEPT_MS)
    outbox.moved(change.db, receiver.name, leaf if held else max(leaf, stop - 1))
    if trouble:
        outbox.failed(change.db, receiver.name, Instant(0), trouble)


def _chosen(events: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in SUPPORTED if one in events)


def _next(change: Change) -> int:
    """The entry that this transaction writes next."""
    return change.base + len(change.bodies)
