import pytest

from remit.control import brief, resource, revocation, task
from remit.control.gate import HELD_MS
from remit.core.grant import Step
from remit.core.permit import Lent, Unknown
from remit.core.resource import Injection
from remit.custody.secret import Secret
from tests.kit.nouns import named
from tests.kit.told import kinds, moved_elsewhere, size, told
from tests.kit.world import TOOLS, read_call


@pytest.fixture
def held(world):
    return world.a_credential(world.a_task().id)


def registered(world, **members):
    notes = world.gate.resource("notes")
    given = {"name": "notes", "upstream": notes.upstream, "domain": "office", "owner": world.owner.id, "by": "op"}
    world.act(lambda c: resource.add(c, **(given | {"tools": TOOLS} | members)))


def test_a_genuine_text_enters_and_says_who_asks(world, held):
    entry = world.enter(held.text)
    assert (entry.credential, entry.task, entry.agent) == (held.credential.id, held.credential.task, world.agent.id)


def test_noise_is_counted_and_leaves_no_receipt(world, held, time):
    before = size(world)
    for text in ("", "x.y.z", held.text[:-2], held.text + "A"):
        assert isinstance(world.gate.enter(text, "notes"), Unknown)
    assert isinstance(world.gate.enter(held.text, "mail"), Unknown)
    time.on(world.brief.credential_life + 1000)
    assert isinstance(world.gate.enter(held.text, "notes"), Unknown)
    assert sum(world.gate.unknown.values()) == 6
    assert size(world) == before


def test_a_credential_bound_to_a_key_does_not_pass_as_a_bearer_text(world):
    bound = world.a_credential(world.a_task().id, thumb="t" * 43)
    found = world.gate.enter(bound.text, "notes")
    assert isinstance(found, Unknown)
    assert found.error == "invalid_token"


def test_nobody_enters_on_a_clock_that_jumped(world, held):
    clock = world.authority.clock
    clock._offset -= 31_000
    assert world.gate.enter(held.text, "notes").error == "temporarily_unavailable"
    assert world.gate.live([held.credential.id]) == frozenset()


def test_a_resource_is_found_while_it_is_registered(world):
    assert world.gate.resource("notes").name == "notes"
    assert world.gate.resource("mail") is None
    world.act(lambda c: revocation.revoke(c, "resource", "notes", "op"))
    assert world.gate.resource("notes") is None


def test_where_a_resource_is_is_held_for_a_moment_and_read_anew_after_it(world, time):
    assert world.gate.resource("notes").upstream.url == "http://127.0.0.1:9/mcp"
    moved_elsewhere(world, "notes", b":9/mcp", b":10/mcp")
    assert world.gate.resource("notes").upstream.url == "http://127.0.0.1:9/mcp"
    time.on(HELD_MS)
    assert world.gate.resource("notes").upstream.url == "http://127.0.0.1:10/mcp"


def test_a_secret_is_lent_for_the_call_and_named_as_hidden(world, held):
    world.act(lambda c: resource.put_secret(c, "key", Secret(b"hush-hush")))
    injections = (
        Injection(secret="key", header="Authorization", template="Bearer {secret}"),
        Injection(secret="key", variable="TOKEN"),
    )
    registered(world, injections=injections)
    permit = world.decide(read_call(), world.enter(held.text))
    lent = world.gate.borrow(permit)
    assert lent == Lent(
        ((b"authorization", b"Bearer hush-hush"),), (("TOKEN", "hush-hush"),), (b"hush-hush", b"hush-hush")
    )
    assert "hush" not in str(told(world))


def test_a_secret_that_another_process_replaced_or_removed_is_not_lent_again(world, held):
    world.act(lambda c: resource.put_secret(c, "key", Secret(b"hush-hush")))
    registered(world, injections=(Injection(secret="key", header="x-key"),))
    permit = world.decide(read_call(), world.enter(held.text))
    assert world.gate.borrow(permit).hidden == world.gate.borrow(permit).hidden == (b"hush-hush",)
    with world.authority.db.transaction():
        world.authority.vault.put(resource.SECRETS, "key", Secret(b"hush-again"))
    assert world.gate.borrow(permit).headers == ((b"x-key", b"hush-again"),)
    with world.authority.db.transaction():
        world.authority.vault.forget(resource.SECRETS, "key")
    assert world.gate.borrow(permit).code == "secret_unknown"


def test_what_was_lent_leaves_memory_when_something_ended(world, held):
    world.act(lambda c: resource.put_secret(c, "key", Secret(b"hush-hush")))
    registered(world, injections=(Injection(secret="key", header="x-key"),))
    permit = world.decide(read_call(), world.enter(held.text))
    world.gate.borrow(permit)
    lending = world.authority.lending
    first = lending.awake(resource.SECRETS, "key")
    assert lending.awake(resource.SECRETS, "key") is first
    world.act(lambda c: revocation.revoke(c, "resource", "notes", "op"))
    world.gate.borrow(permit)
    assert lending.awake(resource.SECRETS, "key") is not first, "it was opened anew"


def test_a_secret_that_would_break_a_header_or_is_missing_is_not_lent(world, held):
    registered(world, injections=(Injection(secret="key", header="x-key"),))
    permit = world.decide(read_call(), world.enter(held.text))
    assert world.gate.borrow(permit).code == "secret_unknown"
    world.act(lambda c: resource.put_secret(c, "key", Secret(b"value\r\nb: c")))
    assert world.gate.borrow(permit).code == "secret_unfit"


def test_rows_are_counted_and_an_answer_with_more_than_is_left_is_withheld(world):
    form = {"action": "mcp:notes/read_note", "path": "own", "allow_unknown": True, "rows": {"max": 5}}
    world.act(lambda c: brief.apply(c, world.a_brief(steps=(Step.from_json(form),)), "op"))
    entry = world.enter(world.a_credential(world.a_task().id).text)
    one, two, three = (world.decide(read_call(), entry) for _ in range(3))
    assert {limit for *_, limit in one.counted} == {5}
    assert world.note(one, rows=3) is None
    before = size(world)
    assert world.note(two, rows=3).code == "rows_exceeded"
    assert told(world, before)[0]["result"] == "withheld"
    assert world.note(three).code == "rows_exceeded", "an answer whose rows nobody counted does not leave"
    last = world.decide(read_call(), entry)
    assert world.note(last, rows=2) is None
    assert world.decide(read_call(), entry).code == "rows_spent"


def test_only_what_still_stands_is_live(world, held, time):
    one = held.credential
    assert world.gate.live([one.id, named("crd", "z")]) == {one.id}
    assert world.gate.open([one.task, named("tsk", "z")]) == {one.task}
    time.on(1)
    world.act(lambda c: revocation.revoke(c, "path", "own", "op"))
    assert world.gate.live([one.id]) == frozenset()
    assert world.gate.open([one.task]) == {one.task}
    world.act(lambda c: task.end(c, one.task, "complete", "op"))
    assert world.gate.open([one.task]) == frozenset()


def test_a_child_is_live_while_its_parent_is(world):
    above = world.a_task()
    child = world.a_credential(world.a_task(parent=above.id, person=above.person).id).credential
    assert world.gate.live([child.id]) == {child.id}
    world.act(lambda c: task.end(c, above.id, "complete", "op"))
    assert world.gate.live([child.id]) == frozenset()


def test_what_an_upstream_offers_is_held_against_the_pins(world):
    found, before = [], size(world)
    world.gate.seen("notes", TOOLS | {"wipe": {"name": "wipe", "title": "x"}}, found.append)
    assert found == [frozenset({"wipe"})]
    assert kinds(world, before) == ["tool.suspended"]
    world.authority.clock._offset -= 31_000
    world.gate.seen("notes", TOOLS, found.append)
    assert found[1] == frozenset(TOOLS), "what cannot be held against the pins differs"
