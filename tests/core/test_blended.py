"""What holds for an errand that uses both paths: each rule, and that none of them can let more through."""

import pytest

from remit.core import blended
from remit.core.facts import Facts
from remit.core.policy import Answer, Verdict
from remit.core.trust import TrustPath
from tests.kit import nouns
from tests.kit.nouns import NOON, code

ALLOW = Verdict(Answer.ALLOW, ("p",))
ASK = Verdict(Answer.ASK, ("p",), ("legal",))
DENY = Verdict(Answer.DENY, code="policy_silent")


def seen(rule, paths=2, at=0, **members):
    given = {"blended": rule, "approvers": ("ops",)} | members
    return Facts(
        now=NOON, credential=nouns.credential(), task=nouns.task(blended=at), paths=paths, brief=nouns.brief(**given)
    )


def held(verdict, facts, *, writes=True):
    found = blended.narrowed(verdict, facts, writes=writes)
    return found.answer.value, found.code, found.groups


@pytest.mark.parametrize(
    ("rule", "write", "read"),
    [
        ("policy", ("allow", "", ()), ("allow", "", ())),
        ("read_only", ("deny", "blended_read_only", ()), ("allow", "", ())),
        ("ask", ("ask", "", ("ops",)), ("allow", "", ())),
        ("refuse", ("deny", "blended_refused", ()), ("deny", "blended_refused", ())),
    ],
)
def test_each_rule(rule, write, read):
    assert held(ALLOW, seen(rule)) == write
    assert held(ALLOW, seen(rule), writes=False) == read
    assert held(ALLOW, seen(rule, paths=0, at=NOON)) == write, "a label stays"
    for paths in (0, blended.BITS[TrustPath.OWN]):
        assert held(ALLOW, seen(rule, paths=paths)) == ("allow", "", ()), "one path is not blended"


@pytest.mark.parametrize("rule", sorted({"policy", "read_only", "ask", "refuse"}))
def test_no_rule_lets_more_through(rule):
    assert held(DENY, seen(rule)) == ("deny", "policy_silent", ())
    assert held(ASK, seen(rule))[0] != "allow"


def test_whom_policy_asks_and_whom_the_brief_asks_are_both_asked():
    assert held(ASK, seen("ask")) == ("ask", "", ("legal", "ops"))


def test_unless_the_brief_says_so_it_only_reads():
    assert nouns.brief().blended == "read_only"
    assert code(nouns.brief, blended="ask") == "brief_invalid", "it asks and names nobody"
    assert code(nouns.brief, blended="never") == "brief_invalid"


def test_the_risk_is_high_once_it_is_blended():
    assert (blended.risk(blended=True), blended.risk(blended=False)) == ("high", "normal")
    assert (blended.bit("own"), blended.bit("delegated"), blended.bit("other")) == (1, 2, 0)


def test_the_approvers_of_the_calls_own_path_are_asked():
    own, other = {"own": ("audit",)}, {"delegated": ("privacy",)}
    assert held(ALLOW, seen("ask", path_approvers=own)) == ("ask", "", ("audit",))
    assert held(ALLOW, seen("ask", path_approvers=other)) == ("ask", "", ("ops",))
