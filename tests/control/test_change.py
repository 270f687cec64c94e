import pytest

from remit.core.errors import RemitError
from remit.core.principal import Person
from remit.store import payload
from tests.kit.nouns import named, person
from tests.kit.told import refused, size, told


def test_a_record_is_readable_where_it_was_written_and_leaves_its_receipt(world, time):
    before, one = size(world), person(id=named("per", "z"))

    def work(change):
        assert change.reader.get(Person, one.id) is None
        assert change.record("person.added", one, "operator", "hired") == before
        return change.need(Person, one.id)

    assert world.act(work) == one
    (receipt,) = told(world, before)
    assert (receipt["kind"], receipt["by"], receipt["because"], receipt["at"]) == (
        *("person.added", "operator", "hired"),
        time.ms,
    )


def test_what_is_not_there_is_refused_and_what_was_written_before_it_is_undone(world):
    def work(change):
        change.record("person.added", person(id=named("per", "z")), "operator")
        change.need(Person, named("per", "y"))

    assert refused(world, work) == "not_found"
    assert world.act(lambda c: c.reader.get(Person, named("per", "z"))) is None


def test_what_no_receipt_speaks_of_is_kept_only_when_asked(world):
    def spend(change, value, *, keep):
        assert payload.spend(change.db, "jti", value, 9)
        if keep:
            change.keep()

    before = size(world)
    world.act(lambda c: spend(c, "one", keep=False))
    world.act(lambda c: spend(c, "one", keep=True))
    assert world.act(lambda c: payload.spend(c.db, "jti", "one", 9)) is False
    assert size(world) == before


def test_a_breaking_piece_is_told_so_without_its_inner_words(world):
    def work(change):
        change.record("person.added", person(id=named("per", "z")), "operator")
        raise ValueError("secret")

    before = size(world)
    with pytest.raises(RemitError) as caught:
        world.act(work)
    assert caught.value.code == "internal"
    assert "secret" not in str(caught.value)
    assert size(world) == before


def test_a_piece_that_writes_last_needs_no_savepoint_and_a_fault_after_it_wrote_undoes_the_transaction(
    world, monkeypatch
):
    seen, before, found = [], size(world), []

    def early(change):
        seen.append("early")
        raise RemitError("not_found", "There is none.", "Look.")

    def torn(change):
        seen.append("torn")
        change.record("person.added", person(id=named("per", "t")), "operator")
        raise RuntimeError("after it wrote")

    def whole(change):
        seen.append("whole")
        return change.record("person.added", person(id=named("per", "w")), "operator")

    def marked(_):
        raise AssertionError("a savepoint")

    world.batch.wake = lambda: None
    monkeypatch.setattr(type(world.authority.db), "mark", marked)
    for work in (early, whole):
        world.batch.submit("a", work, found.append, last=True)
    world.batch.turn()
    assert [getattr(one, "code", one) for one in found] == ["not_found", before]
    found.clear()
    for work in (early, torn, whole):
        world.batch.submit("a", work, found.append, last=True)
    world.batch.turn()
    assert [getattr(one, "code", one) for one in found] == ["not_found", "internal", before + 1]
    monkeypatch.undo()
    assert size(world) == before + 2, "what the torn piece wrote stayed"
    assert seen[-3:] == ["early", "torn", "whole"], "not run again by themselves"
