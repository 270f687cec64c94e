"""Certificates that are read again when their files change: this server's own, and those that vouch for clients.

Owned by the composition root. A handshake that has begun ends as it began; the next one takes what was read last, so
nothing has to be started anew. A file that cannot be read leaves in force what was there, and that is said once.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import final

from remit.core.errors import RemitError

Mark = tuple[int, int, int] | None


@final
class Renewing:
    """One address's certificates. `make` reads them; `files` are where from; `say` tells what cannot be read."""

    def __init__(
        self, context: ssl.SSLContext, make: Callable[[], ssl.SSLContext], files: tuple[str, ...],
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._now, self._make, self._say = context, make, say
        self._files = tuple(Path(one) for one in files if one)
        self._seen = self._marks()
        context.sni_callback = self._turn

    def look(self) -> None:
        """Read the files again if one of them is another than before."""
        marks = self._marks()
        if marks == self._seen:
            return
        self._seen = marks
        try:
            self._now = self._make()
        except (OSError, ssl.SSLError, RemitError) as fault:
            why = fault.message if isinstance(fault, RemitError) else type(fault).__name__
            self._say(f"The certificates that were changed cannot be read ({why}); those before stay in force.")

    def _turn(self, line: ssl.SSLSocket | ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Called as a handshake begins."""
        line.context = self._now

    def _marks(self) -> tuple[Mark, ...]:
        return tuple(_mark(one) for one in self._files)


def _mark(file: Path) -> Mark:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
