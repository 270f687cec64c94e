import pytest

from remit.core.errors import INTERNAL, RemitError


def test_a_fault_says_why_what_to_do_and_its_code():
    fault = RemitError("store_busy", "The store is busy.", "Try again.")
    assert str(fault) == "The store is busy. Try again. [store_busy]"
    assert (fault.code, fault.message, fault.remedy) == fault.args
    assert INTERNAL == "internal"


def test_there_is_one_error_root():
    with pytest.raises(RemitError) as caught:
        raise RemitError("a", "b", "c")
    assert type(caught.value).__mro__[1] is Exception
    assert RemitError.__final__
