"""A signal and all that it ends, on a store of each kind; nothing of it when it fails half-way."""

from dataclasses import replace

import pytest

from remit.control import principal, signal, task
from remit.core.consent import Consent
from remit.core.moment import Instant
from remit.core.signal import CAEP, Signal
from remit.core.task import Task
from remit.custody.secevent import Event
from tests.kit import stores
from tests.kit.consenting import consenting
from tests.kit.nouns import code, transmitter
from tests.kit.told import kinds, size
from tests.kit.world import World, read_call

SOURCE = transmitter(issuer="local")


def event(world, jti="j1", sub="pia", iss="local", kind="session-revoked"):
    now = world.authority.clock.now()
    about = {"format": "iss_sub", "iss": iss, "sub": sub}
    return Event(jti, f"{CAEP}{kind}", {}, about, now, Instant(now + 60_000))


@pytest.mark.parametrize("kind", stores.KINDS)
def test_what_a_signal_ends_has_ended_with_its_receipt(kind, tmp_path):
    world = World(stores.place(kind, tmp_path / "store")).settle()
    world.act(lambda c: signal.add(c, SOURCE, "operator"))
    one = world.a_task(requester=world.person.id)
    child = world.a_task(parent=one.id, requester=one.requester, person=one.person)
    own = world.a_task()
    made = world.act(lambda c: signal.hear(c, SOURCE, event(world)))
    assert made.ends == "tasks"
    states = [world.act(lambda c, t=each: c.need(Task, t.id)).state for each in (one, child, own)]
    assert states == ["ended", "ended", "open"]
    assert world.act(lambda c: signal.hear(c, SOURCE, event(world))) is None
    assert world.act(lambda c: signal.hear(c, SOURCE, event(world, "j2", "nobody"))) is None
    assert code(world.act, lambda c: signal.hear(c, SOURCE, event(world, "j3", iss="else"))) == "subject_foreign"
    assert code(world.act, lambda c: signal.add(c, transmitter(issuer="x"), "operator")) == "name_taken"
    world.act(lambda c: signal.remove(c, "idp", "operator"))
    assert code(world.act, lambda c: signal.hear(c, SOURCE, event(world, "j4"))) == "transmitter_gone"
    world.close()


@pytest.mark.parametrize("kind", stores.KINDS)
def test_an_address_is_its_person_however_it_is_capitalised_and_of_two_neither(kind, tmp_path):
    world = World(stores.place(kind, tmp_path / "store")).settle()
    source = transmitter(issuer="local", email=True)
    world.act(lambda c: signal.add(c, source, "operator"))

    def added(subject):
        return world.act(lambda c: principal.add_person(c, "local", subject, "Ann", (), "operator")).id

    def heard(jti, address):
        about = {"format": "email", "email": address}
        told = replace(event(world, jti), subject=about)
        made = world.act(lambda c: signal.hear(c, source, told))
        return made.person if made else None

    ann = added("Ann@Example.test")
    assert heard("j1", "ann@example.test") == heard("j2", "Ann@Example.test") == ann
    assert heard("j3", "bob@example.test") is None
    other = added("ann@example.test")
    assert (heard("j5", "Ann@Example.test"), heard("j6", "ann@example.test")) == (ann, other)
    assert heard("j7", "ANN@example.test") is None
    world.close()


def test_a_person_of_several_names_is_ended_by_whichever_is_known(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    world.act(lambda c: signal.add(c, SOURCE, "operator"))
    one = world.a_task(requester=world.person.id)
    foreign, unknown, pia = (
        {"format": "iss_sub", "iss": iss, "sub": sub}
        for iss, sub in (("else", "pia"), ("local", "x"), ("local", "pia"))
    )

    def heard(jti, *names):
        told = replace(event(world, jti), subject={"format": "aliases", "identifiers": list(names)})
        return world.act(lambda c: signal.hear(c, SOURCE, told))

    assert code(heard, "j1", foreign, unknown) == "subject_foreign"
    assert heard("j2", unknown) is None
    assert world.act(lambda c: c.need(Task, one.id)).state == "open"
    assert heard("j3", foreign, unknown, pia).person == world.person.id
    assert world.act(lambda c: c.need(Task, one.id)).state == "ended"
    world.close()


@pytest.mark.parametrize("kind", stores.KINDS)
def test_what_a_signal_ended_comes_back_by_no_refresh_token_and_no_code(kind, tmp_path):
    """Claims that changed end credentials until the person signs in anew; what waits for its turn is no sign-in."""
    world = World(stores.place(kind, tmp_path / "store")).settle()
    world.act(lambda c: signal.add(c, SOURCE, "operator"))
    pia = consenting(world)
    waiting, given = pia.give(), pia.give()
    made, token = pia.redeem(given.code)
    heard = world.act(lambda c: signal.hear(c, SOURCE, event(world, kind="token-claims-change")))
    assert heard.ends == "credentials"
    assert world.decide(read_call(), world.enter(made.text)).code == "credential_ended"
    assert getattr(pia.renew(token), "code", "given") == "invalid_grant"
    assert getattr(pia.redeem(waiting.code), "code", "given") == "invalid_grant"
    assert world.act(lambda c: c.need(Consent, given.consent.id)).state == "live"
    assert world.act(lambda c: c.need(Consent, waiting.consent.id)).state == "live"
    world.close()


def test_a_signal_that_fails_half_way_leaves_nothing_and_can_be_told_again(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    world.act(lambda c: signal.add(c, SOURCE, "operator"))
    one = world.a_task(requester=world.person.id)
    before = size(world)
    with monkeypatch.context() as broken:
        broken.setattr(task, "end", lambda *_: 1 / 0)
        assert code(world.act, lambda c: signal.hear(c, SOURCE, event(world))) == "internal"
    assert size(world) == before
    assert world.act(lambda c: signal.hear(c, SOURCE, event(world))).person == world.person.id
    assert kinds(world, before) == ["signal.heard", "task.ended"]
    assert world.act(lambda c: c.need(Task, one.id)).state == "ended"
    assert len(world.act(lambda c: list(c.reader.where(Signal)))) == 1
    world.close()
