import re
import tomllib

import pytest

from remit.core.brief import LIFE, Brief
from remit.core.record import dump, load
from remit.core.trust import TrustPath
from tests.house.tree import ROOT
from tests.kit.nouns import AGENT, PERSON, brief, code, named, person

PAGE = (ROOT / "docs" / "spec" / "brief.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"steps": ()}, "brief_invalid"),
        ({"dispatchers": ()}, "brief_invalid"),
        ({"agents": ()}, "brief_invalid"),
        ({"domains": ()}, "brief_invalid"),
        ({"dispatchers": (AGENT,)}, "brief_invalid"),
        ({"dispatchers": ("group:Ops",)}, "name_invalid"),
        ({"dispatchers": ("crd_" + "a" * 26,)}, "id_invalid"),
        ({"agents": (PERSON,)}, "id_invalid"),
        ({"version": 0}, "brief_invalid"),
        ({"state": "paused"}, "brief_invalid"),
        ({"depth": 9}, "brief_invalid"),
        ({"reverse": ("exec",)}, "brief_invalid"),
        ({"life": 8 * 24 * 60 * 60_000}, "brief_invalid"),
        ({"life": 60_000}, "brief_invalid"),
        ({"idle": 0}, "brief_invalid"),
        ({"credential_life": 0}, "brief_invalid"),
        ({"bearer_life": -1}, "brief_invalid"),
        ({"bearer_life": 24 * 60 * 60_000 + 1}, "brief_invalid"),
    ],
)
def test_a_brief_that_cannot_be_is_refused(members, expected):
    assert code(brief, **members) == expected


def test_who_may_dispatch_is_listed_by_id_or_by_group():
    one = brief(dispatchers=(PERSON, "group:ops"))
    assert one.dispatched_by(PERSON, None)
    assert one.dispatched_by(named("per", "b"), person(id=named("per", "b")))
    assert not one.dispatched_by(named("per", "b"), person(id=named("per", "b"), groups=("sales",)))
    assert not one.dispatched_by("ops", None)
    assert not one.dispatched_by("group:sales", None)


def test_a_withdrawn_brief_stays_withdrawn():
    assert LIFE.last == {"withdrawn"}
    assert code(LIFE.after, "withdrawn", "applied") == "transition_refused"


def test_the_example_of_the_page_is_a_brief_and_says_every_member():
    read = [load(Brief, tomllib.loads(text)) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    assert [one.name for one in read] == ["notes"]
    assert load(Brief, dump(read[0])) == read[0]
    assert [name for name in Brief.__struct_fields__ if f"`{name}`" not in PAGE] == []


def test_an_unknown_member_is_refused():
    assert code(load, Brief, dump(brief()) | {"approver": ["x"]}) == "record_invalid"


def test_a_path_has_its_own_approvers_or_those_of_the_brief():
    one = brief(approvers=("ops",), path_approvers={"own": ("audit", "ops")})
    both = (TrustPath.OWN, TrustPath.DELEGATED)
    assert one.asked((TrustPath.OWN,)) == ("audit", "ops")
    assert one.asked((TrustPath.DELEGATED,)) == ("ops",)
    assert one.asked(both) == ("audit", "ops")
    assert brief(approvers=("b", "a")).asked(both) == ("b", "a")
    for wrong in ({"other": ("ops",)}, {"own": ()}, {"own": ("ops", "ops")}):
        assert code(brief, path_approvers=wrong) == "brief_invalid"
    assert code(brief, path_approvers={"own": ("Ops!",)}) == "name_invalid"
