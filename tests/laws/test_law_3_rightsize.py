"""Law 3 on proposals: what was seen still passes, only less is put in force, and the replay is that of its twin."""

import random
from pathlib import Path
from typing import Any

import pytest

from remit.control import brief, policy, rerun, rightsize
from remit.core import check
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.generalise import propose
from remit.core.observed import Used
from remit.core.permit import Permit
from remit.core.policy import PolicySet
from remit.core.record import changed
from remit.core.rightsize import Support, wider
from remit.core.step import Step
from remit.core.whatif import Permitted, Tally
from remit.store import payload
from tests.kit.planted import Planted, each_goes_red
from tests.kit.sizing import Past, sized
from tests.kit.told import ByHand, Time, told
from tests.kit.world import World
from tests.oracle import plans as solver
from tests.oracle.rightsize import Twin

POOLS: tuple[tuple[Any, ...], ...] = (
    ("/notes/a/1", "/notes/a/2", "/notes/b", "/notes/a/deep/er"), ("red", "blue"), (1, 7, 19, 44, 0.5, -3),
    ("https://a.example/x", "https://b.example:8443/y", "http://a.example"), ("INV-1", "INV-20", "INV-300 \n"),
    (True, False, None), ("a", 1, None), ("", "x" * 40, "xx"), ("u:1", "u:2", "u:3"), ([1], {"a": 1}),
)  # fmt: skip
FEW = Support(calls=4, tasks=2, days=1)
LOOKS = {
    "looks.cedar": "permit(principal, action, resource)"
    ' when { context.task has domains && context.task.domains.contains("money") };'
}


def world_of(folder: Path, time: Time) -> World:
    place = folder / "world"
    place.mkdir(mode=0o700)
    return World(place, ByHand(time)).settle()


def law_what_was_seen_still_passes(folder: Path) -> None:
    """Every call that was seen and can be read passes the step that is proposed, on a step of each kind of limits."""
    for seed in range(150):
        rng = random.Random(seed)
        pool, loose = rng.choice(POOLS), rng.random() < 0.3
        form: dict[str, Any] = {"action": "mcp:notes/act", "path": "own", "allow_unknown": loose}
        if not loose or rng.random() < 0.5:
            form |= {"arguments": {"x": [{"any": True}], "y": [{"any": True}]}, "optional": ["x", "y"]}
        step, used = Step.from_json(form), Used()
        calls = [
            {name: rng.choice(pool) for name in ("x", "y") if rng.random() < (0.9 if name == "x" else 0.3)}
            for _ in range(rng.randint(1, 40))
        ]
        for number, given in enumerate(calls):
            used.see(step, f"task {number % 3}", number, given)
        made = propose(a_brief(step), {0: used}, (), {"notes": "office"}, FEW)
        assert made is not None, "a step that was used was dropped"
        for given in calls:
            found = check.check(made.brief.steps[0], given, check.Usage(), 0)
            assert isinstance(found, check.Consumption), f"a call that was seen would fail: {given} ({found})"
        assert wider(a_brief(step), made.brief) == (), "what is proposed is not narrower"


def a_brief(*steps: Step) -> Any:
    from tests.kit.nouns import brief as one

    return one(steps=steps, domains=("office",))


def law_only_less_is_put_in_force(folder: Path) -> None:
    """A proposal that is wider in any member is refused when it is offered and when it is applied."""
    world = world_of(folder, Time())
    base = world.brief
    more = Step.from_json({"action": "mcp:notes/wipe", "path": "own", "allow_unknown": True})
    free = Step.from_json({"action": "mcp:notes/read_note", "path": "own", "allow_unknown": True})
    other = world.an_agent("other").id
    for members in (
        {"steps": (*base.steps, more)}, {"steps": (free, *base.steps[1:])}, {"steps": (*base.steps, base.steps[1])},
        {"agents": (*base.agents, other)}, {"domains": ("office", "money")}, {"depth": 3}, {"life": base.life + 1},
        {"unplanned": "hold"}, {"blended": "ask", "approvers": ("ops",)}, {"reverse": ("roots",)},
        {"dispatchers": (*base.dispatchers, "group:ops")}, {"replan": "ask", "approvers": ("ops",)},
    ):  # fmt: skip
        wide = changed(base, **members)
        made = rightsize.Found(
            base, {}, rightsize.Proposed(wide, tuple(range(len(base.steps))), ()), 0, 0, 0, FEW, Tally()
        )
        found = "taken"
        try:
            world.act(lambda c, made=made: rightsize.offer(c, made, "operator"))
        except RemitError as fault:
            found = fault.code
        assert found != "taken", f"a wider brief was taken as a proposal: {sorted(members)}"
        assert found == "rightsize_wider", f"it was refused for another reason: {found}"
    world.close()


def law_an_erased_call_is_never_fine(folder: Path) -> None:
    """A call whose values are erased is counted as erased: neither as one that passes, nor as one still refused."""
    world = world_of(folder, Time())
    entry = world.enter(world.a_credential(world.a_task().id).text)
    done = [world.decide(Call("mcp:notes/read_note", {"path": f"/notes/{name}"}), entry) for name in "abc"]
    world.decide(Call("mcp:notes/read_note", {"path": "/etc/passwd"}), entry)
    refused = next(one["call"] for one in told(world) if one.get("decision") == "deny")
    world.act(lambda c: (c.keep(), payload.erase(c.db, done[1].call), payload.erase(c.db, refused)))
    job = rerun.Job(world.brief, world.brief, tuple(range(len(world.brief.steps))), 0, sized(world.authority))
    tally, _ = rerun.replay(world.authority.view, job)
    found = (tally.allowed, tally.fail, tally.refused, tally.erased)
    assert found == (2, 0, 0, 2), f"an erased call was taken for a known one: {found}"
    world.close()


def law_the_replay_is_that_of_its_twin(folder: Path, seeds: tuple[int, ...] = (4, 6)) -> None:
    """On pasts by chance: the same counts, and the same calls named, as two stores side by side give."""
    for seed in seeds:
        time, place = Time(), folder / str(seed)
        place.mkdir()
        world = world_of(place, time)
        past = Past(world, seed).begin().go(70, time.on)
        new, moved = past.a_proposal()
        tally, _ = rerun.replay(world.authority.view, rerun.Job(new, past.brief, moved, 0, sized(world.authority)))
        counts, fails, opens = Twin(world.authority.view, place, new, past.brief, moved).run()
        mine = {name: getattr(tally, name) for name in counts}
        assert mine == counts, f"the replay differs from its twin: {mine} is not {counts}"
        assert [one["leaf"] for one in tally.named] == fails, "the replay names other calls than its twin"
        assert [one["leaf"] for one in tally.opened] == opens, "the replay opens other calls than its twin"
        world.close()


def law_a_permit_is_taken_as_told_only_of_what_policy_would_see_alike(folder: Path) -> None:
    """A policy that looks at the brief's data domains is asked anew about a proposal with fewer of them."""
    world = world_of(folder, Time())
    world.act(lambda c: policy.apply(c, {"common": LOOKS, "delegated": {}, "own": {}}, 1, "operator"))
    base = world.act(lambda c: brief.apply(c, world.a_brief(version=2, domains=("money", "office")), "operator"))
    entry = world.enter(world.a_credential(world.a_task().id).text)
    for name in "abc":
        assert isinstance(world.decide(Call("mcp:notes/read_note", {"path": f"/notes/{name}"}), entry), Permit)
    same, size = tuple(range(len(base.steps))), sized(world.authority)
    for domains, wanted in ((("office",), (0, 3)), (base.domains, (3, 0))):
        job = rerun.Job(changed(base, domains=domains), base, same, 0, size)
        tally, _ = rerun.replay(world.authority.view, job)
        found = (tally.allowed, tally.fail)
        assert found == wanted, f"policy was not asked about what it would have seen: {domains}: {found}"
    world.close()


class Retold:
    """Tells a replay of calls as if another policy set had decided them, and hears which set it would ask."""

    def __init__(self, hearer: rerun.Replayer, named: str) -> None:
        self.hearer, self.named = hearer, named
        self.kinds: list[type] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.hearer, name)

    def decided(self, leaf: int, said: Any, call: Any) -> None:
        said = {**said, "policy": self.named or said["policy"]}
        self.kinds.append(type(self.hearer._seen(said, call).policy))
        self.hearer.decided(leaf, said, call)


def test_a_permit_by_another_set_than_is_seen_is_worked_out(tmp_path: Path) -> None:
    """The receipt names the set that permitted the call; where another one is seen, it says nothing about that one."""
    world = world_of(tmp_path, Time())
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.decide(Call("mcp:notes/read_note", {"path": "/notes/a"}), entry)
    same = tuple(range(len(world.brief.steps)))
    job = rerun.Job(world.brief, world.brief, same, 0, sized(world.authority))
    for named, kind in (("", Permitted), ("another", PolicySet)):
        walk, hearer = job.begin(world.authority.view)
        told_of = Retold(hearer, named)
        rerun.finished(walk.run(told_of))
        assert told_of.kinds == [kind]
        assert hearer.tally.allowed == 1
    world.close()


LAWS = (
    law_what_was_seen_still_passes, law_only_less_is_put_in_force, law_an_erased_call_is_never_fine,
    law_the_replay_is_that_of_its_twin, law_a_permit_is_taken_as_told_only_of_what_policy_would_see_alike,
)  # fmt: skip
FAULTS = (
    Planted(
        "the largest number is forgotten", "core/observed.py",
        "self.most = value if first else max(self.most, value)", "self.most = value",
        law_what_was_seen_still_passes, "a call that was seen would fail",
    ),
    Planted(
        "a list drops one of its values", "core/generalise.py", "OneOf(tuple(sorted(values.listed)))",
        "OneOf(tuple(sorted(values.listed))[:1])", law_what_was_seen_still_passes, "a call that was seen would fail",
    ),
    Planted(
        "an erased call passes", "control/rerun.py", "self.tally.erased += 1", "self.tally.allowed += 1",
        law_an_erased_call_is_never_fine, "an erased call was taken for a known one",
    ),
    Planted(
        "steps may widen", "core/rightsize.py", 'found = [] if not plan_within(old.steps, new.steps) else ["steps"]',
        "found: list[str] = []", law_only_less_is_put_in_force, "a wider brief was taken as a proposal",
    ),
    Planted(
        "other members may widen", "core/rightsize.py",
        "if theirs.get(name) != mine.get(name)))", 'if name == "state"))',
        law_only_less_is_put_in_force, "a wider brief was taken as a proposal",
    ),
    Planted(
        "a use is not used up", "control/rerun.py",
        'self.world.took(said["call"], now.charges, now.counted, said["at"])',
        'self.world.took(said["call"], (), now.counted, said["at"])',
        law_the_replay_is_that_of_its_twin, "the replay differs from its twin",
    ),
    Planted(
        "a plan stays as it was", "core/whatif.py", "return held[0] if held is not None else None",
        "return held[2] if held is not None else None",
        law_the_replay_is_that_of_its_twin, "the replay differs from its twin",
    ),
    Planted(
        "a refused call is taken as permitted", "control/rerun.py",
        'if said["decision"] == "allow" and "approval" not in said:', 'if "approval" not in said:',
        law_the_replay_is_that_of_its_twin, "the replay differs from its twin",
    ),
    Planted(
        "a permit is taken as told whatever policy would see", "core/whatif.py", "if held is None or then is None or (",
        "if held is None or then is None or False and (",
        law_a_permit_is_taken_as_told_only_of_what_policy_would_see_alike, "policy was not asked",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_holds(law: Any, tmp_path: Path) -> None:
    law(tmp_path)


test_a_planted_fault_turns_the_law_red = each_goes_red(FAULTS)


def test_a_solver_finds_no_call_that_a_proposal_allows_anew() -> None:
    pool = ["a", "ab", "abc", "b"]
    before = [
        {"action": "mcp:a/r", "path": "own", "arguments": {"x": [{"any": True}]}, "optional": ["x"]},
        {"action": "mcp:a/w", "path": "own", "arguments": {"x": [{"prefix": "a"}]}, "uses": 4},
    ]
    for seed in range(6):
        rng, steps = random.Random(seed), tuple(Step.from_json(one) for one in before)
        used = {0: Used(), 1: Used()}
        for number in range(24):
            which = number % 2 if seed % 2 else 0
            value = rng.choice([1, 2, 9]) if seed % 3 == 2 and not which else rng.choice(pool[: 3 if which else 4])
            used[which].see(steps[which], f"task {number % 6}", number, {"x": value})
        held = {number: one for number, one in used.items() if one.calls}
        made = propose(a_brief(*steps), held, (), {"a": "office"}, FEW)
        assert made is not None
        after = [one.to_json() for one in made.brief.steps]
        assert after != before
        assert solver.wider(before, after) is None


def test_what_was_applied_by_hand_since_is_not_applied_over(tmp_path: Path) -> None:
    world = world_of(tmp_path, Time())
    base = world.brief
    less = changed(base, steps=base.steps[:1])
    given = (base, {}, rightsize.Proposed(less, (0, -1, -1, -1, -1, -1), ()), 0, 0, 0, FEW, Tally())
    one = world.act(lambda c: rightsize.offer(c, rightsize.Found(*given), "operator"))
    world.act(lambda c: brief.apply(c, changed(base, steps=base.steps[:2]), "operator"))
    with pytest.raises(RemitError, match="rightsize_moved"):
        world.act(lambda c: rightsize.apply(c, one.id, "operator"))
    world.close()
