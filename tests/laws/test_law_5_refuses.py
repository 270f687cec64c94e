"""Law 5 on a real store: an ask is no allow, an error is no allow, and what is missing refuses."""

from pathlib import Path

import pytest

from remit.control import policy
from remit.core.answer import Deny
from remit.core.decision import decide
from remit.core.facts import Facts
from remit.core.permit import Fault, Permit
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import COMMON, World, read_call

READ = 'action == Action::"mcp:notes/read_note"'
ASK = f'@id("ask") @ask("ops") permit(principal, {READ}, resource);'
FORBID = f'@id("no") forbid(principal, {READ}, resource);'


def answers(folder: Path, *more: str, own: str = "") -> object:
    """What becomes of an ordinary call when these policies stand beside the world's own."""
    world = World(folder).settle()
    layers = {"common": COMMON | {f"{n}.cedar": text for n, text in enumerate(more)}, "delegated": {}, "own": {}}
    if own:
        layers["own"] = {"own.cedar": own}
    world.act(lambda c: policy.apply(c, layers, 1, "operator"))
    answer = world.decide(read_call(), world.enter(world.a_credential(world.a_task().id).text))
    world.close()
    return answer


def deny_beats_ask_beats_allow(folder: Path) -> None:
    for number, (more, code) in enumerate((((), ""), ((ASK,), "approval_pending"), ((ASK, FORBID), "policy_forbids"))):
        place = folder / str(number)
        place.mkdir(mode=0o700)
        answer = answers(place, *more)
        assert isinstance(answer, Deny if code else Permit), f"expected {code or 'a permit'}, got {answer}"
        assert not code or answer.code == code, f"expected {code}, got {answer.code}"


def a_path_of_its_own_can_only_narrow(folder: Path) -> None:
    assert isinstance(answers(folder, own=FORBID), Deny), "the path's own forbid was not heard"


def what_is_missing_refuses(folder: Path) -> None:
    """Each row that a decision rests on, taken away behind its back: the call is refused, and the process lives."""
    rows = {
        "policy": "id = 'common'", "path": "id = 'own'", "agent": "1", "person": "1", "brief": "1", "plan": "1",
        "credential": "1", "task": "1", "resource": "1", "tool": "1", "key": "purpose LIKE '%own%'",
    }  # fmt: skip
    for table, condition in rows.items():
        place = folder / table
        place.mkdir(mode=0o700)
        world = World(place).settle()
        entry = world.enter(world.a_credential(world.a_task().id).text)
        assert isinstance(world.decide(read_call(), entry), Permit), "it is allowed while all is there"
        assert world.authority.db.run(f"DELETE FROM {table} WHERE {condition}"), f"no row of {table} was taken away"
        answer = world.decide(read_call(), entry)
        assert isinstance(answer, Deny | Fault), f"a call was allowed without its {table}"
        world.close()


def without_a_clock_nothing_happens(folder: Path) -> None:
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    text = world.a_credential(world.a_task().id).text
    entry = world.enter(text)
    hours.jump(60_000)
    assert isinstance(world.decide(read_call(), entry), Fault), "a call was decided without a clock"
    assert not world.gate.live([entry.credential]), "a stream was kept without a clock"
    world.close()


def a_fault_in_the_law_refuses(_folder: Path) -> None:
    """Whatever breaks while deciding, such as facts that are none."""
    for facts in (None, object(), Facts(now="now", credential=object())):
        assert isinstance(decide(read_call(), facts), Deny), "a fault in the law was no refusal"


LAWS = (
    deny_beats_ask_beats_allow, a_path_of_its_own_can_only_narrow, what_is_missing_refuses,
    without_a_clock_nothing_happens, a_fault_in_the_law_refuses,
)  # fmt: skip
DECIDE = "core/decision.py"
FAULTS = (
    Planted(
        "an ask is treated as an allow",
        DECIDE,
        "return allow if verdict.answer is policies.Answer.ALLOW else",
        "return allow if verdict.answer is not policies.Answer.DENY else",
        deny_beats_ask_beats_allow,
        "approval_pending",
    ),
    Planted(
        "a forbid is not heard",
        "core/policy.py",
        '"policy_forbids"',
        '"policy_forbids" if not told else ""',
        deny_beats_ask_beats_allow,
        "expected policy_forbids",
    ),
    Planted(
        "a missing policy set permits",
        "core/policy.py",
        'return Verdict(Answer.DENY, code="policy_missing") if held is None',
        "return Verdict(Answer.ALLOW) if held is None",
        what_is_missing_refuses,
        "without its policy",
    ),
    Planted(
        "a missing key still counts",
        DECIDE,
        "if facts.key is None or",
        "if facts.key is not None and",
        what_is_missing_refuses,
        "without its key",
    ),
    Planted(
        "a fault in the law allows",
        DECIDE,
        'return Deny("decision_fault", "The decision could not be made.", "Tell the operator; nothing was done.")',
        "return Allow(0)",
        a_fault_in_the_law_refuses,
        "a fault in the law was no refusal",
    ),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
