"""Poller: asks one transmitter for security events (RFC 8936), beside the writer. The address is the settings' alone.

The very address that was judged is dialled: a private one is refused unless the settings allow it, redirects are not
followed, time and size are bounded, and no proxy is used.
"""

import http.client
import re
import socket
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from remit.control.messenger import resolved
from remit.control.outgoing import cut, dialled
from remit.core.canonical import Json, b64, read
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.poll import BASIC, KEY, POST, Answer, answer
from remit.custody import asserting
from remit.custody.secret import Secret

PATIENCE_S: Final = 25.0
"""How long an answer may take: a transmitter may hold it until there is something to tell."""
REACH_S: Final = 5.0
WHOLE_S: Final = PATIENCE_S + 2 * REACH_S
"""How long one poll takes at most, however slowly it is answered."""
LARGEST: Final = 2 * 1024 * 1024
LONGEST: Final = 64 * 1024
"""Octets of a token endpoint's answer, at most."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*", re.ASCII)
"""How a bearer token is spelt (RFC 6750 section 2.1)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A transmitter that is polled, by the name it is registered under, and what is sent along to it.

    With a `token` endpoint a bearer token is asked for there instead, as `client` with its `secret` (RFC 6749 section
    4.4), for `scope` if there is one; and another one whenever a poll is answered 401. The secret goes as `proof` says;
    a private key signs an assertion for `token_issuer` (RFC 7523), which is the endpoint itself unless it is given.
    """

    transmitter: str
    url: str
    authorization: bytes = b""
    private: bool = False
    token: str = ""
    client: str = ""
    secret: bytes = b""
    scope: str = ""
    proof: str = BASIC
    token_issuer: str = ""


class Poller:
    """Goes to one transmitter. Owned by whoever polls; one thread at a time asks, any may call `stop`."""

    def __init__(
        self, source: Source, now: Callable[[], Instant] = lambda: Instant(0), random: Callable[[int], bytes] = bytes
    ) -> None:
        self.source, self._now, self._random = source, now, random
        self._line: socket.socket | None = None
        self._over = False
        self._bearer = ""

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
        fresh = not self._bearer
        status, data = self._post(self.source.url, body, self._headers())
        if status == 401:
            self._bearer = ""
            if self.source.token and not fresh:
                status, data = self._post(self.source.url, body, self._headers())
        if status != 200:
            return f"It answered {status}."
        return answer(read(data)) if len(data) <= LARGEST else "It answered too much at once."

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """The status, and of 200 what was said: up to an octet more than is taken."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = resolved(host, port, private=self.source.private)
        connection = http.client.HTTPConnection(host, port)
        with dialled(address, port, name=host if secure else "", each_s=REACH_S, whole_s=WHOLE_S) as line:
            self._line = connection.sock = line
            if self._over:
                raise RemitError("poll_over", "It is asked no more.", "Start Remit again.")
            line.settimeout(PATIENCE_S)
            where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", where, body, headers)
            with connection.getresponse() as said:
                return said.status, said.read(LARGEST + 1) if said.status == 200 else b""

    def _headers(self) -> dict[str, str]:
        said = {"content-type": "application/json", "accept": "application/json"}
        if self.source.token:
            self._bearer = self._bearer or self._admitted()
            return said | {"authorization": f"Bearer {self._bearer}"}
        given = self.source.authorization.decode("latin-1")
        return said | ({"authorization": given} if given else {})

    def _admitted(self) -> str:
        """A token of the transmitter's own (`token_refused`)."""
        one = self.source
        form = {"grant_type": "client_credentials"} | ({"scope": one.scope} if one.scope else {})
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if one.proof == KEY:
            form |= self._signed()
        elif one.proof == POST:
            form |= {"client_id": one.client, "client_secret": one.secret.decode()}
        else:
            pair = f"{quote(one.client, safe='')}:{quote(one.secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        status, data = self._post(one.token, urlencode(form).encode(), headers)
        said = read(data) if status == 200 and len(data) <= LONGEST else None
        text = said.get("access_token") if isinstance(said, dict) else None
        kind = said.get("token_type") if isinstance(said, dict) else None
        if not isinstance(text, str) or not _TOKEN.fullmatch(text) or str(kind).lower() != "bearer":
            why = f"It answered {status}." if status != 200 else "It answered with no bearer token."
            raise RemitError("token_refused", f"Its token endpoint gives nothing. {why}", "Check client and secret.")
        return text

    def _signed(self) -> dict[str, str]:
        """An assertion by our private key, another one for each token (`key_invalid`)."""
        one = self.source
        text = asserting.assertion(
            Secret(one.secret), client=one.client, audience=one.token_issuer or one.token,
            id=b64(self._random(18)), now=self._now(),
        )  # fmt: skip
        return {"client_id": one.client, "client_assertion_type": asserting.TYPE, "client_assertion": text}
