"""Codes and refresh tokens: each counts once, for its own client, key and verifier; a second time ends all."""

import threading
from collections import Counter

import pytest

from remit.control import client as clients
from remit.control import revocation
from remit.control.renewal import again, give, take
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.consent import CODE_LASTS, Consent
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.record import changed
from remit.core.trust import TrustPath
from remit.store.log import entries, newest
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.consenting import CALLBACK, VERIFIER, consenting
from tests.kit.hours import Hours
from tests.kit.nouns import code
from tests.kit.world import World, read_call


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    hours = Hours()
    place = stores.place(request.param, tmp_path / "s")
    one = World(place, hours.clock()).settle()
    one.hours, one.place = hours, place
    yield one
    one.close()


@pytest.fixture
def pia(world):
    return consenting(world)


def state(world, given):
    return Reader(world.authority.view).get(Consent, given.consent.id).state


def test_a_code_counts_once_and_a_second_time_ends_what_came_of_it(world, pia):
    given = pia.give()
    made, token = pia.redeem(given.code)
    entry = world.enter(made.text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    assert pia.redeem(given.code).code == "invalid_grant"
    assert state(world, given) == "withdrawn"
    assert isinstance(world.decide(read_call(), entry), Deny)
    assert pia.renew(token).code == "invalid_grant"
    assert pia.redeem(given.code).code == "invalid_grant"


@pytest.mark.parametrize(
    "wrong", [{"verifier": "w" * 43}, {"verifier": ""}, {"redirect": "http://127.0.0.1:1/callback"}]
)
def test_oauth_04_a_wrong_verifier_or_redirect_uses_the_code_up(pia, wrong):
    given = pia.give()
    assert pia.redeem(given.code, **wrong).code == "invalid_grant"
    assert pia.redeem(given.code).code == "invalid_grant"


def test_a_code_is_of_its_own_client_and_lasts_a_minute(world, pia):
    other = consenting(world)
    given = pia.give()
    assert pia.redeem(given.code, client=other.client).code == "invalid_grant"
    assert not isinstance(pia.redeem(given.code), RemitError)
    late = pia.give()
    world.hours.pass_by(CODE_LASTS)
    assert pia.redeem(late.code).code == "invalid_grant"
    for text in ("", "x", "x" * 9999, late.consent.id):
        assert pia.redeem(text).code == "invalid_grant"
        assert pia.renew(text).code == "invalid_grant"


def test_oauth_07_a_refresh_token_that_comes_again_ends_the_whole_family(world, pia):
    given = pia.give()
    _, first = pia.redeem(given.code)
    made, second = pia.renew(first)
    entry = world.enter(made.text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    assert pia.renew(first).code == "invalid_grant"
    assert isinstance(world.decide(read_call(), entry), Deny), "a live credential of the family went on"
    assert pia.renew(second).code == "invalid_grant"
    view = world.authority.view
    told = [one for one in entries(view, 0, newest(view).size) if b'"consent.withdrawn"' in one]
    assert len(told) == 1
    assert b"a refresh token came a second time" in told[0]


def test_a_stranger_who_guesses_ends_nothing(world, pia):
    given = pia.give()
    _, token = pia.redeem(given.code)
    other = consenting(world)
    for text in (token + "x", token[:-1], given.consent.id, given.code):
        assert pia.renew(text).code == "invalid_grant"
    assert pia.renew(token, client=other.client).code == "invalid_grant"
    assert state(world, given) == "live"
    assert not isinstance(pia.renew(token), RemitError)


def test_a_refresh_token_of_a_public_client_is_bound_to_the_key_that_it_proved(pia):
    _, token = pia.redeem(pia.give().code, thumb="t" * 43)
    assert pia.renew(token).code == "invalid_grant"
    assert pia.renew(token, thumb="u" * 43).code == "invalid_grant"
    made, following = pia.renew(token, thumb="t" * 43)
    assert made.credential.thumb == "t" * 43
    assert pia.renew(following).code == "invalid_grant", "the next one is bound too"


def test_a_refresh_gives_less_when_asked_and_never_more(pia):
    _, token = pia.redeem(pia.give().code)
    made, token = pia.renew(token, resources=("notes",))
    assert made.credential.audience == ("notes",)
    assert pia.renew(token, resources=("crm",)).code == "target_refused"


def test_a_refresh_token_lives_no_longer_than_its_task(world, pia):
    _, token = pia.redeem(pia.give().code)
    for _ in range(9):
        world.hours.pass_by(world.brief.idle - 1)
        answer = pia.renew(token)
        if isinstance(answer, RemitError):
            break
        token = answer[1]
        assert isinstance(world.decide(read_call(), world.enter(answer[0].text)), Permit)
    assert answer.code in ("invalid_grant", "credential_refused")


def test_a_client_that_was_ended_gets_nothing_more_and_keeps_nothing(world, pia):
    waiting, given = pia.give(), pia.give()
    made, token = pia.redeem(given.code)
    other = consenting(world)
    theirs, _ = other.redeem(other.give().code)
    shown = pia.offers()[0].digest
    gone = world.act(lambda c: clients.end(c, pia.client.id, "operator", "found to leak"))
    assert world.decide(read_call(), world.enter(made.text)).code in ("task_ended", "consent_ended")
    assert (state(world, given), state(world, waiting)) == ("withdrawn", "withdrawn")
    assert pia.renew(token, client=gone).code == "invalid_grant"
    assert pia.redeem(waiting.code, client=gone).code == "invalid_grant"
    assert code(pia.give, shown) == "consent_refused", "a page that was open when the client ended"
    assert isinstance(world.decide(read_call(), world.enter(theirs.text)), Permit), "another client's went with it"


def test_oauth_06_one_code_on_two_nodes_at_once_is_redeemed_once_at_most(world, pia):
    """Fifty at once, on two nodes of one store: one succeeds at most, and the others hear invalid_grant."""
    two = World(world.place, world.hours.clock())
    for _ in range(3):
        given, answers = pia.give(), []
        submitted(world, two, pia.client, given.code, answers)
        counted = Counter("given" if not isinstance(one, RemitError) else one.code for one in answers)
        assert counted == {"given": 1, "invalid_grant": 49}
        assert state(world, given) == "withdrawn", "it came a second time"
    two.close()


def submitted(one, two, client, text, answers):
    def work(change):
        code = take(change, client, text, CALLBACK, VERIFIER)
        if isinstance(code, RemitError):
            return [code]
        return [change.part(lambda c: give(c, client, code, (), "", ""))]

    def send(world, told):
        for _ in range(25):
            world.batch.submit("x", work, told.append)
            while not world.batch.idle:
                world.batch.turn()

    first, second = [], []
    threads = [threading.Thread(target=send, args=(w, told)) for w, told in ((one, first), (two, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    answers += [one for held in first + second for one in (held if isinstance(held, list) else [held])]


def test_what_takes_a_token_says_so_by_value(world, pia):
    """A refusal that ended something must not undo it: it is returned, never raised."""
    assert isinstance(world.act(lambda c: [take(c, pia.client, "x", CALLBACK, VERIFIER)])[0], RemitError)
    assert isinstance(world.act(lambda c: [again(c, pia.client, "x", "")])[0], RemitError)


def test_a_refresh_that_is_refused_leaves_its_token_as_it_was(world, pia):
    """Who asked for the wrong thing, or while their agent's review was due, and asks again is no thief."""
    given = pia.give()
    _, token = pia.redeem(given.code)
    assert pia.renew(token, resources=("crm",)).code == "target_refused"
    due = world.act(lambda c: c.need(Agent, world.agent.id)).review_due
    for at, what in ((world.hours.wall, "credential_refused"), (due, "")):
        one = world.act(lambda c: c.need(Agent, world.agent.id))
        world.act(lambda c, one=one, at=at: c.record("agent.reviewed", changed(one, review_due=at), "operator"))
        if what:
            assert pia.renew(token).code == what
    _, following = pia.renew(token)
    assert state(world, given) == "live"
    assert pia.renew(token).code == "invalid_grant", "now it was used"
    assert state(world, given) == "withdrawn"
    assert pia.renew(following).code == "invalid_grant"


def test_a_path_that_opens_again_revives_no_code_and_no_refresh_token(world, pia):
    """What was issued before a cut stays dead, whoever stole it then."""
    given, late = pia.give(), pia.give()
    _, token = pia.redeem(given.code)
    world.hours.pass_by(1)
    world.act(lambda c: revocation.revoke(c, "path", "delegated", "operator"))
    assert pia.renew(token).code == "invalid_grant"
    world.hours.pass_by(1)
    world.act(lambda c: revocation.open_path(c, TrustPath.DELEGATED, "operator"))
    world.hours.pass_by(1)
    assert pia.renew(token).code == pia.redeem(late.code).code == "invalid_grant"
    made, token = pia.redeem(pia.give().code)
    assert isinstance(world.decide(read_call(), world.enter(made.text)), Permit), "asked anew, it is given"
    assert pia.renew(token)[0]


def test_dpop_jkt_a_code_that_is_bound_to_a_key_counts_with_its_proof_alone(world, pia):
    for thumb in ("", "u" * 43):
        assert pia.redeem(pia.give(thumb="t" * 43).code, thumb=thumb).code == "invalid_grant"
    given = pia.give(thumb="t" * 43)
    made, _ = pia.redeem(given.code, thumb="t" * 43)
    assert made.credential.thumb == "t" * 43
    taken = pia.give(thumb="t" * 43)
    assert pia.redeem(taken.code, thumb="u" * 43).code == "invalid_grant"
    assert pia.redeem(taken.code, thumb="t" * 43).code == "invalid_grant", "a thief's try uses it up"
    assert state(world, taken) == "withdrawn"
