"""Replies: a name is claimed once, answered once, given back only while nothing was answered, and forgotten by time."""

from remit.core.moment import Instant
from remit.store import reply


def test_a_name_is_of_one_request_and_one_answer(tables):
    assert reply.get(tables, "a") is None
    assert reply.begin(tables, "a", "first", Instant(10))
    assert not reply.begin(tables, "a", "second", Instant(20))
    assert reply.get(tables, "a") == ("first", None)
    reply.answered(tables, "a", b"said")
    reply.answered(tables, "a", b"said otherwise")
    reply.undone(tables, "a")
    assert reply.get(tables, "a") == ("first", b"said")


def test_a_name_that_is_given_back_is_free(tables):
    assert reply.begin(tables, "a", "first", Instant(10))
    reply.undone(tables, "a")
    assert reply.begin(tables, "a", "second", Instant(10))


def test_time_forgets_so_many_at_once_and_the_oldest_first(tables):
    for at, name in enumerate("cab"):
        assert reply.begin(tables, name, "one", Instant(at))
    assert reply.expire(tables, Instant(0), 10) == 0
    assert reply.expire(tables, Instant(3), 2) == 2
    assert reply.get(tables, "b") == ("one", None)
