"""Which claims name one workload, and which texts are SPIFFE ids."""

import pytest

from remit.core.attestor import NEEDED, Attestor, Binding, claim, narrow, spiffe_id
from tests.kit.nouns import AGENT, NOON, code, named

GIVEN = {"name": "p", "kind": "oidc", "issuer": "https://idp.test", "audience": "https://remit.test"}


def binding(**members):
    given = {"id": named("bnd"), "agent": AGENT, "attestor": "p", "made": NOON, "claims": {"sub": "x"}}
    return Binding(**(given | members))


@pytest.mark.parametrize("kind", NEEDED)
def test_each_kind_says_which_claims_name_one_workload(kind):
    for group in NEEDED[kind]:
        narrow(kind, dict.fromkeys((*group, "more"), "x"))
        assert code(narrow, kind, dict.fromkeys(group[:-1], "x")) == "binding_invalid"
    assert code(narrow, kind, {"aud": "x"}) == "binding_invalid"


def test_claims_are_compared_exactly_and_all_of_them():
    held = {"sub": "a", "n": 1, "yes": True, "in": {"side": "b"}, "list": ["a"], "none": None}
    assert [claim(held, name) for name in ("sub", "n", "yes", "in>side")] == ["a", "1", "true", "b"]
    assert [claim(held, name) for name in ("list", "none", "in", "sub>x", "in>other", "")] == [None] * 6
    assert binding(claims={"sub": "a", "in>side": "b"}).holds(held)
    for claims in ({"sub": "A"}, {"sub": "a", "n": "2"}, {"sub": "a "}, {"list": "a"}, {"none": "None"}):
        assert not binding(claims=claims).holds(held)
    assert not binding(attestor="secret", claims={}, digest="d").holds(held)


def test_what_cannot_be_is_refused():
    for members in (
        {"claims": {}}, {"digest": "d"}, {"attestor": "secret"}, {"claims": {"sub": ""}}, {"state": "x"},
        {"claims": {str(n): "x" for n in range(17)}},
    ):  # fmt: skip
        assert code(binding, **members) == "binding_invalid"
    for members in ({"issuer": ""}, {"audience": ""}, {"kind": "github"}, {"name": "secret"}, {"state": "x"}):
        if members != {"issuer": ""}:
            assert code(Attestor, **(GIVEN | members)) == "binding_invalid"


def test_spiffe_ids_are_read_as_their_specification_says():
    assert spiffe_id("spiffe://td.example/agent/bot-1_x.Y") == "td.example"
    for text in (
        "", None, 1, "spiffe://", "spiffe://td.example", "spiffe://td.example/", "spiffe://td.example/a/", "http://td.example/a",
        "spiffe://TD.example/a", "spiffe://td.example/a//b", "spiffe://td.example/./a", "spiffe://td.example/..",
        "spiffe://user@td.example/a", "spiffe://td.example:80/a", "spiffe://td.example/a?b", "spiffe://td.example/a#b",
        "spiffe://td.example/%61", "SPIFFE://td.example/a",
        "spiffe:///a", "spiffe://td.example/ä", "spiffe://t/" + "a" * 2048,
    ):  # fmt: skip
        assert spiffe_id(text) is None, text
