"""The one loop for all gates: `step(state, event)` says what to do next. Pure; whoever serves executes the commands.

A call is decided, what it needs is borrowed, it is forwarded, how it ended is noted, and only then is it answered. A
permit that is too old at the first byte is given back and the call is decided once more. An event out of turn stops the
call: what was borrowed for is given back, what was forwarded is noted as unknown, and then it is refused.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.permit import Entry, Fault, Lent, Permit

# What happens.


class Arrived(msgspec.Struct, frozen=True):
    """A call came in with an entry; `origin` is the open call that a reverse call hangs on."""

    call: Call
    entry: Entry
    origin: str = ""


class Decided(msgspec.Struct, frozen=True):
    """The authority's answer."""

    answer: Permit | Deny | Fault


class Borrowed(msgspec.Struct, frozen=True):
    """What the call needs upstream, or why there is none of it."""

    lent: Lent | Fault


class Expired(msgspec.Struct, frozen=True):
    """The permit was too old just before the first byte: certainly nothing was sent."""


class Ended(msgspec.Struct, frozen=True):
    """The exchange with the target is over; `result` is what will be noted: `not_sent` when nothing was sent."""

    result: Mapping[str, Json]


class Noted(msgspec.Struct, frozen=True):
    """The outcome is durably recorded, or could not be."""

    fault: Fault | None = None


Event = Arrived | Decided | Borrowed | Expired | Ended | Noted

# What to do.


class Decide(msgspec.Struct, frozen=True):
    """Have the call decided; answer with `Decided`."""

    call: Call
    entry: Entry
    origin: str


class Borrow(msgspec.Struct, frozen=True):
    """Borrow under the permit; answer with `Borrowed`."""

    permit: Permit


class Forward(msgspec.Struct, frozen=True):
    """Send the call on, if the permit is still fresh at the first byte; answer with `Expired` or `Ended`."""

    call: Call
    permit: Permit
    lent: Lent


class Note(msgspec.Struct, frozen=True):
    """Record the outcome; answer with `Noted`."""

    permit: Permit
    result: Mapping[str, Json]


class Release(msgspec.Struct, frozen=True):
    """Record that nothing was sent under this permit; nobody waits for that."""

    permit: Permit


class Answer(msgspec.Struct, frozen=True):
    """Let the answer leave: its outcome is recorded."""


class Refuse(msgspec.Struct, frozen=True):
    """Answer with this refusal or fault; nothing was forwarded, or its outcome could not be recorded."""

    why: Deny | Fault


Command = Decide | Borrow | Forward | Note | Release | Answer | Refuse

# Where a call stands.


class Idle(msgspec.Struct, frozen=True):
    """Nothing has arrived."""


class Deciding(msgspec.Struct, frozen=True):
    """Being decided, for the `time`-th time."""

    call: Call
    entry: Entry
    origin: str
    time: int


class Borrowing(msgspec.Struct, frozen=True):
    """Permitted; what it needs is being borrowed."""

    decided: Deciding
    permit: Permit


class Forwarding(msgspec.Struct, frozen=True):
    """On its way, or about to be."""

    decided: Deciding
    permit: Permit


class Noting(msgspec.Struct, frozen=True):
    """Over at the target; being recorded."""

    permit: Permit


class Done(msgspec.Struct, frozen=True):
    """Answered or refused. Nothing follows."""


State = Idle | Deciding | Borrowing | Forwarding | Noting | Done
Next = tuple[State, tuple[Command, ...]]

IDLE: Final = Idle()
DONE: Final = Done()
MOST: Final = 2
"""How often one call is decided at most."""

_LATE: Final = Fault("permit_expired", "The call could not be forwarded in time; nothing was sent.")
_OTHER: Final = Fault("permit_other", "The permit is not for this call; nothing was sent.")
_ODD: Final = Fault("internal", "The gate saw something out of turn and stopped.")


def step(state: State, event: Event) -> Next:  # noqa: C901, PLR0912 - the whole table in one place
    """Say where the call stands after this event and what to do now."""
    match state, event:
        case Idle(), Arrived(call, entry, origin):
            return Deciding(call, entry, origin, 1), (Decide(call, entry, origin),)
        case Deciding(), Decided(Permit() as permit):
            if permit.digest != state.call.digest or permit.resource != state.call.resource:
                return DONE, (Release(permit), Refuse(_OTHER))
            return Borrowing(state, permit), (Borrow(permit),)
        case Deciding(), Decided(Deny() | Fault() as why):
            return DONE, (Refuse(why),)
        case Borrowing(decided, permit), Borrowed(Lent() as lent):
            return Forwarding(decided, permit), (Forward(decided.call, permit, lent),)
        case Borrowing(decided, permit), Borrowed(Fault() as fault):
            if fault.code == _LATE.code:
                return _again(decided, permit)
            return DONE, (Release(permit), Refuse(fault))
        case Forwarding(decided, permit), Expired():
            return _again(decided, permit)
        case Forwarding(_, permit), Ended(result):
            return Noting(permit), (Note(permit, result),)
        case Noting(), Noted(None):
            return DONE, (Answer(),)
        case Noting(), Noted(Fault() as fault):
            return DONE, (Refuse(fault),)
        case Noting(), _:
            return state, ()
        case Done(), _:
            return DONE, ()
        case Borrowing(_, permit), _:
            return DONE, (Release(permit), Refuse(_ODD))
        case Forwarding(_, permit), _:
            return Noting(permit), (Note(permit, {"result": "unknown"}),)
        case _:
            return DONE, (Refuse(_ODD),)


def _again(decided: Deciding, permit: Permit) -> Next:
    if decided.time >= MOST:
        return DONE, (Release(permit), Refuse(_LATE))
    once_more = Deciding(decided.call, decided.entry, decided.origin, decided.time + 1)
    return once_more, (Release(permit), Decide(decided.call, decided.entry, decided.origin))
