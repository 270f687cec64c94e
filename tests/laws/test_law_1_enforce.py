"""Law 1 in the gate's loop: no forward without a permit for that very call, no answer before its outcome is noted."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.permit import Entry, Fault, Lent
from remit.core.permit import Permit as Proof
from remit.core.trust import TrustPath
from remit.gateway import enforce
from remit.gateway.enforce import (
    IDLE,
    Answer,
    Arrived,
    Borrow,
    Borrowed,
    Command,
    Decide,
    Decided,
    Ended,
    Event,
    Expired,
    Forward,
    Note,
    Noted,
    Refuse,
    Release,
    step,
)
from tests.kit.planted import Planted, each_goes_red

LAW = settings(
    max_examples=3000, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip
CALL = Call("mcp:notes/read_note", {"path": "/notes/a"})
OTHER = Call("mcp:notes/read_note", {"path": "/etc/passwd"})
ENTRY = Entry("crd_x", "tsk_x", "agt_x", TrustPath.OWN, "notes")
DENY, FAULT = Deny("plan_outside", "No."), Fault("store_failed", "No.")


def proof(call: Call = CALL, number: int = 0) -> Proof:
    return Proof(f"cal_{number}", call.digest, number, "tsk_x", TrustPath.OWN, "notes", 0)


def next_likely(command: Command | None, number: int) -> Event:
    match command:
        case Decide():
            return Decided(proof(number=number))
        case Borrow():
            return Borrowed(Lent())
        case Forward():
            return Ended({"result": "ok"})
        case Note():
            return Noted()
        case _:
            return Arrived(CALL, ENTRY)


def any_event(draw: random.Random, number: int) -> Event:
    return draw.choice(
        (
            Arrived(OTHER, ENTRY), Decided(proof(number=number)), Decided(proof(OTHER, number)), Decided(DENY),
            Decided(FAULT), Borrowed(Lent()), Borrowed(FAULT), Borrowed(Fault("permit_expired", "Late.")), Expired(),
            Ended({"result": "unknown"}), Noted(), Noted(FAULT),
        )
    )  # fmt: skip


def history(seed: int) -> list[tuple[Event, tuple[Command, ...]]]:
    """One call's events and what the loop commanded: the next likely event, five times in six."""
    draw = random.Random(seed)
    state, told, last = IDLE, [], None
    for number in range(16):
        event = next_likely(last, number) if draw.random() < 5 / 6 else any_event(draw, number)
        state, commands = step(state, event)
        told.append((event, commands))
        last = commands[-1] if commands else None
    return told


def run(seed: int) -> list[Event | Command]:
    return [one for event, commands in history(seed) for one in (event, *commands)]


def nothing_is_forwarded_without_a_permit_for_that_very_call(_: Path) -> None:
    @LAW
    @given(st.integers(0, 2**32))
    def law(seed: int) -> None:
        given: set[bytes] = set()
        lent = False
        for one in run(seed):
            match one:
                case Decided(Proof() as permit):
                    given, lent = {permit.digest}, False
                case Borrowed(answer):
                    lent = isinstance(answer, Lent)
                case Expired():
                    given, lent = set(), False
                case Forward(call, permit, _):
                    assert permit.digest == call.digest, "forwarded under the permit of another call"
                    assert call.digest in given, "forwarded without a permit"
                    assert lent, "forwarded without what was lent"

    law()


def once_forwarded_an_outcome_is_noted_before_anything_is_answered(_: Path) -> None:  # noqa: C901 - a case each
    @LAW
    @given(st.integers(0, 2**32))
    def law(seed: int) -> None:
        out: str | None = None
        noting: str | None = None
        for one in run(seed):
            match one:
                case Forward(_, permit, _):
                    out = permit.call
                case Note(permit, _):
                    assert permit.call == out, "noted another call"
                    noting = out
                case Release(permit):
                    if permit.call == out:
                        out = None
                case Noted(None):
                    out = None if noting is not None else out
                case Noted(Fault()):
                    noting = None if noting is None else "refused"
                case Answer():
                    assert noting is not None, "answered without an outcome"
                    assert noting != "refused", "answered though its outcome could not be recorded"
                    assert out is None, "answered before its outcome"
                case Refuse():
                    assert out is None or noting == "refused", "refused while an outcome was open"

    law()


def every_call_is_forwarded_and_answered_once_and_decided_twice_at_most(_: Path) -> None:
    @LAW
    @given(st.integers(0, 2**32))
    def law(seed: int) -> None:
        counted: Counter[str] = Counter()
        expired = 0
        for one in run(seed):
            counted[type(one).__name__] += 1
            expired += isinstance(one, Expired)
            assert counted["Decide"] <= 2, "decided more than twice"
            assert counted["Forward"] <= 1 + expired, "forwarded twice"
            assert counted["Answer"] + counted["Refuse"] <= 1, "answered twice"
            assert counted["Note"] <= 1, "noted twice"

    law()


def every_permit_is_either_noted_or_given_back(_: Path) -> None:
    @LAW
    @given(st.integers(0, 2**32))
    def law(seed: int) -> None:
        held: set[str] = set()
        deciding = False
        for event, commands in history(seed):
            if deciding and isinstance(event, Decided) and isinstance(event.answer, Proof):
                held.add(event.answer.call)
            deciding = any(isinstance(one, Decide) for one in commands)
            for one in commands:
                if isinstance(one, Note | Release):
                    held.discard(one.permit.call)
                if isinstance(one, Answer | Refuse):
                    assert not held, "a permit was left open"

    law()


LAWS = (
    nothing_is_forwarded_without_a_permit_for_that_very_call,
    once_forwarded_an_outcome_is_noted_before_anything_is_answered,
    every_call_is_forwarded_and_answered_once_and_decided_twice_at_most,
    every_permit_is_either_noted_or_given_back,
)
WHERE = "gateway/enforce.py"
FAULTS = (
    Planted(
        "a permit for another call forwards", WHERE,
        "if permit.digest != state.call.digest or permit.resource != state.call.resource:", "if False:",
        LAWS[0], "forwarded under the permit of another call",
    ),
    Planted(
        "a failed loan forwards all the same", WHERE,
        "case Borrowing(decided, permit), Borrowed(Lent() as lent):",
        "case Borrowing(decided, permit), Borrowed(lent):",
        LAWS[0], "forwarded without what was lent",
    ),
    Planted(
        "an end is answered without being noted", WHERE,
        "return Noting(permit), (Note(permit, result),)", "return DONE, (Answer(),)",
        LAWS[1], "answered without an outcome",
    ),
    Planted(
        "an outcome that could not be recorded is answered", WHERE,
        "case Noting(), Noted(Fault() as fault):\n            return DONE, (Refuse(fault),)",
        "case Noting(), Noted(Fault() as fault):\n            return DONE, (Answer(),)",
        LAWS[1], "answered though its outcome could not be recorded",
    ),
    Planted(
        "an odd event drops what is under way", WHERE,
        'return Noting(permit), (Note(permit, {"result": "unknown"}),)', "return DONE, (Refuse(_ODD),)",
        LAWS[1], "refused while an outcome was open",
    ),
    Planted(
        "an expired permit is decided for ever", WHERE, "if decided.time >= MOST:", "if False:", LAWS[2],
        "decided more than twice",
    ),
    Planted(
        "what is done answers again", WHERE,
        "case Done(), _:\n            return DONE, ()", "case Done(), _:\n            return DONE, (Answer(),)",
        LAWS[2], "answered twice",
    ),
    Planted(
        "a permit for another call stays open", WHERE,
        "return DONE, (Release(permit), Refuse(_OTHER))", "return DONE, (Refuse(_OTHER),)",
        LAWS[3], "a permit was left open",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)


def test_most_histories_are_healthy():
    ends = Counter(
        type(one).__name__ for seed in range(300) for one in run(seed) if isinstance(one, Answer | Refuse | Forward)
    )
    assert ends["Answer"] > 100
    assert ends["Forward"] > 150


def test_a_permit_that_is_too_old_is_given_back_and_the_call_decided_once_more():
    state, _ = step(IDLE, Arrived(CALL, ENTRY))
    state, _ = step(state, Decided(proof()))
    state, _ = step(state, Borrowed(Lent()))
    state, commands = step(state, Expired())
    assert commands == (Release(proof()), Decide(CALL, ENTRY, ""))
    state, _ = step(state, Decided(proof(number=1)))
    state, commands = step(state, Borrowed(Fault("permit_expired", "Late.")))
    assert [type(one) for one in commands] == [Release, Refuse]
    assert state == enforce.DONE
