"""The HTTP gate with people's own accounts: each call carries a token of its task's person, narrowed, and it ends."""

import json
import time
import urllib.parse
import urllib.request

import pytest

from remit.control import brief, connection, credential, resource, revocation, task
from remit.control.lessor import Lessor
from remit.core.grant import Step
from remit.core.resource import Minting
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.sources.provider import discovered
from tests.kit.provider import BOTH, CLIENT, THERE, provided
from tests.kit.shopapi import NAME, pay, step

STEPS = tuple(
    Step.from_json({"action": f"http:{NAME}/{name}", "path": "delegated", "allow_unknown": True})
    for name in ("list_orders", "read_order", "refund", "echo")
)
SCOPES = {"scope.list_orders": "notes.read", "scope.read_order": "notes.read", "scope.echo": "notes.read"}


@pytest.fixture(scope="module", params=["refresh", "exchange", "id-jag"])
def provider(request):
    with provided() as found:
        yield found | {"by": request.param}


@pytest.fixture(scope="module")
def target(provider):
    with pay(steps=(step("echo"), *STEPS)) as made:
        world = made.world
        given = {"issuer": provider["issuer"], "client": "remit", "scope.refund": "notes.read notes.write"} | SCOPES
        given |= {"by": provider["by"]}
        if provider["by"] == "id-jag":
            given |= {"target.issuer": provider["there"], "target.client": "remit-there"}
        minting = Minting(kind="oauth", secret="idp", settings=discovered(given))
        made.act(lambda c: resource.put_secret(c, "idp", Secret(BOTH)))
        made.act(lambda c: resource.mint_at(c, NAME, minting, "operator"))
        people = {"ann": world.person.id, "bob": world.owner.id}
        made.act(lambda c: brief.apply(c, with_people(c, people), "operator"))
        for who, person in people.items():
            held = {"token": Secret(provider["people"][who].encode()), "scopes": ("notes.read",), "by": person}
            made.act(lambda c, p=person, h=held: connection.connect(c, person=p, resource=NAME, **h))
        lessor = Lessor(world.authority, world.batch, made.loop.call_soon_threadsafe)
        world.gate._lessor, world.batch.moved = lessor, lessor.look
        made.people = people
        yield made
        lessor.close()


def with_people(change, people):
    from remit.core.brief import Brief
    from remit.core.record import changed

    found = change.need(Brief, "target")
    return changed(found, version=found.version + 1, dispatchers=tuple(people.values()))


def opened(target, who, *names):
    """A task of this person's, and a credential for it."""
    person, steps = target.people[who], tuple(one for one in STEPS if one.action.rpartition("/")[2] in names)
    given = {"brief": "target", "agent": target.world.agent.id, "requester": person, "by": person, "person": person}
    made = target.act(lambda c: task.open_task(c, steps=steps, **given))
    held = {"task_id": made.id, "agent_id": target.world.agent.id, "path": TrustPath.DELEGATED, "person_id": person}
    return made, target.act(lambda c: credential.give(c, **held)).text


def asked(provider, token):
    """What is said of a token where it counts: of an access token by ID-JAG that is the target's own server."""
    there = provider["by"] == "id-jag" and token not in provider["people"].values()
    client, secret = ("remit-there", THERE) if there else ("remit", CLIENT)
    fields = {"token": token, "client_id": client, "client_secret": secret.decode()}
    body, issuer = urllib.parse.urlencode(fields).encode(), provider["there" if there else "issuer"]
    with urllib.request.urlopen(f"{issuer}/token/introspection", body, timeout=60) as answer:
        return json.load(answer)


def came(target):
    """The tokens that the API was sent, in order."""
    found = [dict(fields).get("authorization", "") for _, _, _, fields in target.upstream.seen]
    target.upstream.seen.clear()
    return [one.removeprefix("Bearer ") for one in found]


def test_each_call_carries_a_token_of_its_own_person_that_can_do_what_its_steps_need(target, provider):
    _, anns = opened(target, "ann", "list_orders")
    _, bobs = opened(target, "bob", "list_orders", "refund")
    for credential_, path in ((anns, "orders"), (bobs, "orders"), (anns, "orders")):
        assert target.ask(f"/http/pay/{path}", token=credential_)[0] == 200
    first, second, third = came(target)
    assert first == third, "one lease serves the task"
    said = asked(provider, first), asked(provider, second)
    assert [(one["sub"], one["scope"]) for one in said] == [("ann", "notes.read"), ("bob", "notes.read notes.write")]
    assert anns not in (first, second), "the agent's own credential goes no further"


def test_an_answer_never_shows_the_token_to_the_agent(target):
    _, held = opened(target, "ann", "echo")
    status, headers, body = target.ask("/http/pay/echo", token=held)
    (token,) = came(target)
    assert status == 403
    assert token not in str(headers) + body.decode()


def test_with_the_task_its_token_ends_at_the_provider_and_no_other_does(target, provider):
    errand, anns = opened(target, "ann", "list_orders")
    _, bobs = opened(target, "bob", "list_orders")
    assert target.ask("/http/pay/orders", token=anns)[0] == target.ask("/http/pay/orders", token=bobs)[0] == 200
    first, second = came(target)
    target.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    until = time.monotonic() + 60
    while asked(provider, first)["active"] and time.monotonic() < until:
        time.sleep(0.02)
    assert asked(provider, first) == {"active": False}
    assert asked(provider, second)["active"]
    assert target.ask("/http/pay/orders", token=anns)[0] in (401, 403)
    assert came(target) == []


def test_without_a_connection_or_on_the_own_path_nothing_is_sent(target, provider):
    errand, held = opened(target, "bob", "list_orders")
    assert target.ask("/http/pay/orders", token=held)[0] == 200
    (token,) = came(target)
    assert target.code("/http/pay/echo") == (403, "connection_missing"), "the own path is nobody's account"
    (mine,) = target.act(lambda c: connection.live(c.reader, target.people["bob"], NAME))
    target.act(lambda c: connection.end(c, mine.id, mine.person))
    status, code = target.code("/http/pay/orders", token=held)
    assert (status, code) in ((403, "connection_missing"), (403, "lease_ending"))
    _, again = opened(target, "bob", "list_orders")
    assert target.code("/http/pay/orders", token=again) == (403, "connection_missing")
    assert came(target) == []
    until = time.monotonic() + 60
    while target.act(lambda c: connection.leaving(c.reader)) and time.monotonic() < until:
        time.sleep(0.02)
    assert asked(provider, token) == {"active": False}
    assert asked(provider, provider["people"]["bob"]) == {"active": False}
    assert asked(provider, provider["people"]["ann"])["active"]
    assert errand.state == "open"
