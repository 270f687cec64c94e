import pytest

from remit.core.step import Step
from tests.kit.nouns import STEP, code

FULL = STEP | {
    "arguments": {"path": [{"subpath": "/notes"}], "n": [{"range": {"min": 0, "max": 5}}]},
    "optional": ["n"],
    "allow_unknown": True,
    "rows": {"max": 10},
    "window": {"start": 1, "end": 2},
}


@pytest.mark.parametrize("form", [STEP, FULL, {"action": "mcp:notes/@read", "path": "delegated"}])
def test_a_step_is_read_back_as_it_was_written(form):
    step = Step.from_json(form)
    assert Step.from_json(step.to_json()) == step
    assert hash(step) == hash(Step.from_json(form))


@pytest.mark.parametrize(
    "change",
    [
        {"action": "mcp:notes/*"},
        {"action": "mcp:notes/@session"},
        {"action": 7},
        {"path": "blended"},
        {"grants": 1},
        {"arguments": []},
        {"arguments": {"path": []}},
        {"arguments": {"path": [{"maybe": 1}]}},
        {"optional": ["other"]},
        {"optional": ["path", "path"]},
        {"allow_unknown": 1},
        {"uses": -1},
        {"uses": 1.5},
        {"rows": 5},
        {"totals": {}},
        {"window": {"start": 1}},
    ],
)
def test_a_step_that_contradicts_itself_is_refused(change):
    assert code(Step.from_json, STEP | change) == "limit_invalid"


def test_a_window_that_is_empty_is_refused():
    assert code(Step.from_json, STEP | {"window": {"start": 2, "end": 2}}) == "window_invalid"
