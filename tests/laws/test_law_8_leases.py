"""Law 8 at the target: what ends is ended there and proven by a probe, whatever dies on the way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remit.control import revocation, sweep
from remit.core.agent import Agent
from remit.core.lease import MINT_MS
from remit.core.permit import Permit
from remit.custody.secret import Secret
from tests.kit import stores
from tests.kit.planted import ROOT, Planted, each_goes_red
from tests.kit.targets import Lending, minted
from tests.kit.told import ByHand, Time
from tests.kit.world import read_call


def lending(folder, time, place=None, **members):
    place = place or stores.place("sqlite", folder / "store")
    return Lending(place, folder / "target", ByHand(time), **members)


def called(world):
    errand = world.a_task()
    permit = world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
    assert isinstance(permit, Permit), permit
    return errand, permit


def what_ends_is_ended_at_the_target(folder: Path, kind: str = "sqlite") -> None:
    time = Time()
    world = lending(folder, time, stores.place(kind, folder / "store")).settle()
    for what in ("task", "path", "resource"):
        errand, permit = called(world)
        lent = world.gate.borrow(permit)
        login = minted(next(one for one in world.leases() if one.id == permit.lease), Secret(lent.password))
        assert world.source.lets_in(login), "what was lent does not open the target"
        name = {"task": errand.id, "path": "own", "resource": "notes"}[what]
        world.act(lambda c, what=what, name=name: revocation.revoke(c, what, name, "operator"))
        assert not isinstance(world.gate.borrow(permit), type(lent)), f"after the end of a {what} it was lent still"
        world.settle_targets()
        assert not world.source.lets_in(login), f"after the end of a {what} the login still opens the target"
        state = next(one.state for one in world.leases() if one.id == permit.lease)
        assert state == "dead", f"after the end of a {what} its lease is {state}"
        if what == "path":
            world.act(lambda c: revocation.open_path(c, revocation.TrustPath.OWN, "operator"))
            time.on(1)
    world.close()


def nothing_counts_as_dead_that_is_not(folder: Path, kind: str = "sqlite") -> None:
    time = Time()
    world = lending(folder, time, stores.place(kind, folder / "store")).settle()
    for trouble in ("immortal", "away"):
        errand, permit = called(world)
        setattr(world.source, trouble, True)
        world.act(lambda c, errand=errand: revocation.revoke(c, "task", errand.id, "operator"))
        for _ in range(4):
            world.settle_targets()
            time.on(1_500)
        there = (world.source.place / next(o.name for o in world.leases() if o.id == permit.lease)).exists()
        state = next(one.state for one in world.leases() if one.id == permit.lease)
        assert not there or state == "pending", f"a target that is {trouble}: its lease reads {state}"
        setattr(world.source, trouble, False)
        time.on(60_000)
        world.settle_targets()
        state = next(one.state for one in world.leases() if one.id == permit.lease)
        assert state == "dead", f"a target that was {trouble} was not tried again: {state}"
    world.close()


CHILD = """
import os, signal, sys
from pathlib import Path
from tests.kit.targets import Folder
from tests.laws.test_law_8_leases import lending
from tests.kit.told import Time
from remit.control import revocation
from tests.kit.world import read_call

folder, where, store = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
world = lending(folder, Time(), store if "://" in store else Path(store)).settle()
made, dropped = Folder.mint, Folder.drop
if where in ("minted", "overtaken"):
    Folder.mint = lambda self, intent: (made(self, intent), die())
if where == "dropped":
    Folder.drop = lambda self, one: (dropped(self, one), die())
if where == "ending":
    Folder.drop = die
errand = world.a_task()
world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
world.settle_targets()
"""


def a_kill_leaves_nothing_behind(folder: Path, kind: str = "sqlite") -> None:
    for where in ("minted", "overtaken", "ending", "dropped"):
        place = folder / where
        place.mkdir(mode=0o700)
        store = stores.place(kind, place / "store")
        ran = subprocess.run(
            [sys.executable, "-c", CHILD, str(place), where, str(store)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert ran.returncode == -signal.SIGKILL, ran.stderr[-600:]
        time = Time()
        time.on(MINT_MS // 2)
        world = lending(place, time, store)
        early = [one.name for one in world.source.place.iterdir()]
        world.act(sweep.sweep)
        if where == "overtaken":
            world.act(lambda c: revocation.revoke(c, "agent", next(c.reader.where(Agent)).id, "operator"))
        world.settle_targets()
        if where in ("minted", "overtaken"):
            kept = [one.name for one in world.source.place.iterdir()]
            assert kept == early != [], "another node's mint in progress was ended before its deadline"
        time.on(MINT_MS)
        world.act(sweep.sweep)
        world.settle_targets()
        left = sorted(one.name for one in world.source.place.iterdir())
        assert left == [], f"killed when {where}: this was left at the target: {left}"
        states = {one.state for one in world.leases()}
        assert states == {"dead"}, f"killed when {where}: its lease reads {states}"
        world.close()


LAWS = (what_ends_is_ended_at_the_target, nothing_counts_as_dead_that_is_not, a_kill_leaves_nothing_behind)
LESSOR, LEASE = "control/lessor.py", "control/lease.py"
FAULTS = (
    Planted(
        "a drop that is never sent",
        LESSOR,
        "target.source.drop(minted)\n            found",
        "found",
        what_ends_is_ended_at_the_target,
        "still opens the target",
    ),
    Planted(
        "a probe that is believed before it looks",
        LESSOR,
        "found = target.source.probe(minted)",
        "found = Gone.GONE",
        nothing_counts_as_dead_that_is_not,
        "reads dead",
    ),
    Planted(
        "a failed drop is not tried again",
        LESSOR,
        "self._tries[one.id] = tries, steady + min",
        "self._tries[one.id] = tries, 2**62 + min",
        nothing_counts_as_dead_that_is_not,
        "its lease reads ending",
    ),
    Planted(
        "what cannot be proven passes in silence",
        LESSOR,
        "now - one.ended >= QUIET_MS",
        "now < one.ended",
        nothing_counts_as_dead_that_is_not,
        "its lease reads ending",
    ),
    Planted(
        "what has ended is lent",
        LESSOR,
        'one.state != "active" or authority',
        "authority",
        what_ends_is_ended_at_the_target,
        "it was lent still",
    ),
    Planted(
        "a closed path keeps its leases",
        "control/revocation.py",
        'leases.end(change, "path", by, path=path)',
        "change.keep()",
        what_ends_is_ended_at_the_target,
        "after the end of a path it was lent still",
    ),
    Planted(
        "an ended task keeps its leases",
        "control/task.py",
        'leases.end(change, "task", by, task=task.id)',
        "change.keep()",
        what_ends_is_ended_at_the_target,
        "after the end of a task it was lent still",
    ),
    Planted(
        "an intent of another node is proven dead at once",
        LESSOR,
        "if not one.lent and one.node != mine and now < one.mint_by:",
        "if now < 0:",
        a_kill_leaves_nothing_behind,
        "before its deadline",
    ),
    Planted(
        "nobody reaps overdue intents",
        "control/sweep.py",
        "lease.reap(change)",
        "lease.reap",
        a_kill_leaves_nothing_behind,
        "this was left at the target",
    ),
)


@pytest.mark.parametrize("kind", stores.KINDS)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, kind, tmp_path):
    law(tmp_path, kind)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
