"""Law 3 along a chain of agents: no order of hand-overs, narrowings and ends yields what one of them lacks.

The model keeps, for each credential, who stands above it and which actions each of them could do; it shares no code
with the house, and is asked about every action of every credential, on a real store.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from remit.control import brief, delegation, principal, revocation
from remit.control.delegation import Wanted
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.permit import Permit
from remit.core.record import changed
from remit.core.trust import TrustPath
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World

ACTIONS = ("mcp:notes/read_note", "mcp:notes/write_note", "mcp:notes/@read")
ARGUMENTS = {ACTIONS[0]: {"path": "/notes/a"}, ACTIONS[1]: {"path": "/notes/a", "text": "t"}, ACTIONS[2]: {}}
SETS = st.frozensets(st.sampled_from(ACTIONS))
WHO = st.integers(0, 2)
PATHS = st.sampled_from(list(TrustPath))


def step(action: str, path: TrustPath) -> Step:
    arguments = {name: [True] for name in ARGUMENTS[action]}
    return Step.from_json({"action": action, "path": path.value, "arguments": {n: [{"any": True}] for n in arguments}})


class Chain(RuleBasedStateMachine):
    """A brief of everything; an agent with a task, three that may be handed parts, and a person with rights."""

    kind = stores.KINDS[0]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.hours = Hours()
        self.world = World(stores.place(self.kind, Path(self.folder.name) / "store"), self.hours.clock()).settle()
        self.held: list[dict[str, Any]] = []

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()

    @initialize(own=SETS, ceilings=st.tuples(SETS, SETS, SETS), rights=st.none() | SETS)
    def begin(self, own: Any, ceilings: Any, rights: Any) -> None:
        world = self.world
        world.act(lambda c: c.record("agent.reviewed", changed(world.agent, ceiling=tuple(own)), "operator"))
        self.agents = [world.an_agent(f"sub{n}", *one) for n, one in enumerate(ceilings)]
        for one, ceiling in zip(self.agents, ceilings, strict=True):
            world.act(lambda c, o=one, s=ceiling: c.record("agent.reviewed", changed(o, ceiling=tuple(s)), "operator"))
        if rights is not None:
            world.act(lambda c: principal.limit(c, world.person.id, tuple(rights), "operator"))
        subs = tuple(one.id for one in self.agents)
        everything = tuple(step(action, path) for path in TrustPath for action in ACTIONS)
        wide = world.a_brief(steps=everything, subagents=subs, depth=3)
        world.act(lambda c: brief.apply(c, wide, "operator"))
        task = world.a_task(requester=world.person.id)
        for path in TrustPath:
            person = world.person.id if path is TrustPath.DELEGATED else ""
            made = world.a_credential(task.id, path, person)
            may = frozenset(own)
            if path is TrustPath.DELEGATED and rights is not None:
                may &= rights
            self.keep(made, [world.agent.id], [may, frozenset(ACTIONS)], None)
        self.ceilings = list(ceilings)

    def keep(self, made: Any, chain: list[str], most: list[frozenset[str]], above: Any) -> None:
        entry = self.world.enter(made.text)
        self.held.append({"made": made, "entry": entry, "chain": chain, "most": most, "above": above, "dead": False})

    def dead(self, one: Any) -> bool:
        return bool(one["dead"] or (one["above"] is not None and self.dead(one["above"])))

    @rule(number=st.integers(0, 20), who=WHO, steps=st.none() | SETS)
    def hand_on(self, number: int, who: int, steps: Any) -> None:
        one, agent = self.held[number % len(self.held)], self.agents[who]
        path = one["made"].credential.path
        wanted = None if steps is None else tuple(step(action, path) for action in sorted(steps))
        planned = one["most"][-1]
        fits = steps is None or (steps and steps <= planned)
        may = not self.dead(one) and agent.id not in one["chain"] and len(one["chain"]) <= 3 and fits
        self.hours.pass_by(1_000)
        made, refused = self.handed(one["made"].credential.id, agent.id, wanted)
        assert may or refused, "handed on what the model does not"
        assert not may or not refused, f"the model hands this on, and it was refused: {refused}"
        if refused:
            return
        assert made.credential.path is path, "what was handed on changed its path"
        assert made.credential.expires <= one["made"].credential.expires, "a child outlives its parent"
        narrower = planned if steps is None else frozenset(steps)
        self.keep(made, [agent.id, *one["chain"]], [*one["most"], self.ceilings[who], narrower], one)

    def handed(self, giver: str, agent: str, steps: Any) -> tuple[Any, str]:
        try:
            return self.world.act(lambda c: delegation.hand_on(c, giver, agent, Wanted(steps=steps))), ""
        except RemitError as fault:
            return None, fault.code

    @precondition(lambda self: len(self.held) > 2)
    @rule(number=st.integers(0, 20))
    def end_one(self, number: int) -> None:
        one = self.held[number % len(self.held)]
        if not self.dead(one):
            self.world.act(lambda c: revocation.revoke(c, "credential", one["made"].credential.id, "operator"))
            one["dead"] = True

    @rule(number=st.integers(0, 20))
    def call(self, number: int) -> None:
        one = self.held[number % len(self.held)]
        for action in ACTIONS:
            found = self.world.decide(Call(action, ARGUMENTS[action]), one["entry"])
            may = not self.dead(one) and all(action in most for most in one["most"])
            assert isinstance(found, Permit) == may, f"the model says {may} of {action}: {found}"


def explore(kind: str, runs: int) -> None:
    machine = type(f"Chain_{kind}", (Chain,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs, stateful_step_count=12, derandomize=True, database=None, deadline=None,
            report_multiple_bugs=False, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            print_blob=False,
        ),
    )  # fmt: skip


def nobody_hands_on_more_than_they_have(_folder: Path) -> None:
    """Every order of hand-overs, ends and calls."""
    explore(stores.KINDS[0], 25)


LAW = nobody_hands_on_more_than_they_have
CORE, CONTROL = "core/delegation.py", "control/delegation.py"
NOT, SAYS = "handed on what the model does not", "the model says"
FAULTS = (
    Planted("the ceilings above are forgotten", CORE, "if not one.reaches(action):", "if not one.id:", LAW, SAYS),
    Planted("the person's rights are forgotten", CORE, "and not person.may(action)", "and False", LAW, SAYS),
    Planted("a loop is let in", CONTROL, "if agent_id in chain:", "if agent_id == '':", LAW, NOT),
    Planted("an ended credential hands on", CONTROL, "if why is not _STANDS:", "if why is None:", LAW, NOT),
    Planted(
        "a child outlives its parent",
        "control/credential.py", "*((giver.expires,) if giver else ()),", "", LAW, "a child outlives its parent",
    ),
)  # fmt: skip


def test_law(tmp_path):
    nobody_hands_on_more_than_they_have(tmp_path)


def test_on_postgresql():
    explore(stores.KINDS[1], 6)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
