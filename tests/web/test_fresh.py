"""What a brief wants to be fresh is renewed without a new task: a sign-in, an attestation, an owner seen again."""

import pytest

from remit.control import attestor as attestors
from remit.control import brief, principal, session
from remit.control.session import Proof
from remit.core.attestor import Attestor
from remit.core.freshness import Freshness
from remit.core.permit import Permit
from remit.web.settings import Issuer
from tests.kit.asking import opened
from tests.kit.site import ASSERTION, idp, site
from tests.kit.vouching import platform
from tests.kit.world import ISSUER, read_call

HOUR = 3_600_000


@pytest.fixture
def provider():
    with idp() as one:
        yield one


@pytest.fixture
def place(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit"),)) as one:
        one.bot = one.agent("bot")
        one.pia = one.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", (), "operator")).id
        one.now = one.world.authority.clock.now() // 1000
        yield one


def wanting(place, **fresh):
    listed = (place.world.owner.id, place.pia)
    wide = place.world.a_brief(agents=(place.bot,), dispatchers=listed, fresh=Freshness(**fresh))
    place.act(lambda c: brief.apply(c, wide, "operator"))


def decided(place, text):
    entry, found = place.world.enter(text), []
    place.loop.call_soon_threadsafe(lambda: place.world.gate.decide(read_call(), entry, "", found.append))
    while not found:
        place.act(lambda c: None)
    return "" if isinstance(found[0], Permit) else found[0].code


def test_a_person_signs_in_again_and_the_task_goes_on(place, provider):
    wanting(place, person=HOUR, acr=("mfa",))
    task = opened(place, place.bot, requester=place.pia)
    said = {}
    for name, claims in {
        "long ago": {"auth_time": place.now - 7200, "acr": "mfa"},
        "weakly": {"auth_time": place.now, "acr": "pwd"},
        "nobody knows when": {"acr": "mfa"},
        "now": {"auth_time": place.now - 5, "acr": "mfa"},
    }.items():
        answer = place.exchange(place.bot, task, provider.token(place.now, **claims))
        assert answer.status == 200, answer.body
        said[name] = answer.json["access_token"]
    assert [decided(place, text) for text in said.values()] == ["person_stale", "person_weak", "person_stale", ""]
    # A sign-in at the browser renews the very credential that was too old.
    place.act(lambda c: session.begin(c, place.pia, Proof(provider.url, (place.now - 1) * 1000, "mfa")))
    assert decided(place, said["long ago"]) == ""


def test_an_agent_proves_itself_anew_and_the_task_goes_on(place):
    wanting(place, agent=HOUR)
    task = opened(place, place.bot)
    with platform() as source:
        given = Attestor(name="p", kind="oidc", issuer=source.url, audience=ISSUER)
        place.act(lambda c: attestors.add(c, given, "operator"))
        place.act(lambda c: attestors.bind(c, place.bot, "p", {"sub": "w"}, "operator"))
        asked = {"grant_type": "client_credentials", "task": task, "client_assertion_type": ASSERTION}
        said = []
        for iat in (place.now - 7200, place.now):
            text = source.token(iat, aud=ISSUER, sub="w", exp=place.now + 60)
            said.append(place.form("/oauth/token", asked | {"client_assertion": text}).json["access_token"])
    assert [decided(place, text) for text in said] == ["agent_stale", ""]
    assert decided(place, place.token(place.bot, task).json["access_token"]) == ""


def test_an_owner_who_is_seen_again_lets_the_task_go_on(place):
    wanting(place, owner=HOUR)
    text = place.token(place.bot, opened(place, place.bot)).json["access_token"]
    assert decided(place, text) == "owner_stale"
    place.act(lambda c: principal.confirm(c, place.world.owner.id, "operator"))
    assert decided(place, text) == ""
    wanting(place)
    assert decided(place, text) == ""
