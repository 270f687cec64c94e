"""The door of the listening socket: how many may stand in it, and how long a request may take to arrive.

A client that sends one octet a minute costs a descriptor for as long as it is let. uvicorn bounds only the pause
between two requests, so this adds the rest: each request has `REQUEST_S` to arrive whole, head and body; connections
are bounded in all and for each peer. What is turned away is told why (408, 503) and counted.
"""

import asyncio
import json
import ssl
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, ClassVar, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from remit.cli.settings import loopback
from remit.core.errors import RemitError
from remit.custody import certificate
from remit.gateway.serve.api import PREFIX
from remit.gateway.serve.line import Line
from remit.web.proving import CERTIFICATE, CHAIN, DER, ISSUERS

REQUEST_S: Final = 20.0
"""Seconds from the first octet of a connection, or of a further request on it, to the last octet of the body."""


@dataclass(slots=True)
class Standing:
    """Who stands in the door, and how many were turned away, by reason.

    `each` does not bind this machine's own peers: a proxy in front is one of them.
    """

    most: int
    each: int
    peers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def enter(self, peer: str) -> str:
        """Count one in; return why it may not stay, or nothing."""
        self.peers[peer] += 1
        if self.peers.total() > self.most:
            return "connections_full"
        if self.peers[peer] > self.each and not loopback(peer):
            return "connections_peer"
        return ""

    def leave(self, peer: str) -> None:
        """Count one out."""
        self.peers[peer] -= 1
        if not self.peers[peer]:
            del self.peers[peer]


def said(status: int, reason: str, code: str, message: str, remedy: str) -> bytes:
    """A whole answer, as the API says a fault, that closes the connection."""
    body = json.dumps({"code": code, "message": message, "remedy": remedy}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


SLOW: Final = said(
    408, "Request Timeout", "request_slow", "The request did not arrive in time.", "Send head and body at once."
)
FULL: Final = {
    "connections_full": said(
        503, "Service Unavailable", "connections_full", "Too many connections are open.", "Try again shortly."
    ),
    "connections_peer": said(
        503, "Service Unavailable", "connections_peer", "Too many connections are open from this address.",
        "Try again shortly, with fewer at once.",
    ),
}  # fmt: skip


FIELD: Final = b"client-cert"
ABOVE: Final = b"client-cert-chain"


class Upgrades(Protocol):
    """What takes over a connection that asks for a WebSocket at an API."""

    def upgraded(self, line: Line, scope: dict[str, Any]) -> None:
        """Take it over; the request as it came stands at its beginning."""


class Door(HttpToolsProtocol):
    """One connection. Made by uvicorn, on its loop.

    A certificate is that of the connection itself; or, from the one peer that is named in `proxy`, the one that its
    `Client-Cert` field holds (RFC 9440). From anybody else the field means nothing, and goes no further. Whose rate it
    is, that peer alone says too.
    """

    standing: ClassVar[Standing]
    within: ClassVar[float]
    proxy: ClassVar[str] = ""
    api: ClassVar[Upgrades | None] = None
    _certificate: bytes | None = None
    _above: tuple[bytes, ...] = ()
    _issuers: tuple[str, ...] = ()
    _peer = ""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Count it in, or turn it away."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        secured = transport.get_extra_info("ssl_object")
        self._certificate = secured.getpeercert(binary_form=True) if secured is not None else None
        self._above = sent_along(secured) if self._certificate is not None else ()
        self._issuers = vouching(secured) if self._certificate is not None else ()
        why = self.standing.enter(self._peer)
        if why:
            self.standing.refused[why] += 1
            transport.write(FULL[why])
            transport.close()
            return
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        self.standing.leave(self._peer)
        self._end()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A further request on this connection has its own time."""
        self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Say which certificate came with this request, if any."""
        der, above = self._certificate, self._above
        shown = [value for name, value in self.headers if name == FIELD]
        chain = [value for name, value in self.headers if name == ABOVE]
        if shown or chain:
            self.headers[:] = [pair for pair in self.headers if pair[0] not in (FIELD, ABOVE)]
            if self.proxy and self._peer == self.proxy and len(shown) == 1:
                der, above = certificate.from_field(shown[0]), certificate.chain_field(b",".join(chain))
        if der is not None:
            self.scope[CERTIFICATE], self.scope[DER] = certificate.digest(der), der  # type: ignore[typeddict-unknown-key]
            self.scope[CHAIN] = above  # type: ignore[typeddict-unknown-key]
            self.scope[ISSUERS] = self._issuers  # type: ignore[typeddict-unknown-key]
        if self.proxy and self._peer == self.proxy:
            self.scope["client"] = (forwarded(self.headers) or self._peer, 0)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It has arrived whole: from here on the time is ours."""
        self._end()
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        """Only where an API may speak it; elsewhere the request is one like any other."""
        before: Any = self.cycle
        free = before is None or before.response_complete
        asked = self.url.startswith(PREFIX.encode()) and self._get_upgrade() == b"websocket"
        return asked and free and self.api is not None

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on, with the request as it came; here it is still counted."""
        self._end()
        self.connections.discard(self)
        api, scope, transport = self.api, dict(self.scope), self.transport
        if api is None:
            return
        head = [self.scope["method"].encode(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.scope["headers"]:
            head += [name, b": ", value, b"\r\n"]
        line = Line(lambda made: api.upgraded(made, scope), lambda _: self.standing.leave(self._peer))
        line.data_received(b"".join([*head, b"\r\n"]))
        transport.set_protocol(line)
        line.connection_made(transport)

    def _begin(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.within, self._slow)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _slow(self) -> None:
        self._timer = None
        self.standing.refused["request_slow"] += 1
        cycle: Any = self.cycle
        if cycle is None or not cycle.response_started or cycle.response_complete:
            self.transport.write(SLOW)
        self.transport.close()


def forwarded(headers: list[tuple[bytes, bytes]]) -> str:
    """The address that the proxy saw: the last one that it added to `X-Forwarded-For`; empty for none."""
    last = b",".join(value for name, value in headers if name == b"x-forwarded-for").rpartition(b",")[2].strip()
    try:
        return str(ip_address(last.decode("ascii")))
    except ValueError:
        return ""


def sent_along(secured: Any) -> tuple[bytes, ...]:
    """The certificates that a client sent after its own, in DER: Python names the way to them since 3.13."""
    return _chain(secured, "get_unverified_chain")[1:]


def vouching(secured: Any) -> tuple[str, ...]:
    """The digests of the certificates that TLS found to vouch for the client's, up to the root that it trusts."""
    return tuple(certificate.digest(one) for one in _chain(secured, "get_verified_chain")[1:])


def _chain(secured: Any, name: str) -> tuple[bytes, ...]:
    ask = getattr(secured, name, None) or getattr(getattr(secured, "_sslobj", None), name, None)
    found = (ask() if ask is not None else None) or []
    return tuple(one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in found)


def door(
    standing: Standing,
    within: float = REQUEST_S,
    proxy: str = "",
    api: Upgrades | None = None,
) -> type[Door]:
    """The protocol class that uvicorn is to make for each connection; `within` is in seconds."""
    return type("Bound", (Door,), {"standing": standing, "within": within, "proxy": proxy, "api": api})


def ask_for_certificates(context: ssl.SSLContext | None, trusted: str | None) -> None:
    """Have TLS ask each client for a certificate, and refuse one that nothing in the file `trusted` vouches for.

    The file holds authorities and, as they are, self-signed certificates of clients. A client without one comes in all
    the same, and is nobody yet (`reference_invalid` for a file that is none). Without a file none is asked for.
    """
    if context is None or not trusted:
        return
    try:
        context.load_verify_locations(cafile=trusted)
    except (OSError, ssl.SSLError) as fault:
        raise RemitError(
            "reference_invalid", f"There are no certificates in {trusted}.", "Correct client_certificates."
        ) from fault
    context.verify_mode = ssl.CERT_OPTIONAL
    # Whose certificate counts is looked at in each handshake: nothing is resumed from before it was taken away.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
