"""Text from elsewhere, shown so that it does nothing."""

import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(text: str, most: int = 0) -> str:
    """Write text from elsewhere, each character escaped that could move the cursor, turn text or hide.

    `most` cuts a long one and says so; 0 never cuts.
    """
    safe = "".join(c if unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape").decode() for c in text)
    return safe if not most or len(safe) <= most else f"{safe[: most - 1]}…"
