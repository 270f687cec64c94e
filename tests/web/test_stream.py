"""The transmitter's face: a receiver looks after its stream and polls it; a stranger learns nothing."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from remit.control import key, principal
from remit.control import stream as streams
from remit.control.revocation import revoke
from remit.control.stream import Receiver
from remit.control.task import open_task
from remit.core.principal import Service
from remit.core.told import CREDENTIAL, DISABLED, REVOKED, SUPPORTED
from remit.custody.signer import Purpose
from remit.web import receiving
from remit.web.stream import POLL, PUSH
from tests.kit.receiving import AUDIENCE, read
from tests.kit.site import ask, site
from tests.kit.world import ISSUER

EAR = "https://siem.example/events"
NOW = {"returnImmediately": True}


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    known = (Receiver("siem", AUDIENCE, EAR, "local"), Receiver("other", "https://other.example", algorithm="RS256"))
    with site(tmp_path, receivers=known) as one:
        one.bot = one.agent("bot")

        def token(name):
            made = one.act(lambda c: principal.add_service(c, name, one.world.owner.id, (), "operator"))
            return one.act(lambda c: principal.give_token(c, made.id, "operator"))[1]

        one.siem, one.other, one.door = token("siem"), token("other"), token("door")
        yield one


def made(place, token="", **members):
    given = {"delivery": {"method": POLL}} | members
    answer = place.send("/ssf/streams", given, token or place.siem)
    assert answer.status == 201, answer.body
    return answer.json


def poll(place, token="", **members):
    answer = place.send("/ssf/poll", NOW | members, token or place.siem)
    assert answer.status == 200, answer.body
    return answer.json


def ended(place):
    return place.act(lambda c: revoke(c, "agent", place.bot, "operator"))


def test_it_says_what_it_is_and_publishes_the_keys_of_events_alone(place):
    said = place.get("/.well-known/ssf-configuration", "").json
    assert said["issuer"] == ISSUER
    assert said["jwks_uri"] == f"{ISSUER}/ssf/jwks"
    assert (said["delivery_methods_supported"], said["default_subjects"]) == ([PUSH, POLL], "ALL")
    keys = {one["kid"] for one in place.get("/ssf/jwks", "").json["keys"]}
    others = {
        one["kid"] for path in ("jwks", "transaction-jwks") for one in place.get(f"/oauth/{path}", "").json["keys"]
    }
    assert len(keys) == 2
    assert not keys & others


def test_events_are_polled_acknowledged_and_refused(place):
    stream = made(place)
    assert (stream["iss"], stream["aud"]) == (ISSUER, AUDIENCE)
    assert stream["delivery"] == {"method": POLL, "endpoint_url": f"{ISSUER}/ssf/poll"}
    assert stream["events_delivered"] == list(SUPPORTED)
    assert poll(place) == {"sets": {}}
    ended(place)
    place.act(lambda c: revoke(c, "person", place.world.person.id, "operator"))
    assert poll(place, maxEvents=0) == {"sets": {}, "moreAvailable": True}
    first = poll(place, maxEvents=1)
    assert first["moreAvailable"] is True
    both = poll(place)["sets"]
    told = {name: read(place.world, text) for name, text in both.items()}
    assert [name for name, said in told.items() if said["jti"] == name] == list(both)
    assert [next(iter(one["events"])) for one in told.values()] == [REVOKED, DISABLED]
    one, other = both
    assert list(poll(place, ack=[one])["sets"]) == [other]
    assert poll(place, setErrs={other: {"err": "invalid_key", "description": "x"}}) == {"sets": {}}
    assert poll(place, ack=[one, other, "nonsense"]) == {"sets": {}}


def test_a_long_stretch_that_tells_nothing_hides_no_event_behind_it(place, monkeypatch):
    monkeypatch.setattr(streams, "PART", 4)
    made(place, events_requested=[REVOKED])
    for number in range(12):
        place.agent(f"quiet{number}")
    ended(place)
    for number in range(12):
        place.agent(f"again{number}")
    (name,) = poll(place)["sets"]
    assert list(poll(place)["sets"]) == [name]
    assert poll(place, ack=[name]) == {"sets": {}}


def test_a_receiver_that_asks_for_rs256_polls_events_by_the_rsa_key_alone(place):
    place.act(lambda c: key.ensure(c, "operator", (Purpose.EVENT_RSA,)))
    made(place, events_requested=[CREDENTIAL, REVOKED])
    made(place, place.other, events_requested=[CREDENTIAL, REVOKED])
    place.agent("keyed")
    ended(place)
    plain, theirs = poll(place)["sets"].values(), poll(place, place.other)["sets"].values()
    for texts, algorithm, audience in ((plain, "ES256", AUDIENCE), (theirs, "RS256", "https://other.example")):
        said = [read(place.world, text, algorithm, audience) for text in texts]
        assert [next(iter(one["events"])) for one in said] == [CREDENTIAL, REVOKED]
    kinds = [(one["kty"], one["alg"]) for one in place.get("/ssf/jwks", "").json["keys"]]
    assert sorted(kinds) == [("EC", "ES256")] * 2 + [("RSA", "RS256")] * 2


def test_a_poll_that_may_wait_is_answered_when_something_ends(place):
    made(place)
    place.loop.call_soon_threadsafe(place.loop.call_later, 0.7, lambda: _later(place))
    assert len(poll(place, returnImmediately=False)["sets"]) == 1


def _later(place):
    place.world.batch.submit("test", lambda c: revoke(c, "agent", place.bot, "operator"), lambda _: None)
    place.world.batch.wake()


def test_a_stream_is_changed_paused_verified_and_ended(place):
    identity = made(place)["stream_id"]
    where = f"/ssf/streams?stream_id={identity}"
    assert place.send("/ssf/streams", {}, place.siem).status == 409
    changed = {"stream_id": identity, "events_requested": [DISABLED], "description": "ours"}
    assert place.send("/ssf/streams", changed, place.siem, "PATCH").json["events_delivered"] == [DISABLED]
    assert place.get(where, place.siem).json["description"] == "ours"
    told = place.get(where, place.siem).json
    assert place.send("/ssf/streams", told, place.siem, "PATCH").json == told
    for name, wrong in (
        ("iss", "https://other.example"),
        ("aud", "x"),
        ("events_supported", []),
        ("inactivity_timeout", 1),
    ):
        for method in ("PATCH", "PUT"):
            assert place.send("/ssf/streams", {"stream_id": identity, name: wrong}, place.siem, method).status == 400
    assert [one["stream_id"] for one in place.get("/ssf/streams", place.siem).json] == [identity]
    paused = place.send("/ssf/status", {"stream_id": identity, "status": "paused", "reason": "tests"}, place.siem)
    assert paused.json == {"stream_id": identity, "status": "paused"}
    assert place.get(f"/ssf/status?stream_id={identity}", place.siem).json == paused.json
    place.send("/ssf/status", {"stream_id": identity, "status": "enabled"}, place.siem)
    assert place.send("/ssf/verify", {"stream_id": identity, "state": "s"}, place.siem).status == 204
    assert place.send("/ssf/verify", {"stream_id": identity}, place.siem).status == 429
    assert len(poll(place)["sets"]) == 1
    assert place.send("/ssf/streams", {"stream_id": identity}, place.siem, "PUT").json["events_delivered"] == list(
        SUPPORTED
    )
    assert place.send(where, b"", place.siem, "DELETE").status == 204
    assert place.get(where, place.siem).status == 404
    assert place.send("/ssf/poll", NOW, place.siem).status == 404


def test_of_a_subject_that_was_removed_nothing_is_told_until_it_is_added(place):
    identity = made(place)["stream_id"]
    said = place.get("/.well-known/ssf-configuration", "").json
    add, remove = (said[f"{name}_subject_endpoint"].removeprefix(ISSUER) for name in ("add", "remove"))
    bot = {"format": "opaque", "id": place.bot}
    pia = {"format": "iss_sub", "iss": "local", "sub": "pia"}

    def send(where, subject, token=place.siem, stream=identity):
        return place.send(where, {"stream_id": stream, "subject": subject}, token).status

    assert [send(remove, bot), send(remove, bot), send(remove, pia)] == [204, 204, 204]
    ended(place)
    world = place.world
    one = place.act(lambda c: open_task(c, brief="notes", agent=world.agent.id, requester=world.person.id, by="x"))
    place.act(lambda c: revoke(c, "task", one.id, "operator"))
    assert poll(place) == {"sets": {}}
    other = place.act(lambda c: open_task(c, brief="notes", agent=world.agent.id, requester=world.owner.id, by="x"))
    place.act(lambda c: revoke(c, "task", other.id, "operator"))
    told = [read(world, text) for text in poll(place)["sets"].values()]
    assert [each["sub_id"]["session"]["id"] for each in told] == [other.id], "it tells of others as before"
    assert send(add, pia) == 200
    place.act(lambda c: revoke(c, "person", world.person.id, "operator"))
    told = [next(iter(read(world, text)["events"])) for text in poll(place)["sets"].values()]
    assert DISABLED in told
    stranger = {"format": "iss_sub", "iss": "https://else.test", "sub": "pia"}
    unknown = [{"format": "opaque", "id": "agt_" + "a" * 26}, {"format": "opaque", "id": "x"}, {}, "x", None, stranger]
    assert {send(remove, each) for each in unknown} == {404}
    assert [send(remove, bot, ""), send(remove, bot, place.door), send(remove, bot, place.other)] == [401, 403, 404]


def test_nothing_is_pushed_but_where_the_settings_say(place):
    for wrong in (
        {"method": PUSH, "endpoint_url": "https://evil.example/"}, {"method": "urn:other"}, "x",
        {"method": PUSH, "authorization_header": "Bearer x"},
    ):  # fmt: skip
        answer = place.send("/ssf/streams", {"delivery": wrong}, place.siem)
        assert (answer.status, answer.json["code"]) == (400, "stream_invalid"), wrong
    assert place.send("/ssf/streams", {"delivery": {"method": PUSH}}, place.other).status == 400
    pushed = made(place, delivery={"method": PUSH, "endpoint_url": EAR})
    assert pushed["delivery"] == {"method": PUSH, "endpoint_url": EAR}
    assert place.send("/ssf/poll", NOW, place.siem).status == 404, "what is pushed is not polled"
    moved = {"stream_id": pushed["stream_id"], "delivery": {"method": POLL}}
    assert place.send("/ssf/streams", moved, place.siem, "PATCH").status == 400


def test_a_stranger_reads_nothing_and_neither_does_another_receiver(place):
    identity = made(place)["stream_id"]
    ended(place)
    (name,) = poll(place)["sets"]
    asks = (
        ("/ssf/streams", "POST", {}), ("/ssf/streams", "PATCH", {"stream_id": identity}),
        (f"/ssf/streams?stream_id={identity}", "GET", None), (f"/ssf/streams?stream_id={identity}", "DELETE", {}),
        (f"/ssf/status?stream_id={identity}", "GET", None),
        ("/ssf/status", "POST", {"stream_id": identity, "status": "disabled"}),
        ("/ssf/verify", "POST", {"stream_id": identity}), ("/ssf/poll", "POST", NOW | {"ack": [name]}),
    )  # fmt: skip
    for token, statuses in (("", {401}), ("rsv_guess", {401}), (place.door, {403}), (place.other, {200, 201, 404})):
        for where, method, value in asks:
            answer = place.get(where, token) if value is None else place.send(where, value, token, method)
            assert answer.status in statuses, (token[:4], where, method, answer.body)
            assert name.encode() not in answer.body
    mine = place.get("/ssf/streams", place.other).json[0]["stream_id"]
    assert mine != identity
    assert list(poll(place)["sets"]) == [name], "nobody else acknowledged it"
    for wrong in ({"maxEvents": -1}, {"maxEvents": "1"}, {"ack": "x"}, {"setErrs": []}, {"more": 1}):
        assert place.send("/ssf/poll", NOW | wrong, place.siem).status == 400, wrong


def test_where_no_receiver_is_named_there_is_no_transmitter(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path) as bare:
        assert bare.get("/.well-known/ssf-configuration", "").status == 404
        assert bare.send("/ssf/poll", NOW, "").status == 401


STREAM = "/ssf/streams"
READS = {"list": ("GET", STREAM), "status": ("GET", "/ssf/status?stream_id={id}"), "poll": ("POST", "/ssf/poll")}
CHANGES = {
    "make": ("POST", STREAM), "patch": ("PATCH", STREAM), "put": ("PUT", STREAM),
    "end": ("DELETE", f"{STREAM}?stream_id={{id}}"), "move": ("POST", "/ssf/status"), "verify": ("POST", "/ssf/verify"),
    "add": ("POST", "/ssf/subjects/add"), "remove": ("POST", "/ssf/subjects/remove"),
}  # fmt: skip
"""Every address for receivers: what reads, and what changes something."""


def service_of(place, name):
    return place.act(lambda c: next(one.id for one in c.reader.where(Service) if one.name == name))


def admitted(place, scope=None, name="siem", secret=None, post=True, **more):
    """What the token endpoint says to a receiver that proves itself in the form, or by HTTP Basic."""
    who, word = service_of(place, name), getattr(place, name) if secret is None else secret
    fields = {"grant_type": "client_credentials"} | ({} if scope is None else {"scope": scope}) | more
    if post:
        return place.form("/oauth/token", fields | {"client_id": who, "client_secret": word})
    basic = base64.b64encode(f"{quote(who, safe='')}:{quote(word, safe='')}".encode()).decode()
    return place.form("/oauth/token", fields, authorization=f"Basic {basic}")


def asked(place, token, how, stream):
    method, path = how
    body = b"" if method in ("GET", "DELETE") else json.dumps(NOW if "poll" in path else {"stream_id": stream}).encode()
    head = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return ask(place.url + path.format(id=stream), method, body or None, head)


@pytest.mark.parametrize("post", [True, False], ids=["client_secret_post", "client_secret_basic"])
def test_a_receiver_gets_a_token_for_the_scopes_that_it_asks_for(place, post):
    said = admitted(place, post=post).json
    assert (said["scope"], said["token_type"], said["expires_in"]) == ("ssf.read ssf.manage", "Bearer", 600)
    assert admitted(place, "ssf.read", post=post).json["scope"] == "ssf.read"
    assert admitted(place, "ssf.read", post=post, resource=f"{ISSUER}/ssf").status == 200
    for wrong in ("ssf.all", "ssf.read openid"):
        assert admitted(place, wrong, post=post).json["error"] == "invalid_scope"
    assert admitted(place, post=post, resource=f"{ISSUER}/mcp/notes").json["error"] == "invalid_target"
    for who, secret in (("siem", "x"), ("siem", ""), ("siem", place.other), ("door", None)):
        found = admitted(place, name=who, secret=secret, post=post)
        assert (found.status, found.json["error"]) == (401, "invalid_client")
        assert found.headers["www-authenticate"].split()[0] == ("Bearer" if post else "Basic")


def test_every_address_asks_for_its_scope_and_says_which(place):
    stream = made(place)["stream_id"]
    reads, manages = (admitted(place, one).json["access_token"] for one in ("ssf.read", "ssf.manage"))
    for name, how in READS.items():
        assert [asked(place, one, how, stream).status for one in (reads, manages, place.siem)] == [200] * 3, name
    for name, how in CHANGES.items():
        found = asked(place, reads, how, stream)
        assert (found.status, found.json["code"]) == (403, "insufficient_scope"), name
        assert found.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="ssf.manage"'
        assert asked(place, manages, how, "str_none").status != 403, name
    assert len(place.get(STREAM, reads).json) == 1, "a reader changed something"
    assert asked(place, manages, CHANGES["end"], stream).status == 204


def test_a_token_ends_with_its_service_with_its_secret_and_by_its_time(place):
    made(place)
    token = admitted(place).json["access_token"]
    assert place.get(STREAM, token).status == 200
    assert place.get(STREAM, token[:-4] + "AAAA").status == 401
    assert place.get(STREAM, "ssf_").status == 401
    assert place.send("/access/v1/evaluation", {}, token).status == 401, "it opens another door"
    assert place.get("/v1/status", token).status == 401
    who = service_of(place, "siem")
    place.siem = place.act(lambda c: principal.give_token(c, who, "operator"))[1]
    gone = place.get(STREAM, token)
    assert (gone.status, gone.headers["www-authenticate"]) == (401, "Bearer")
    again = admitted(place).json["access_token"]
    sealed = receiving._opened(SimpleNamespace(authority=place.world.authority, now=lambda: 0), again)
    late = SimpleNamespace(authority=place.world.authority, now=lambda: sealed.until)
    assert receiving._opened(late, again) is None
    place.act(lambda c: revoke(c, "service", who, "operator"))
    assert place.get(STREAM, again).status == 401
    assert admitted(place).status == 401


def test_what_it_says_of_itself_names_the_scopes(place):
    said = place.get("/.well-known/oauth-protected-resource/ssf", "").json
    assert (said["resource"], said["scopes_supported"]) == (f"{ISSUER}/ssf", ["ssf.read", "ssf.manage"])
    # Clients of gates fall back on the scopes of the authorization server: these would be refused of them.
    assert "scopes_supported" not in place.get("/.well-known/oauth-authorization-server", "").json
    schemes = place.get("/.well-known/ssf-configuration", "").json["authorization_schemes"]
    assert [one["spec_urn"] for one in schemes] == ["urn:ietf:rfc:6749", "urn:ietf:rfc:6750"]


def test_who_only_says_a_receivers_name_takes_nothing_from_it(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, receivers=(Receiver("siem", AUDIENCE),), client_rate=2) as one:
        made = one.act(lambda c: principal.add_service(c, "siem", one.world.owner.id, (), "operator"))
        one.siem = one.act(lambda c: principal.give_token(c, made.id, "operator"))[1]
        assert {admitted(one, secret="x").status for _ in range(5)} == {401}
        assert [admitted(one).status for _ in range(3)] == [200, 200, 429]
