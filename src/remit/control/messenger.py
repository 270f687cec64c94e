"""Messenger: tells one hook of an approval's change. Runs beside the writer, never on it, on a connection of its own.

The address is the settings' alone. It is resolved once and connected to as it was resolved; a private address is
refused unless the settings allow it, redirects are not followed, and of the answer only its status is read.
"""

import http.client
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from remit.control.outgoing import dialled
from remit.core import hook as rules
from remit.core.address import inside, literal, loopback, public
from remit.core.errors import RemitError
from remit.core.receipt import decode
from remit.store import log
from remit.store.opening import Aside

PATIENCE_S: Final = 5.0
PART: Final = 1_000
PARTS: Final = 20
"""How many entries are read at once, and how often in one go."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where notices go: the address, the key that signs them, and whether a private address is meant."""

    url: str
    secret: bytes
    private: bool = False

    @property
    def name(self) -> str:
        """What it is called in the store."""
        return rules.name(self.url)


@dataclass(frozen=True, slots=True)
class Due:
    """The next notice: its entry, id and bytes; -1 when there was none up to the entry `read`."""

    leaf: int
    identity: str
    body: bytes
    read: int


class Messenger:
    """Goes to one hook. Owned by whoever serves; one thread at a time uses it. `place` is the store's path or URL."""

    def __init__(self, place: Path | str, hook: Hook, issuer: str) -> None:
        self.hook = hook
        self._issuer = issuer
        self._aside = Aside(place)

    def next(self, after: int) -> Due:
        """The first change of an approval after this entry, as far as one go reads."""
        db = self._aside.reading()
        end = log.newest(db).size
        for _ in range(PARTS):
            stop = min(after + 1 + PART, end)
            for number, body in enumerate(log.entries(db, after + 1, stop), after + 1):
                if rules.KIND in body:
                    return Due(number, *rules.notice(number, decode(body), self._issuer), number)
            after = stop - 1
            if stop >= end:
                break
        return Due(-1, "", b"", after)

    def tell(self, due: Due, at: int) -> str:
        """Send a notice at this POSIX second; what went wrong, or nothing. Never raises."""
        try:
            status = self._post(due.body, self.headers(due, at))
        except (OSError, http.client.HTTPException, ValueError, RemitError) as fault:
            return fault.message if isinstance(fault, RemitError) else f"It cannot be reached ({type(fault).__name__})."
        return "" if 200 <= status < 300 else f"It answered {status}."

    def headers(self, due: Due, at: int) -> dict[str, str]:
        """What is sent along with a notice."""
        return {
            "content-type": "application/json",
            "webhook-id": due.identity,
            "webhook-timestamp": str(at),
            "webhook-signature": rules.signature(self.hook.secret, due.identity, at, due.body),
        }

    def close(self) -> None:
        """Close the connection to the store."""
        self._aside.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(self.hook.url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address, name = resolved(host, port, private=self.hook.private), host if secure else ""
        connection = http.client.HTTPConnection(host, port)
        with dialled(address, port, name=name, each_s=PATIENCE_S, whole_s=2 * PATIENCE_S) as connection.sock:
            connection.request("POST", parts.path or "/", body, headers)
            return connection.getresponse().status


def resolved(host: str, port: int, *, private: bool) -> str:
    """The address of a name, to be connected to. Refuses a private one that is not meant (`hook_private`).

    A name that is this very machine's by its spelling may be it; one that merely resolves to it may not.
    """
    local = host == "localhost" or ((written := literal(host)) is not None and written.is_loopback)
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for one in found:
        if (local and loopback(one)) or (private and inside(one)) or public(one):
            return one
    raise RemitError("hook_private", "It has a private address.", "Set private = true in its table, if it is meant.")
