"""OAuth as a source, against a certified provider: narrowed, revoked, proven; nobody gets another person's token."""

import functools
import itertools
import json
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted, Rung
from remit.custody.sources.oauth import OAuthSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.nouns import named
from tests.kit.provider import CLIENT, provided

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def provider():
    with provided() as found:
        yield found


def settings(provider, **more):
    at = provider["issuer"]
    given = {"client": "remit", "token": f"{at}/token", "revoke": f"{at}/token/revocation"}
    given |= {"introspect": f"{at}/token/introspection", "scope.read_note": "notes.read"}
    return {
        name: value for name, value in (given | {"scope.write_note": "notes.read notes.write"} | more).items() if value
    }


def opened(secret, given):
    return OAuthSource(secret, given, lambda: Instant(2**40))


@pytest.fixture
def source(provider):
    with closing(opened(Secret(CLIENT), settings(provider))) as made:
        yield made


def step(kind="read_note"):
    return Step.from_json({"action": f"mcp:notes/{kind}", "path": "delegated"})


def intent(provider, *steps, who="ann", **members):
    number = next(NUMBERS)
    given = {
        "name": f"remit_{named('tsk')}_del_{number:08d}",
        "task": TaskId(named("tsk")),
        "path": TrustPath.DELEGATED,
    }
    given |= {"until": Instant(2**41), "life": 60_000, "steps": steps or (step(),), "person": named("per", who[0])}
    return Intent(**(given | {"held": Secret(provider["people"][who].encode())} | members))


def asked(provider, token):
    """What the provider, or the target's own server, says of a token, asked without the source."""
    return introspected(provider["issuer"], token, "remit", CLIENT)


def introspected(issuer, token, client, secret):
    body = f"token={token}&client_id={client}&client_secret={secret.decode()}".encode()
    with urllib.request.urlopen(f"{issuer}/token/introspection", body, timeout=60) as answer:
        return json.load(answer)


def opens(provider, lent):
    ((name, value),) = lent.headers
    assert name == "authorization"
    return asked(provider, value.reveal().decode().removeprefix("Bearer "))["active"]


def test_it_does_what_every_source_does(source, provider):
    made = functools.partial(intent, provider)
    never = (Gone.UNKNOWN,)
    Suite(source, made, functools.partial(opens, provider), never=never).holds()


def test_a_provider_that_renews_refresh_tokens_is_followed_even_by_many_mints_at_once():
    with provided("rotate") as provider, closing(opened(Secret(CLIENT), settings(provider))) as source:
        made = functools.partial(intent, provider)
        Suite(source, made, functools.partial(opens, provider), never=(Gone.UNKNOWN,)).holds()
        renewed = source.mint(intent(provider)).renewed
        assert renewed is not None
        assert renewed.reveal() != provider["people"]["ann"].encode()


def test_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, provider):
    fails_where_it_must(Suite(source, functools.partial(intent, provider), functools.partial(opens, provider)))


def test_a_token_has_the_scopes_of_the_steps_and_no_other_and_is_the_persons(source, provider):
    for who, steps, scopes in (
        ("ann", (step(),), "notes.read"),
        ("bob", (step(), step("write_note")), "notes.read notes.write"),
    ):
        minted = source.mint(intent(provider, *steps, who=who))
        said = asked(provider, minted.secret.reveal().decode())
        assert (said["scope"], said["sub"]) == (scopes, who)
        assert source.reach(minted) == tuple(f"scope {one}" for one in scopes.split())
        source.drop(minted)
        assert source.probe(minted) is Gone.GONE
        assert source.reach(minted) == ()


def test_a_plan_that_no_scope_is_set_for_gets_nothing(source, provider):
    assert refused(source.mint, intent(provider, step("wipe"))) == "rights_unbounded"
    assert refused(source.mint, intent(provider, held=None)) == "connection_missing"
    assert refused(source.mint, intent(provider, held=Secret(b"another"))) == "connection_refused"


def test_a_scope_that_the_person_never_gave_is_refused_by_the_provider(provider):
    with closing(opened(Secret(CLIENT), settings(provider, **{"scope.wipe": "notes.wipe"}))) as source:
        assert refused(source.mint, intent(provider, step("wipe"))) == "target_declined"


def test_without_introspection_nothing_counts_as_proven(provider):
    with closing(opened(Secret(CLIENT), settings(provider, introspect=""))) as source:
        said = source.describe()
        assert (said.rung, said.revocable, said.longest) == (Rung.SHORT, False, 3_600_000)
        minted = source.mint(intent(provider))
        assert minted.ends == minted.until + 540_000, "it lives as long as the provider says, not as it is lent"
        source.drop(minted)
        assert source.probe(minted) is Gone.UNKNOWN
        assert asked(provider, minted.secret.reveal().decode())["active"] is False


def test_where_one_revocation_ends_a_whole_grant_it_ends_the_connection_too():
    with provided("cascade") as provider, closing(opened(Secret(CLIENT), settings(provider))) as source:
        first, second = source.mint(intent(provider)), source.mint(intent(provider))
        source.drop(first)
        assert source.probe(second) is Gone.GONE
        assert refused(source.mint, intent(provider)) == "connection_refused"


def test_a_wrong_client_secret_is_a_fault_that_shows_nothing(provider):
    with closing(opened(Secret(b"wrong-secret"), settings(provider))) as source:
        assert refused(source.mint, intent(provider)) == "target_declined"
        assert refused(source.drop, Minted("x", Instant(1), Secret(b"t"))) == "target_declined"


def test_a_provider_that_is_away_is_a_fault_and_never_a_proof(provider):
    at = {"token": "http://127.0.0.1:1/t", "revoke": "http://127.0.0.1:1/r", "introspect": "http://127.0.0.1:1/i"}
    with closing(opened(Secret(CLIENT), settings(provider, **at))) as source:
        minted = Minted("x", Instant(1), Secret(b"t"))
        for verb in (source.drop, source.probe, source.reach, lambda _: source.mint(intent(provider))):
            assert refused(verb, minted) == "target_unavailable"


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "http://idp.example/t"},
        {"token": ""},
        {"client": ""},
        {"revoke": "ftp://127.0.0.1/"},
        {"introspect": "x"},
    ],
)
def test_settings_that_cannot_be_are_refused(provider, wrong):
    assert refused(lambda: opened(Secret(CLIENT), settings(provider, **wrong))) == "setting_invalid"


@pytest.mark.parametrize("more", [{}, {"introspect": ""}], ids=["introspected", "tried"])
def test_what_a_person_gave_is_taken_back_and_proven(more):
    with provided() as provider, closing(opened(Secret(CLIENT), settings(provider, **more))) as source:
        held = Secret(provider["people"]["ann"].encode())
        assert source.part(held) is Gone.GONE
        assert source.part(held) is Gone.GONE, "twice is as good as once"
        assert refused(source.mint, intent(provider)) == "connection_refused"
        assert source.mint(intent(provider, who="bob")).secret
    with provided() as provider, closing(opened(Secret(CLIENT), settings(provider, revoke=""))) as source:
        assert source.part(Secret(provider["people"]["ann"].encode())) is Gone.UNKNOWN


def test_a_revocation_that_does_nothing_is_seen_by_the_probe(provider, monkeypatch):
    for more in ({}, {"introspect": ""}):
        with closing(opened(Secret(CLIENT), settings(provider, **more))) as source:
            real = source._home.provider.post
            answers = lambda url, form, real=real: (200, {}) if "revocation" in url else real(url, form)  # noqa: E731
            monkeypatch.setattr(
                type(source._home.provider), "post", lambda _, url, form, answers=answers: answers(url, form)
            )
            assert source.part(Secret(provider["people"]["ann"].encode())) is Gone.LIVE
            monkeypatch.undo()
