"""A person's yes: to exactly what they saw, on the delegated path, within one brief; and its end."""

import pytest

from remit.control import agent, brief, client, credential, principal, replan, revocation, task
from remit.core.answer import Deny
from remit.core.permit import Permit
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store.log import entries, newest
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.consenting import consenting
from tests.kit.hours import Hours
from tests.kit.nouns import code
from tests.kit.world import World, read_call, steps


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    hours = Hours()
    one = World(stores.place(request.param, tmp_path / "s"), hours.clock()).settle()
    one.hours = hours
    yield one
    one.close()


@pytest.fixture
def pia(world):
    return consenting(world)


def refused(work):
    return code(work)


def need(world, kind, identity):
    return Reader(world.authority.view).get(kind, identity)


def test_a_yes_opens_the_task_that_the_person_dispatches_on_the_delegated_path_alone(world, pia):
    given = pia.give(purpose="Tidy up.", labels={"ticket": "T-1"})
    one = need(world, Task, given.consent.task)
    assert (one.requester, one.person, one.agent) == (world.person.id, world.person.id, world.agent.id)
    assert (one.purpose, one.labels, one.consent) == ("Tidy up.", {"ticket": "T-1"}, given.consent.id)
    plan = need(world, Plan, f"{one.id}:1")
    assert {step.path for step in plan.steps} == {TrustPath.DELEGATED}
    assert [world.brief.steps[n] for n in plan.sources] == list(plan.steps)
    own = lambda c: credential.give(c, task_id=one.id, agent_id=world.agent.id, path=TrustPath.OWN)  # noqa: E731
    assert refused(lambda: world.act(own)) == "credential_refused"


def test_what_comes_out_is_the_tasks_credential_and_calls_rest_on_the_consent(world, pia):
    given = pia.give()
    made, _ = pia.redeem(given.code)
    entry = world.enter(made.text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    assert (made.credential.task, made.credential.subject) == (given.consent.task, world.person.id)
    world.act(lambda c: revocation.revoke(c, "consent", given.consent.id, world.person.id))
    answer = world.decide(read_call(), entry)
    assert isinstance(answer, Deny)
    assert need(world, Task, given.consent.task).state == "ended"


def test_no_later_plan_goes_beyond_what_was_consented_to(world, pia):
    given = pia.give(actions=("mcp:notes/read_note",))
    read, write, _ = steps(TrustPath.DELEGATED)
    for wider in ((read, write), steps(TrustPath.OWN)):
        assert refused(lambda wider=wider: world.act(lambda c: task.plan(c, given.consent.task, wider, "x"))) in (
            "plan_outside", "plan_wider",
        )  # fmt: skip
    moved = world.act(lambda c: task.moves(c, c.need(Task, given.consent.task), (read, write)))
    assert moved.refusal is task.NOT_CONSENTED
    assert world.act(lambda c: task.plan(c, given.consent.task, (read,), "x")).version == 2


def test_no_later_plan_goes_beyond_what_was_consented_to_when_the_brief_gives_more_meanwhile(world, pia):
    given = pia.give()
    ruled = {"replan": "ask", "approvers": ("ops",), "version": 2}
    path = TrustPath.DELEGATED.value
    wide = Step.from_json({"action": "mcp:notes/read_note", "path": path, "arguments": {"path": [{"prefix": "/"}]}})
    more = tuple(wide if one.action == wide.action and one.path is wide.path else one for one in world.brief.steps)
    world.act(lambda c: brief.apply(c, world.a_brief(steps=more, **ruled), "operator"))
    found = world.act(lambda c: replan.submit(c, given.consent.task, (wide,), world.agent.id))
    assert found.approval is None, "people were asked for what the person never saw"
    assert found.refused.code == "plan_outside"


def test_a_child_rests_on_its_parents_consent(world, pia):
    given = pia.give()
    by = world.person.id
    child = world.act(
        lambda c: task.open_task(
            c, brief="notes", agent=world.agent.id, requester=by, person=by, parent=given.consent.task, by=by
        )
    )
    assert child.consent == given.consent.id
    world.act(lambda c: revocation.revoke(c, "consent", given.consent.id, by))
    assert need(world, Task, child.id).state == "ended"


def test_what_is_on_offer_is_what_person_agent_and_brief_have_in_common(world, pia):
    assert [one.brief.name for one in pia.offers()] == ["notes"]
    assert [one.brief.name for one in pia.offers(resources=("notes",), actions=("mcp:notes/wipe",))] == ["notes"]
    for wish in (
        {"resources": ("crm",)},
        {"resources": ("notes", "crm")},
        {"brief": "other"},
        {"actions": ("mcp:notes/other",)},
    ):
        assert pia.offers(**wish) == []
    second = world.a_brief(name="reading", steps=steps(TrustPath.DELEGATED)[:1])
    world.act(lambda c: brief.apply(c, second, "operator"))
    assert [one.brief.name for one in pia.offers()] == ["notes", "reading"]
    only_own = world.a_brief(name="reading", steps=steps(TrustPath.OWN))
    world.act(lambda c: brief.apply(c, only_own, "operator"))
    assert [one.brief.name for one in pia.offers()] == ["notes"]
    world.act(lambda c: brief.apply(c, world.a_brief(dispatchers=("group:ops",)), "operator"))
    assert pia.offers() == []
    world.act(lambda c: principal.add_person(c, "local", "pia", "Pia Person", ("ops",), "operator"))
    assert [one.brief.name for one in pia.offers()] == ["notes"]
    world.act(lambda c: revocation.revoke(c, "person", world.owner.id, "operator"))
    assert pia.offers() == [], "an agent without an owner"


def test_an_agent_that_is_not_reviewed_or_only_proposed_gets_nothing(world, pia):
    world.act(lambda c: agent.review(c, world.agent.id, world.hours.wall + 1000, "operator"))
    assert pia.offers()
    world.hours.pass_by(1000)
    assert pia.offers() == []
    said = client.Described("cli_" + "b" * 26, "New & shiny!", ("https://app.test/cb",), "document")
    made = world.act(lambda c: client.propose(c, said, world.person.id))
    pia.client = made
    assert pia.offers() == []
    proposed = world.act(lambda c: c.need(agent.Agent, made.agent))
    assert (proposed.state, proposed.owner, proposed.ceiling) == ("proposed", world.person.id, ())


def test_a_yes_counts_for_what_was_shown_and_nothing_else(world, pia):
    shown = pia.offers()[0].digest
    world.act(lambda c: brief.apply(c, world.a_brief(purpose="Keep other notes."), "operator"))
    assert refused(lambda: pia.give(shown)) == "consent_moved"
    assert refused(lambda: pia.give(pia.offers()[0].digest, purpose="Another.")) == "consent_moved"
    assert refused(lambda: pia.give(pia.offers()[0].digest, "other")) == "consent_refused"
    world.act(lambda c: brief.withdraw(c, "notes", "operator"))
    assert refused(lambda: pia.give(shown)) == "consent_refused"


def test_a_withdrawn_consent_ends_codes_and_refresh_tokens_once(world, pia):
    unused, used = pia.give(), pia.give()
    _, token = pia.redeem(used.code)
    for one in (unused, used):
        world.act(lambda c, one=one: revocation.revoke(c, "consent", one.consent.id, "operator"))
        again = lambda one=one: world.act(lambda c: revocation.revoke(c, "consent", one.consent.id, "operator"))  # noqa: E731
        assert refused(again) == "transition_refused"
    assert pia.redeem(unused.code).code == "invalid_grant"
    assert pia.renew(token).code == "invalid_grant"


def test_neither_store_nor_ledger_holds_a_code_or_a_token(world, pia):
    given = pia.give()
    made, token = pia.redeem(given.code)
    view = world.authority.view
    held = list(entries(view, 0, newest(view).size))
    for table in ("code", "refresh", "consent"):
        held += [bytes(row[0]) for row in view.all(f"SELECT body FROM {table}")]
    assert not any(text.encode() in one for one in held for text in (given.code, token, made.text))
