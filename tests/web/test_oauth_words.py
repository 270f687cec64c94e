"""What the consent page says of a step: never less than what the step lets be done."""

import pytest

from remit.core.step import Step
from remit.web.oauth.words import said

READ = {"action": "mcp:notes/read_note", "path": "delegated"}
WITHIN = {"path": [{"subpath": "/notes"}]}


@pytest.mark.parametrize(
    ("step", "limits"),
    [
        ({}, []),
        ({"allow_unknown": True}, ["with any values"]),
        ({"arguments": WITHIN}, ["path within /notes"]),
        ({"arguments": WITHIN, "optional": ["path"]}, ["path within /notes, or left out"]),
        ({"arguments": WITHIN, "allow_unknown": True}, ["path within /notes", "any others with any values"]),
        ({"arguments": WITHIN, "uses": 2, "rows": {"max": 5}}, ["path within /notes", "up to 2 times", "up to 5 rows"]),
    ],
)
def test_what_a_step_leaves_open_is_said(step, limits):
    assert said(Step.from_json(READ | step)) == {"act": "read_note", "limits": limits}
