"""What an operator may declare of a tool, and what is refused."""

import pytest

from remit.core.connector import Argument, Field, Shape, read
from tests.kit.nouns import code


def test_a_declaration_reads_back_whole() -> None:
    form = {
        "tools": {
            "send": {
                "effect": "write",
                "verbs": ["send"],
                "nouns": ["mail"],
                "arguments": {"/to/*": {"role": "destination", "kind": "email"}},
                "results": {"/id": {"by": "minted", "kind": "id"}},
            }
        }
    }
    shape = read(form)["send"]
    assert shape.arguments["/to/*"] == Argument("destination", "email")
    assert shape.results["/id"] == Field(by="minted", kind="id")
    assert shape.reaches


@pytest.mark.parametrize(
    "form",
    [
        [], {}, {"tools": []}, {"tools": {}, "more": 1}, {"tools": {"x": {"effect": "maybe"}}},
        {"tools": {"x": {"arguments": {"/a": {"role": "boss"}}}}}, {"tools": {"x": {"arguments": {"a": {}}}}},
        {"tools": {"x": {"results": {"/a": {"by": "anyone"}}}}}, {"tools": {"x": {"strange": 1}}},
        {"tools": {"x": {"results": {"/a": {"owner": "who"}}}}}, {"tools": {"x": {"verbs": [""]}}},
    ],
)  # fmt: skip
def test_what_cannot_be_a_declaration_is_refused(form: object) -> None:
    assert code(read, form) == "connector_invalid"


def test_a_read_that_says_where_to_reaches_outside_and_another_does_not() -> None:
    assert not Shape(effect="read").reaches
    assert Shape(effect="read", arguments={"/url": Argument("destination", "url")}).reaches
    assert Shape().reaches
