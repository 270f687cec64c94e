"""Events that are polled end what pushed ones end; they are acknowledged after that, and only then."""

import asyncio
import base64
import threading
import time
from urllib.parse import parse_qs

import joserfc.jwt
import pytest
from joserfc.jwk import ECKey

from remit.control import brief, principal, signal
from remit.control.poller import Poller, Source
from remit.core import poll as rules
from remit.core.poll import KEY, POST
from remit.core.principal import Person
from remit.core.receipt import decode
from remit.core.signal import CAEP, RISC, VERIFY, Signal, Transmitter
from remit.core.task import Task
from remit.store import polled as store
from remit.store.log import entries
from remit.web import listening
from remit.web.hearing import LARGEST
from remit.web.listening import Listening
from remit.web.settings import Issuer
from tests.kit.asking import opened
from tests.kit.nouns import code
from tests.kit.site import site
from tests.kit.transmitting import Transmitter as Other
from tests.kit.world import ISSUER

REVOKED = f"{CAEP}session-revoked"
PATIENCE = 60


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def other():
    made = Other()
    yield made
    made.close()


@pytest.fixture
def place(tmp_path, other, monkeypatch):
    monkeypatch.setattr(listening, "REST_S", 0.05)
    monkeypatch.setattr(rules, "FIRST_MS", 4)
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(other.url, "remit"),)) as one:
        one.bot, one.other = one.agent("bot"), other
        one.pia = one.act(lambda c: principal.add_person(c, other.url, "pia-at-idp", "Pia", (), "operator")).id
        listed = (one.world.owner.id, one.pia)
        one.act(lambda c: brief.apply(c, one.world.a_brief(agents=(one.bot,), dispatchers=listed), "operator"))
        given = Transmitter(name="idp", issuer=other.url, audience=ISSUER, keys_url=f"{other.url}/jwks")
        one.act(lambda c: signal.add(c, given, "operator"))
        one.now = one.world.authority.clock.now() // 1000
        one.count, one.said, one.running = iter(range(10_000)), [], []
        yield one
        for each in list(one.running):
            silence(one, each)


def listen(place, **members):
    """Poll from now on, as a node does."""
    source = Source(**({"transmitter": "idp", "url": f"{place.other.url}/poll"} | members))
    made = Listening(place.world.authority, place.world.batch, (source,), place.said.append)
    place.loop.call_soon_threadsafe(made.start, place.loop)
    place.running.append(made)
    return made


def silence(place, made):
    place.running.remove(made)
    asyncio.run_coroutine_threadsafe(made.stop(), place.loop).result(20)


def event(place, kind=REVOKED, said=None, named="", head=None, **changes):
    body = {"iss": place.other.url, "aud": ISSUER, "iat": place.now, "jti": f"j{next(place.count)}"}
    body |= {"sub_id": {"format": "iss_sub", "iss": place.other.url, "sub": "pia-at-idp"}, "events": {kind: said or {}}}
    return place.other.tell({k: v for k, v in (body | changes).items() if v is not None}, named, **(head or {}))


def state(place, kind, identity):
    return place.act(lambda c: c.need(kind, identity)).state


def signals(place):
    return place.act(lambda c: list(c.reader.where(Signal)))


def kept(place):
    return place.read(store.every).get("idp")


def test_an_event_that_is_polled_is_recorded_and_ends_in_one_transaction_and_is_then_acknowledged(place, other):
    errand = opened(place, place.bot, requester=place.pia)
    seen = []
    other.on_ack = lambda name: seen.append((name, state(place, Task, errand)))
    before = place.act(lambda c: c.base)
    listen(place, authorization=b"Bearer theirs")
    name = event(place)
    until(lambda: other.acked)
    assert seen == [(name, "ended")], "it was acknowledged before it was done"
    kinds = [decode(body)["kind"] for body in place.act(lambda c: list(entries(c.db, before, c.base)))]
    assert kinds[-2:] == ["signal.heard", "task.ended"]
    assert other.headers[0]["authorization"] == "Bearer theirs"
    assert other.headers[0]["content-type"] == "application/json"
    assert other.asked[0]["returnImmediately"] is False, "a first poll waits for what comes"
    assert signals(place)[0].transmitter == "idp"


def test_each_kind_ends_what_it_ends_when_it_is_pushed_and_more_are_fetched_at_once(place, other):
    other.at_once = 2
    names = [event(place, VERIFY, {"state": "x"}), event(place, f"{CAEP}assurance-level-change")]
    names += [event(place, sub_id={"format": "opaque", "id": "nobody"}), event(place, f"{RISC}account-disabled")]
    began = time.monotonic()
    other.holds = 20
    listen(place)
    until(lambda: other.acked == names)
    assert time.monotonic() - began < 15, "it waited although more was there"
    assert state(place, Person, place.pia) == "gone"
    assert sorted(one.ends for one in signals(place)) == ["credentials", "person"]
    assert kept(place).tries == 0


def test_what_can_never_be_taken_is_said_so_once_and_holds_nothing_back(place, other):
    errand = opened(place, place.bot, requester=place.pia)
    wrong = {
        event(place, iss="https://evil.test"): "invalid_issuer", event(place, aud="x"): "invalid_audience",
        event(place, exp=9_999_999_999): "invalid_request", event(place, head={"typ": "JWT"}): "invalid_request",
        event(place, named="another"): "invalid_request",
        event(place, sub_id={"format": "iss_sub", "iss": "local", "sub": "olga"}): "access_denied",
        event(place, padding="x" * LARGEST): "invalid_request",
    }  # fmt: skip
    other.sets["garbage"], wrong["garbage"] = "not a token", "invalid_request"
    good = event(place)
    listen(place)
    until(lambda: other.acked and len(other.errors) == len(wrong))
    assert {name: why["err"] for name, why in other.errors.items()} == wrong
    assert other.acked == [good]
    assert state(place, Task, errand) == "ended"
    assert len(signals(place)) == 1


def test_a_token_is_asked_for_as_a_client_and_another_one_when_it_counts_no_more(place):
    place.other.client = "Basic " + base64.b64encode(b"us%3A1:s%26cret").decode()
    errand = opened(place, place.bot, requester=place.pia)
    event(place)
    given = {"token": f"{place.other.url}/token", "client": "us:1", "scope": "ssf.read"}
    listen(place, **given, secret=b"s&cret")
    until(lambda: place.other.acked)
    assert state(place, Task, errand) == "ended"
    assert place.other.grants == [(place.other.client, "grant_type=client_credentials&scope=ssf.read")]
    place.other.tokens.append("theirs alone")
    event(place)
    until(lambda: len(place.other.acked) == 2)
    assert len(place.other.grants) == 2, "it was renewed, and once"
    assert place.said == [], "nothing went wrong on the way"


def test_a_client_proves_itself_in_the_form_or_by_a_key_another_time_for_each_token(place):
    key, seen = ECKey.generate_key("P-256"), []

    def admits(text):
        said = {name: value for name, (value,) in parse_qs(text).items()}
        if "client_secret" in said:
            return (said["client_id"], said["client_secret"]) == ("us:1", "s&cret")
        claims = joserfc.jwt.decode(said["client_assertion"], key, algorithms=["ES256"]).claims
        seen.append(claims["jti"])
        held = place.world.authority.clock.now() // 1000
        return (
            said["client_assertion_type"].endswith("client-assertion-type:jwt-bearer")
            and claims["iss"] == claims["sub"] == said["client_id"] == "us:1"
            and claims["aud"] == "https://idp.example" and claims["iat"] <= held < claims["exp"] <= claims["iat"] + 60
        )  # fmt: skip

    place.other.client, place.other.admits = "nobody", admits
    given = {"token": f"{place.other.url}/token", "client": "us:1"}
    for number, more in enumerate(
        (
            {"secret": b"s&cret", "proof": POST},
            {"secret": key.as_pem(private=True), "proof": KEY, "token_issuer": "https://idp.example"},
        ),
        1,
    ):
        event(place)
        made = listen(place, **given, **more)
        until(lambda so_far=number: len(place.other.acked) == so_far)
        silence(place, made)
    assert [shown for shown, _ in place.other.grants] == ["None", "None"], "a secret went in a header, too"
    place.other.tokens.append("theirs alone")
    event(place)
    listen(place, **given, **more)
    until(lambda: len(place.other.acked) == 3)
    assert len(set(seen)) == len(seen) >= 2
    place.other.admits = lambda _: False
    place.other.tokens.append("theirs alone")
    event(place)
    until(lambda: place.said)
    assert place.said[0].startswith("Transmitter idp: Its token endpoint gives nothing. It answered 401.")


def test_a_client_that_is_refused_polls_nothing_and_says_no_secret(place):
    place.other.client = "Basic other"
    listen(place, token=f"{place.other.url}/token", client="us", secret=b"hidden-word")
    until(lambda: place.said)
    assert place.said[0].startswith("Transmitter idp: Its token endpoint gives nothing. It answered 401.")
    assert place.other.asked == []
    assert "hidden-word" not in "".join(place.said)


def test_a_lost_acknowledgement_and_a_restart_make_nothing_count_twice_and_lose_nothing(place, other):
    first = opened(place, place.bot, requester=place.pia)
    name = event(place)
    text = other.sets[name]
    held = threading.Event()
    other.on_ack = lambda _: held.wait(20)
    listen(place)
    until(lambda: state(place, Task, first) == "ended")
    silence(place, place.running[0])
    held.set()
    other.on_ack, other.acked = None, []
    other.sets[name] = text
    later = opened(place, place.bot, requester=place.pia)
    listen(place)
    until(lambda: other.acked == [name])
    assert state(place, Task, later) == "open", "an event that was told again counted again"
    assert len(signals(place)) == 1


def test_while_its_keys_cannot_be_had_an_event_is_neither_acknowledged_nor_refused(place, other, monkeypatch):
    monkeypatch.setattr("remit.web.keysets.AGAIN_MS", 10)
    errand = opened(place, place.bot, requester=place.pia)
    other.keys = False
    name = event(place)
    listen(place)
    until(lambda: kept(place) and kept(place).tries >= 3)
    assert (other.acked, other.errors, state(place, Task, errand)) == ([], {}, "open")
    other.keys = True
    until(lambda: other.acked == [name])
    assert state(place, Task, errand) == "ended"
    until(lambda: kept(place).tries == 0)
    assert len(place.said) == 1, "the operator is told once, not each time"


def test_a_transmitter_that_fails_or_leads_elsewhere_is_asked_again_and_learns_nothing(place, other):
    name = event(place)
    other.answers = [500, 302, 401, b"x", {"sets": []}, {"sets": {"a": 1}}, {"sets": {}, "moreAvailable": 1}, []]
    listen(place)
    until(lambda: other.acked == [name])
    assert all("ack" not in one for one in other.asked[:9])
    assert rules.again(0) == 4
    assert 4 * 2**16 == rules.again(50) < rules.LONGEST_MS


def test_an_event_by_a_key_that_is_not_published_is_refused_in_the_end(place, other, monkeypatch):
    monkeypatch.setattr(listening, "KEYS_S", 0.3)
    name = event(place, head={"kid": "unknown"})
    good = event(place)
    listen(place)
    until(lambda: other.errors and other.acked)
    assert (other.errors[name]["err"], other.acked) == ("invalid_key", [good])
    assert "does not publish" in place.said[0]


def test_who_is_not_registered_any_more_is_not_asked(place, other):
    place.act(lambda c: signal.remove(c, "idp", "operator"))
    event(place)
    made = listen(place)
    place.act(lambda c: None)
    time.sleep(0.2)
    assert not other.asked
    given = Transmitter(name="idp", issuer=other.url, audience=ISSUER, keys_url=f"{other.url}/jwks")
    place.act(lambda c: signal.add(c, given, "operator"))
    until(lambda: other.acked)
    silence(place, made)


@pytest.mark.parametrize("url", ["http://10.0.0.1/poll", "https://192.168.1.1/poll", "http://[fd00::1]/poll"])
def test_a_private_address_is_asked_only_where_the_settings_mean_it(url):
    said = Poller(Source("idp", url)).ask({})
    assert said == "It has a private address."


def test_what_is_too_large_or_slow_is_given_up(other, monkeypatch):
    one = Poller(Source("idp", other.url))
    monkeypatch.setattr("remit.control.poller.LARGEST", 100)
    other.answers = [{"sets": {"a": "x" * 200}}]
    assert one.ask({}) == "It answered too much at once."
    monkeypatch.setattr("remit.control.poller.PATIENCE_S", 0.05)
    assert isinstance(one.ask({"maxEvents": 1, "returnImmediately": False}), str)
    one.stop()
    assert isinstance(one.ask({}), str)
    assert code(rules.answer, {"sets": {}, "moreAvailable": None}) == "poll_invalid"
    assert rules.answer({"sets": {str(n): "x" for n in range(rules.TAKEN + 1)}}).more
