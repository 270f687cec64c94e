"""Owned: on the delegated path, nothing is touched but what an earlier answer said to be the person's own.

The law is held to a slow twin that reads every answer again: over things and accounts that only look alike, sorts
whose ids are the same, resources of the same sorts, and numbers beside their digits. Each planted fault turns it red.
"""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from remit.core import tracing
from remit.core.call import Call
from remit.core.connector import Argument, Field, Shape
from remit.core.facts import Facts
from remit.core.lineage import source, value
from remit.core.lineage.rules import Rules
from remit.core.lineage.source import Heed, Hold, account, harvest
from remit.core.lineage.vouch import Evidence
from remit.core.resource import Tool
from remit.core.step import Step
from tests.oracle import owned as twin

LAW = settings(max_examples=400, phases=(Phase.generate,), deadline=None, derandomize=True, database=None)
RESOURCES, SORTS, PATHS = ("shop", "bank"), ("order", "trip"), ("delegated", "own")
IDS = st.sampled_from(["A-1", "A_1", "a-1", " A-1", "10", 10, 10.0, "010"])
USERS = st.sampled_from(["ann_lee", "ann-lee", "Ann_lee", "ann@one.org", "ANN@one.org", "bob", 7, "7"])
RECORDS = st.lists(st.fixed_dictionaries({"id": IDS, "user": USERS}), min_size=1, max_size=3)
OWN = st.lists(st.fixed_dictionaries({"id": IDS}), min_size=1, max_size=2)
EARLIER = st.lists(
    st.tuples(st.sampled_from(RESOURCES), st.sampled_from(PATHS), st.sampled_from(SORTS), st.one_of(RECORDS, OWN)),
    max_size=5,
)
ACCOUNTS = st.lists(USERS.map(str), max_size=2)
VALUES = st.one_of(IDS, st.lists(IDS, min_size=1, max_size=3))


def shape(sort, *, one_s_own):
    owner = "/" if one_s_own else "/*/user"
    return Shape(effect="read", results={"/*/id": Field(by="service", kind="id", owner=owner, of=sort)})


def held(earlier):
    """What the task remembers of these answers, by atom."""
    found: dict[str, list[Hold]] = {}
    for number, (resource, path, sort, records) in enumerate(earlier):
        read = shape(sort, one_s_own="user" not in records[0])
        heed = Heed(f"mcp:{resource}/find", path, read, Rules(unvouched="allow"), "", {}, b"")
        for one in harvest(heed, records):
            hold = Hold(
                f"c{number}", number, heed.action, path, one.field, one.record, one.grade, 0, one.owner.encode()
            )
            found.setdefault(one.atom, []).append(hold)
    return {atom: tuple(holds) for atom, holds in found.items()}


def lets(value, sort, resource, earlier, accounts, *, complete, path="delegated"):
    act = Shape(verbs=("drop",), arguments={"/thing": Argument("object", "id", of=sort)})
    step = Step.from_json({"action": f"mcp:{resource}/drop", "path": path, "arguments": {"thing": [{"owned": True}]}})
    evidence = Evidence(
        holds=held(earlier), complete=complete, accounts=frozenset(account(one).encode() for one in accounts), own=b"*"
    )
    tool = Tool(resource=resource, name="drop", pin="0", shape=act)
    facts = Facts(now=0, evidence=evidence, tools={"drop": tool})
    return tracing.foreign(Call(f"mcp:{resource}/drop", {"thing": value}), facts, step) is None


def same(user):
    return user.casefold() if "@" in user else user


def it_is_what_its_twin_says() -> None:
    @LAW
    @given(
        VALUES,
        st.sampled_from(SORTS),
        st.sampled_from(RESOURCES),
        EARLIER,
        ACCOUNTS,
        st.sampled_from([True] * 4 + [False]),
    )
    def law(value, sort, resource, earlier, accounts, complete):
        plain = [
            (*head, [one | ({"user": same(str(one["user"]))} if "user" in one else {}) for one in records])
            for *head, records in earlier
        ]
        expected = twin.touches_only_its_own(
            value, sort, resource, plain, [same(one) for one in accounts], complete=complete
        )
        assert lets(value, sort, resource, earlier, accounts, complete=complete) == expected
        assert not lets(value, sort, resource, earlier, accounts, complete=complete, path="own")

    law()


def test_law() -> None:
    it_is_what_its_twin_says()


def alike(_resource, sort, content):
    return f"{sort} {value.phrase(str(content))}"


def sortless(resource, _sort, content):
    return f"{resource} {source._digits(content) if isinstance(content, int | float) else content}"


def everywhere(_resource, sort, content):
    return f"{sort} {source._digits(content) if isinstance(content, int | float) else content}"


def any_owner(call, facts, step):
    evidence, known = facts.evidence, {b"*", *facts.evidence.accounts}
    for atom in tracing.objects(call, facts.tools[call.kind].shape, (step,)):
        if not any(one.owner in known for one in evidence.holds.get(atom, ())):
            return "refused"
    return None


FAULTS = {
    "what is spelled alike is the same": ((source, tracing), "thing", alike),
    "an id is the same in every sort": ((source, tracing), "thing", sortless),
    "an id is the same at every resource": ((source, tracing), "thing", everywhere),
    "accounts that are spelled alike are one": ((source,), "account", lambda one: value.phrase(str(one))),
    "one answer that says so is enough": ((tracing,), "foreign", any_owner),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_breaks_the_law(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places, name, planted = FAULTS[fault]
    for place in places:
        monkeypatch.setattr(place, name, planted)
    if name == "account":
        monkeypatch.setitem(globals(), "account", planted)
    with pytest.raises(AssertionError):
        it_is_what_its_twin_says()
