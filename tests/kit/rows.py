"""In-memory twins of the rows that custody keeps in the store."""

from remit.custody.signer import KeyRow
from remit.custody.vault import SealedRow


class MemoryKeyRows:
    """`KeyRows` in a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, KeyRow] = {}

    def list(self) -> list[KeyRow]:
        return list(self.rows.values())

    def put(self, row: KeyRow) -> None:
        self.rows[row.kid] = row


class MemorySecretRows:
    """`SecretRows` in a dict."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], SealedRow] = {}

    def get(self, purpose: str, name: str) -> SealedRow | None:
        return self.rows.get((purpose, name))

    def put(self, row: SealedRow) -> None:
        self.rows[row.purpose, row.name] = row

    def drop(self, purpose: str, name: str) -> None:
        self.rows.pop((purpose, name), None)

    def list(self) -> list[SealedRow]:
        return list(self.rows.values())
