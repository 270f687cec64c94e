"""HTTP/1.1 connections to one upstream, kept warm.

Our own because of its measured cost: a general-purpose client takes a third of a governed call's CPU. It does less: no
redirects, proxies, cookies, content codings or HTTP/2; no environment variable changes what it does.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeVar

from remit.core.address import literal
from remit.core.errors import RemitError
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.link import Link
from remit.gateway.upstream.origin import Allow, Origin, policy
from remit.gateway.upstream.reply import Outcome
from remit.gateway.upstream.request import encode

P = TypeVar("P", bound=asyncio.BaseProtocol)
_QUEUE: Final = 8
"""Requests that may wait per connection of the limit."""


class Pool:
    """The connections to one origin under one TLS identity; owned by the event loop that first uses it.

    `tls` is made once per upstream identity (see `tls.context`) and must verify; `limit` connections at most, eight
    waiting requests for each. Seconds: `connect_timeout` for a free connection, and again for name, TCP and TLS
    together; `head_timeout` from the request's first octet to the end of the reply's head; `idle_timeout` for silence
    within a body, and for a body that nobody reads; `keep` for an unused connection. `allow` judges every address that
    the host's name stands for (default: `origin.policy`).

    Refuses (`upstream_tls`) an https origin without a verifying context, and an http origin with one.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        tls: ssl.SSLContext | None = None,
        limit: int = 64,
        connect_timeout: float = 5.0,
        head_timeout: float = 30.0,
        idle_timeout: float = 300.0,
        keep: float = 4.0,
        allow: Allow | None = None,
    ) -> None:
        if (tls is not None) != (origin.scheme == "https"):
            raise _tls("An https upstream needs a TLS context, and an http upstream takes none.")
        if tls is not None and not (tls.verify_mode == ssl.CERT_REQUIRED and tls.check_hostname):
            raise _tls("The TLS context does not verify the upstream's certificate and name.")
        self.origin = origin
        self.head_timeout = head_timeout
        self.idle_timeout = idle_timeout
        self.keep = keep
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._limit = limit
        self._allow = policy(origin) if allow is None else allow
        self._host = origin.authority.encode()
        self._period = max(0.01, min(0.25, head_timeout / 4, idle_timeout / 4, keep / 4))
        self._free: list[Link] = []
        self._links: set[Link] = set()
        self._taken = 0
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def connections(self) -> int:
        """How many connections stand or are being made."""
        return self._taken

    async def request(
        self,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        *,
        idempotent: bool = False,
        ready: Callable[[], bool] | None = None,
    ) -> Outcome:
        """Send one request; return its `Reply` once the head is in, or a `Fault` that says whether anything was sent.

        If the upstream closes a kept connection before any octet of a reply, the request is sent once more, on a new
        connection, but only if the caller says that it is idempotent. Cancelling cuts the connection. `ready` is asked
        just before the first octet goes out; when it says no, nothing is sent (`permit_expired`).
        Raises `header_invalid` and `target_invalid` (see `request.encode`), always before anything is sent.
        """
        head = encode(self._host, method, target, headers, len(body))
        fresh = False
        while True:
            link = await self._take(fresh=fresh)
            if isinstance(link, Fault):
                return link
            if not link.usable:
                continue
            if ready is not None and not ready():
                self.release(link)
                return Fault(Trouble.LATE, False, "What allowed this request was too old before it could be sent.")
            answer = link.send(head, body, bodyless=method == b"HEAD")
            try:
                outcome = await answer
            except asyncio.CancelledError:
                link.abort()
                raise
            stale = isinstance(outcome, Fault) and outcome.code is Trouble.CLOSED and link.warm and not link.heard
            if not stale or fresh or not idempotent:
                return outcome
            fresh = True

    def close(self) -> None:
        """Cut all connections; requests that wait or are under way end as `upstream_closed`. For good."""
        self._closed = True
        for link in tuple(self._links):
            link.abort()
        self._free.clear()
        while self._hand(None):
            self._taken += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The links' side.

    def release(self, link: Link) -> None:
        """Give a clean link to whoever waits longest, or keep it warm."""
        if not self._hand(link):
            self._free.append(link)

    def gone(self, link: Link) -> None:
        """Forget a link whose connection has ended; its place goes to whoever waits longest."""
        if link in self._links:
            self._links.discard(link)
            if link in self._free:
                self._free.remove(link)
            self._vacate()

    # Inside.

    async def _take(self, *, fresh: bool) -> Link | Fault:
        while self._free and not fresh:
            link = self._free.pop()
            if link.usable:
                return link
        if self._closed:
            return Fault(Trouble.CLOSED, False, "The connections to this upstream were closed.")
        if self._taken >= self._limit:
            if len(self._waiting) >= self._limit * _QUEUE:
                return Fault(Trouble.BUSY, False, "Too many requests wait for this upstream.")
            if fresh and self._free:
                self._free.pop().abort()
            handed = await self._wait()
            if handed is not None:
                return handed
        else:
            self._taken += 1
        return await self._open()

    async def _wait(self) -> Link | Fault | None:
        """Wait for a link, or for the right (`None`) to open one."""
        place: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await place
        except (TimeoutError, asyncio.CancelledError) as error:
            if place.done() and not place.cancelled():
                link = place.result()
                if link is None:
                    self._vacate()
                else:
                    self.release(link)
            elif place in self._waiting:
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                return Fault(Trouble.BUSY, False, "No connection to the upstream became free in time.")
            raise

    async def dial(self, make: Callable[[], P]) -> P | Fault:
        """Open a connection of the caller's own to this origin, judged and bounded in time as those of the pool are."""
        return await self._timed(self._dial(make))

    async def _open(self) -> Link | Fault:
        """Open a connection in a place that was already taken, and give the place back if that fails."""
        link: Link | None = None
        try:
            found = await self._timed(self._connect())
            link = found if isinstance(found, Link) else None
            return found
        finally:
            if link is None:
                self._vacate()

    async def _timed(self, opening: Coroutine[None, None, P | Fault]) -> P | Fault:
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await opening
        except TimeoutError:
            return Fault(Trouble.TIMEOUT, False, "The upstream did not accept a connection in time.")
        except ssl.SSLError:
            return Fault(Trouble.UNREACHABLE, False, "The TLS handshake with the upstream failed.")
        except OSError:
            return Fault(Trouble.UNREACHABLE, False, "The upstream cannot be reached.")

    async def _connect(self) -> Link | Fault:
        loop = asyncio.get_running_loop()
        found = await self._dial(lambda: Link(self, loop))
        if isinstance(found, Fault):
            return found
        if found.usable and not self._closed:
            self._links.add(found)
            self._arm(loop)
            return found
        found.abort()
        raise ConnectionResetError

    async def _dial(self, make: Callable[[], P]) -> P | Fault:
        """Connect to one of the addresses that the host's name stands for, all of which are judged first."""
        if self._closed:
            return Fault(Trouble.CLOSED, False, "The connections to this upstream were closed.")
        loop = asyncio.get_running_loop()
        origin = self.origin
        addresses = [origin.host]
        if literal(origin.host) is None:
            answers = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        # One bad address spoils the answer: a name that also points inside is not what was registered.
        if not addresses or not all(map(self._allow, addresses)):
            return Fault(Trouble.REFUSED, False, "The upstream's name stands for an address that may not be reached.")
        for address in addresses[:-1]:
            try:
                return await self._reach(make, address)
            except OSError:
                continue
        return await self._reach(make, addresses[-1])

    async def _reach(self, make: Callable[[], P], address: str) -> P:
        origin, secure = self.origin, self._tls is not None
        _, made = await asyncio.get_running_loop().create_connection(
            make, address, origin.port, ssl=self._tls, server_hostname=origin.host if secure else None
        )
        return made

    def _hand(self, link: Link | None) -> bool:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(link)
                return True
        return False

    def _vacate(self) -> None:
        if not self._hand(None):
            self._taken -= 1

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None and not self._closed:
            self._timer = loop.call_later(self._period, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all links: a timer per request would cost more than parsing its reply."""
        self._timer = None
        now = loop.time()
        for link in tuple(self._links):
            if link.deadline <= now:
                link.expire()
        if self._links:
            self._arm(loop)


def _tls(message: str) -> RemitError:
    return RemitError(
        "upstream_tls", message, "Use a context made by tls.context, with the upstream's own authority if it has one."
    )
