"""Law 1 at the door of other people's data planes: no leaf, no yes; one permit for one call; one outcome."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remit.control import access, principal, sweep, task
from remit.control.access import Asked, Door, close_overdue
from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.permit import Fault, Permit
from remit.core.receipt import decode
from remit.store.apply import in_flight
from remit.store.log import entries, newest
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call


class Place:
    """A world with a service at its door, and a credential that may read notes."""

    def __init__(self, folder: Path) -> None:
        self.hours = Hours()
        self.world = World(folder, self.hours.clock()).settle()
        self.door = Door(self.world.authority, self.world.batch)
        self.service = self.named("edge")
        self.task = self.world.a_task()
        text = self.world.a_credential(self.task.id).text
        self.asked = Asked(self.service, read_call(), self.world.enter(text))

    def named(self, name: str) -> Any:
        made = self.world.act(lambda c: principal.add_service(c, name, self.world.owner.id, (), "operator"))
        return self.world.act(lambda c: principal.give_token(c, made.id, "operator"))[0]

    def ask(self, asked: Asked | None = None) -> Permit | Deny | Fault:
        """Ask, and look at the moment of the answer whether what it rests on is in the ledger for all to see."""
        found: list[tuple[Permit | Deny | Fault, int]] = []
        self.door.ask(asked or self.asked, lambda said: found.append((said, newest(self.world.authority.view).size)))
        assert len(found) == 1, "answered not once"
        said, size = found[0]
        assert not isinstance(said, Permit) or size > said.leaf, "answered before its leaf was committed"
        return said

    def allowed(self) -> Permit:
        found = self.ask()
        assert isinstance(found, Permit), f"refused, though nothing stands against it: {found}"
        return found

    def told(self, service: Any, call: str, result: str = "ok") -> str:
        """Note an outcome: its refusal's code, or nothing."""
        try:
            self.world.act(access.note(service, call, {"result": result}))
        except RemitError as fault:
            return fault.code
        return ""


def a_yes_has_its_leaf_first(folder: Path) -> None:
    place = Place(folder)
    heard: list[Any] = []
    jobs: list[Any] = []
    place.world.batch._sync = lambda job, after: jobs.append((job, after))
    place.door.ask(place.asked, heard.append)
    assert jobs, "nothing was to be committed"
    assert not heard, "answered before its leaf was committed"
    job, after = jobs.pop()
    job()
    after()
    assert [type(one) for one in heard] == [Permit], "no answer after the commit"


def a_permit_is_for_one_call(folder: Path) -> None:
    place = Place(folder)
    given = [place.allowed() for _ in range(5)]
    assert len({one.call for one in given}) == 5, "a permit was given twice"
    assert len({one.leaf for one in given}) == 5, "a permit was given twice"
    place.hours.pass_by(1_001)
    assert not place.door.left(given[0]), "a permit outlived its second"


def a_stale_permit_is_not_given(folder: Path) -> None:
    place = Place(folder)

    def slow(job: Any, after: Any) -> None:
        job()
        place.hours.pass_by(1_001)
        after()

    place.world.batch._sync = slow
    found = place.ask()
    assert isinstance(found, Fault), "a permit left after its second was over"
    assert found.code == "permit_expired", "a permit left after its second was over"
    last = next(iter(entries(place.world.authority.view, newest(place.world.authority.view).size - 1, 10_000)))
    assert decode(last)["result"] == "not_sent", "nothing says that the call was not made"


def an_outcome_is_noted_once_by_who_asked(folder: Path) -> None:
    place = Place(folder)
    one, other = place.allowed(), place.named("other")
    assert place.told(other, one.call) == "outcome_unknown_call", "a stranger told of the outcome"
    assert place.told(place.service, one.call, "maybe") == "outcome_invalid", "a made-up result was noted"
    assert place.told(place.service, one.call) == "", "the outcome was not taken"
    assert place.told(place.service, one.call) == "outcome_unknown_call", "an outcome was noted twice"


def what_nobody_tells_of_reads_unknown(folder: Path) -> None:
    place = Place(folder)
    one = place.allowed()
    place.hours.pass_by(access.OUTCOME_MS)
    assert place.world.act(close_overdue) == 0, "closed before its time was over"
    place.hours.pass_by(1)
    assert place.told(place.service, one.call) == "outcome_late", "an outcome was taken after its time"
    place.world.act(sweep.sweep)
    assert in_flight(place.world.authority.view, one.call) is None, "a call is still open after its time"
    assert place.told(place.service, one.call) == "outcome_unknown_call", "an outcome was noted twice"


def who_asks_must_stand_and_what_ended_is_refused(folder: Path) -> None:
    place = Place(folder)
    place.allowed()
    place.world.act(lambda c: principal.give_token(c, place.service.id, "operator"))
    found = place.ask()
    assert isinstance(found, Fault), "a service with a replaced token was answered"
    assert found.code == "unauthenticated", "a service with a replaced token was answered"
    fresh = replace(place.asked, service=place.named("second"))
    assert isinstance(place.ask(fresh), Permit), "a service that stands was refused"
    place.world.act(lambda c: task.end(c, place.task.id, "revoked", "operator"))
    assert isinstance(place.ask(fresh), Deny), "a call was allowed after its task had ended"


def names_and_operations_are_held_in_the_transaction(folder: Path) -> None:
    place = Place(folder)
    stranger = replace(place.asked, subject=place.world.person.id)
    assert isinstance(place.ask(stranger), Deny), "a credential counted for another subject"
    assert isinstance(place.ask(replace(place.asked, agent="agt_" + "q" * 26)), Deny), "it counted for another agent"
    moved = replace(place.asked, pin="p" * 43)
    assert isinstance(place.ask(moved), Fault), "an operation was allowed that had changed since it was read"


LAWS = (
    a_yes_has_its_leaf_first,
    a_permit_is_for_one_call,
    a_stale_permit_is_not_given,
    an_outcome_is_noted_once_by_who_asked,
    what_nobody_tells_of_reads_unknown,
    who_asks_must_stand_and_what_ended_is_refused,
    names_and_operations_are_held_in_the_transaction,
)
HERE = "control/access.py"
FAULTS = (
    Planted(
        "answer before commit", HERE, "self._batch.submit(asked.entry.agent, job, answered)",
        "self._batch.submit(asked.entry.agent, lambda c: (lambda d: (answered(d), d)[1])(job(c)), lambda _: None)",
        a_yes_has_its_leaf_first, "answered before its leaf",
    ),
    Planted(
        "permit used twice", HERE, "given = permit(asked.call, asked.entry, said)",
        "given = globals().setdefault('_kept', permit(asked.call, asked.entry, said))",
        a_permit_is_for_one_call, "a permit was given twice",
    ),
    Planted(
        "a stale permit is given", HERE, "and not self._gate.fresh(given)", "and not given.call",
        a_stale_permit_is_not_given, "after its second",
    ),
    Planted(
        "outcome noted twice", "store/apply.py", '"DELETE FROM flight WHERE call = ?"',
        '"UPDATE flight SET at = at WHERE call = ?"',
        an_outcome_is_noted_once_by_who_asked, "an outcome was noted twice",
    ),
    Planted(
        "anyone tells of an outcome", HERE, ' or receipt.get("service") != service.id', "",
        an_outcome_is_noted_once_by_who_asked, "a stranger told",
    ),
    Planted(
        "late outcomes count", HERE, "if change.now - flight.at > OUTCOME_MS:", "if change.now < flight.at:",
        what_nobody_tells_of_reads_unknown, "after its time",
    ),
    Planted(
        "what is overdue stays open", HERE, "for call, leaf in over:", "for call, leaf in over[:0]:",
        what_nobody_tells_of_reads_unknown, "still open",
    ),
    Planted(
        "the service is not read again", HERE, "    _stands(change, asked.service)\n", "",
        who_asks_must_stand_and_what_ended_is_refused, "replaced token",
    ),
    Planted(
        "the subject is taken as said", HERE, 'asked.subject not in ("", credential.subject)', "False",
        names_and_operations_are_held_in_the_transaction, "another subject",
    ),
    Planted(
        "the operation is not read again", HERE, "if tool is None or tool.pin != asked.pin:", "if tool is None:",
        names_and_operations_are_held_in_the_transaction, "changed since",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    tmp_path.chmod(0o700)
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
