"""Findings: every kind has its rule, and severities have an order."""

from remit.core.finding import RULES, Confidence, Evidence, Finding, Kind, Severity


def test_every_kind_has_a_rule_that_says_why_and_what_to_do() -> None:
    assert set(RULES) == set(Kind)
    for kind in Kind:
        rule = Finding(kind, Confidence.HIGH, Evidence(".env", 1, "")).rule
        assert rule is RULES[kind]
        assert rule.title
        assert rule.why
        assert rule.fix
        assert {one[:3] for one in rule.owasp} == {"ASI", "NHI"}


def test_severities_rise_from_low_to_critical() -> None:
    assert [one.rank for one in (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)] == [0, 1, 2, 3]
