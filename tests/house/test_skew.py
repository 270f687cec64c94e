"""How far clocks may be apart stands in one place: `core/moment`. What else adds to the time has a name here."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import modules

ONE = "src/remit/core/moment.py"
SPOKEN = re.compile(r"(?:^|_)(?:skew|leeway|tolerance)(?:_|$)", re.IGNORECASE)
"""How an allowance is called."""
FLOORS = ("src/remit/custody/", "src/remit/web/", "src/remit/core/", "src/remit/gateway/authority")
"""Where what others sign is timed."""
LIVES = {
    ("custody/assertion.py", "ASSERTION_LIFE"), ("custody/attestation.py", "longest"),
    ("custody/grant.py", "LONGEST_S"), ("custody/secevent.py", "OLDEST_S"), ("custody/proof.py", "FAR"),
    ("web/issuers.py", "oldest"), ("web/keysets.py", "oldest"), ("web/issuers.py", "AGAIN_MS"),
    ("web/keysets.py", "AGAIN_MS"), ("web/issuers.py", "KEPT_MS"), ("web/keysets.py", "KEPT_MS"),
    ("web/kept.py", "KEPT_MS"), ("web/reaching.py", "LASTS_MS"),
    ("web/listening.py", "KEYS_S"), ("web/rate.py", "MINUTE"), ("web/api/poll.py", "wait"),
    ("core/decision.py", "idle"), ("core/freshness.py", "owner"), ("core/freshness.py", "person"),
    ("core/freshness.py", "agent"), ("core/reach/survey.py", "OLD"), ("core/witness.py", "max_age"),
}  # fmt: skip
"""How long something lasts, by our own clock alone: no allowance. A proof with a nonce of ours is timed by that."""


def names(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.arg):
            yield one.arg


def allowances(where: str, tree: ast.Module) -> Iterator[str]:
    """What is called an allowance elsewhere."""
    for name in names(tree):
        if SPOKEN.search(name) and name != "SKEW_MS":
            yield f"{where}: {name} is another allowance"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and "SKEW_MS" in set(names(node)):
            yield f"{where}:{node.lineno}: the allowance is set or mixed here"


def added(where: str, tree: ast.Module) -> Iterator[str]:
    """Comparisons in which the time now is moved by more than a known life."""
    short = where.removeprefix("src/remit/")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not moved(node):
            continue
        if not any((short, name) in LIVES for name in names(node)):
            yield f"{where}:{node.lineno}: {ast.unparse(node)}"


def moved(node: ast.AST) -> bool:
    sums = (one for one in ast.walk(node) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add | ast.Sub))
    return any("now" in set(names(one)) for one in sums)


def test_no_other_allowance_between_clocks_appears():
    found: list[str] = []
    for where, tree in modules().items():
        if where != ONE:
            found += allowances(where, tree)
            found += added(where, tree) if where.startswith(FLOORS) else ()
    assert not found, f"Let core/moment say it, or name the life that it is here: {found}"


@pytest.mark.parametrize(
    "text",
    [
        "SKEW = 30", "def f(leeway): ...", "x = iat > now + 30", "x = now - told > AGE + 5", "HALF = SKEW_MS // 2",
        "CLOCK_SKEW_S = 1",
    ],
)  # fmt: skip
def test_another_allowance_is_seen(text):
    tree = ast.parse(text)
    where = "src/remit/custody/token.py"
    assert [*allowances(where, tree), *added(where, tree)]


def test_each_life_that_is_named_is_there():
    for where, name in LIVES:
        assert name in set(names(modules()[f"src/remit/{where}"])), (where, name)
