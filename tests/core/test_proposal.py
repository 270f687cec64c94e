"""What people are shown of a plan: every step, what is new in it, and what was held of those acts."""

from remit.core.proposal import opening_card, plan_card
from remit.core.replan import classify
from remit.core.step import Step
from tests.kit import nouns
from tests.kit.nouns import STEP


def test_the_card_says_what_is_new_and_what_was_held_of_it():
    wide = Step.from_json(STEP | {"uses": 9})
    more = Step.from_json(STEP | {"action": "mcp:notes/wipe"})
    before = nouns.plan()
    moved = classify((wide, more), before.steps, (wide, more))
    one = nouns.approval(about="plan", action="plan", credential="")
    said = {"steps": [], "reach": {"calls": 9}, "over": ["calls"]}
    card = plan_card(one, nouns.task(), nouns.agent(), nouns.brief(), before, (wide, more), moved, said)
    assert (card["is"], card["widened"], card["added"], card["crossed"]) == ("wider", [0], [1], [])
    assert card["plan"] == [wide.to_json(), more.to_json()]
    assert card["before"] == {"version": 1, "steps": [STEP]}
    assert (card["reach"], card["over"]) == ({"calls": 9}, ["calls"])
    assert (card["groups"], card["until"], card["agent"]["name"]) == (["ops"], one.until, "scribe")


def test_an_opening_shows_its_plan_its_reach_and_in_what_that_is_beyond():
    step = Step.from_json(STEP)
    said = {"steps": [STEP], "reach": {"calls": "unbounded"}, "over": ["calls"]}
    one = nouns.approval(about="opening", action="opening", credential="")
    card = opening_card(one, nouns.task(), nouns.agent(), nouns.brief(), (step,), said)
    assert (card["opening"], card["reach"], card["over"]) == ([STEP], {"calls": "unbounded"}, ["calls"])
