"""TLS inside a tunnel: a context for each task and host, under the task's own authority, and what the client asked for.

A tunnel is one call of its own, decided before it opens and noted when it ends: how it ended, and how many requests it
carried. Each request in it is decided by itself.
"""

import asyncio
import ssl
import tempfile
from collections import OrderedDict
from typing import Final

from remit.core.address import literal
from remit.core.permit import Entry, Fault, Leaf
from remit.gateway.api.proxied import Place
from remit.gateway.authority import Forwarding
from remit.gateway.serve.errand import Errand
from remit.gateway.serve.line import Line

KEPT: Final = 256
FRESH_S: Final = 20 * 60.0
"""How long a context is used for new tunnels: well within the life of its certificate."""
GRACE_S: Final = 0.5
"""How long a request that is cut has to say so, before its line is cut as well."""


class Contexts:
    """The contexts that were made last, by task and host. Owned by the gate."""

    def __init__(self, authority: Forwarding) -> None:
        self._authority = authority
        self._held: OrderedDict[tuple[str, str], tuple[ssl.SSLContext, float]] = OrderedDict()

    async def of(self, task: str, host: str) -> ssl.SSLContext | Fault:
        """What shows this host to the program of this task."""
        now, key = asyncio.get_running_loop().time(), (task, host)
        held = self._held.get(key)
        if held is not None and now < held[1]:
            return held[0]
        found = self._authority.leaf(task, host)
        if isinstance(found, Fault):
            return found
        made = await asyncio.to_thread(context, found)
        self._held[key] = made, now + FRESH_S
        if len(self._held) > KEPT:
            self._held.popitem(last=False)
        return made


def context(leaf: Leaf) -> ssl.SSLContext:
    """TLS as a server with this leaf: HTTP/1.1 only, nothing resumed, the name that the client wants written down."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    made.num_tickets = 0
    made.sni_callback = _wanted
    # TLS takes files only: what stands there for a moment is sealed.
    with tempfile.NamedTemporaryFile(prefix="remit-") as file:
        file.write(leaf.certificate + leaf.key)
        file.flush()
        made.load_cert_chain(file.name, password=leaf.passphrase)
    return made


def _wanted(secured: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    secured.remit_name = name or ""  # type: ignore[attr-defined]  # it goes with the handshake, and nowhere else


def fits(line: Line, host: str) -> bool:
    """Say whether the client wants this very host. Of an address it can say nothing (RFC 6066 section 3)."""
    secured = line.secured
    name = getattr(secured, "remit_name", "") if secured is not None else None
    return name is not None and (name.lower() == host or (not name and literal(host) is not None))


class Tunnel:
    """One open tunnel; owned by the client that it belongs to, and cut by the gate when what allowed it has ended."""

    def __init__(self, line: Line, place: Place, entry: Entry, errand: Errand) -> None:
        self.line = line
        self.place = place
        self.entry = entry
        self.requests = 0
        self.busy = False
        self._errand = errand
        self._cut = False

    def stop(self) -> None:
        """Cut it: at once when nothing passes through it, else once what passes has been cut and has said so."""
        if self._cut:
            return
        self._cut = True
        if self.busy:
            asyncio.get_running_loop().call_later(GRACE_S, self.line.abort)
        else:
            self.line.abort()

    @property
    def cut(self) -> bool:
        """Whether it was cut."""
        return self._cut

    async def end(self) -> None:
        """Note how it ended."""
        self.line.close()
        await self._errand.ended({"result": "cut" if self._cut else "ok", "requests": self.requests})
