"""Where sealed keys and secrets really lie: the rows of the store, behind the protocols that custody declares."""

from collections.abc import Sequence

from remit.core.moment import Instant
from remit.custody.signer import KeyRow, KeyState, Purpose
from remit.custody.vault import SealedRow
from remit.store import secret
from remit.store.db import Database


class StoredKeys:
    """Signing keys in the store, read and written in whatever transaction is open on the connection."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> Sequence[KeyRow]:
        """Return all rows."""
        return [
            KeyRow(
                kid,
                Purpose(purpose),
                KeyState(state),
                Instant(since),
                Instant(until) if until is not None else None,
                sealed,
            )
            for kid, purpose, state, since, until, sealed in secret.keys(self._db)
        ]

    def put(self, row: KeyRow) -> None:
        """Insert the row, or replace the one of the same kid."""
        secret.put_key(self._db, (row.kid, row.purpose.value, row.state.value, row.since, row.until, row.sealed))


class StoredSecrets:
    """Sealed secrets in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, purpose: str, name: str) -> SealedRow | None:
        """Return the row of this name, or None."""
        row = secret.get_secret(self._db, purpose, name)
        return SealedRow(*row) if row else None

    def put(self, row: SealedRow) -> None:
        """Insert the row, or replace the one of the same purpose and name."""
        secret.put_secret(self._db, (row.purpose, row.name, row.version, row.blob))

    def drop(self, purpose: str, name: str) -> None:
        """Remove the row of this name, if there is one."""
        secret.drop_secret(self._db, purpose, name)

    def list(self) -> Sequence[SealedRow]:
        """Return all rows."""
        return [SealedRow(*row) for row in secret.secrets(self._db)]
