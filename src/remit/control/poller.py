"""Poller: asks one transmitter for security events (RFC 8936), beside the writer. The address is the settings' alone.

The very address that was judged is dialled: a private one is refused unless the settings allow it, redirects are not
followed, time and size are bounded, and no proxy is used.
"""

import http.client
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from remit.control.messenger import resolved
from remit.control.outgoing import cut, dialled
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.poll import Answer, answer

PATIENCE_S: Final = 25.0
"""How long an answer may take: a transmitter may hold it until there is something to tell."""
REACH_S: Final = 5.0
WHOLE_S: Final = PATIENCE_S + 2 * REACH_S
"""How long one poll takes at most, however slowly it is answered."""
LARGEST: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A transmitter that is polled, by the name it is registered under, and what is sent along to it."""

    transmitter: str
    url: str
    authorization: bytes = b""
    private: bool = False


class Poller:
    """Goes to one transmitter. Owned by whoever polls; one thread at a time asks, any may call `stop`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._line: socket.socket | None = None
        self._over = False

    def ask(self, said: Json) -> Answer | str:
        """Poll once: what it answers, or what went wrong. Never raises."""
        try:
            return self._ask(msgspec.json.encode(said))
        except RemitError as fault:
            return fault.message
        except (OSError, http.client.HTTPException, ValueError) as fault:
            return f"It cannot be reached ({type(fault).__name__})."
        finally:
            self._line = None

    def stop(self) -> None:
        """Ask nothing more, and wait for no answer."""
        self._over = True
        line = self._line
        if line is not None:
            cut(line)

    def _ask(self, body: bytes) -> Answer | str:
        parts = urlsplit(self.source.url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = resolved(host, port, private=self.source.private)
        connection = http.client.HTTPConnection(host, port)
        with dialled(address, port, name=host if secure else "", each_s=REACH_S, whole_s=WHOLE_S) as line:
            self._line = connection.sock = line
            if self._over:
                return "It is asked no more."
            line.settimeout(PATIENCE_S)
            where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", where, body, self._headers())
            with connection.getresponse() as said:
                if said.status != 200:
                    return f"It answered {said.status}."
                data = said.read(LARGEST + 1)
        return answer(read(data)) if len(data) <= LARGEST else "It answered too much at once."

    def _headers(self) -> dict[str, str]:
        said = {"content-type": "application/json", "accept": "application/json"}
        given = self.source.authorization.decode("latin-1")
        return said | ({"authorization": given} if given else {})
