"""What was accepted of a scan: fingerprints, baselines and suppressions, and what is refused of them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from remit.core.errors import RemitError
from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import accepted
from remit.scan.accepted import State, Suppression

TODAY = date(2026, 5, 4)
ONE = Finding(Kind.LITERAL_SECRET, Confidence.HIGH, Evidence("a/.env", 3, "KEY holds a literal value"))
GIVEN = """[[suppress]]
code = "AG101"
file = "a/*"
owner = "olga@example.org"
until = 2026-05-04
because = "turned every week"
"""


def marked(*findings, known=frozenset(), answered=(), today=TODAY):
    return accepted.mark(findings, known, answered, today)


def at(line):
    return replace(ONE, evidence=replace(ONE.evidence, line=line))


def test_a_finding_that_moves_by_a_line_is_the_same_and_a_second_of_its_kind_is_another():
    (before,), (after,) = marked(at(3)), marked(at(30))
    assert before.fingerprint == after.fingerprint
    first, second = marked(at(3), at(9))
    assert (first.fingerprint, first.fingerprint == second.fingerprint) == (before.fingerprint, False)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, kind=Kind.UNPINNED),
        replace(ONE, evidence=replace(ONE.evidence, file="b/.env")),
        replace(ONE, evidence=replace(ONE.evidence, said="TOKEN holds a literal value")),
    ],
)
def test_another_code_file_or_name_is_another_finding(other):
    assert marked(ONE)[0].fingerprint != marked(other)[0].fingerprint


def test_what_a_baseline_knows_is_known_and_all_else_is_new():
    known = accepted.baseline(accepted.written(marked(at(1))))
    assert [one.state for one in marked(at(7), at(8), known=known)] == [State.KNOWN, State.NEW]


def test_a_suppression_holds_for_its_code_and_files_until_its_day_is_over():
    (answers,) = accepted.suppressions(GIVEN.encode(), TODAY)
    (one,) = marked(ONE, answered=(answers,))
    assert (one.state, one.because) == (State.SUPPRESSED, "olga@example.org, until 2026-05-04: turned every week")
    assert marked(ONE, answered=(answers,), today=TODAY + timedelta(1))[0].state is State.NEW
    assert marked(replace(ONE, kind=Kind.UNPINNED), answered=(answers,))[0].state is State.NEW
    assert marked(replace(ONE, evidence=replace(ONE.evidence, file="b")), answered=(answers,))[0].state is State.NEW


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("[[suppress]]", "suppress = 1\n[x]"),
        ("[[suppress]]", "[[supress]]"),
        ('owner = "olga@example.org"\n', ""),
        ('owner = "olga@example.org"', 'owner = ""'),
        ('owner = "olga@example.org"', 'owner = "o"\nline = 3'),
        ("2026-05-04", '"2026-05-04"'),
        ("2026-05-04", "2026-05-04T00:00:00"),
        ("2026-05-04", "2027-05-06"),
        ("AG101", "AG999"),
        ("[[suppress]]", "["),
    ],
)
def test_a_suppression_that_says_too_little_too_much_or_too_long_is_refused(was, now):
    with pytest.raises(RemitError) as refused:
        accepted.suppressions(GIVEN.replace(was, now).encode(), TODAY)
    assert refused.value.code == "suppression_invalid"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 2, "fingerprints": []}', b'{"version": 1, "fingerprints": [1]}',
     b'{"version": 1, "fingerprints": [], "more": 1}', b"\xff"],
)  # fmt: skip
def test_what_is_no_baseline_is_refused(data):
    with pytest.raises(RemitError) as refused:
        accepted.baseline(data)
    assert refused.value.code == "baseline_invalid"


def test_a_suppression_knows_nothing_of_paths_above_its_pattern():
    answers = Suppression("AG101", "deploy/*.env", "o", TODAY, "b")
    assert not answers.covers(ONE, ["a/.env"])
    assert answers.covers(ONE, ["deploy/x.env"])


def test_where_another_place_stands_makes_no_other_finding_and_which_place_does():
    def shared(file, line):
        said = f"a: KEY is also held by b ({file}:{line})"
        return replace(ONE, kind=Kind.SHARED, evidence=Evidence("x/.mcp.json", 4, said, ((file, line),)))

    (one,), (moved,), (other,) = marked(shared("y/.env", 3)), marked(shared("y/.env", 30)), marked(shared("z/.env", 3))
    assert one.fingerprint == moved.fingerprint != other.fingerprint
