"""A proof counts once: at every door of every node of a store, after a restart, and whatever the clock does."""

from remit.control import credential, key, possession
from remit.control.possession import Ticket
from remit.control.sweep import sweep
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.moment import Instant
from remit.core.permit import Entry, Permit
from remit.core.trust import TrustPath
from remit.custody import nonce
from remit.custody.proof import Proof
from remit.custody.signer import Purpose
from tests.kit.told import ByHand
from tests.kit.world import World, read_call


def entry(world, paper, jti="one", life=120_000):
    proof = Proof("t" * 43, jti, Instant(world.authority.clock.now() + life))
    return Entry(paper.id, paper.task, paper.agent, TrustPath.OWN, "notes", "t" * 43, Ticket(proof))


def paper(world):
    return world.a_credential(world.a_task().id, thumb="t" * 43).credential


def code(found):
    return found.code if isinstance(found, Deny) else "allow" if isinstance(found, Permit) else found


def test_a_proof_counts_once_but_for_all_decisions_of_its_request(world):
    one = paper(world)
    first, second = entry(world, one), entry(world, one)
    assert [code(world.decide(read_call(), at)) for at in (first, first, second)] == ["allow", "allow", "proof_used"]
    assert code(world.decide(read_call(), entry(world, one, "two"))) == "allow"


def test_two_requests_with_one_proof_in_one_batch_are_one(world):
    one, found = paper(world), []
    wake, world.batch.wake = world.batch.wake, lambda: None
    for at in (entry(world, one), entry(world, one)):
        world.gate.decide(read_call(), at, "", lambda said: found.append(code(said)))
    world.batch.wake = wake
    world.batch.turn()
    assert found == ["allow", "proof_used"]


def test_what_ended_is_said_before_what_was_shown(world):
    one = paper(world)
    assert code(world.decide(read_call(), entry(world, one))) == "allow"
    world.act(lambda c: credential.end(c, one.id, "operator"))
    assert code(world.decide(read_call(), entry(world, one))) == "credential_ended"


def test_a_fault_in_a_batch_gives_no_proof_back_to_another_request(world):
    one = paper(world)
    at = entry(world, one)
    broken = Call("mcp:notes/read_note", {"path": "/notes/a"})

    def breaks(_change):
        raise ValueError("a fault beside it")

    wake, world.batch.wake = world.batch.wake, lambda: None
    found = []
    world.gate.decide(broken, at, "", lambda said: found.append(code(said)))
    world.batch.submit("", breaks, lambda said: found.append(said.code), last=True)
    world.batch.wake = wake
    world.batch.turn()
    assert found == ["allow", "internal"]
    assert code(world.decide(read_call(), entry(world, one))) == "proof_used"


def test_dpop_05_a_clock_that_goes_back_does_not_open_a_spent_proof_again(world, time):
    one = paper(world)
    assert code(world.decide(read_call(), entry(world, one))) == "allow"
    time.on(4 * 60_000)
    world.act(sweep)
    time.on(-4 * 60_000)
    again = World(world.folder, ByHand(time))
    assert code(again.decide(read_call(), entry(again, one))) == "proof_used"
    again.close()
    time.on(4 * 60_000)
    world.act(lambda c: c.receipt({"v": 1, "kind": "call.denials", "at": c.now, "agent": "x", "code": "y", "count": 1}))
    world.act(sweep)
    assert world.authority.view.one("SELECT count(*) FROM nonce WHERE kind = 'dpop'") == (0,), "it is forgotten at last"
    assert code(world.decide(read_call(), entry(world, one, life=0))) == "proof_time"


def test_a_restart_remembers_what_was_spent(world, time):
    one = paper(world)
    assert code(world.decide(read_call(), entry(world, one))) == "allow"
    again = World(world.folder, ByHand(time))
    assert code(again.decide(read_call(), entry(again, one))) == "proof_used"
    again.close()


def test_nonces_hold_on_every_node_and_through_a_rotation_and_end_by_themselves(world, time):
    now = world.authority.clock.now()
    given = possession.offered(world.authority, now)
    again = World(world.folder, ByHand(time))
    assert nonce.end(again.authority.signer, given, now)
    again.close()
    world.act(lambda c: key.rotate(c, Purpose.STATE, "operator"))
    assert nonce.end(world.authority.signer, given, now), "what the old key said counts until its end"
    assert possession.offered(world.authority, now)[:16] != given[:16]
    later = [now + nonce.MINUTE, now + 2 * nonce.MINUTE, now - 3 * nonce.MINUTE]
    assert [bool(nonce.end(world.authority.signer, given, at)) for at in later] == [True, False, False]
    for wrong in (given[:-1] + ("A" if given[-1] != "A" else "B"), given[:63], "é" * 64, given.swapcase()):
        assert nonce.end(world.authority.signer, wrong, now) is None
