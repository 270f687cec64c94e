"""What is told to a receiver: an event for each kind of end, of nobody's name, on a store of each kind, until heard."""

import json

import pytest

from remit.control import agent as agents
from remit.control import attestor, principal, session, task
from remit.control import stream as streams
from remit.control.revocation import revoke
from remit.core.signal import VERIFY
from remit.core.stream import Stream
from remit.core.task import Task
from remit.core.told import ASSURANCE, CLAIMS, CREDENTIAL, DISABLED, REVOKED
from remit.store import hook as outbox
from tests.kit import stores
from tests.kit.consenting import consenting
from tests.kit.nouns import code
from tests.kit.receiving import receiving
from tests.kit.told import ByHand, Time, size
from tests.kit.world import World

PIA = {"format": "iss_sub", "iss": "local", "sub": "pia"}


@pytest.fixture(params=stores.KINDS)
def place(request, tmp_path):
    time = Time()
    world = World(stores.place(request.param, tmp_path / "store"), ByHand(time)).settle()
    world.time = time
    made = receiving(world)
    yield made
    world.close()


def delegated(world):
    return world.a_task(requester=world.person.id)


def opaque(identity):
    return {"format": "opaque", "id": identity}


def test_each_kind_of_end_is_one_event_and_no_name_is_said(place):
    world = place.world
    delegated(world)
    place.make()
    one, own = delegated(world), world.a_task()
    world.act(lambda c: revoke(c, "task", one.id, world.person.id))
    agreed = consenting(world).give().consent
    world.act(lambda c: revoke(c, "consent", agreed.id, world.person.id))
    world.act(lambda c: revoke(c, "agent", world.agent.id, "operator"))
    world.act(lambda c: revoke(c, "person", world.person.id, "operator"))
    events = place.events()
    said = [(next(iter(each["events"])), each["sub_id"]) for each in events]
    assert said[0] == (REVOKED, _subject(world, one.id, PIA))
    assert said[1][0] == REVOKED
    assert said[1][1]["session"] == opaque(agreed.task)
    assert said[1][1]["user"] == PIA
    assert said[2] == (REVOKED, {"format": "complex", "application": opaque(world.agent.id)})
    assert own.id in [one["session"]["id"] for _, one in said[3:-1]], "the agent's own task went with it"
    assert said[-1] == (DISABLED, PIA)
    who = [next(iter(each["events"].values())).get("initiating_entity") for each in events]
    assert who[:3] == ["user", "user", "admin"]
    assert len({each["jti"] for each in events}) == len(events)
    assert len({each["txn"] for each in events[2:-1]}) == 1, "what one act ended goes by one transaction"
    assert "Pia" not in json.dumps(events)
    assert place.events() == events, "the same each time"


def _subject(world, identity, user=None):
    said = {"format": "complex", "application": opaque(world.agent.id), "session": opaque(identity)}
    return said | ({"user": user} if user else {})


def test_a_receiver_of_other_people_gets_an_opaque_id(place):
    world = place.world
    place.receiver = streams.Receiver("siem", place.receiver.audience, people="https://other.example")
    place.make()
    one = delegated(world)
    world.act(lambda c: revoke(c, "task", one.id, "operator"))
    world.act(lambda c: revoke(c, "person", world.person.id, "operator"))
    task_gone, person_gone = place.events()
    assert task_gone["sub_id"]["user"] == person_gone["sub_id"] == opaque(world.person.id)


def test_what_came_to_its_own_end_or_was_undone_is_told_to_nobody(place, monkeypatch):
    world = place.world
    place.make()
    done, kept = delegated(world), delegated(world)
    world.act(lambda c: task.end(c, done.id, "complete", world.agent.id))
    before = size(world)
    with monkeypatch.context() as broken:
        broken.setattr(agents, "stop", lambda *_: 1 / 0)
        assert code(world.act, lambda c: revoke(c, "agent", world.agent.id, "operator")) == "internal"
    assert size(world) == before
    assert place.events() == []
    assert world.act(lambda c: c.need(Task, kept.id)).state == "open"


def test_only_what_is_asked_for_is_told_and_nothing_from_before(place):
    world = place.world
    old = delegated(world)
    world.act(lambda c: revoke(c, "task", old.id, "operator"))
    made = place.make(events=(DISABLED, "https://unknown.example/event"))
    assert made.events == (DISABLED,)
    one = delegated(world)
    world.act(lambda c: revoke(c, "task", one.id, "operator"))
    assert place.events() == []
    world.act(lambda c: streams.alter(c, place.stream(), events=(REVOKED,), description="x"))
    assert len(place.events()) == 1


def ended(place, count):
    world = place.world
    for _ in range(count):
        one = delegated(world)
        world.act(lambda c, t=one: revoke(c, "task", t.id, "operator"))


def test_it_waits_until_it_is_heard_in_whatever_order_and_no_longer(place):
    place.make()
    ended(place, 3)
    first, second, third = [one["jti"] for one in place.events()]
    assert place.waiting(2)[1] is True
    place.heard(second, "str_x.1", f"{place.stream().id}.999999")
    assert [one["jti"] for one in place.events()] == [first, third]
    place.heard(first)
    assert [one["jti"] for one in place.events()] == [third]
    place.heard(third, trouble="It refused an event.")
    assert place.events() == []
    told = outbox.get(place.world.authority.view, place.receiver.name)
    assert told.trouble == "It refused an event."


def test_a_verification_without_a_state_is_told_like_any_other_and_holds_up_nothing(place):
    world = place.world
    place.make()
    world.act(lambda c: streams.verify(c, place.stream(), ""))
    ended(place, 1)
    first, second = place.events()
    assert (first["events"], next(iter(second["events"]))) == ({VERIFY: {}}, REVOKED)


def test_paused_it_waits_disabled_it_is_never_told_and_it_is_verified(place):
    world = place.world
    place.make()
    world.act(lambda c: streams.move(c, place.stream(), "paused"))
    ended(place, 1)
    assert place.events() == []
    world.act(lambda c: streams.move(c, place.stream(), "enabled"))
    (held,) = place.events()
    world.act(lambda c: streams.verify(c, place.stream(), "state-1"))
    assert code(world.act, lambda c: streams.verify(c, place.stream(), "again")) == "rate_exceeded"
    assert [next(iter(one["events"])) for one in place.events()] == [REVOKED, VERIFY]
    assert place.events()[1]["events"][VERIFY] == {"state": "state-1"}
    assert place.events()[1]["sub_id"] == opaque(place.stream().id)
    world.act(lambda c: streams.move(c, place.stream(), "disabled"))
    ended(place, 1)
    place.heard(held["jti"])
    world.act(lambda c: streams.move(c, place.stream(), "enabled"))
    assert place.events() == []
    ended(place, 1)
    assert len(place.events()) == 1
    assert code(world.act, lambda c: streams.move(c, place.stream(), "ended")) == "stream_invalid"


def test_a_receiver_has_one_stream_and_another_has_nothing_of_before(place):
    world = place.world
    made = place.make()
    assert code(place.make) == "name_taken"
    ended(place, 1)
    world.act(lambda c: streams.end(c, c.need(Stream, made.id)))
    assert code(world.act, lambda c: streams.need(c.reader, place.service.id, made.id)) == "not_found"
    place.make()
    assert place.events() == []


def test_what_changed_a_credential_a_level_or_a_claim_is_told_as_it_is_recorded(place):
    world = place.world
    who = world.person.id

    def enter(acr):
        world.time.on(1)
        world.act(lambda c: session.begin(c, who, session.Proof("local", world.time.ms, acr)))

    enter("pwd")
    place.make()
    enter("pwd")
    enter("")
    enter("mfa")
    world.act(lambda c: attestor.give_secret(c, world.agent.id, "operator"))
    world.act(lambda c: attestor.give_secret(c, world.agent.id, "operator"))
    for _ in range(2):
        world.act(lambda c: principal.give_token(c, place.service.id, "operator"))
    groups = ("readers", *world.person.groups)
    for _ in range(2):
        world.act(lambda c: principal.add_person(c, "local", "pia", "Pia", groups, who))
    world.act(lambda c: principal.limit(c, who, (), "operator"))
    events = place.events()
    told = [(next(iter(one["events"].items())), one["sub_id"]) for one in events]
    how = ("current_level", "change_type", "claims")
    assert [(kind, next(said[one] for one in how if one in said)) for (kind, said), _ in told] == [
        (ASSURANCE, "mfa"), (CREDENTIAL, "create"), (CREDENTIAL, "revoke"), (CREDENTIAL, "create"),
        (CREDENTIAL, "create"), (CREDENTIAL, "update"), (CLAIMS, {"groups": list(groups)}),
    ]  # fmt: skip
    assert told[0][0][1]["previous_level"] == "pwd"
    assert [subject for _, subject in told] == [
        PIA, *[{"format": "complex", "application": opaque(world.agent.id)}] * 3, *[opaque(place.service.id)] * 2, PIA,
    ]  # fmt: skip
    assert events[2]["txn"] == events[3]["txn"], "the one secret went and the other came in one act"
    world.act(lambda c: streams.alter(c, place.stream(), events=(CLAIMS,), description=""))
    world.act(lambda c: streams.choose(c, place.stream(), who, told=False))
    assert place.events() == [], "it asked for other events, and not of Pia"
