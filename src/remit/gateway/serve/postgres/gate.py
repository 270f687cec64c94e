"""The PostgreSQL gate: a listener on a port of its own; one session for each agent that logs in with its credential.

Owned by the composition root, on one event loop. It decides nothing: the start of a session and every statement have a
permit of their own. Beyond loopback a credential is taken under TLS only.
"""

import asyncio
import hmac
import secrets
import ssl
from collections.abc import Callable
from typing import Any, Final

from remit.core.address import literal
from remit.core.answer import Deny
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault, Lent, Unknown
from remit.core.resource import Resource
from remit.gateway.authority import Authority
from remit.gateway.postgres import catalogue as catalogues
from remit.gateway.postgres import fault, sasl, startup
from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.frame import Body, frame, text
from remit.gateway.postgres.startup import Cancel, Start
from remit.gateway.postgres.statement import session as session_call
from remit.gateway.serve.drive import setter
from remit.gateway.serve.errand import Errand
from remit.gateway.serve.postgres.place import parse
from remit.gateway.serve.postgres.session import Session
from remit.gateway.serve.postgres.target import Target, pinned, reach
from remit.gateway.serve.postgres.wire import Wire
from remit.gateway.serve.seats import Seats

TICK_S: Final = 0.5
PARTIAL_S: Final = 30.0
"""How long the rest of a message may take."""
CHECK_S: Final = 60.0
"""How often a database is asked whether it is still what was registered, at the start of a session."""
CONNECTIONS: Final = 500
PER_AGENT: Final = 64
CUT: Final = Deny(
    "cut", "What allowed this has ended, so the session was cut.", "Stop; ask for a new task or credential."
)
CLOSING: Final = Fault("closing", "The gate is closing.")
_BEARING: Final = 24 * 1024
_STRANGE: Final = 32 * 1024
"""The longest message of one who has not logged in, in octets."""


class Postgres:
    """The gate. `start` it on a loop, `close` it before the loop ends."""

    def __init__(
        self, authority: Authority, issuer: str, tls: ssl.SSLContext | None = None, *, connections: int = CONNECTIONS
    ) -> None:
        self.authority = authority
        self.sessions: dict[int, tuple[bytes, Session]] = {}
        self._issuer = issuer
        self._tls = tls
        self.seats = Seats(connections, PER_AGENT)
        self._open: set[asyncio.Task[None]] = set()
        self._wires: set[Wire] = set()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._known: dict[str, tuple[dict[str, Json], Catalogue]] = {}
        self._checked: dict[str, float] = {}

    async def start(self, listening: Any) -> None:
        """Take connections on this socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Door(self._admit), sock=listening)
        self._timer = loop.call_later(TICK_S, self._tick)

    async def close(self) -> None:
        """Cut every session and stop. For good."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
        for _, one in tuple(self.sessions.values()):
            one.stop(CLOSING)
        for wire in tuple(self._wires):
            if not any(one.client is wire for _, one in self.sessions.values()):
                wire.abort()
        if self._open:
            await asyncio.wait(tuple(self._open), timeout=5)

    def look(self) -> None:
        """Cut the sessions of what has ended, and what takes too long over one message."""
        if not self.sessions:
            return
        now = asyncio.get_running_loop().time()
        live = self.authority.live(sorted({one.entry.credential for _, one in self.sessions.values()}))
        for _, one in tuple(self.sessions.values()):
            if one.entry.credential not in live:
                one.stop(CUT)
            elif one.client.partial and now - one.client.partial > PARTIAL_S:
                one.stop(Fault("frame_invalid", "A message did not arrive whole in time."))
        for name in {one.entry.resource for _, one in self.sessions.values()}:
            self._renew(name)

    def _renew(self, name: str) -> None:
        """Understand statements as the database is registered now."""
        before = self._known.get(name)
        found = self._catalogue(name)
        if isinstance(found, Catalogue) and (before is None or found is not before[1]):
            for _, one in self.sessions.values():
                if one.entry.resource == name:
                    one.moved(found)

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self.look()

    # One connection.

    def _admit(self, wire: Wire) -> None:
        if not self.seats.enter(wire, wire.peer):
            full = RemitError("connections_full", "The gate has no free connection.", "Try again later.")
            wire.write(fault.response(full, "FATAL"))
            wire.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(wire))
        self._open.add(task)
        self._wires.add(wire)
        task.add_done_callback(self._open.discard)

    async def _serve(self, wire: Wire) -> None:
        try:
            started = await self._begin(wire)
            if started is not None:
                wire.widen()
                await self._session(*started)
        except RemitError as why:
            wire.write(fault.response(why, "FATAL"))
        except (ConnectionResetError, TimeoutError):
            pass
        except Exception:  # noqa: BLE001 - whatever it is ends this connection alone, and says nothing of what was sent
            wire.write(fault.response(Fault("internal", "The gate ends this session."), "FATAL"))
        finally:
            self._wires.discard(wire)
            self.seats.leave(wire)
            wire.close()

    async def _begin(self, wire: Wire) -> tuple[Wire, Start, Entry, Resource] | None:
        secure = False
        for _ in range(3):
            body = await wire.octets(startup.length(await wire.octets(4)))
            asked = startup.read(body)
            if isinstance(asked, Cancel):
                await self._cancel(asked)
                return None
            if isinstance(asked, Start):
                return await self._enter(wire, asked, secure=secure)
            if asked == startup.SSL and self._tls is not None and not secure:
                if wire.waits:
                    raise RemitError("frame_invalid", "Octets came before TLS had begun.", "Begin TLS first.")
                wire.write(b"S")
                await wire.secure(self._tls, server=True)
                secure = True
            else:
                wire.write(b"N")
        raise RemitError("startup_refused", "The session does not begin.", "Send a start-up packet.")

    async def _enter(self, wire: Wire, start: Start, *, secure: bool) -> tuple[Wire, Start, Entry, Resource]:
        address = literal(wire.peer)
        if not secure and (address is None or not address.is_loopback):
            raise RemitError(
                "tls_required", "A credential is taken under TLS only.", "Connect with sslmode=verify-full."
            )
        if startup.agreed(start.minor) != start.minor or start.unknown:
            wire.write(startup.negotiate(start.minor, start.unknown))
        shown = await (self._bearer(wire) if start.user == "oauth" else _password(wire))
        entry: Entry | Unknown = (
            self.authority.enter(shown, start.database, wire.manner)
            if _name(start.database) and shown.isascii() and len(shown) <= _BEARING
            else Unknown("invalid_token", "There is no such resource.", "resource_unknown")
        )
        if isinstance(entry, Unknown):
            if start.user == "oauth":
                wire.write(sasl.challenge(self._issuer))
                await wire.frame()
            wire.write(fault.response(entry, "FATAL"))
            raise ConnectionResetError
        resource = self.authority.resource(start.database)
        if isinstance(resource, Fault):
            raise RemitError(resource.code, resource.what, "Try again.")
        if resource is None or resource.kind != "postgres":
            raise RemitError("resource_unknown", "There is no such database.", "The database is the resource's name.")
        if not self.seats.known(wire, entry.agent):
            most = self.seats.per_agent
            raise RemitError("connections_full", f"An agent may have {most} sessions.", "Close one first.")
        return wire, start, entry, resource

    async def _bearer(self, wire: Wire) -> str:
        wire.write(sasl.offer())
        body = await _message(wire)
        found = sasl.token(body)
        if found == sasl.DISCOVER:
            wire.write(sasl.challenge(self._issuer))
            await wire.frame()
            raise RemitError(
                "credential_missing",
                "A credential is needed.",
                "Get one from the issuer that was named, and try again.",
            )
        return found

    async def _session(self, wire: Wire, start: Start, entry: Entry, resource: Resource) -> None:
        known = self._catalogue(resource.name)
        if not isinstance(known, Catalogue):
            raise RemitError(known.code, known.what, "Let the operator register the database again.")
        errand = Errand(self.authority, entry, [session_call(resource.name, "start")], asyncio.get_running_loop())
        why = await errand.permitted()
        if why is not None:
            wire.write(fault.response(why, "FATAL"))
            return
        target = await self._reached(errand, entry, resource, known, start)
        session = Session(self.authority, entry, wire, target, known, _hidden(errand.lent), resource.upstream)
        try:
            await self._check(session, resource.name)
        except BaseException:
            target.wire.abort()
            raise
        number, key = secrets.randbelow(2**31 - 1) + 1, secrets.token_bytes(32 if startup.agreed(start.minor) else 4)
        self.sessions[number] = key, session
        try:
            told = dict(target.told) | {"application_name": "remit", "session_authorization": start.user}
            wire.write(
                frame(b"R", b"\0\0\0\0")
                + b"".join(frame(b"S", text(name) + text(value)) for name, value in told.items())
                + frame(b"K", number.to_bytes(4) + key)
                + frame(b"Z", b"I")
            )
            await session.run()
        finally:
            del self.sessions[number]

    async def _reached(
        self, errand: Errand, entry: Entry, resource: Resource, known: Catalogue, start: Start
    ) -> Target:
        parameters = pinned(known.path, entry.task, start.passed)
        if not errand.at(resource.upstream):
            errand.leave({"result": "not_sent", "error": "resource_moved"})
            raise RemitError("resource_moved", "The database was registered anew meanwhile.", "Connect again.")
        try:
            target = await reach(parse(resource.upstream.url), errand.lent[0], parameters)
        except BaseException as trouble:
            code = trouble.code if isinstance(trouble, RemitError) else "unknown"
            errand.leave({"result": "error", "error": code})
            raise
        if (lost := await errand.ended({"result": "ok"})) is not None:
            target.wire.abort()
            raise RemitError(lost.code, lost.what, "Try again.")
        return target

    def _catalogue(self, name: str) -> Catalogue | Fault:
        pins = self.authority.definitions(name)
        if isinstance(pins, Fault):
            return pins
        held = self._known.get(name)
        if held is not None and held[0] == pins:
            return held[1]
        try:
            made = catalogues.catalogue(pins)
        except RemitError as why:
            return Fault(why.code, why.message)
        self._known[name] = dict(pins), made
        return made

    async def _check(self, session: Session, name: str) -> None:
        """Hold the database as it is now against what was registered; what differs is suspended from now on."""
        now = asyncio.get_running_loop().time()
        if now - self._checked.get(name, -CHECK_S) < CHECK_S:
            return
        known = session.catalogue
        catalogs = any(one.startswith(("pg_catalog.", "information_schema.")) for one in known.relations)
        rows = await session.target.ask(catalogues.schemas(known.path, catalogs=catalogs))
        offered = catalogues.definitions(catalogues.offered(rows))
        pinned_now = self._known[name][0]
        differ: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
        self.authority.seen(name, {key: offered.get(key) for key in pinned_now}, setter(differ))
        await differ
        self._checked[name] = now

    async def _cancel(self, asked: Cancel) -> None:
        held = self.sessions.get(asked.number)
        if held is not None and hmac.compare_digest(held[0], asked.key):
            await held[1].target.cancel()


class _Door(Wire):
    """A connection from outside: handed over as soon as it is there."""

    def __init__(self, admit: Callable[[Wire], None]) -> None:
        super().__init__(_STRANGE)
        self._admit: Callable[[Wire], None] | None = admit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve it, once: TLS makes it anew under the same name."""
        super().connection_made(transport)
        admit, self._admit = self._admit, None
        if admit is not None:
            admit(self)


async def _password(wire: Wire) -> str:
    wire.write(frame(b"R", (3).to_bytes(4)))
    parts = Body(await _message(wire))
    found = parts.text()
    parts.end()
    return found.strip()


async def _message(wire: Wire) -> bytes:
    kind, body = await wire.frame()
    if kind != b"p" or len(body) > _BEARING:
        raise RemitError("credential_missing", "A credential was to come.", "Send it as the password.")
    return body


def _name(value: str) -> bool:
    return 0 < len(value) <= 63 and value.isascii() and value.replace("-", "").isalnum()


def _hidden(lent: list[Lent]) -> tuple[bytes, ...]:
    return tuple(one for each in lent for one in each.hidden)
