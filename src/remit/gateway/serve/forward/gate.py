"""The forward gate: a proxy on a port of its own, for programs that nobody can change.

Owned by the composition root, on one event loop. A program shows its credential to the proxy, by CONNECT for https and
with each request for http; TLS ends here, under an authority that exists for its task alone. Only hosts of registered
APIs are reached, and each request is decided and forwarded as at the HTTP gate, by the same code.
"""

import asyncio
import ssl
from typing import Any, Final

import h11

from remit.core.address import literal
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import write
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault, Unknown
from remit.core.resource import Resource
from remit.gateway.api import proxied
from remit.gateway.api.proxied import Place
from remit.gateway.authority import Forwarding
from remit.gateway.serve.api import Api
from remit.gateway.serve.asgi import Scope
from remit.gateway.serve.entrance import Entrance
from remit.gateway.serve.errand import Errand
from remit.gateway.serve.forward.tunnel import Contexts, Tunnel, fits
from remit.gateway.serve.line import Line
from remit.gateway.serve.seats import Seats
from remit.gateway.serve.talk import Talk
from remit.gateway.upstream import origin

TICK_S: Final = 0.5
CONNECTIONS: Final = 500
PER_AGENT: Final = 128
_ASK: Final = [(b"proxy-authenticate", b'Basic realm="remit"'), (b"proxy-authenticate", b'Bearer realm="remit"')]
_ELSEWHERE: Final = Deny(
    "host_refused", "No API of this credential is at that host.", "Use the hosts of your plan's resources."
)


class Forward:
    """The gate. `start` it on a loop, `close` it before the loop ends. `api` is the HTTP gate that it forwards by."""

    def __init__(
        self,
        authority: Forwarding,
        api: Api,
        tls: ssl.SSLContext | None = None,
        *,
        connections: int = CONNECTIONS,
    ) -> None:
        self.authority = authority
        self.api = api
        self.contexts = Contexts(authority)
        self.tunnels: set[Tunnel] = set()
        self.seats = Seats(connections, PER_AGENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: set[Line] = set()
        self._entrance = Entrance(self.seats, tls, self._admit, self._lines.discard)
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, listening: Any) -> None:
        """Take connections on this socket."""
        self._entrance.open(listening)
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    async def close(self) -> None:
        """Cut every tunnel and stop. For good."""
        if self._timer is not None:
            self._timer.cancel()
        self._entrance.close()
        for one in tuple(self.tunnels):
            one.stop()
        for line in tuple(self._lines):
            line.abort()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=5)
        await asyncio.sleep(0)

    def look(self) -> None:
        """Cut the tunnels of what has ended."""
        if self.tunnels:
            live = self.authority.live(sorted({one.entry.credential for one in self.tunnels}))
            for one in tuple(self.tunnels):
                if one.entry.credential not in live:
                    one.stop()

    def targets(self, place: Place) -> list[Resource] | Fault:
        """The registered APIs at this place."""
        found = self.authority.apis()
        if isinstance(found, Fault):
            return found
        return [one for one in found if _lives(one) == place]

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self.look()

    def _admit(self, line: Line) -> None:
        self._lines.add(line)
        task = asyncio.get_running_loop().create_task(Client(self, line).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Client:
    """One connection from outside, from its first request to its end. Owned by the gate."""

    def __init__(self, gate: Forward, line: Line) -> None:
        self._gate = gate
        self._line = line
        self._manner = line.manner
        address = literal(line.peer)
        self._open = line.secured is None and (address is None or not address.is_loopback)
        """Whether others on the way could read what the program shows."""

    async def serve(self) -> None:
        """Serve it; whatever becomes of it ends this connection alone."""
        talk = Talk(self._line)
        try:
            await self._proxy(talk)
        except (ConnectionResetError, TimeoutError, h11.RemoteProtocolError):
            pass
        except Exception:  # noqa: BLE001 - whatever it is ends this connection alone, and says nothing of what was sent
            self._line.abort()
        finally:
            self._line.close()

    async def _proxy(self, talk: Talk) -> None:
        while (scope := await _next(talk)) is not None:
            if self._open:
                await _say(talk, 403, "tls_required", "A credential is taken under TLS only. Use https for the proxy.")
                return
            token = proxied.shown(scope["headers"])
            entry = self._gate.authority.anywhere(token, self._manner) if token else None
            if not isinstance(entry, Entry):
                await _challenge(talk, entry)
                continue
            if not self._gate.seats.known(self._line, entry.agent):
                most = self._gate.seats.per_agent
                await _say(talk, 503, "connections_full", f"An agent may have {most} connections. Close one first.")
                return
            try:
                proxied.framed(scope["headers"])
                if scope["method"] == "CONNECT":
                    place = proxied.place(scope["target"], "https", port=True)
                    proxied.agree(scope["headers"], place)
                    await self._connect(talk, entry, token, place)
                    return
                place, path, query = proxied.absolute(scope["target"])
                proxied.agree(scope["headers"], place)
            except RemitError as why:
                await self._refuse(talk, entry, 400, why)
                return
            await self._request(talk, scope, token, entry, place, (path, query))

    # A tunnel.

    async def _connect(self, talk: Talk, entry: Entry, token: str, place: Place) -> None:
        gate = self._gate
        every = gate.targets(place)
        if isinstance(every, Fault):
            await _say(talk, 503, every.code, every.what)
            return
        found = self._entered(every, token)
        if isinstance(found, Unknown):
            await _challenge(talk, found)
            return
        if found is None:
            await self._refuse(talk, entry, 403, _ELSEWHERE, place)
            return
        mine = found[0]
        call = Call(f"http:{mine.resource}/@session", {"statement": "connect", "host": place.authority})
        errand = Errand(gate.authority, mine, [call], asyncio.get_running_loop(), bare=True)
        why = await errand.permitted()
        if why is not None:
            text = why.told() if isinstance(why, Deny) else why.what
            await _say(talk, 403 if isinstance(why, Deny) else 503, why.code, text)
            return
        tunnel = Tunnel(self._line, place, mine, errand)
        gate.tunnels.add(tunnel)
        try:
            await self._through(talk, tunnel, token)
        finally:
            gate.tunnels.discard(tunnel)
            await tunnel.end()

    async def _through(self, talk: Talk, tunnel: Tunnel, token: str) -> None:
        place = tunnel.place
        context = await self._gate.contexts.of(tunnel.entry.task, place.host)
        if isinstance(context, Fault):
            await _say(talk, 503, context.code, context.what)
            return
        if talk.slipped or self._line.waits:
            await self._refuse(talk, tunnel.entry, 400, _SLIPPED)
            return
        await talk.switch()
        await self._line.secure(context)
        inner = Talk(self._line)
        if not fits(self._line, place.host):
            await self._gate.api.record(tunnel.entry, _OTHER_NAME, place.authority)
            return
        while not tunnel.cut and (scope := await _next(inner)) is not None:
            tunnel.busy = True
            try:
                proxied.framed(scope["headers"])
                proxied.agree(scope["headers"], place)
                way = proxied.origin(scope["target"])
            except RemitError as why:
                await self._refuse(inner, tunnel.entry, 400, why)
                return
            tunnel.requests += 1
            await self._request(inner, scope, token, tunnel.entry, place, way)
            tunnel.busy = False

    # One request.

    async def _request(
        self, talk: Talk, scope: Scope, token: str, known: Entry, place: Place, way: tuple[str, str]
    ) -> None:
        gate, (path, query) = self._gate, way
        every = gate.targets(place)
        if isinstance(every, Fault):
            await _say(talk, 503, every.code, every.what)
            return
        if not every:
            await self._refuse(talk, known, 403, _ELSEWHERE, place)
            return
        base = proxied.under(path, [gate.api.target(one).base for one in every])
        if base is None:
            await self._refuse(talk, known, 404, _NOWHERE, place)
            return
        found = self._entered([one for one in every if gate.api.target(one).base == base], token)
        if isinstance(found, Unknown):
            await _challenge(talk, found)
        elif found is None:
            await self._refuse(talk, known, 403, _ELSEWHERE, place)
        else:
            scope["query_string"] = query.encode("latin-1")
            entry, resource = found
            await gate.api.forward(scope, talk.receive, talk.send, entry, resource, path[len(base) :] or "/")

    def _entered(self, every: list[Resource], token: str) -> tuple[Entry, Resource] | Unknown | None:
        """The first of these APIs that the credential is for, and an entry there; None when it is for none of them."""
        for one in every:
            entry = self._gate.authority.enter(token, one.name, self._manner)
            if isinstance(entry, Entry):
                return entry, one
            if entry.code != "token_audience":
                return entry
        return None

    async def _refuse(
        self, talk: Talk, entry: Entry, status: int, why: Deny | RemitError, place: Place | None = None
    ) -> None:
        """Record what the gate refuses by itself, then tell it."""
        deny = why if isinstance(why, Deny) else Deny(why.code, why.message, why.remedy)
        told = await self._gate.api.record(entry, deny, place.authority if place is not None else "")
        same = isinstance(told, Deny) and told.code == deny.code
        text = told.told() if isinstance(told, Deny) else told.what
        await _say(talk, status if same else 403 if isinstance(told, Deny) else 503, told.code, text)


_SLIPPED: Final = Deny("tunnel_refused", "Octets came before TLS had begun.", "Wait for the answer to CONNECT.")
_OTHER_NAME: Final = Deny("host_other", "TLS wants another name than the tunnel was opened for.", "Say one host.")
_NOWHERE: Final = Deny("operation_unknown", "No API at this host is at this path.", "Ask for one that is registered.")


def _lives(resource: Resource) -> Place | None:
    try:
        found, _ = origin.parse(resource.upstream.url)
    except RemitError:
        return None
    return Place(found.scheme, found.host, found.port)


async def _next(talk: Talk) -> Scope | None:
    """The next request; what is none, or does not arrive, is told so and ends the conversation."""
    try:
        return await talk.next()
    except h11.RemoteProtocolError as fault:
        status = fault.error_status_hint
        await _say(talk, status, "request_invalid", "This is no HTTP/1.1 request that can be read in one way only.")
    except TimeoutError:
        pass
    return None


async def _challenge(talk: Talk, why: Unknown | None) -> None:
    code = why.code if why is not None else "credential_missing"
    text = why.what if why is not None else "Show a credential to the proxy: as bearer token, or as the password."
    await _say(talk, 407, code, text, _ASK)


async def _say(talk: Talk, status: int, code: str, text: str, more: list[tuple[bytes, bytes]] | None = None) -> None:
    if talk.answered:
        raise ConnectionResetError
    body = write({"code": code, "message": text})
    headers = [
        (b"content-type", b"application/json"), (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()), *(more or ()),
    ]  # fmt: skip
    await talk.send({"type": "http.response.start", "status": status, "headers": headers})
    await talk.send({"type": "http.response.body", "body": body})
