import pytest

from remit.control.decision import FLOOD_EACH_S, Decided, Denials, permit, seen_facts, shown
from remit.core.answer import Ask
from remit.core.call import Call
from remit.core.canonical import b64, canon
from remit.core.decision import decide
from remit.core.errors import RemitError
from remit.core.permit import Fault
from remit.core.receipt import digests
from remit.store import payload
from tests.kit.told import kinds, size, told
from tests.kit.world import read_call


@pytest.fixture
def entry(world):
    return world.enter(world.a_credential(world.a_task().id).text)


def test_an_allow_and_a_deny_leave_a_receipt_each_without_any_value(world, entry):
    before = size(world)
    allowed, denied = (
        world.decide(read_call("/notes/secret-plan"), entry),
        world.decide(read_call("/etc/shadow"), entry),
    )
    assert kinds(world, before) == ["call.decided"] * 2
    one, two = told(world, before)
    assert (one["decision"], one["call"], one["prev"], allowed.leaf) == ("allow", allowed.call, -1, before)
    assert (two["decision"], two["code"], two["prev"]) == ("deny", denied.code, before)
    assert one["digest"] == b64(read_call("/notes/secret-plan").digest) == b64(allowed.digest)
    assert "secret-plan" not in str(one)
    assert "shadow" not in str(two)


def test_values_lie_beside_the_ledger_until_they_are_erased(world, entry):
    permit = world.decide(read_call(), entry)
    salt, body = payload.get(world.authority.view, permit.call)
    assert body == canon({"path": "/notes/a"})
    assert (
        told(world)[-1]["args"] == digests({"path": "/notes/a"}, salt) == shown(world.authority, permit.call)["digests"]
    )

    def erase(change):
        change.keep()
        return payload.erase(change.db, permit.call)

    assert world.act(erase)
    assert shown(world.authority, permit.call) == {"erased": True}


def test_a_permit_is_for_this_call_and_lives_for_a_second(world, entry, time):
    permit = world.decide(read_call(), entry)
    assert world.gate.fresh(permit)
    time.on(999)
    assert world.gate.fresh(permit)
    time.on(1)
    assert not world.gate.fresh(permit)
    assert world.gate.borrow(permit).code == "permit_expired"


def test_an_ask_that_nobody_put_to_people_is_no_permit(entry):
    held = Decided("cal", Ask(("ops",), ()), 0, "", 0)
    assert permit(read_call(), entry, held).code == "approval_unavailable"


def test_a_fault_is_never_a_permit(entry):
    found = permit(read_call(), entry, RemitError("store_failed", "It failed.", "Look."))
    assert found == Fault("store_failed", "It failed.")


def test_a_flood_of_denials_is_written_as_one_and_counted(world, entry, time):
    before = size(world)
    for _ in range(FLOOD_EACH_S + 20):
        assert world.decide(read_call("/etc"), entry).code == "argument_refused"
    assert kinds(world, before) == ["call.decided"] * FLOOD_EACH_S
    assert world.decide(read_call(), entry).call, "what is allowed is never merged"
    time.on(1000)
    after = size(world)
    assert world.decide(read_call(), entry).call
    merged, decided = told(world, after)
    assert (merged["kind"], merged["agent"], merged["code"], merged["count"]) == (
        *("call.denials", world.agent.id),
        *("argument_refused", 20),
    )
    assert decided["decision"] == "allow"


def test_an_outcome_is_noted_once_and_only_as_a_call_can_end(world, entry):
    permit, before = world.decide(read_call(), entry), size(world)
    assert world.note(permit, result="lost").code == "outcome_invalid"
    assert size(world) == before
    assert world.note(permit, result="cut") is None
    assert world.note(permit).code == "outcome_unknown_call"
    (one,) = told(world, before)
    assert (one["kind"], one["call"], one["leaf"], one["result"]) == ("call.outcome", permit.call, permit.leaf, "cut")


def test_asking_what_would_be_allowed_leaves_nothing(world, entry):
    before = size(world)
    facts = world.act(lambda c: seen_facts(c, entry.credential, read_call()))
    assert decide(read_call(), facts).step == 0
    assert decide(Call("mcp:notes/wipe", {}), facts).code == "policy_forbids"
    assert size(world) == before


def test_a_clean_stop_writes_the_counts_that_are_still_held(world, entry):
    for _ in range(FLOOD_EACH_S + 7):
        world.decide(read_call("/etc"), entry)
    before = size(world)
    world.gate.settle()
    world.batch.turn()
    (merged,) = told(world, before)
    assert (merged["kind"], merged["count"]) == ("call.denials", 7)
    world.gate.settle()
    world.batch.turn()
    assert size(world) == before + 1


def test_counts_that_went_into_a_transaction_that_came_to_nothing_are_given_back():
    denials, one, two = Denials(), object(), object()
    for _ in range(FLOOD_EACH_S + 3):
        denials.admits("agt", "c", 1_000)
    assert denials.due(2_000, one) == [("agt", "c", 3)]
    assert denials.due(2_000, one) == []
    assert denials.due(2_000, two) == [("agt", "c", 3)]
    denials.kept()
    assert denials.due(2_000, object()) == []
