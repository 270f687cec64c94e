"""Clients: each is bound to one agent by somebody else, and what nobody has bound leaves nothing in the store."""

import pytest

from remit.control import agent, client, review
from remit.core.client import Client
from remit.core.review import Review
from remit.store.record import Reader
from tests.kit.nouns import code
from tests.kit.world import DAY, World

BACK = ("http://127.0.0.1/callback",)


@pytest.fixture
def world(tmp_path):
    tmp_path.chmod(0o700)
    one = World(tmp_path).settle()
    yield one
    one.close()


def found(world, name):
    return client.found(Reader(world.authority.view), name)


def test_an_operators_client_is_found_by_its_own_id_and_ended_for_good(world):
    given = {"agent": world.agent.id, "name": "Desk", "redirects": BACK, "by": "operator"}
    made = world.act(lambda c: client.add(c, confidential=False, **given))
    assert found(world, made.id) == made
    gone = world.act(lambda c: client.end(c, made.id, "operator"))
    assert gone.state == "ended"
    assert code(world.act, lambda c: client.end(c, made.id, "operator")) == "transition_refused"
    assert code(world.act, lambda c: client.add(c, confidential=True, **given)) == "client_invalid", "no key to prove"
    for name in ("", "cli_" + "a" * 26, "x" * 9999, "\u00e9", "https://app.test/client.json"):
        assert found(world, name) is None


def test_a_client_that_registers_itself_carries_what_it_said_in_its_id(world):
    text = client.sealed(world.authority, "Desk", BACK)
    said = client.opened(world.authority, text)
    assert (said.name, said.redirects, said.kind) == ("Desk", BACK, "dynamic")
    assert said.id == client.identity(text)
    assert list(Reader(world.authority.view).where(Client)) == []
    for wrong in (text[:-2] + "AA", text[4:], "dyn.", "dyn.x", "x", "dyn." + "A" * 5000, "dyn.\u00e9"):
        assert client.opened(world.authority, wrong) is None
    assert code(client.sealed, world.authority, "", BACK) == "client_invalid"
    assert code(client.sealed, world.authority, "Desk", ("http://evil.test",)) == "redirect_invalid"
    many = tuple(f"https://app.test/{n}/{'x' * 400}" for n in range(16))
    assert code(client.sealed, world.authority, "Desk", many) == "redirect_invalid"


def test_it_is_bound_once_and_never_by_its_digest_alone(world):
    text = client.sealed(world.authority, "Desk", BACK)
    said = client.opened(world.authority, text)
    made = world.act(lambda c: client.bind(c, said, world.agent.id, "x"))
    assert world.act(lambda c: client.bind(c, said, world.agent.id, "x")) == made
    assert found(world, text) == made
    assert found(world, made.id) is None, "its record's id is no client id"
    world.act(lambda c: client.end(c, made.id, "operator"))
    assert code(world.act, lambda c: client.bind(c, said, world.agent.id, "x")) == "client_ended"


def test_one_put_forward_may_do_nothing_until_it_is_reviewed_and_given_a_ceiling(world):
    said = client.opened(world.authority, client.sealed(world.authority, "My  Ünique App!", BACK))
    made = world.act(lambda c: client.propose(c, said, world.person.id))
    one = world.act(lambda c: c.need(agent.Agent, made.agent))
    assert one.name.startswith("my---nique-app")
    assert (one.state, one.owner) == ("proposed", world.person.id)
    [put] = Reader(world.authority.view).where(Review)
    assert [(item.key, item.answer) for item in put.items] == [(f"agent/{one.name}", "")]
    body = review.shown(world.authority.view, put)
    assert (body["items"][0]["client"], body["items"][0]["redirects"]) == ("My  Ünique App!", list(BACK))
    assert review.waiting(Reader(world.authority.view), put, body).keys() == {f"agent/{one.name}"}
    say = {"digest_shown": put.shown, "review_due": world.authority.clock.now() + DAY, "by": "operator"}
    assert code(world.act, lambda c: review.answer(c, put.id, approve=["*"], **say)) == "review_lacks"
    due = world.authority.clock.now() + DAY
    done = world.act(lambda c: agent.review(c, one.id, due, "operator", ("mcp:notes/read_note",)))
    assert (done.state, done.ceiling) == ("active", ("mcp:notes/read_note",))
    wider = lambda c: agent.review(c, one.id, due, "operator", ("mcp:notes/*",))  # noqa: E731
    assert code(world.act, wider) == "ceiling_fixed"
    assert not review.waiting(Reader(world.authority.view), put, body), "it was answered otherwise"


def test_one_put_forward_is_refused_in_its_review_for_good(world):
    said = client.opened(world.authority, client.sealed(world.authority, "My App", BACK))
    made = world.act(lambda c: client.propose(c, said, world.person.id))
    [put] = Reader(world.authority.view).where(Review)
    say = {"digest_shown": put.shown, "review_due": world.authority.clock.now() + DAY, "by": "operator"}
    done, _ = world.act(lambda c: review.answer(c, put.id, refuse=["*"], **say))
    assert done.state == "closed"
    assert world.act(lambda c: c.need(agent.Agent, made.agent)).state == "retired"
