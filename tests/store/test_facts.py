from remit.core.call import Call
from remit.core.receipt import change
from remit.store.apply import apply
from remit.store.facts import DEEPEST, activity, ancestors, facts, principal_live
from remit.store.record import Reader, put
from tests.kit.nouns import CALL, CREDENTIAL, NOON, PERSON, SERVICE, TASK, every, named, person, service, task

CALLED = Call("mcp:notes/read_note", {"path": "/notes/a"})


def seen(db, credential=CREDENTIAL, call=CALLED, origin=""):
    return facts(Reader(db), credential, call, origin, NOON, lambda path: None)


def test_all_that_a_decision_may_look_at_is_read(tables):
    for record in every():
        put(tables, record)
    found = seen(tables)
    named_ = {type(one).__name__: one for one in every()}
    assert (found.credential, found.key, found.gate) == (named_["Credential"], named_["Key"], named_["PathGate"])
    assert (found.task, found.plan, found.brief) == (named_["Task"], named_["Plan"], named_["Brief"])
    assert (found.agent, found.owner, found.resource) == (named_["Agent"], named_["Person"], named_["Resource"])
    assert found.tools == {"read_note": named_["Tool"]}
    assert (found.ancestors, found.requester_live, found.active_at, found.policy) == ((), True, NOON, None)


def test_what_is_not_there_stays_absent(tables):
    assert seen(tables).credential is None
    for record in every():
        if type(record).__name__ == "Credential":
            put(tables, record)
    found = seen(tables)
    assert found.credential is not None
    assert (found.task, found.agent, found.plan, found.requester_live) == (None, None, None, False)


def test_ancestors_are_nearest_first_and_a_missing_one_or_no_end_is_none(tables):
    put(tables, task(id=named("tsk", "b"), parent=named("tsk", "c")))
    put(tables, task(parent=named("tsk", "b")))
    assert ancestors(Reader(tables), task(parent=named("tsk", "b"))) is None
    put(tables, task(id=named("tsk", "c")))
    assert [one.id[-1] for one in ancestors(Reader(tables), task(parent=named("tsk", "b")))] == ["b", "c"]
    put(tables, task(id=named("tsk", "c"), parent=TASK))
    assert ancestors(Reader(tables), task(parent=named("tsk", "b"))) is None
    assert DEEPEST >= 8, "as deep as a brief may allow"


def test_a_task_was_active_when_it_was_opened_or_last_allowed(tables):
    assert activity(Reader(tables), task()) == NOON
    tables.run("INSERT INTO activity (task, at, leaf) VALUES (?, ?, 1)", (TASK, NOON + 7))
    assert activity(Reader(tables), task()) == NOON + 7


def test_a_principal_is_live_while_it_is_here(tables):
    assert not principal_live(Reader(tables), PERSON)
    put(tables, person())
    put(tables, service())
    assert principal_live(Reader(tables), PERSON)
    assert principal_live(Reader(tables), SERVICE)
    apply(tables, 1, change("person.left", person(state="gone"), NOON, "op"))
    assert not principal_live(Reader(tables), PERSON)


def test_an_origin_counts_only_for_an_open_call_of_the_same_credential(tables):
    for record in every():
        put(tables, record)
    assert not seen(tables, origin=CALL).origin
    row = (CALL, 1, TASK, CREDENTIAL, CALLED.action, 0, 1, NOON)
    tables.run(
        "INSERT INTO flight (call, leaf, task, credential, action, step, plan, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
    )
    assert seen(tables, origin=CALL).origin
    assert not seen(tables).origin
    tables.run("UPDATE flight SET credential = ?", (named("crd", "b"),))
    assert not seen(tables, origin=CALL).origin
