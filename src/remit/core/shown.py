"""Text from elsewhere, shown so that it does nothing."""

import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def several(count: int, one: str, many: str = "") -> str:
    """A count with its word: `1 call`, `2 calls`, `1,000 calls`; `many` where an s does not do."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def shown(text: str, most: int = 0) -> str:
    """Write text from elsewhere, each character escaped that could move the cursor, turn text or hide.

    `most` cuts a long one and says so; 0 never cuts.
    """
    safe = "".join(c if unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape").decode() for c in text)
    return safe if not most or len(safe) <= most else f"{safe[: most - 1]}…"
