"""Ways from a connection to a task's token, against a certified provider with the grants that its users may add."""

import base64
import functools
import json
from contextlib import closing

import pytest

from remit.core.errors import RemitError
from remit.custody.secret import Secret
from remit.custody.source import Gone, Minted
from remit.custody.sources.exchanging import parts
from remit.custody.sources.provider import Provider, discovered
from tests.custody.sources import Suite, refused
from tests.custody.test_oauth import asked, intent, introspected, opened, settings, step
from tests.kit.provider import BOTH, CLIENT, THERE, provided


@pytest.fixture(scope="module")
def provider():
    with provided() as found:
        yield found


WAYS = (
    {"by": "exchange"},
    {"by": "exchange", "subject": "access_token"},
    {"by": "exchange", "subject": "id_token"},
    {"by": "id-jag"},
    {"by": "id-jag", "subject": "id_token"},
)


def by(provider, way, **more):
    """A source of one way, and what is said of its tokens where they count."""
    there = discovered({"target.issuer": provider["there"], "target.client": "remit-there"})
    source = opened(Secret(BOTH), settings(provider, **way, **(there if way["by"] == "id-jag" else {}), **more))
    if way["by"] == "id-jag":
        return source, lambda token: introspected(provider["there"], token, "remit-there", THERE)
    return source, lambda token: asked(provider, token)


def token_of(lent):
    return lent.headers[0][1].reveal().decode().removeprefix("Bearer ")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.values()))
def test_by_exchange_and_by_assertion_it_does_what_every_source_does(way):
    """Where the connection is refreshed on the way, its token is renewed at each of these refreshes."""
    with provided("rotate" if "subject" in way else "keep") as provider:
        source, says = by(provider, way)
        with closing(source):
            made = functools.partial(intent, provider)
            Suite(source, made, lambda lent: says(token_of(lent))["active"], never=(Gone.UNKNOWN,)).holds()
            for who, steps, scopes in (
                ("ann", (step(),), "notes.read"),
                ("bob", (step(), step("write_note")), "notes.read notes.write"),
            ):
                minted = source.mint(intent(provider, *steps, who=who))
                said = says(minted.secret.reveal().decode())
                assert (said["scope"], said["sub"]) == (scopes, who)
                assert source.reach(minted) == tuple(f"scope {one}" for one in scopes.split())
            assert source.part(source.newest(Secret(provider["people"]["ann"].encode()))) is Gone.GONE
            assert refused(source.mint, intent(provider)) in ("connection_refused", "target_declined")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.values()))
def test_what_nobody_gave_is_given_by_no_way(provider, way):
    source, _ = by(provider, way, **{"scope.wipe": "notes.wipe"})
    with closing(source):
        assert refused(source.mint, intent(provider, step("wipe"))) == "target_declined"
        assert refused(source.mint, intent(provider, held=Secret(b"another"))) == "connection_refused"
        assert refused(source.mint, intent(provider, held=None)) == "connection_missing"


def test_what_is_exchanged_on_the_way_is_given_back_and_what_was_renewed_is_kept_though_it_fails(monkeypatch):
    seen = []
    with provided("rotate") as provider:
        source, _ = by(provider, {"by": "exchange", "subject": "access_token"})
        post = Provider.post

        def watched(self, url, form):
            status, said = post(self, url, form)
            if form.get("grant_type") == "refresh_token":
                seen.append(said["access_token"])
            return (503, {}) if "subject_token" in form else (status, said)

        monkeypatch.setattr(Provider, "post", watched)
        with closing(source):
            held = Secret(provider["people"]["ann"].encode())
            assert refused(source.mint, intent(provider, held=held)) == "target_declined"
            later = source.newest(held)
            assert later != held
            monkeypatch.undo()
            assert [asked(provider, one)["active"] for one in seen] == [False]
            source.close()
            assert source.mint(intent(provider, held=later)).secret


@pytest.mark.parametrize("subject", ["access_token", "refresh_token"])
def test_what_was_not_taken_back_on_the_way_is_owed_and_each_drop_tries_it_again(provider, monkeypatch, subject):
    """The provider is away, or says no, exactly when it is to take back what came along."""
    source, _ = by(provider, {"by": "exchange", "subject": subject})
    post, away, gave = Provider.post, [1, 1, 1], []

    def posted(self, url, form):
        if url.endswith("/revocation") and away:
            away.pop()
            if len(away) % 2:
                raise RemitError("target_unavailable", "The provider cannot be reached.", "y")
            return 503, {}
        status, said = post(self, url, form)
        if "subject_token" in form or form.get("grant_type") == "refresh_token":
            said = said if subject == "access_token" else said | {"refresh_token": provider["people"]["bob"]}
            gave.append(said["access_token"])
        return status, said

    monkeypatch.setattr(Provider, "post", posted)
    with closing(source):
        one = intent(provider)
        assert refused(source.mint, one) == "token_owed"
        lost = Minted(one.name, one.until, None)
        assert refused(source.drop, lost) == "token_owed"
        assert source.drop(Minted("remit_other", one.until, None)) is None
        assert source.owed("remit_other") is None
        source, sealed = by(provider, {"by": "exchange", "subject": subject})[0], source.owed(one.name)
        lost = Minted(one.name, one.until, None, owed=sealed)
        while away:
            assert refused(source.drop, lost) == "token_owed"
        assert [asked(provider, text)["active"] for text in gave] != [False] * len(gave)
        source.drop(lost)
        assert [asked(provider, text)["active"] for text in gave] == [False] * len(gave)
        source.drop(lost)
        assert source.owed(one.name) is None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.values()))
def test_a_provider_that_takes_back_no_access_tokens_lends_and_one_that_keeps_a_refresh_token_does_not(
    provider, monkeypatch, way
):
    """RFC 7009, 2.2.1: what came along ends by itself, or it does not."""
    source, _ = by(provider, way)
    post, more = Provider.post, {}

    def posted(self, url, form):
        if url.endswith("/revocation"):
            return 400, {"error": "unsupported_token_type"}
        status, said = post(self, url, form)
        return status, said | (more if form.get("grant_type", "").rpartition(":")[2] == last else {})

    last = "jwt-bearer" if way["by"] == "id-jag" else "token-exchange"
    monkeypatch.setattr(Provider, "post", posted)
    with closing(source):
        minted = source.mint(intent(provider))
        assert source.drop(minted) is None
        assert source.probe(minted) is Gone.LIVE, "it is not said to have ended"
        more["refresh_token"] = provider["people"]["bob"]
        assert refused(source.mint, intent(provider)) == "token_owed"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://other.example"}, {"aud": ["https://other.example"]}, {"client_id": "another"},
        {"scope": "notes.read notes.write"}, {"typ": "JWT"}, {"aud": None}, {"client_id": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_assertion_for_another_server_client_or_for_more_is_shown_to_nobody(provider, monkeypatch, change):
    source, _ = by(provider, {"by": "id-jag"})
    post, shown = Provider.post, []

    def changed(self, url, form):
        status, said = post(self, url, form)
        if "assertion" in form:
            shown.append(form["assertion"])
        if form.get("requested_token_type", "").endswith("id-jag"):
            head, body, rest = said["access_token"].split(".")
            parts = [json.loads(base64.urlsafe_b64decode(one + "==")) | change for one in (head, body)]
            coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts]
            said["access_token"] = ".".join((*coded, rest))
        return status, said

    monkeypatch.setattr(Provider, "post", changed)
    with closing(source):
        assert refused(source.mint, intent(provider)) == "target_declined"
    assert shown == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "magic"}, {"by": "exchange", "subject": "saml2"}, {"by": "id-jag"},
        {"by": "id-jag", "target.issuer": "http://as.example", "target.token": "https://as.example/token"},
        {"by": "id-jag", "target.issuer": "https://as.example", "target.token": "http://as.example/token"},
    ],
    ids=str,
)  # fmt: skip
def test_a_way_that_cannot_be_is_refused(provider, wrong):
    assert refused(lambda: opened(Secret(CLIENT), settings(provider, **wrong))) == "setting_invalid"
    assert refused(lambda: opened(Secret(b"{"), settings(provider))) == "setting_invalid"


def test_one_secret_is_for_both_places_unless_it_names_each():
    assert [one.reveal() for one in parts(Secret(CLIENT))] == [CLIENT, CLIENT]
    assert [one.reveal() for one in parts(Secret(BOTH))] == [CLIENT, THERE]
