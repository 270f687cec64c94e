"""What a connection begins with: a wish for TLS, a cancel, or a start with its parameters.

Start-up parameters are an allow-list: what could change whose authority or which names are meant is refused.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.postgres.frame import Body, frame, invalid, text

MOST: Final = 10_000
"""The longest start-up packet, in octets, as PostgreSQL itself has it."""
SSL, GSS, CANCEL, MAJOR = 80877103, 80877104, 80877102, 3
PASSED: Final = frozenset({"datestyle", "timezone", "extra_float_digits", "intervalstyle"})
"""Parameters that only say how values are written."""
IGNORED: Final = frozenset({"application_name", "fallback_application_name"})
"""The gate says itself what an application is called: by its task."""
USERS: Final = frozenset({"remit", "oauth"})


@dataclass(frozen=True, slots=True)
class Cancel:
    """A wish to cancel what the session with this key runs."""

    number: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """A wish to begin a session: which resource, by which way of login, and how values are to be written."""

    minor: int
    user: str
    database: str
    passed: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


def length(head: bytes) -> int:
    """How long the packet is whose first four octets these are, without them (`frame_invalid`)."""
    size = int(struct.unpack("!i", head)[0])
    if not 8 <= size <= MOST:
        raise invalid("A start-up packet has a length that cannot be.")
    return size - 4


def read(body: bytes) -> int | Cancel | Start:
    """Read a start-up packet: `SSL` or `GSS`, a Cancel, or a Start. Refuses the rest (`startup_refused`)."""
    parts = Body(body)
    code = parts.long() & 0xFFFFFFFF
    if code in (SSL, GSS):
        parts.end()
        return code
    if code == CANCEL:
        return Cancel(parts.long(), parts.rest())
    if code >> 16 != MAJOR:
        raise _refused("Only protocol 3 is spoken here.", "Use a client of PostgreSQL 7.4 or later.")
    return _start(code & 0xFFFF, parts)


def _start(minor: int, parts: Body) -> Start:
    given: dict[str, str] = {}
    while name := parts.text():
        if name in given:
            raise _refused("A start-up parameter is given twice.", "Give each once.")
        given[name] = parts.text()
    parts.end()
    user, database = given.pop("user", ""), given.pop("database", "")
    passed, unknown = [], []
    for name, value in given.items():
        low = name.lower()
        if low.startswith("_pq_."):
            unknown.append(name)
        elif low == "client_encoding":
            if value.strip("'\"").lower().replace("-", "").replace("_", "") not in ("utf8", "unicode"):
                raise _refused("Only the client encoding UTF8 is spoken here.", "Set client_encoding to UTF8.")
        elif low in PASSED:
            passed.append((low, value))
        elif low not in IGNORED and not (low in ("options", "replication") and value in ("", "false", "off", "0")):
            raise _refused(
                f"The start-up parameter {name[:60]!r} is refused: it could change what a statement means.",
                "Leave it out.",
            )
    if user not in USERS:
        raise _refused(
            "The user of a session is remit, or oauth for login by OAUTHBEARER.",
            "Set the user to remit: what you may do is in the credential, and the login at the target is the gate's.",
        )
    return Start(minor, user, database or user, tuple(passed), tuple(unknown))


def agreed(minor: int) -> int:
    """The minor version that is spoken: 3.2 with those who ask for it or for more, else 3.0."""
    return 2 if minor >= 2 else 0


def negotiate(minor: int, unknown: tuple[str, ...]) -> bytes:
    """A NegotiateProtocolVersion: the newest minor version spoken here, and the options not understood."""
    body = struct.pack("!ii", (MAJOR << 16) | agreed(minor), len(unknown))
    return frame(b"v", body + b"".join(text(name) for name in unknown))


def hello(parameters: list[tuple[str, str]]) -> bytes:
    """Our own start-up packet towards a target."""
    body = struct.pack("!i", MAJOR << 16) + b"".join(text(name) + text(value) for name, value in parameters) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def cancel(number: int, key: bytes) -> bytes:
    """Our own cancel towards a target."""
    body = struct.pack("!iI", CANCEL, number & 0xFFFFFFFF) + key
    return struct.pack("!i", len(body) + 4) + body


def _refused(what: str, remedy: str) -> RemitError:
    return RemitError("startup_refused", what, remedy)
