"""Law 3 on shares: what several processes read of a ledger adds up to what one reads of it, to the last count."""

from pathlib import Path
from typing import Any

import pytest

from remit.control import policy, rerun, share, task
from remit.control.authority import FILE
from remit.control.observing import Seen, observing
from remit.core.call import Call
from remit.core.whatif import Tally
from tests.kit.planted import Planted, red
from tests.kit.sizing import Past, sized
from tests.kit.told import ByHand, Time
from tests.kit.world import COMMON, World


def past_of(folder: Path, seed: int, acts: int) -> tuple[World, Past]:
    time, place = Time(), folder / str(seed)
    place.mkdir(mode=0o700)
    world = World(place, ByHand(time)).settle()
    return world, Past(world, seed).begin().go(acts, time.on)


def families(world: World, count: int = 16) -> None:
    """So many errands that read a note in a task of their own and another in a task below it, each by its own share."""
    who = world.owner.id
    world.act(lambda c: policy.apply(c, {"common": COMMON, "delegated": {}, "own": {}}, 1, "operator"))
    for number in range(count):
        top = world.a_task()
        below = world.act(
            lambda c, top=top: task.open_task(
                c, requester=who, by=who, brief="notes", agent=world.agent.id, parent=top.id, person=top.person
            )
        )
        for each in (top, below):
            entry = world.enter(world.a_credential(each.id).text)
            world.decide(Call("mcp:notes/read_note", {"path": f"/notes/{number}"}), entry)


def law_tasks_below_others_are_of_the_same_share(folder: Path) -> None:
    """What a child task is given, and what it did, is read by the share that has the first task above it."""
    (folder / "world").mkdir(mode=0o700)
    world = World(folder / "world", ByHand(Time())).settle()
    families(world)
    base, view = world.brief, world.authority.view
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, sized(world.authority))
    found = [rerun.replay(view, job, (one, 2))[0] for one in range(2)]
    together = Tally()
    for one in found:
        together.add(one)
    assert together == rerun.replay(view, job)[0], f"the shares of a replay do not add up: {found}"
    assert (together.allowed, min(one.allowed for one in found) > 0) == (32, True), f"{together}"
    world.close()


def law_shares_add_up_to_the_whole(folder: Path, seeds: tuple[int, ...] = (4, 11)) -> None:
    """Two or three shares of a past by chance, with tasks below tasks: the same replay, and the same things seen."""
    for seed in seeds:
        world, past = past_of(folder, seed, 120)
        new, moved = past.a_proposal()
        view, size, under = world.authority.view, sized(world.authority), {past.brief.name: past.brief}
        job = rerun.Job(new, past.brief, moved, 0, size)
        whole, saw = rerun.replay(view, job), rerun.finished(observing(view, under, 0, size))
        for shares in (2, 3):
            tally, beyond, seen = Tally(), 0, Seen()
            for one in range(shares):
                found, more = rerun.replay(view, job, (one, shares))
                tally.add(found)
                beyond += more
                seen.add(rerun.finished(observing(view, under, 0, size, of=(one, shares))))
            assert (tally, beyond) == whole, f"the shares of a replay do not add up: {tally} is not {whole[0]}"
            assert seen == saw, "what the shares saw does not add up"
        world.close()


def law_processes_are_given_every_share(folder: Path) -> None:
    """The same from processes of their own, over the store's file."""
    (folder / "world").mkdir(mode=0o700)
    world = World(folder / "world", ByHand(Time())).settle()
    families(world)
    base = world.brief
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, sized(world.authority))
    share.WORTH = 1  # type: ignore[misc]
    with share.Shares(folder / "world" / FILE, 2) as shares:
        found, _ = shares.replay(job)
    assert found.allowed == 32, f"the processes do not add up: {found}"
    world.close()


FAULTS = (
    Planted(
        "a task below others is taken for one of its own", "store/past.py", "self.below.update(found)",
        "self.below.update(())", law_tasks_below_others_are_of_the_same_share, "the shares of a replay do not add up",
    ),
    Planted(
        "what another share used is forgotten", "core/observed.py", "mine[name] = mine.get(name, 0) + count",
        "mine[name] = count", law_shares_add_up_to_the_whole, "what the shares saw does not add up",
    ),
    Planted(
        "the first share is given to nobody", "control/share.py", "for one in range(self.workers)]",
        "for one in range(1, self.workers)]", law_processes_are_given_every_share, "the processes do not add up",
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "law", [law_shares_add_up_to_the_whole, law_tasks_below_others_are_of_the_same_share], ids=lambda law: law.__name__
)
def test_the_law_holds(law: Any, tmp_path: Path) -> None:
    law(tmp_path)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_turns_the_law_red(fault: Planted, tmp_path: Path) -> None:
    red(fault, tmp_path)
