import pytest

from remit.core.moment import LAST, Instant, Window, instant
from tests.kit.nouns import code


@pytest.mark.parametrize("value", [0, 1, LAST])
def test_whole_milliseconds_up_to_the_year_9999_are_instants(value):
    assert instant(value) == value


@pytest.mark.parametrize("value", [-1, LAST + 1, 1.0, True, "1", None])
def test_nothing_else_is(value):
    assert code(instant, value) == "moment_invalid"


def test_a_window_holds_its_start_and_not_its_end():
    window = Window(Instant(10), Instant(20))
    assert [window.holds(Instant(at)) for at in (9, 10, 19, 20)] == [False, True, True, False]


def test_a_window_lies_within_one_that_is_as_wide_or_wider():
    window = Window(Instant(10), Instant(20))
    assert window.within(window)
    assert Window(Instant(11), Instant(19)).within(window)
    assert not Window(Instant(9), Instant(19)).within(window)
    assert not Window(Instant(11), Instant(21)).within(window)


def test_an_empty_window_cannot_be_built():
    assert code(Window, 10, 10) == "window_invalid"
    assert code(Window, 10, 9) == "window_invalid"
    assert code(Window, -1, 9) == "moment_invalid"
