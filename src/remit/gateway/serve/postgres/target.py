"""A session's own connection to the database: dialled at a judged address, logged in with what the permit lends."""

import asyncio
import contextlib
import functools
import hashlib
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from remit.core.address import inside, literal
from remit.core.errors import RemitError
from remit.core.permit import Lent
from remit.gateway.postgres import fault, startup
from remit.gateway.postgres.frame import MOST_BACK, Body, frame, text
from remit.gateway.postgres.scram import NAME, PLUS, Scram
from remit.gateway.postgres.statement import TIMEOUT_MS
from remit.gateway.serve.postgres.place import Place
from remit.gateway.serve.postgres.wire import Wire
from remit.gateway.upstream import tls

DIAL_S: Final = 10.0
USER, PASSWORD = "PGUSER", "PGPASSWORD"
"""What a permit lends, by the names that libpq knows it under."""


@dataclass(slots=True)
class Target:
    """One open connection, logged in. `number` and `key` cancel what it runs; they never reach the agent."""

    place: Place
    address: tuple[str, int]
    wire: Wire
    number: int = 0
    key: bytes = field(default=b"", repr=False)
    told: list[tuple[str, str]] = field(default_factory=list)

    def end(self) -> None:
        """Say goodbye and close."""
        self.wire.write(frame(b"X"))
        self.wire.close()

    async def ask(self, question: str) -> list[tuple[str, ...]]:
        """Ask something by ourselves, before the session begins; the rows of the answer as text."""
        self.wire.write(frame(b"Q", text(question)))
        rows, trouble = [], b""
        while True:
            kind, body = await self.wire.frame()
            if kind == b"D":
                parts = Body(body)
                rows.append(tuple(parts.octets(parts.long()).decode() for _ in range(parts.short())))
            elif kind == b"E":
                trouble = body
            elif kind == b"Z":
                if trouble:
                    raise _refused(trouble)
                return rows

    async def cancel(self) -> None:
        """Ask the database to stop what this connection runs."""
        with contextlib.suppress(OSError, RemitError, TimeoutError):
            async with asyncio.timeout(DIAL_S):
                wire = await _dial(self.place, [self.address[0]])
                wire.write(startup.cancel(self.number, self.key))
                wire.close()


async def reach(place: Place, lent: Lent, parameters: list[tuple[str, str]]) -> Target:
    """Connect and log in (`upstream_unreachable`, `upstream_refused`, `upstream_login`, `upstream_tls`)."""
    try:
        async with asyncio.timeout(DIAL_S):
            return await _reach(place, lent, parameters)
    except (OSError, TimeoutError) as trouble:
        raise RemitError(
            "upstream_unreachable", "The database cannot be reached.", "Check that it runs at the registered address."
        ) from trouble


async def _reach(place: Place, lent: Lent, parameters: list[tuple[str, str]]) -> Target:
    wire = await _dial(place, await _addresses(place))
    try:
        held = dict(lent.environment)
        user = lent.user or held.get(USER, place.user)
        password = lent.password or held.get(PASSWORD, "").encode()
        target = Target(place, (wire.peer or place.host, place.port), wire)
        wire.write(startup.hello([("user", user), ("database", place.database), *parameters]))
        await _login(wire, place, password)
        await _settle(target)
    except BaseException:
        wire.abort()
        raise
    return target


async def asked_once(
    place: Place, lent: Lent, parameters: list[tuple[str, str]], question: str
) -> list[tuple[str, ...]]:
    """Connect, ask one thing, and leave: for whoever registers a database."""
    target = await reach(place, lent, parameters)
    try:
        return await target.ask(question)
    finally:
        target.end()


def pinned(path: tuple[str, ...], task: str, passed: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The start-up parameters of every session at a database: they are also what RESET goes back to."""
    return [
        ("client_encoding", "UTF8"),
        ("application_name", f"remit/{task}"[:63]),
        ("search_path", ", ".join(f'"{name}"' for name in path)),
        ("standard_conforming_strings", "on"),
        ("statement_timeout", str(TIMEOUT_MS)),
        ("idle_in_transaction_session_timeout", str(TIMEOUT_MS)),
        *passed,
    ]


async def _addresses(place: Place) -> list[str]:
    """Every address that the name stands for, judged; one that is refused spoils the whole answer."""
    found = [place.host]
    if literal(place.host) is None:
        loop = asyncio.get_running_loop()
        answers = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(one[4][0]) for one in answers))
    if not found or not all(inside(one) for one in found):
        raise RemitError(
            "upstream_refused",
            "The database's name stands for an address that is refused.",
            "Register it with an address that Remit may reach.",
        )
    return found


async def _dial(place: Place, addresses: list[str]) -> Wire:
    loop = asyncio.get_running_loop()
    last: OSError | None = None
    for one in addresses:
        try:
            _, wire = await loop.create_connection(lambda: Wire(MOST_BACK), one, place.port)
        except OSError as trouble:
            last = trouble
            continue
        if place.mode != "disable":
            wire.write((8).to_bytes(4) + startup.SSL.to_bytes(4))
            if await wire.octets(1) != b"S":
                wire.abort()
                raise RemitError("upstream_tls", "The database speaks no TLS.", "Switch ssl on there.")
            await wire.secure(_context(place.authority, place.mode), server=False, name=place.host)
        return wire
    raise last or OSError


@functools.lru_cache(maxsize=64)
def _context(authority: str, mode: str) -> ssl.SSLContext:
    made = tls.context(authority=authority or None)
    made.set_alpn_protocols(["postgresql"])
    if mode == "require":
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


async def _login(wire: Wire, place: Place, password: bytes) -> None:
    scram: Scram | None = None
    while True:
        parts = Body(await _asked(wire))
        step = parts.long()
        if step == 0 and (scram is None or scram.proven):
            return
        if step == 3 and (place.mode != "disable" or place.loopback):
            wire.write(frame(b"p", password + b"\0"))
        elif step == 10:
            scram = _scram(parts, wire, password)
            first = scram.first()
            wire.write(frame(b"p", text(scram.name) + len(first).to_bytes(4) + first))
        elif step == 11 and scram is not None:
            wire.write(frame(b"p", scram.final(parts.rest())))
        elif step == 12 and scram is not None:
            scram.check(parts.rest())
        else:
            raise RemitError(
                "upstream_login", "The database asks for a way of login that is refused.", "Use scram-sha-256."
            )


async def _asked(wire: Wire) -> bytes:
    """The next thing that the database asks for before it lets the gate in."""
    while True:
        kind, body = await wire.frame()
        if kind == b"R":
            return body
        if kind == b"E":
            raise _refused(body)
        if kind != b"N":
            raise RemitError("upstream_garbage", "This is no PostgreSQL server.", "Check the registered address.")


def _scram(parts: Body, wire: Wire, password: bytes) -> Scram:
    offered = set()
    while name := parts.text():
        offered.add(name)
    binding = _binding(wire.certificate) if PLUS in offered else b""
    if NAME not in offered and not binding:
        raise RemitError("upstream_login", "The database offers no SCRAM-SHA-256.", "Store the password anew there.")
    return Scram(password, secrets.token_urlsafe(18), binding)


def _binding(certificate: bytes) -> bytes:
    """The tls-server-end-point hash of a certificate (RFC 5929); empty when it has none."""
    if not certificate:
        return b""
    try:
        used = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return b""
    if used is None:
        return b""
    name = "sha256" if used.name in ("md5", "sha1") else used.name
    return hashlib.new(name, certificate).digest()


async def _settle(target: Target) -> None:
    """Read on to the first ReadyForQuery: what the server says of itself, and how it is cancelled."""
    while True:
        kind, body = await target.wire.frame()
        if kind == b"Z":
            return
        if kind == b"S":
            parts = Body(body)
            target.told.append((parts.text(), parts.text()))
        elif kind == b"K":
            parts = Body(body)
            target.number, target.key = parts.long(), parts.rest()
        elif kind == b"E":
            raise _refused(body)
        elif kind not in (b"N", b"v"):
            raise RemitError("upstream_garbage", "This is no PostgreSQL server.", "Check the registered address.")


def _refused(body: bytes) -> RemitError:
    state = fault.fields(body).get("C", "")
    return RemitError(
        "upstream_login", f"The database refused the gate's login ({state[:5]}).", "Check role, secret and its rules."
    )
