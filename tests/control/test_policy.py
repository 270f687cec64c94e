import pytest

from remit.control import policy, resource
from remit.core.receipt import PolicyRecord
from remit.core.trust import TrustPath
from tests.kit.nouns import code
from tests.kit.told import kinds, refused, size
from tests.kit.world import COMMON, TOOLS, read_call

LAYERS = {"common": COMMON, "delegated": {}, "own": {}}
NEVER = {"own.cedar": '@id("never") forbid(principal, action == Action::"mcp:notes/read_note", resource);'}


@pytest.fixture
def entry(world):
    return world.enter(world.a_credential(world.a_task().id).text)


def test_a_layer_that_did_not_change_leaves_no_receipt(world):
    before = size(world)
    assert world.act(lambda c: policy.apply(c, LAYERS, 1, "op")) == []
    assert world.act(lambda c: policy.apply(c, LAYERS | {"own": NEVER}, 1, "op")) == ["own"]
    assert kinds(world, before) == ["policy.applied"]
    assert policy.texts(world.authority, "own") == NEVER
    assert policy.texts(world.authority, "none") == {}


def test_what_was_applied_holds_from_the_next_call_on_and_on_its_path_alone(world, entry):
    assert world.decide(read_call(), entry).call
    world.act(lambda c: policy.apply(c, LAYERS | {"own": NEVER}, 1, "op"))
    assert world.decide(read_call(), entry).grounds == ("own/never",)
    one = world.a_task(requester=world.person.id)
    other = world.enter(world.a_credential(one.id, TrustPath.DELEGATED, world.person.id).text)
    assert world.decide(read_call(), other).call


def test_it_holds_in_the_same_transaction_too(world, entry):
    found = []
    world.batch.wake = lambda: None
    world.gate.decide(read_call(), entry, "", found.append)
    world.batch.submit(entry.agent, lambda c: policy.apply(c, LAYERS | {"own": NEVER}, 1, "op"), found.append)
    world.gate.decide(read_call(), entry, "", found.append)
    world.batch.turn()
    assert found[0].call
    assert found[1] == ["own"]
    assert found[2].code == "policy_forbids"


@pytest.mark.parametrize(
    ("own", "tests", "code"),
    [
        ({"a.cedar": "permit("}, 1, "policy_invalid"),
        ({"a.cedar": 'permit(principal, action == Action::"mcp:mail/send", resource);'}, 1, "policy_invalid"),
        (NEVER | {"b.cedar": NEVER["own.cedar"]}, 1, "policy_invalid"),
        (NEVER, 0, "policy_tests_missing"),
    ],
)
def test_what_does_not_hold_together_is_refused_whole(world, own, tests, code):
    assert refused(world, lambda c: policy.apply(c, LAYERS | {"own": own}, tests, "op")) == code


def test_a_set_that_could_never_deny_is_refused(world):
    open_to_all = {"a.cedar": "permit(principal, action, resource);"}
    layers = {"common": {}, "delegated": {}, "own": open_to_all}
    assert refused(world, lambda c: policy.apply(c, layers, 1, "op")) == "policy_cannot_deny"


def test_a_text_that_is_gone_refuses_everything(world, entry):
    def lose(change):
        for held in change.reader.where(PolicyRecord):
            change.db.run("DELETE FROM blob WHERE digest = ?", (held.digest,))
        change.keep()
        change.authority.sets.clear()

    world.act(lose)
    assert world.decide(read_call(), entry).code == "policy_missing"


def test_a_text_that_was_altered_refuses_everything(world, entry):
    def alter(change):
        for held in change.reader.where(PolicyRecord):
            change.db.run("UPDATE blob SET body = ? WHERE digest = ?", (b"{}", held.digest))
        change.keep()
        change.authority.sets.clear()

    world.act(alter)
    assert world.decide(read_call(), entry).code == "policy_missing"


def test_a_set_that_no_longer_fits_what_is_registered_refuses_until_one_that_fits(world, entry):
    looks = {"own.cedar": 'forbid(principal, action == Action::"mcp:notes/read_note", resource)'}
    looks["own.cedar"] += ' when { context.args.path == "/notes/b" };'
    world.act(lambda c: policy.apply(c, LAYERS | {"own": looks}, 1, "op"))
    assert world.decide(read_call(), entry).call
    assert world.decide(read_call("/notes/b"), entry).code == "policy_forbids"
    other = {"type": "object", "properties": {"path": {"type": "integer"}}, "required": ["path"]}
    notes = world.gate.resource("notes")
    members = {"name": "notes", "upstream": notes.upstream, "domain": "office", "owner": world.owner.id, "by": "op"}
    tools = TOOLS | {"read_note": {"name": "read_note", "inputSchema": other}}
    world.act(lambda c: resource.add(c, tools=tools, **members))
    assert world.decide(read_call(), entry).code == "policy_missing"
    world.act(lambda c: policy.apply(c, LAYERS, 1, "op"))
    assert world.decide(read_call(), entry).call


def test_checking_writes_nothing(world):
    before = size(world)
    sets = world.act(lambda c: policy.check(c.reader, LAYERS))
    assert set(sets) == {"delegated", "own"}
    assert code(world.act, lambda c: policy.check(c.reader, {"own": {"a": "no"}})) == "policy_invalid"
    assert size(world) == before
