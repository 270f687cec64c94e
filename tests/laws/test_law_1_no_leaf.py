"""Law 1: no leaf, no access. A call is allowed if and only if all that it rests on is live, and its receipt durable."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from remit.control import agent, revocation
from remit.core.answer import Deny
from remit.core.permit import Fault, Permit
from tests.kit import postgres
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call
from tests.laws.machine import Machine, Shared

RUN = settings(
    max_examples=60, stateful_step_count=30, derandomize=True, database=None, deadline=None,
    report_multiple_bugs=False, suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip


def allowed_if_and_only_if_live(_folder: Path) -> None:
    _live(Machine, RUN, 500)


def allowed_if_and_only_if_live_on_the_shared_store(_folder: Path) -> None:
    _live(Shared, settings(RUN, max_examples=10), 100)


def _live(kind: type[Machine], run: settings, enough: int) -> None:
    kind.allowed = kind.refused = 0
    kind.reasons = set()
    run_state_machine_as_test(kind, settings=run)
    assert kind.allowed > enough, "hardly a call was allowed"
    assert kind.refused > enough, "hardly a call was refused"
    assert len(kind.reasons) >= 8, f"calls were refused for few reasons: {kind.reasons}"


def revoke_holds_on_every_node_of_the_shared_store(_folder: Path) -> None:
    revoke_holds_on_every_node(postgres.fresh())


def revoke_holds_on_every_node(folder: Path | str) -> None:
    """Two authorities on one store, nothing told between them."""
    one, two = World(folder).settle(), World(folder)
    two.agent = one.agent
    for kind in ("task", "credential", "path"):
        task = one.a_task()
        issued = one.a_credential(task.id)
        entry = two.enter(issued.text)
        assert isinstance(two.decide(read_call(), entry), Permit), "it was live"
        target = {"task": task.id, "credential": issued.credential.id, "path": "own"}[kind]
        one.act(lambda c, kind=kind, target=target: revocation.revoke(c, kind, target, "operator"))
        for world in (two, one):
            assert isinstance(world.decide(read_call(), entry), Deny), (
                f"a call was allowed after revoke {kind} returned"
            )
    one.close()
    two.close()


def a_permit_is_old_after_a_second(folder: Path) -> None:
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    permit = world.decide(read_call(), world.enter(world.a_credential(world.a_task().id).text))
    assert world.gate.fresh(permit), "it is new"
    hours.pass_by(999)
    assert not isinstance(world.gate.borrow(permit), Fault), "it is not yet old"
    hours.pass_by(1)
    assert isinstance(world.gate.borrow(permit), Fault), "an old permit was lent a secret"
    assert not world.gate.fresh(permit), "an old permit counts as fresh"
    world.close()


def a_clock_that_jumps_allows_nothing(folder: Path) -> None:
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    for jump in (-3_600_000, 3_600_000, 31_000, -31_000):
        hours.jump(jump)
        assert isinstance(world.decide(read_call(), entry), Fault), "a call was decided on a clock that jumped"
        hours.jump(-jump)
    hours.jump(-20_000)
    assert isinstance(world.decide(read_call(), entry), Permit), "a small step back was refused"
    world.close()


def an_overdue_review_refuses(folder: Path) -> None:
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.act(lambda c: agent.review(c, world.agent.id, hours.wall + 1_000, "operator"))
    hours.pass_by(999)
    assert isinstance(world.decide(read_call(), entry), Permit), "the review was not yet due"
    hours.pass_by(1)
    assert isinstance(world.decide(read_call(), entry), Deny), "a call was allowed whose agent's review was overdue"
    world.close()


def revoke_names_what_is_in_flight(folder: Path) -> None:
    world = World(folder).settle()
    task = world.a_task()
    entry = world.enter(world.a_credential(task.id).text)
    done, under_way = world.decide(read_call(), entry), world.decide(read_call(), entry)
    world.note(done)
    ended = world.act(lambda c: revocation.revoke(c, "task", task.id, "operator"))
    assert [one.call for one in ended.in_flight] == [under_way.call], "revoke did not name the calls in flight"
    world.close()


LAWS = (
    allowed_if_and_only_if_live_on_the_shared_store, revoke_holds_on_every_node_of_the_shared_store,
    allowed_if_and_only_if_live, revoke_holds_on_every_node, a_permit_is_old_after_a_second,
    a_clock_that_jumps_allows_nothing, an_overdue_review_refuses, revoke_names_what_is_in_flight,
)  # fmt: skip
DECIDE, DECISION, BATCH = "core/decision.py", "control/decision.py", "control/batch.py"
FAULTS = (
    Planted(
        "answer before commit", BATCH, "self._sync(self._commit, lambda: self._committed(items))",
        "self._finish(items); self._sync(self._commit, lambda: None)", allowed_if_and_only_if_live, "not durable",
    ),
    Planted(
        "facts kept between transactions", "control/change.py", "self.reader = Reader(authority.db)",
        "self.reader = globals().setdefault('_kept', {}).setdefault(id(authority), Reader(authority.db))",
        revoke_holds_on_every_node, "after revoke",
    ),
    Planted(
        "plan version not compared", DECIDE, "if credential.plan != plan.version:", "if not plan.version:",
        allowed_if_and_only_if_live, "plan moved",
    ),
    Planted(
        "an opened path revives what it closed", DECIDE, " or credential.issued <= gate.since:", ":",
        allowed_if_and_only_if_live, "path closed",
    ),
    Planted(
        "key state not read", DECIDE, "if facts.key is None or not facts.key.verifies(now):", "if facts.key is None:",
        allowed_if_and_only_if_live, "key retired",
    ),
    Planted(
        "review not due", DECIDE, "if now >= agent.review_due:", "if not agent.review_due:",
        an_overdue_review_refuses, "review was overdue",
    ),
    Planted(
        "brief's agents not read", DECIDE, "if not brief.gives(agent.id, child=bool(task.parent)):",
        "if not brief.agents:", allowed_if_and_only_if_live, "agent not listed",
    ),
    Planted(
        "idle tasks go on", DECIDE, "if now - facts.active_at >= task.idle:", "if not task.idle:",
        allowed_if_and_only_if_live, "task idle",
    ),
    Planted(
        "permits never age", "control/gate.py", "return self._authority.clock.steady() < permit.until", "return True",
        a_permit_is_old_after_a_second, "an old permit was lent",
    ),
    Planted(
        "a jump of the clock goes unseen", "control/authority.py", "- self._offset) > JUMP", "- self._offset) < 0",
        a_clock_that_jumps_allows_nothing, "a clock that jumped",
    ),
    Planted(
        "open calls not named", "control/revocation.py", "if one.task in over or", "if",
        revoke_names_what_is_in_flight, "did not name",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
