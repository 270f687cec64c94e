"""Kill one mint at a real target at a named point, and hold what another node finds there and ends to the law.

`suffers` kills it, lets another node look too early and in time, with a mint of a third node in progress beside it, and
asserts what is left.
"""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from remit.cli.status import state
from remit.control import revocation
from remit.control.target import FOUND_MS
from remit.core.lease import MINT_MS, Lease
from remit.core.permit import Permit
from remit.store.record import Reader
from tests.kit.dying import POINTS, Node, Place, now
from tests.kit.planted import ROOT

ENDED_MS = 60_000
"""How long after its longest life the end of what was lost is looked for: a lease's own time, and more."""


def suffers(folder: Path, place: Place, point: str) -> str:
    """Kill a mint at this point, and see what another process makes of it. `over` where it was minted before the point.

    Raises AssertionError when something of it is left at the target, when a mint in progress was ended, or when what
    cannot be ended is not said.
    """
    store, began = folder / "store", now()
    store.mkdir(mode=0o700)
    standing = place.standing or set
    before = standing()
    if not killed(store, place, point, began):
        return "over"
    made = standing() - before
    if place.standing:
        assert bool(made) == (point in ("made", "recording")) or point.isdecimal(), (
            f"killed {point}: {made} stood there"
        )
    with contextlib.closing(Node(store, place, began, "another")) as node:
        (lost,) = node.leases()
        assert lost.state == "intended", "the killed node recorded what it had no time to record"
        node.reap(began + MINT_MS // 2)
        assert standing() - before == made, "what another node was minting was ended before its deadline"
        assert _row(node, lost.id).state == "intended"
        with _in_progress(store, place, began + MINT_MS // 2) as (third, going, found):
            theirs = standing() - before - made
            node.reap(began + MINT_MS + 1_000)
            assert _stands(place, before | theirs), (
                f"killed {point}: left beside {theirs}: {standing() - before - theirs}"
            )
            _told(node, place, lost.id)
            going.set()
            assert third.inline.settle(third.lessor, 300)
            assert isinstance(found[0], Permit), f"the mint in progress of another node came to nothing: {found}"
            assert third.gate.borrow(found[0]).hidden, "and what it made is not lent"
            third.act(lambda c: revocation.revoke(c, "task", third.task.id, "operator"))
            assert third.settle_targets(300)
        assert _stands(place, before), f"killed {point}: left when all had ended: {standing() - before}"
        if place.left:
            longest = _longest(node)
            node.reap(began + MINT_MS + longest + ENDED_MS)
            one = _row(node, lost.id)
            assert (one.state, one.proof) == ("dead", "expired"), "it was not called dead when it had ended by itself"
    return "killed"


def everywhere(folder: Path, place: Place) -> None:
    """Kill a mint at every named point and after each of its steps, until one comes through."""
    killed = []
    for point in itertools.chain(POINTS, map(str, itertools.count(1))):
        (folder / point).mkdir()
        if suffers(folder / point, place, point) == "over":
            break
        killed.append(point)
    assert len(killed) > len(POINTS), "no step of its mint was killed"
    if place.standing:
        strays(folder / "strays", place)


def strays(folder: Path, place: Place) -> None:
    """What stands at the target under our name, and in no record of this store, is found by its label and ended."""
    folder.mkdir(mode=0o700)
    with contextlib.closing(Node(folder, place, now(), "only").settle()) as node:
        assert place.standing is not None
        before = place.standing()
        begun = node.begin()
        assert node.inline.settle(node.lessor, 300)
        assert isinstance(begun[0], Permit), begun
        kept, source = place.standing(), node.lessor._target("notes").source
        lost = replace(source.seen[-1], name=source.seen[-1].name[:-8] + "strayabc")
        source.mint(lost)
        assert place.standing() - kept, "nothing of it stands at the target"
        node.time.on(FOUND_MS)
        node.lessor.tick()
        until = time.monotonic() + 60
        while not any(one.because == "orphan" and one.state == "dead" for one in node.leases()):
            assert time.monotonic() < until, [(one.name, one.state) for one in node.leases()]
            with contextlib.suppress(queue.Empty):
                node.inline._jobs.get(timeout=0.05)()
        assert _stands(place, kept), "what a record explains was ended, or what none explains was not"
        node.act(lambda c: revocation.revoke(c, "task", node.task.id, "operator"))
        assert node.settle_targets(300)
        assert _stands(place, before)


def _stands(place: Place, wanted: set[str]) -> bool:
    """Say whether just this stands at the target: now, or in a while where it ends things later."""
    until = time.monotonic() + 60
    while (found := place.standing() if place.standing else wanted) != wanted and place.later:
        if time.monotonic() > until:
            break
        time.sleep(0.02)
    return found == wanted


def killed(store: Path, place: Place, point: str, began: int) -> bool:
    """Have a process make a world in this store, mint, and die at this point; False where it came through."""
    asked = json.dumps(place.said() | {"store": str(store), "at": began, "point": point})
    ran = subprocess.run(
        [sys.executable, "-m", "tests.kit.dying"], input=asked, cwd=ROOT, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}, check=False,
    )  # fmt: skip
    if ran.returncode == 0 and ran.stdout.split() == ["over"]:
        return False
    assert ran.returncode == -signal.SIGKILL, ran.stderr[-800:]
    return True


def _told(node: Node, place: Place, identity: str) -> None:
    """What the ledger and `remit status` say of the lease whose mint was killed."""
    one = _row(node, identity)
    said = state(SimpleNamespace(reader=Reader(node.authority.reading()), authority=node.authority))["leases_unproven"]
    if place.left:
        assert one.state == "irrevocable", f"what nobody can end reads {one.state}"
        assert [line for line in said if line.startswith(f"{one.name} at notes: irrevocable")], "status does not say it"
    else:
        assert (one.state, one.because, one.lent, said) == ("dead", "mint", False, []), f"its lease reads {one.state}"


def _row(node: Node, identity: str) -> Lease:
    return next(one for one in node.leases() if one.id == identity)


def _longest(node: Node) -> int:
    return int(node.lessor._target("notes").source.describe().longest)


@contextlib.contextmanager
def _in_progress(store: Path, place: Place, ms: int) -> Any:
    """A third node that has made its credential at the target, and has not recorded it until it is told to go on."""
    made, going = threading.Event(), threading.Event()

    def at(point: str) -> None:
        if point == "made":
            made.set()
            assert going.wait(60)

    third = Node(store, place, ms, "third", at).meet()
    try:
        third.errand()
        found = third.begin()
        until = time.monotonic() + 60
        while not made.is_set():
            assert not found, found
            assert time.monotonic() < until
            third.inline.settle(third.lessor, 1)
        yield third, going, found
    finally:
        going.set()
        third.close()
