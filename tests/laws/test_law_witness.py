"""A head that a witness refused allows nothing when so set; and a witness never cosigns two histories."""

import shutil
import tempfile
from pathlib import Path

import pytest

from remit.control import witness
from remit.control.courier import Refused, Took
from remit.core.permit import Permit
from remit.core.witness import WitnessRule
from remit.ledger import cosignature, note
from remit.ledger import witness as protocol
from tests.kit import forks
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.watching import NAME, URL, VKEY, Direct, a_witness
from tests.kit.world import World, read_call
from tests.ledger.logs import ORIGIN
from tests.ledger.witnesses import log, submission


def bring(world, courier):
    """One errand of a courier, and what it brought is put into the store."""
    found = courier.push()
    if isinstance(found, Took):
        world.act(lambda c: witness.took(c, found.name, found.size, found.line))
    if isinstance(found, Refused):
        world.act(lambda c: witness.refused(c, found.name, found.size, found.what))
    return found


def calls(world, entry, count=3):
    """How many of so many calls are allowed."""
    return sum(isinstance(world.decide(read_call(), entry), Permit) for _ in range(count))


def a_head_that_a_witness_refused_allows_nothing(folder: Path) -> None:
    hours = Hours()
    first = folder / "first"
    first.mkdir(mode=0o700)
    world = World(first, hours.clock()).settle()
    cosigner = a_witness(folder, hours, world.authority.verifier())
    rule = WitnessRule(required=1, stop=True)
    world.act(lambda c: witness.ensure(c, {VKEY: URL}, rule, "operator"))
    entry = world.enter(world.a_credential(world.a_task().id).text)
    assert calls(world, entry) == 0, "a head that nobody cosigned allowed a call"
    one = Direct(world, cosigner)
    bring(world, one)
    assert calls(world, entry) == 3, "a head that was cosigned allows calls"
    bring(world, one)
    shutil.copytree(first, folder / "second")
    fork = World(folder / "second", hours.clock())
    assert calls(fork, entry) == 3, "a copy that nobody has seen yet allows calls"
    calls(world, entry)
    bring(world, one)
    other = Direct(fork, cosigner)
    for _ in range(3):
        found = bring(fork, other)
        assert isinstance(found, Refused), f"a fork was not refused: {found}"
        assert calls(fork, entry) == 0, "a head that a witness refused allowed a call"
    hours.pass_by(1_000)
    again = World(folder / "second", hours.clock())
    assert calls(again, entry) == 0, "after a restart, a head that a witness refused allowed a call"
    forged = note.line(note.Signature(NAME, cosignature.parse_vkey(VKEY).key_id, bytes([0, 0, 0, 0, 1]) + bytes(67)))
    fork.act(lambda c: witness.took(c, NAME, found.size, forged))
    assert calls(fork, entry) == 0, "a cosignature that does not hold made a head good again"
    fork.act(lambda c: witness.acknowledge(c, NAME, "operator", "the first copy was ended"))
    assert calls(fork, entry) == 3, "what an operator acknowledged goes on"
    assert calls(world, entry) == 3, "the first copy goes on"
    for each in (world, fork, again):
        each.close()


def a_witness_never_cosigns_two_histories(folder: Path) -> None:
    heard: list[int] = []
    path = folder / "witness.db"
    forks.grow(path, heard.append)
    found = forks.faults(path, heard)
    assert not found, f"two histories: {found}"
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        raced(Path(inner) / "witness.db")


def raced(path: Path) -> None:
    """Between the judgement of one request and its keeping, another one is answered."""
    kept, late = forks.opened(path), forks.opened(path)
    one, other = (forks.Cosigner(each, forks.KEY, Hours().clock()) for each in (kept, late))
    one.add(protocol.encode(submission(log(5), 0)))
    keep, answers = kept.keep, []

    def slow(*args):
        assert kept.seen(ORIGIN).tree.size == 5, "it was kept before it was judged"
        answers.append(other.add(protocol.encode(submission(log(12, 8), 5))).status)
        return keep(*args)

    kept.keep = slow
    answers.append(one.add(protocol.encode(submission(log(9), 5))).status)
    assert answers == [200, 409], f"two histories: of two that raced, {answers}"
    kept.close()
    late.close()


LAWS = (a_head_that_a_witness_refused_allows_nothing, a_witness_never_cosigns_two_histories)
STOPS, ONE = LAWS
FAULTS = (
    Planted(
        "the decision does not look", "core/decision.py", "or _witnesses_standing(facts)", "", STOPS, "allowed a call"
    ),
    Planted(
        "the fact is not read",
        "store/facts.py",
        "watch=cosignature.watch(reader)",
        "watch=None",
        STOPS,
        "allowed a call",
    ),
    Planted(
        "a refusal counts as silence",
        "control/courier.py",
        "if status == 422:",
        "if status == 599:",
        STOPS,
        "a fork was not refused",
    ),
    Planted(
        "a refusal leaves no row",
        "control/witness.py",
        'return _move(change, changed(one, size=size), "refused", BY, because[:500])',
        "return one",
        STOPS,
        "a head that a witness refused allowed a call",
    ),
    Planted(
        "any line makes it good",
        "control/witness.py",
        "    if not found:\n        return False\n    kept.put(",
        "    if not found:\n        found = [cosignature.Cosignature(name, 2**33, line)]\n    kept.put(",
        STOPS,
        "does not hold made a head good again",
    ),
    Planted(
        "never heard is in order", "core/witness.py", "heard // 1000 >= witness.since // 1000", "True", STOPS, "nobody"
    ),
    Planted(
        "a proof is not looked at",
        "ledger/witness.py",
        "if not _grew(asked, held, head):",
        "if held is None and asked.proof:",
        ONE,
        "two histories",
    ),
    Planted(
        "the old size is not looked at",
        "ledger/witness.py",
        "if asked.old != before:",
        "if asked.old > before:",
        ONE,
        "two histories",
    ),
    Planted(
        "another tree of this size is taken",
        "ledger/witness.py",
        "if held and head.size == before and head.root != held.root:",
        "if held and head.size == before and not head.root:",
        ONE,
        "beside the one that was cosigned",
    ),
    Planted(
        "check and update are two things",
        "store/witness.py",
        '" WHERE origin = ? AND size = ? AND root = ?",\n                    (*kept, before.size, before.root),',
        '" WHERE origin = ?",\n                    kept,',
        ONE,
        "two histories",
    ),
    Planted(
        "it answers without keeping",
        "control/cosigner.py",
        "if not self._kept.keep(held, answer.keep, asked.head, now):",
        "if now < 0:",
        ONE,
        "answered",
    ),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_holds(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
