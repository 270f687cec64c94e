import psycopg
import pytest
from psycopg import errors

from remit.store.refusal import translate, unknown


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.LockNotAvailable("x"), "store_busy"),
        (errors.QueryCanceled("x"), "store_busy"),
        (errors.DiskFull("x"), "store_full"),
        (errors.ReadOnlySqlTransaction("x"), "store_read_only"),
        (errors.InsufficientPrivilege("x"), "store_read_only"),
        (errors.UniqueViolation("x"), "store_constraint"),
        (errors.AdminShutdown("x"), "store_failed"),
        (errors.IdleInTransactionSessionTimeout("x"), "store_failed"),
        (errors.TransactionTimeout("x"), "store_failed"),
        (psycopg.OperationalError("x"), "store_failed"),
        (psycopg.DataError("x"), "text_invalid"),
        (errors.UndefinedTable("x"), "store_statement"),
        (OverflowError("x"), "store_statement"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_each_fault_has_a_code_and_never_the_servers_own_words(error, code):
    told = translate(error)
    assert told.code == code
    assert "x" not in told.message.split()


def test_a_commit_without_an_answer_is_unknown():
    assert unknown(None).code == unknown(psycopg.OperationalError("x")).code == "commit_unknown"
