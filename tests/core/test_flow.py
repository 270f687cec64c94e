"""An errand rebuilt from its receipts: lanes, switches, crossings, and what is not known of each call."""

from remit.core.flow import Crossing, Known, Lane, Switch, build


def decided(number, path="own", decision="allow", **members):
    said = {"kind": "call.decided", "at": number, "call": f"c{number}", "action": "mcp:a/b", "path": path, "plan": 1}
    return number, said | {"subject": path, "agent": "bot", "task": "t", "decision": decision, "args": {}} | members


def outcome(number, call, result="ok"):
    return number, {"kind": "call.outcome", "at": number, "call": call, "result": result}


def test_lanes_switches_and_crossings_stand_in_the_order_of_the_ledger():
    crossing = {"crossings": [{"call": "c1", "from": "/id", "to": "/ref"}]}
    entries = [
        decided(1, "delegated"), outcome(2, "c1"), decided(3, decision="deny", code="plan_outside"),
        decided(4, **crossing), outcome(5, "c4", "error"), decided(6), decided(7, "delegated"),
    ]  # fmt: skip
    found = build("t", 4, entries, Known(remembered=frozenset({"c1"}), expected=True))
    assert found.lanes == (Lane("delegated", "delegated", "bot"), Lane("own", "own", "bot"))
    assert [(one.what, one.lane, one.code) for one in found.acts] == [
        ("done", 0, ""), ("refused", 1, "plan_outside"), ("error", 1, ""), ("open", 1, ""), ("open", 0, "")
    ]  # fmt: skip
    assert found.switches == (Switch(0, 2), Switch(3, 4)), "what was refused is no switch"
    assert found.crossings == (Crossing("c1", "c4", "/id", "/ref"),)


def test_what_is_not_known_is_a_gap():
    entries = [decided(1), outcome(2, "c1"), decided(3), outcome(4, "c3", "unknown"), decided(5)]
    entries += [(6, {"kind": "call.denials", "at": 6, "agent": "bot", "code": "x", "count": 7})]
    known = Known(erased=frozenset({"c1"}), remembered=frozenset(), expected=True, gaps=["of old"])
    found = build("t", 0, entries, known)
    assert [one.gaps for one in found.acts] == [
        ("values erased", "what it answered is not remembered"), ("outcome unknown",), ("outcome unknown",)
    ]  # fmt: skip
    assert found.gaps == ("of old", "7 refusals of its agents are only counted")


def test_an_errand_that_did_nothing_is_empty():
    found = build("t", 0, [], Known())
    assert (found.lanes, found.acts, found.switches, found.crossings, found.gaps) == ((), (), (), (), ())
