import pytest

from remit.core.task import LIFE
from tests.kit.nouns import AGENT, NOON, code, plan, task


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": "x"}, "id_invalid"),
        ({"requester": AGENT}, "task_invalid"),
        ({"person": AGENT}, "id_invalid"),
        ({"parent": "x"}, "id_invalid"),
        ({"deadline": NOON}, "task_invalid"),
        ({"idle": 0}, "task_invalid"),
        ({"state": "waiting"}, "task_invalid"),
        ({"because": "bored"}, "task_invalid"),
        ({"labels": {str(n): "x" for n in range(17)}}, "task_invalid"),
        ({"labels": {"ticket": "x" * 201}}, "task_invalid"),
    ],
)
def test_a_task_that_cannot_be_is_refused(members, expected):
    assert code(task, **members) == expected


def test_an_ended_task_never_lives_again():
    assert LIFE.last == {"ended"}
    for event in ("planned", "suspended", "resumed", "ended"):
        assert code(LIFE.after, "ended", event) == "transition_refused"


@pytest.mark.parametrize("members", [{"version": 0}, {"steps": (), "sources": ()}, {"sources": (0, 0)}])
def test_a_plan_that_cannot_be_is_refused(members):
    assert code(plan, **members) == "plan_invalid"


def test_a_plan_is_named_by_its_steps_alone():
    assert plan().digest == plan(version=2, at=NOON + 5).digest
    assert plan().digest != plan(steps=plan().steps * 2, sources=(0, 0)).digest
