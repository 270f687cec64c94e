"""What a witness cosigned it never takes back: killed at any I/O, without power, or on a disk that fails."""

from remit.core.errors import RemitError
from remit.ledger import LedgerFault
from tests.kit.disk import each_fault, powerloss
from tests.kit.forks import SIZES, faults, grow, killed

SEEDS = range(120)


def test_killed_at_each_write_boundary_it_holds_what_it_cosigned(tmp_path):
    """At every second one; which of them, the number of writes between two answers says."""
    deaths, heard_at, at = 0, set(), -1
    while True:
        at += 2
        path, heard, died = killed(tmp_path / f"at-{at}", at)
        assert faults(path, heard) == [], f"killed at I/O {at}"
        heard_at.add(len(heard))
        if not died:
            break
        deaths += 1
    assert heard_at == set(range(len(SIZES) + 1)), "it was killed between any two answers"
    assert deaths > 20


def after_power_loss(seed, root, *, weaken=False):
    heard = []
    path = powerloss(lambda vfs, place: grow(place, heard.append, vfs, weaken=weaken), seed, root)
    try:
        return faults(path, heard)
    except (RemitError, LedgerFault, TypeError) as fault:
        return [f"it cannot be read: {fault!r}"]


def test_without_power_it_holds_what_it_cosigned(tmp_path):
    assert [(seed, found) for seed in SEEDS if (found := after_power_loss(seed, tmp_path))] == []


def test_the_power_loss_model_catches_a_witness_that_does_not_sync(tmp_path):
    lost = [seed for seed in SEEDS if after_power_loss(seed, tmp_path, weaken=True)]
    assert len(lost) > len(SEEDS) // 8


def test_on_a_disk_that_fails_it_cosigns_nothing_that_it_does_not_hold(tmp_path):
    heard, seen = [], 0
    for outcome in each_fault(lambda vfs, place: (heard.clear(), grow(place, heard.append, vfs)), tmp_path, step=3):
        for path in (outcome.killed, outcome.lost):
            assert faults(path, heard) == [], outcome
        seen += 1
        assert outcome.raised is not None or len(heard) == len(SIZES), outcome
    assert seen > 20
