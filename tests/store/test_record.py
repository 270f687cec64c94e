import pytest

from remit.core.agent import Agent
from remit.core.record import changed
from remit.core.task import Task
from remit.store.record import Reader, credential_row, key, noun, put
from tests.kit.nouns import AGENT, CREDENTIAL, NOON, PERSON, agent, code, credential, every, named, task


@pytest.mark.parametrize("record", every(), ids=lambda one: type(one).__name__)
def test_every_noun_is_read_as_it_was_put_and_put_again_replaces_it(tables, record):
    put(tables, record)
    put(tables, record)
    assert Reader(tables).get(type(record), key(record)) == record
    assert list(Reader(tables).where(type(record))) == [record]
    assert tables.one(f"SELECT count(*) FROM {noun(type(record))}") == (1,)


def test_what_is_not_there_is_none(tables):
    assert Reader(tables).get(Agent, AGENT) is None
    assert credential_row(tables, CREDENTIAL) is None


def test_a_row_is_read_once_until_it_is_forgotten(tables):
    reader = Reader(tables)
    put(tables, agent())
    assert reader.get(Agent, AGENT) == agent()
    put(tables, changed(agent(), state="suspended"))
    assert reader.get(Agent, AGENT).state == "active"
    reader.forget(agent())
    assert reader.get(Agent, AGENT).state == "suspended"
    put(tables, changed(agent(), state="retired"))
    reader.clear()
    assert reader.get(Agent, AGENT).state == "retired"


def test_a_condition_looks_at_columns_and_the_order_is_that_of_ids(tables):
    for letter in "cab":
        put(tables, task(id=named("tsk", letter), parent=named("tsk", "z") if letter == "b" else ""))
    reader = Reader(tables)
    assert [one.id[-1] for one in reader.where(Task, "parent = ?", ("",))] == ["a", "c"]
    assert [one.id[-1] for one in reader.where(Task)] == ["a", "b", "c"]


def test_two_agents_of_one_name_are_refused_by_the_store_too(tables):
    put(tables, agent())
    assert code(lambda: (put(tables, agent(id=named("agt", "b"))), tables.flush())) == "store_constraint"


def test_the_sweep_of_streams_reads_state_and_end(tables):
    put(tables, credential())
    assert credential_row(tables, CREDENTIAL) == ("active", NOON + 1000)
    assert PERSON not in str(credential_row(tables, CREDENTIAL))
