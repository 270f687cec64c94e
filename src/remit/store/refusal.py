"""What a PostgreSQL server and the network before it can do to us, in words.

The codes are those of the embedded store (https://www.postgresql.org/docs/current/errcodes-appendix.html).
"""

from typing import Final

import psycopg
from psycopg import errors

from remit.core.errors import RemitError

_BUSY: Final = (
    errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled,
    errors.TooManyConnections,
)  # fmt: skip

_TOO_LONG: Final = (errors.IdleInTransactionSessionTimeout, errors.TransactionTimeout)


def translate(error: Exception) -> RemitError:
    """Say a fault of the driver or the server as ours; it names the SQLSTATE, never a value that was bound."""
    state = getattr(error, "sqlstate", None) or type(error).__name__
    if isinstance(error, _BUSY):
        return RemitError("store_busy", f"Another node holds the store ({state}).", "Try again shortly.")
    if isinstance(error, errors.DiskFull):
        return RemitError("store_full", "The disk of the database is full.", "Make room on the database's disk.")
    if isinstance(error, errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege):
        return RemitError(
            "store_read_only",
            f"The database can be read but not written ({state}).",
            "Give Remit's role CREATE on the database and its own schema, on the primary server.",
        )
    if isinstance(error, psycopg.IntegrityError):
        name = error.diag.constraint_name or state
        return RemitError("store_constraint", f"The store refused a row ({name}).", "Read the store, decide again.")
    if isinstance(error, psycopg.DataError):
        return RemitError("text_invalid", f"The store cannot hold this value ({state}).", "Leave NUL out of texts.")
    if isinstance(error, _TOO_LONG):
        return RemitError(
            "store_failed", f"The database ended what took too long ({state}).", "Remit begins again by itself."
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RemitError(
            "store_failed", f"The database failed ({state}).", "Remit connects again by itself; see remit doctor."
        )
    return RemitError("store_statement", f"The store refused a statement ({state}).", "Report this defect.")


def unknown(error: Exception | None) -> RemitError:
    """Say that a commit failed, so that nobody may act on it."""
    state = getattr(error, "sqlstate", None) or "no answer"
    return RemitError(
        "commit_unknown",
        f"The database failed while committing ({state}); the change may or may not have been kept.",
        "Read what the ledger holds before doing anything again.",
    )
