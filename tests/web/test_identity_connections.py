"""A person's connection at a certified provider, narrowed by ID-JAG, where the target's own server is a Remit."""

import json
from contextlib import closing

import pytest

from remit.control import brief, principal
from remit.core.credential import Credential
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.step import Step
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.assertion import claimed
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent
from remit.custody.sources.oauth import OAuthSource
from remit.custody.sources.provider import discovered
from remit.web.settings import Issuer
from tests.custody.sources import refused
from tests.kit.nouns import named
from tests.kit.provider import CLIENT, provided
from tests.kit.site import site
from tests.kit.world import ISSUER

ACTION = "mcp:notes/read_note"


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    with provided() as peer:
        yield from governed(tmp_path, peer)


def governed(folder, peer):
    """A Remit that takes the peer's assertions, with a brief for people's agents of one delegated step."""
    with site(folder, issuers=(Issuer(peer["issuer"], "remit", assertions=True),)) as one:
        one.bot, one.peer = one.agent("bot"), peer
        one.people = {
            who: one.act(lambda c, n=who: principal.add_person(c, peer["issuer"], n, n, ("staff",), "operator")).id
            for who in ("ann", "bob")
        }
        steps = (Step.from_json({"action": ACTION, "path": "delegated", "allow_unknown": True}),)
        mine = one.world.a_brief(agents=(one.bot,), dispatchers=("group:staff",), steps=steps, name="theirs", version=1)
        one.act(lambda c: brief.apply(c, mine, "operator"))
        yield one


def source_of(place):
    """The source of the other side, whose client at this Remit is an agent with a key of its own."""
    url = place.url
    settings = discovered({"issuer": place.peer["issuer"]}) | {
        "client": "remit", "by": "id-jag", "scope.read": ACTION,
        "target.issuer": ISSUER, "target.client": place.bot, "target.token": f"{url}/oauth/token",
        "target.revoke": f"{url}/oauth/revoke", "target.introspect": f"{url}/oauth/introspect",
    }  # fmt: skip
    pem = place.keys[place.bot].as_pem(private=True).decode()
    both = json.dumps({"provider": CLIENT.decode(), "target": pem}).encode()
    return OAuthSource(Secret(both), settings, place.world.authority.clock.now)


def intent(place, who):
    return Intent(
        name=f"remit_{named('tsk')}_del_00000001", task=TaskId(named("tsk")), path=TrustPath.DELEGATED,
        until=Instant(place.world.authority.clock.now() + 60_000),
        steps=(Step.from_json({"action": "mcp:far/read", "path": "delegated"}),), person=named("per", who[0]),
        held=Secret(place.peer["people"][who].encode()),
    )  # fmt: skip


def test_each_person_has_a_task_of_their_own_there_and_its_credential_ends_with_the_lease(place):
    place.peer["asserts_to"](place.bot)
    with closing(source_of(place)) as source:
        minted = {who: source.mint(intent(place, who)) for who in ("ann", "bob")}
        for who, one in minted.items():
            said = claimed(one.secret.reveal().decode())
            assert (said["sub"], said["act"]) == (place.people[who], {"sub": place.bot})
            assert place.act(lambda c, t=said["remit_task"]: c.need(Task, t)).requester == place.people[who]
            assert source.reach(one), "a server may leave scopes out of an introspection (RFC 7662)"
            assert source.probe(one) is Gone.LIVE
        source.drop(minted["ann"])
        assert source.probe(minted["ann"]) is Gone.GONE
        assert source.probe(minted["bob"]) is Gone.LIVE
        ended = claimed(minted["ann"].secret.reveal().decode())["jti"]
        assert place.act(lambda c: c.need(Credential, ended)).state == "ended"


def test_an_assertion_to_another_client_opens_nothing_there(place):
    with closing(source_of(place)) as source:
        assert refused(source.mint, intent(place, "ann")) == "target_declined"
    assert place.act(lambda c: [one for one in c.reader.where(Task) if one.brief == "theirs"]) == []
