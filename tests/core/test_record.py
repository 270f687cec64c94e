import pytest

from remit.core.brief import Brief
from remit.core.record import changed, dump, load
from tests.kit.nouns import brief, code, every, task


@pytest.mark.parametrize("record", every(), ids=lambda one: type(one).__name__)
def test_every_noun_is_read_back_as_it_was_written(record):
    assert load(type(record), dump(record)) == record


@pytest.mark.parametrize("record", every(), ids=lambda one: type(one).__name__)
def test_no_noun_takes_a_member_it_does_not_know_or_a_wrong_type(record):
    assert code(load, type(record), dump(record) | {"extra": 1}) == "record_invalid"
    assert code(load, type(record), [dump(record)]) == "record_invalid"
    name = next(name for name, value in dump(record).items() if name != "noun" and isinstance(value, str | int))
    assert code(load, type(record), dump(record) | {name: []}) == "record_invalid"


def test_defaults_are_left_out_and_a_noun_says_its_name():
    assert "parent" not in dump(task())
    assert dump(task())["noun"] == "task"


def test_a_changed_record_is_checked_like_a_new_one():
    assert changed(task(), state="ended").state == "ended"
    assert code(changed, task(), state="asleep") == "task_invalid"


def test_steps_are_read_as_steps():
    assert code(load, Brief, dump(brief()) | {"steps": {}}) == "record_invalid"
    assert code(load, Brief, dump(brief()) | {"steps": [{"action": "mcp:notes/x"}]}) == "limit_invalid"
