"""Servers that code opens to all, and what in the code asks who calls."""

import ast

import pytest

from remit.scan import served


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("FastMCP('a', auth=provider)", True),
        ("FastMCP('a', auth=None)", False),
        ("Depends(HTTPBearer())", True),
        ("Security(current_user)", True),
        ("Depends(open_store)", False),
        ("app.add_middleware(AuthenticationMiddleware)", True),
        ("OpenAI(api_key=key)", False),
    ],
)
def test_a_call_that_asks_who_calls_is_told_apart(text: str, asked: bool) -> None:
    tree = ast.parse(text, mode="eval")
    assert isinstance(tree.body, ast.Call)
    assert served.asks(tree.body) is asked
