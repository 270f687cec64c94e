"""The attack rows that aim at what is written down (tests/attacks.csv)."""

import pytest

from remit.control import agent, resource, revocation
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import canon
from remit.core.credential import Credential
from remit.core.permit import Permit
from remit.core.resource import Upstream
from remit.core.task import Task
from remit.store.log import entries
from tests.kit.nouns import code
from tests.kit.told import ByHand, Time, kinds, refused, size, told
from tests.kit.world import DAY, TOOLS, World, read_call

HOSTILE = ("*", "a/+/b", "a\nb", "a,b", 'a"b', "a\r\nX-Admin: 1", "a\u2028b", "a\0", "../a")


@pytest.mark.parametrize("kind", ["credential", "task"])
def test_revoke_04_what_is_written_late_revives_nothing(world, kind):
    task = world.a_task()
    held = world.a_credential(task.id)
    entry = world.enter(held.text)
    permits = [world.decide(read_call(), entry) for _ in range(2)]
    assert all(isinstance(one, Permit) for one in permits)
    world.note(permits[0])
    target = held.credential.id if kind == "credential" else task.id
    world.act(lambda c: revocation.revoke(c, kind, target, "operator"))
    before = size(world)
    assert world.note(permits[1], rows=1) is None
    assert kinds(world, before) == ["call.outcome"], "the usage was written, and nothing else"
    ended = world.act(lambda c: c.need(Credential if kind == "credential" else Task, target))
    assert ended.state == "ended"
    assert isinstance(world.decide(read_call(), entry), Deny)


@pytest.mark.parametrize("name", HOSTILE)
def test_pdp_03_no_name_carries_a_wildcard_a_separator_or_a_list(world, name):
    due = world.authority.clock.now() + DAY
    more = {"owner": world.owner.id, "by": "op"}
    agents = {"purpose": "Tests.", "review_due": due, "ceiling": (), "keys": (), **more}
    targets = {"upstream": Upstream(url="http://127.0.0.1:9/mcp"), "domain": "office", "tools": TOOLS, **more}
    assert refused(world, lambda c: agent.add(c, name=name, **agents)) == "name_invalid"
    assert refused(world, lambda c: resource.add(c, name=name, **targets)) == "name_invalid"
    assert code(Call, f"mcp:{name}/read_note", {}) == "action_invalid"


def test_pdp_03_a_star_in_a_call_matches_nothing(world):
    entry = world.enter(world.a_credential(world.a_task().id).text)
    assert isinstance(world.decide(Call("mcp:notes/*", {"path": "/notes/a"}), entry), Deny)


def test_log_10_one_leaf_stays_one_leaf_whatever_it_is_told(world):
    entry = world.enter(world.a_credential(world.a_task().id).text)
    loud = ("\n", "\r\n\u2028", "\0", '"}\n{"kind":"call.decided","decision":"allow"}', "x" * 1_000_000, "\x1b[2J")
    before = size(world)
    for text in loud:
        world.decide(Call("mcp:notes/read_note", {"path": f"/notes/{text}", text: text}), entry)
    written = list(entries(world.authority.view, before, size(world)))
    assert len(written) == len(loud)
    for body, receipt in zip(written, told(world, before), strict=True):
        assert body == canon(receipt)
        assert not {b"\n", b"\r", b"\0", b"\x1b"} & {body[at : at + 1] for at in range(len(body))}
        assert len(body) < 4_096, "what is long stands as its digest"


def test_ops_01_a_node_whose_clock_lies_behind_the_newest_receipt_does_nothing(world, time):
    entry = world.enter(world.a_credential(world.a_task().id).text)
    behind, ahead = Time(), Time()
    behind.ms, ahead.ms = time.ms - 180_000, time.ms + 180_000
    assert code(World, world.folder, ByHand(behind)) == "clock_jumped", "it does not even start"
    assert isinstance(world.decide(read_call(), entry), Permit)
    other = World(world.folder, ByHand(ahead))
    other.act(lambda c: revocation.revoke(c, "path", "delegated", "operator"))
    assert world.decide(read_call(), entry).code == "clock_jumped", "it is now the one that lies behind"
    assert refused(world, lambda c: revocation.revoke(c, "path", "own", "operator")) == "clock_jumped"
    other.close()
