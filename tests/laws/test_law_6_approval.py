"""Law 6 on a real store: a yes is to exactly what was shown, of people who still may say it, and is used once."""

import contextlib
from pathlib import Path

import pytest

from remit.control import approval, principal, revocation, task
from remit.core.answer import Deny
from remit.core.approval import Approval
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.permit import Permit
from tests.kit.approving import MORE, Approving
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call

NARROWER = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes"}]}, "uses": 9}


def one_yes_is_one_call(folder: Path) -> None:
    """Twenty calls at two nodes, and more after a restart: one is allowed."""
    place = Approving(World(folder).settle())
    waits = place.ask()
    place.answer(waits, place.ann)
    other = World(folder)
    found = [world.decide(read_call(), place.entry) for _ in range(10) for world in (place.world, other)]
    place.world.close()
    other.close()
    again = World(folder)
    found += [again.decide(read_call(), place.entry) for _ in range(3)]
    again.close()
    allowed = [one for one in found if isinstance(one, Permit)]
    assert len(allowed) == 1, f"one yes let {len(allowed)} calls through"


def what_moved_is_not_what_was_approved(folder: Path) -> None:
    for moved in ("policy", "plan", "terms"):
        place = Approving(World(under(folder, moved)).settle())
        place.answer(place.ask(), place.ann)
        if moved == "policy":
            place.rule(MORE)
        elif moved == "terms":
            place.terms(bar=("owner",))
        else:
            plan = (Step.from_json(NARROWER),)
            place.world.act(lambda c: task.plan(c, place.task.id, plan, place.world.owner.id))  # noqa: B023
            place.renew()
        answer = place.call()
        assert isinstance(answer, Deny), f"a yes outlived a change of the {moved}"
        place.world.close()


def a_yes_falls_with_whoever_said_it(folder: Path) -> None:
    for how in ("left", "moved"):
        place = Approving(World(under(folder, how)).settle())
        world = place.world
        place.answer(place.ask(), place.ann)
        if how == "left":
            world.act(lambda c: revocation.revoke(c, "person", place.ann, "operator"))  # noqa: B023
        else:
            world.act(lambda c: principal.add_person(c, "local", "ann", "ann", ("other",), "operator"))
        answer = place.call()
        assert isinstance(answer, Deny), f"the yes of somebody who {how} still counted"
        world.close()


def who_requested_it_never_answers(folder: Path) -> None:
    place = Approving(World(folder).settle())
    waits = place.ask()
    with contextlib.suppress(RemitError):
        place.answer(waits, place.world.owner.id)
    assert isinstance(place.call(), Deny), "who requested it has approved it"
    place.world.close()


def a_yes_to_a_shape_holds_its_bounds(folder: Path) -> None:
    place = Approving(World(folder).settle(), repeat={"mcp:notes/read_note": 5})
    place.answer(place.ask("/notes/abc"), place.ann)
    assert isinstance(place.call("/notes/abd"), Permit), "a call of the shape was refused"
    answer = place.call("/notes/abcdefgh")
    assert isinstance(answer, Deny), "a call beyond the shape was allowed"
    place.world.close()


def an_answer_is_to_what_was_shown(folder: Path) -> None:
    place = Approving(World(folder).settle())
    waits = place.ask()
    with contextlib.suppress(RemitError):
        place.world.act(lambda c: approval.answer(c, waits, place.ann, yes=True, shown="another card", via="t"))
    state = place.world.act(lambda c: c.need(Approval, waits)).state
    assert state == "pending", "an answer to something else was taken"
    place.world.close()


def under(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir(mode=0o700)
    return place


LAWS = (
    one_yes_is_one_call, what_moved_is_not_what_was_approved, a_yes_falls_with_whoever_said_it,
    who_requested_it_never_answers, a_yes_to_a_shape_holds_its_bounds, an_answer_is_to_what_was_shown,
)  # fmt: skip
RULES, CONTROL = "core/approval.py", "control/approval.py"
FAULTS = (
    Planted(
        "a yes is not consumed", "store/apply.py",
        'approvals.consume(db, receipt["approval"], receipt["at"])', "pass",
        one_yes_is_one_call, "one yes let",
    ),
    Planted(
        "what is shown now is not compared", RULES,
        "if not asked.shown or asked.shown != one.shown:", "if not asked.shown:",
        what_moved_is_not_what_was_approved, "a yes outlived",
    ),
    Planted(
        "the approver's standing is not looked at again", RULES,
        'return "void" if lacking(one, asked.people, asked.barred) else "yes"', 'return "yes"',
        a_yes_falls_with_whoever_said_it, "still counted",
    ),
    Planted(
        "the requester is not barred", RULES, "frozenset({requester, *(", "frozenset({*(",
        who_requested_it_never_answers, "who requested it has approved it",
    ),
    Planted(
        "a shape is not held against the call", CONTROL,
        "rules.fits(dict(call.arguments), rules.shape(arguments)) if one.uses > 1", "True if one.uses > 1",
        a_yes_to_a_shape_holds_its_bounds, "beyond the shape",
    ),
    Planted(
        "an answer names nothing", CONTROL, "or text != one.shown or shown != one.shown:", "or text != one.shown:",
        an_answer_is_to_what_was_shown, "an answer to something else",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    law(place)


test_planted = each_goes_red(FAULTS)
