"""A run: a task that goes on only while whoever runs its command has the next credential issued."""

import pytest

from remit.control import brief, run
from remit.control import client as clients
from remit.control.sweep import sweep
from remit.core.budget import Budget
from remit.core.call import Call
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.facts import NEVER
from remit.core.task import Task
from remit.core.trust import TrustPath
from tests.kit.consenting import consenting
from tests.kit.told import kinds, size
from tests.kit.world import read_call, steps

GIVEN = {
    "brief": "notes", "agent": "scribe", "requester": "olga", "labels": {"ticket": "T-1"}, "purpose": "Tidy.",
    "life": None, "steps": None, "request": "", "by": "operator",
}  # fmt: skip


def begin(world, **members):
    return world.act(lambda c: run.begin(c, **(GIVEN | members)))


def state(world, one):
    found = world.act(lambda c: c.need(Task, one.id))
    return found.state, found.because


def test_a_run_is_an_ordinary_task_whose_first_credential_is_short_and_not_the_agents_own_proof(world):
    before = size(world)
    issued, made = begin(world)
    assert kinds(world, before) == ["task.opened", "plan.made", "credential.issued"]
    one = issued.credential
    assert made.watched
    assert 0 < one.expires - one.issued <= world.brief.bearer_life
    assert (one.attested, one.path.value, one.subject) == (NEVER, "own", made.agent)
    assert world.decide(read_call(), world.enter(issued.text)).leaf >= 0


def test_it_goes_on_while_somebody_is_heard_from_and_ends_a_minute_after(world, time):
    _, made = begin(world)
    for hear in (run.watch, run.watch, lambda c, one: run.renew(c, one, "operator")):
        time.on(run.WATCH_MS - 1)
        world.act(lambda c, hear=hear: hear(c, made.id) and None)
        assert world.act(sweep) == 0
    time.on(run.WATCH_MS - 1)
    assert world.act(sweep) == 0
    time.on(1)
    assert world.act(sweep) == 1
    assert state(world, made) == ("ended", "unwatched")
    for late in (run.watch, lambda c, one: run.renew(c, one, "operator")):
        with pytest.raises(RemitError, match="has ended"):
            world.act(lambda c, late=late: late(c, made.id))


def test_calls_keep_no_run_alive_that_nobody_watches_and_its_children_end_with_it(world, time):
    issued, made = begin(world)
    child = world.a_task(parent=made.id, person=made.person)
    entry = world.enter(issued.text)
    time.on(run.WATCH_MS - 2000)
    world.decide(read_call(), entry)
    time.on(2000)
    assert world.act(sweep) == 2
    assert (state(world, made)[1], state(world, child)[1]) == ("unwatched", "parent")


def test_a_task_that_is_not_watched_outlives_its_credentials(world, time):
    one = world.a_task()
    world.a_credential(one.id)
    time.on(run.WATCH_MS * 3)
    assert world.act(sweep) == 0


@pytest.mark.parametrize("wrong", [{"agent": "nobody"}, {"requester": "nobody"}, {"brief": "nothing"}])
def test_who_is_not_there_is_told(world, wrong):
    with pytest.raises(RemitError) as told:
        begin(world, **wrong)
    assert told.value.code in ("not_found", "record_missing")


def test_a_plan_that_is_all_on_a_persons_authority_gives_a_run_nothing(world):
    """The dispatcher is a person, and would stand for themselves: a run takes no consent that nobody gave."""
    whole = world.a_brief(steps=(*steps(TrustPath.OWN), *steps(TrustPath.DELEGATED)))
    world.act(lambda c: brief.apply(c, whole, "operator"))
    issued, made = begin(world)
    assert (issued.credential.path, issued.credential.subject) == (TrustPath.OWN, made.agent)
    before = size(world)
    with pytest.raises(RemitError) as told:
        begin(world, steps=steps(TrustPath.DELEGATED))
    assert (told.value.code, size(world)) == ("run_delegated", before)


def test_an_agent_dispatches_no_run(world):
    with pytest.raises(RemitError, match="no such person"):
        begin(world, requester=world.agent.id)


def test_only_a_run_is_renewed_by_whoever_watches(world):
    one = world.a_task()
    with pytest.raises(RemitError, match="no such run"):
        world.act(lambda c: run.renew(c, one.id, "operator"))


def test_its_course_counts_what_was_done_and_refused(world):
    issued, made = begin(world)
    entry = world.enter(issued.text)
    world.note(world.decide(read_call(), entry))
    world.decide(read_call("/etc"), entry)
    world.decide(Call("mcp:notes/wipe", {}), entry)
    found = world.act(lambda c: run.course(c.reader, c.need(Task, made.id)))
    assert (found.calls, found.leases) == ({"done": 1, "open": 0, "refused": 2}, ())
    assert [(one.name, one.kind) for one in world.act(lambda c: run.places(c.reader, made))] == [("notes", "mcp")]


def test_ending_it_ends_the_credential_that_the_command_may_still_hold(world):
    from remit.control import task

    issued, made = begin(world)
    entry = world.enter(issued.text)
    world.act(lambda c: task.end(c, made.id, "complete", "operator"))
    refused = world.decide(read_call(), entry)
    assert refused.code == "task_ended"
    assert world.act(lambda c: c.need(Credential, issued.credential.id)).task == made.id


def test_a_person_is_asked_by_one_client_of_the_agent_and_what_they_give_is_a_run(world):
    before = size(world)
    asks = lambda: world.act(lambda c: run.asking(c, brief="notes", agent="scribe", by="operator"))  # noqa: E731
    one = asks()
    assert (asks(), kinds(world, before)) == (one, ["client.added"])
    assert (one.runs, one.confidential, one.redirects) == (True, False, (run.ANSWERS,))
    pia = consenting(world)
    pia.client = one
    given = pia.give(actions=("mcp:notes/read_note",))
    made = world.act(lambda c: c.need(Task, given.consent.task))
    assert (made.watched, made.requester, made.person) == (True, world.person.id, world.person.id)
    assert world.act(lambda c: run.watch(c, made.id)) == run.WATCH_MS
    assert [one.name for one in world.act(lambda c: run.places(c.reader, made))] == ["notes"]
    with pytest.raises(RemitError, match="nothing on the own path"):
        world.act(lambda c: run.renew(c, made.id, "operator"))
    world.act(lambda c: clients.end(c, one.id, "operator"))
    assert state(world, made)[0] == "ended"
    assert asks().id != one.id


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"agent": "nobody"}, "not_found"), ({"brief": "nothing"}, "not_found"), ({"agent": "other"}, "task_refused")],
)
def test_nobody_is_asked_for_what_they_could_not_give(world, wrong, told):
    world.an_agent("other")
    before = size(world)
    with pytest.raises(RemitError) as fault:
        world.act(lambda c: run.asking(c, **({"brief": "notes", "agent": "scribe", "by": "operator"} | wrong)))
    assert (fault.value.code, size(world)) == (told, before)


def test_a_brief_on_the_agents_own_authority_has_nothing_to_ask_a_person_for(world):
    world.act(lambda c: brief.apply(c, world.a_brief(steps=steps(TrustPath.OWN)), "operator"))
    with pytest.raises(RemitError) as told:
        world.act(lambda c: run.asking(c, brief="notes", agent="scribe", by="operator"))
    assert told.value.code == "run_own"


def test_a_command_waits_for_no_yes_to_its_reach_though_a_person_consented(world):
    """What another client's task is held for, a command's is refused for: nothing is opened."""
    held = world.a_brief(replan="ask", approvers=("ops",), budget=Budget(writes=1, over="ask"))
    world.act(lambda c: brief.apply(c, held, "operator"))
    pia = consenting(world)
    given = pia.give()
    assert world.act(lambda c: c.need(Task, given.consent.task)).held == "reach"
    pia.client = world.act(lambda c: run.asking(c, brief="notes", agent="scribe", by="operator"))
    before = size(world)
    with pytest.raises(RemitError) as told:
        pia.give()
    assert (told.value.code, size(world)) == ("reach_over", before)
