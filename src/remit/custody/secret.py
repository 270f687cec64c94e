"""A secret value in memory: it can be used, and it cannot be shown by accident."""

import hmac
from typing import Final, NoReturn, final

from remit.core.errors import RemitError

SHOWN: Final = "Secret(…)"


@final
class Secret:
    """Bytes that never print, format, pickle or copy themselves. `reveal` is the one way to the value.

    Whoever calls `reveal` owns the bytes for one expression: they go into a cipher, a signature or a header on its
    way to the target, never into a message, a log or a receipt. Comparison takes constant time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the value. The only door."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        raise RemitError("secret_shown", "A secret cannot be pickled or copied.", "Seal it in the vault instead.")
