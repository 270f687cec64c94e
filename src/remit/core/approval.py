"""Approval: what a person is asked, bound to the digest of exactly what was shown, and who has said yes (law 6).

An approval is a fact, never a permit: the call is decided again with it, and it is consumed in that decision's
transaction. The format of what is shown is docs/spec/approval.md.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol

from remit.core import ids
from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.principal import Person
from remit.core.record import Record

LIFE: Final = Lifecycle(
    "approval",
    {
        "pending": {"heard": "pending", "approved": "approved", "denied": "denied", "voided": "void"},
        "approved": {"voided": "void"},
        "denied": {"voided": "void"},
        "void": {},
    },
)
BARS: Final = frozenset({"owner", "person"})
ABOUT: Final = frozenset({"call", "plan", "opening"})
MARK: Final = b"remit-approval-v1\0"
HOUR: Final = 3_600_000
MOST: Final = 20
"""How many asks of one task may wait at once."""


class Terms(Record, frozen=True, kw_only=True):
    """How a brief's asks are put to people: yeses needed of each group, and the life of an ask in milliseconds.

    `bar` says who besides the requester may not answer; `repeat` for which actions one yes is good for how many calls
    of the same shape.
    """

    need: int = 1
    life: int = HOUR
    bar: tuple[str, ...] = ()
    repeat: dict[str, int] = {}  # noqa: RUF012 - msgspec copies it

    def __post_init__(self) -> None:
        if not 1 <= self.need <= 9 or not 1_000 <= self.life <= 7 * 24 * HOUR or not set(self.bar) <= BARS:
            raise _invalid("Its number of yeses, life or bars are out of range.")
        if any(not 2 <= most <= 1_000 for most in self.repeat.values()):
            raise _invalid("A yes can be repeated 2 to 1,000 times.")

    def uses(self, action: str) -> int:
        """How many calls of this action one yes is good for."""
        return self.repeat.get(action, 1)


class Yes(Record, frozen=True, kw_only=True):
    """One person's yes, counted for one group; `via` is the door that they came in by."""

    by: str
    group: str
    at: Instant
    via: str


class Approval(Record, frozen=True, kw_only=True, tag_field="noun", tag="approval"):
    """One ask and what became of it. Owned by its task; it never outlives it.

    `about` is what is asked about: a `call`, a `plan` or a task's `opening` (core/proposal). `call` is the call that
    asked, whose values and salt lie beside the ledger; `digest` is that call's, empty when one yes covers a shape;
    `shown` is the digest of what people see; `uses` is how many calls it is good for; `answered` is when the last yes
    or the no came, 0 before; `service` is who asked for the decision at a door that does not forward by itself.
    """

    id: str
    task: str
    call: str
    credential: str
    action: str
    digest: str
    shown: str
    groups: tuple[str, ...]
    asked: Instant
    until: Instant
    need: int = 1
    uses: int = 1
    bar: tuple[str, ...] = ()
    yes: tuple[Yes, ...] = ()
    no: str = ""
    answered: Instant = Instant(0)
    about: str = "call"
    service: str = ""
    state: str = "pending"

    def __post_init__(self) -> None:
        ids.parse("apr", self.id)
        ids.parse("tsk", self.task)
        ids.parse("cal", self.call)
        if self.state not in LIFE.table or not self.groups or not instant(self.asked) < instant(self.until):
            raise _invalid("Its state, groups or times cannot be.")
        if self.need < 1 or self.uses < 1 or not set(self.bar) <= BARS or self.about not in ABOUT:
            raise _invalid("Its numbers, bars or matter cannot be.")

    def waits(self, now: Instant) -> bool:
        """Say whether it can be answered still."""
        return self.state == "pending" and now < self.until


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval as one decision sees it: the digest of what would be shown now, how often it was used, who said yes.

    `shown` is empty when what was shown cannot be put together any more. `fits` says whether the call is the one that
    was asked about, or of its shape. `barred` are the principals whose yes does not count.
    """

    approval: Approval
    used: int
    shown: str
    fits: bool
    people: Mapping[str, Person]
    barred: frozenset[str]


def stands(asked: Asked, now: Instant) -> str:
    """Say whether the call may happen: `yes`, `pending`, `denied`, `other` (not this call's) or `void`."""
    one = asked.approval
    if not asked.fits or now >= one.until or asked.used >= one.uses or one.state == "void":
        return "other"
    if not asked.shown or asked.shown != one.shown:
        return "void"
    if one.state != "approved":
        return one.state
    return "void" if lacking(one, asked.people, asked.barred) else "yes"


class Heard(Protocol):
    """Anything that is asked of groups and answered by people."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Who is asked."""
        ...

    @property
    def need(self) -> int:
        """How many yeses of each group."""
        ...

    @property
    def yes(self) -> tuple["Yes", ...]:
        """Who said yes."""
        ...


def lacking(approval: Heard, people: Mapping[str, Person], barred: frozenset[str]) -> tuple[str, ...]:
    """The groups that still lack a yes of somebody who is here, in the group, and not barred; one yes a person."""
    counted: dict[str, set[str]] = {group: set() for group in approval.groups}
    for one in approval.yes:
        person = people.get(one.by)
        if person is not None and person.state == "active" and one.group in person.groups and one.by not in barred:
            counted[one.group].add(one.by)
    return tuple(group for group in approval.groups if len(counted[group]) < approval.need)


def barred(bar: tuple[str, ...], requester: str, owner: str, person: str) -> frozenset[str]:
    """Who may not answer: the requester always, the agent's owner and the delegating person when the brief says so."""
    return frozenset({requester, *((owner,) if "owner" in bar else ()), *((person,) if "person" in bar else ())})


def shown(card: Mapping[str, Json] | None, salt: bytes) -> str:
    """The digest that binds an approval: SHA-256 over a mark, the asking call's salt and the card in canonical form.

    Empty when there is nothing to show.
    """
    return "" if card is None else b64(hashlib.sha256(MARK + salt + canon(dict(card))).digest())


def bound(held: tuple[bytes, bytes] | None, as_shown: str) -> dict[str, Json] | None:
    """What people were shown, from its salt and text as they are kept; None once erased, or not what was bound."""
    if held is None:
        return None
    body: dict[str, Json] = json.loads(held[1])
    return body if shown(body, held[0]) == as_shown else None


def shape(value: Json) -> Json:
    """The shape of a value, as a person sees it: names exactly, numbers up to this one, texts up to this length."""
    if isinstance(value, bool) or value is None:
        return {"is": value}
    if isinstance(value, int | float):
        return {"number": {"from": min(0, value), "to": max(0, value)}}
    if isinstance(value, str):
        return {"text": {"up_to": len(value)}}
    if isinstance(value, dict):
        return {"object": {name: shape(held) for name, held in value.items()}}
    return {"is": value}


def fits(value: Json, form: Json) -> bool:
    """Say whether a value is of a shape. A list is only ever the same list."""
    (kind, bound), = form.items()  # fmt: skip
    if kind == "is":
        return type(value) is type(bound) and canon(value) == canon(bound)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and bound["from"] <= value <= bound["to"]
    if kind == "text":
        return isinstance(value, str) and len(value) <= bound["up_to"]
    return (
        isinstance(value, dict) and value.keys() == bound.keys() and all(fits(value[one], bound[one]) for one in value)
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What one person has answered: how often, how often yes, and the middle of their times to answer in ms."""

    person: str
    answers: int
    yes: int
    median: int


def answers(found: Iterable[Approval]) -> list[Answers]:
    """How people answer, most busy first: somebody who says yes to all within seconds is tired, or not reading."""
    times: dict[str, list[tuple[int, bool]]] = {}
    for one in found:
        for each in one.yes:
            times.setdefault(each.by, []).append((each.at - one.asked, True))
        if one.no:
            times.setdefault(one.no, []).append((one.answered - one.asked, False))
    told = [
        Answers(by, len(said), sum(yes for _, yes in said), int(median(took for took, _ in said)))
        for by, said in times.items()
    ]
    return sorted(told, key=lambda one: (-one.answers, one.person))


def _invalid(why: str) -> RemitError:
    return RemitError("approval_invalid", f"This approval was refused. {why}", "See docs/spec/approval.md.")
