"""What an errand remembers: where a value first stood, by which path, and how much it keeps."""

import pytest

from remit.store import carried, payload
from tests.kit import stores

KEY = bytes(range(16))


@pytest.fixture(params=stores.KINDS)
def db(request, tmp_path):
    made = stores.tables(request.param, tmp_path)
    with made.transaction():
        yield made
    made.close()


def kept(db, leaf, path, given=(), held=(), root="tsk"):
    marks = {carried.mark(KEY, one): f"/{one}" for one in held} if held is not None else None
    return carried.put(db, f"cal{leaf}{root}", (root, leaf, path), [carried.mark(KEY, one) for one in given], marks)


def came(db, path, *atoms, root="tsk"):
    found = carried.origins(db, root, path, [carried.mark(KEY, one) for one in atoms])
    return {atom: tuple(found[carried.mark(KEY, atom)]) for atom in atoms if carried.mark(KEY, atom) in found}


def test_a_value_came_from_the_first_answer_on_the_other_path_that_held_it(db):
    assert kept(db, 2, "delegated", held=["late", "both"])
    assert kept(db, 1, "delegated", ["asked"], ["first", "both", "asked"])
    assert kept(db, 3, "own", ["known"], ["mine"])
    assert kept(db, 4, "delegated", held=["known", "mine"])
    assert came(db, "own", "first", "both", "late", "asked", "known", "mine", "never") == {
        "first": ("cal1tsk", "delegated", "/first"),
        "both": ("cal1tsk", "delegated", "/both"),
        "late": ("cal2tsk", "delegated", "/late"),
    }
    assert came(db, "delegated", "mine", "known") == {}
    assert came(db, "own", "first", root="other") == {}


def test_an_answer_that_was_not_seen_is_not_remembered(db):
    kept(db, 1, "own", ["a"], None)
    kept(db, 2, "own", ["a"])
    assert carried.remembered(db, "tsk") == {"cal2tsk"}


def test_an_errand_keeps_so_much_and_no_more(db, monkeypatch):
    monkeypatch.setattr(carried, "MOST", 3)
    assert kept(db, 1, "own", ["a"], ["b"])
    assert not kept(db, 2, "own", ["c"], ["d"])
    assert kept(db, 3, "own", ["e"])
    assert carried.remembered(db, "tsk") == {"cal1tsk", "cal3tsk"}


def test_an_errand_has_one_key_which_can_be_erased(db):
    assert carried.key(db, "tsk") is None
    carried.put_key(db, "tsk", KEY)
    assert carried.key(db, "tsk") == KEY
    assert payload.erase(db, "flow:tsk")
    assert carried.key(db, "tsk") is None
    assert carried.mark(KEY, "a") != carried.mark(bytes(16), "a")
