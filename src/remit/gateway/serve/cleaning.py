"""Cleaning answers of what was lent; a large one in parts, so that the loop goes on with others in between."""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from remit.core.redact import Redactor

PART: Final = 256 * 1024
"""Octets that are looked through at once."""
KEPT: Final = 64
"""Redactors that a gate keeps made, each for the values that some call was lent."""


def redactors() -> Callable[[tuple[bytes, ...]], Redactor]:
    """What takes given values out of answers; the same for the same values while it is kept. Owned by a gate."""
    return lru_cache(maxsize=KEPT)(Redactor)


async def cleaned(redactor: Redactor, data: bytes) -> bytes:
    """What `redact` makes of the whole: a value that lies across two parts is held back until it is known to be one."""
    if len(data) <= PART:
        return redactor.redact(data)
    stream, out = redactor.stream(), []
    for start in range(0, len(data), PART):
        out.append(stream.feed(data[start : start + PART]))
        await asyncio.sleep(0)
    out.append(stream.end())
    return b"".join(out)
