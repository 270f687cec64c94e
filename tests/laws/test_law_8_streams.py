"""Law 8 told to others: what ends is an event of the very transaction that ended it, and is told until heard."""

from pathlib import Path

from remit.control import attestor, principal, session, task
from remit.control.revocation import revoke
from remit.core.told import ASSURANCE, CLAIMS, CREDENTIAL, DISABLED, REVOKED
from tests.kit.planted import Planted, each_goes_red
from tests.kit.receiving import receiving
from tests.kit.world import World, steps


def an_end_is_told_until_it_was_heard(folder: Path) -> None:
    world = World(folder).settle()
    place = receiving(world)
    place.make()
    one = world.a_task(requester=world.person.id)
    for kind, target, expected in (
        ("task", one.id, REVOKED), ("agent", world.agent.id, REVOKED), ("person", world.person.id, DISABLED),
    ):  # fmt: skip
        world.act(lambda c, k=kind, t=target: revoke(c, k, t, "operator"))
        events = place.events()
        assert events, f"the end of the {kind} is no event"
        assert expected in events[-1]["events"], f"the end of the {kind} is another event"
        assert place.events() == events, "what was not heard is gone"
        place.heard("str_x.1")
        assert place.events() == events, "what was not heard is gone"
        place.heard(*(each["jti"] for each in events))
        assert not place.events(), "what was heard is told again"
    world.close()


def what_changes_is_told(folder: Path) -> None:
    world = World(folder).settle()
    place = receiving(world)
    for acr in ("pwd", "mfa"):
        world.act(lambda c, a=acr: session.begin(c, world.person.id, session.Proof("local", acr=a)))
        if acr == "pwd":
            place.make()
    world.act(lambda c: attestor.give_secret(c, world.agent.id, "operator"))
    world.act(lambda c: principal.add_person(c, "local", "pia", "Pia", ("other",), "operator"))
    one = world.a_task()
    world.act(lambda c: task.plan(c, one.id, steps()[:1], "operator"))
    events = [next(iter(each["events"])) for each in place.events()]
    for kind in (ASSURANCE, CREDENTIAL, CLAIMS):
        assert kind in events, f"a change is not told: {kind}"
    assert events.count(CLAIMS) == 2, "a change of claims is not told"
    world.close()


LAW = an_end_is_told_until_it_was_heard
CHANGES = what_changes_is_told
PUT = '__import__("remit.store.record", fromlist=["put"]).put(change.db, {}), change.reader.clear()'
FAULTS = (
    Planted(
        "an agent's end is not written as an event in its transaction",
        "control/agent.py", 'change.record(f"agent.{event}", done, by, because)', PUT.format("done"),
        LAW, "the end of the agent is no event",
    ),
    Planted(
        "a task's end is not written as an event in its transaction",
        "control/task.py", 'change.record("task.ended", ended[0], by)', PUT.format("ended[0]"),
        LAW, "the end of the task is no event",
    ),
    Planted(
        "a person's end is passed over", "core/told.py", '"person.left": _left,', "",
        LAW, "the end of the person is no event",
    ),
    Planted(
        "what is sent counts as heard", "control/stream.py", "known = one.told.jti in names", "known = True",
        LAW, "what was not heard is gone",
    ),
    Planted(
        "nothing is ever heard", "control/stream.py", "known = one.told.jti in names", "known = False",
        LAW, "what was heard is told again",
    ),
    Planted(
        "another level of sign-in is not noticed", "control/session.py", "last.acr != acr", "last.acr == acr",
        CHANGES, "a change is not told: https://schemas.openid.net/secevent/caep/event-type/assurance",
    ),
    Planted(
        "a new secret is passed over", "core/told.py", '"agent.bound": _bound,', "",
        CHANGES, "a change is not told: https://schemas.openid.net/secevent/caep/event-type/credential",
    ),
    Planted(
        "that the groups are others is not said in the receipt", "control/principal.py",
        '"person.changed", person, by, REGROUPED', '"person.changed", person, by', CHANGES, "a change of claims",
    ),
    Planted(
        "another plan is passed over", "core/told.py", '"task.planned": _planned,', "", CHANGES, "a change of claims",
    ),
)  # fmt: skip


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


def test_law_of_changes(tmp_path):
    tmp_path.chmod(0o700)
    CHANGES(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
