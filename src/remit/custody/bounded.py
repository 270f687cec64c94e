"""Bounded: one request of ours to a target, with one deadline for all of it, however slowly it is answered.

A timeout bounds the wait for each octet, so a target that sends one now and then could hold a thread of its pool for
months. Here the connection is cut once the whole time is over; what was cut is never taken for an answer.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from functools import partial
from typing import Any, Final, final

WHOLE_S: Final = 15.0
"""How long one request takes at most, from the first octet to the last."""


@final
class Bound:
    """The deadline of one request: what it holds is cut when it is over."""

    def __init__(self, seconds: float) -> None:
        self.late = threading.Event()
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._over)
        self._timer.daemon = True
        self._timer.start()

    def dial(self, *where: Any, **more: Any) -> socket.socket:
        """A connection that is cut with the rest; under TLS too, since it is held by a descriptor of its own."""
        line = socket.create_connection(*where, **more)
        with self._lock:
            self._held.append(line.dup())
        if self.late.is_set():
            self._over()
        return line

    def close(self) -> None:
        """It is over, in time or not."""
        self._timer.cancel()
        with self._lock:
            for one in self._held:
                one.close()
            self._held.clear()

    def _over(self) -> None:
        self.late.set()
        with self._lock:
            for one in self._held:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def sent(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, *, each_s: float, most: int
) -> tuple[int, bytes]:
    """Send a request by an opener of `handlers`: the status, whatever it is, and up to `most` octets of the body.

    Each wait takes `each_s` at most, and everything together `WHOLE_S`. Raises OSError, of what was cut too.
    """
    bound = Bound(WHOLE_S)
    vars(request)["remit_bound"] = bound
    try:
        try:
            with opener.open(request, timeout=each_s) as answer:
                status, body = answer.status, answer.read(most)
        except urllib.error.HTTPError as fault:
            with fault:
                status, body = fault.code, fault.read(most)
        if bound.late.is_set():
            raise TimeoutError
    except http.client.HTTPException as fault:
        raise OSError(type(fault).__name__) from fault
    finally:
        bound.close()
    return status, body


def handlers(context: ssl.SSLContext | None = None) -> tuple[urllib.request.BaseHandler, ...]:
    """What an opener needs so that `sent` can bound its requests; TLS as `context` says. It follows no redirect."""
    return _Stay(), _Plain(), _Secured(context=context)


class _Stay(urllib.request.HTTPRedirectHandler):
    """What a secret is sent to does not change on the way."""

    def redirect_request(self, *_: object) -> None:
        """Stay."""
        return


class _Plain(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, http.client.HTTPConnection, vars(req)["remit_bound"]), req)


class _Secured(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made = partial(_connection, http.client.HTTPSConnection, vars(req)["remit_bound"])
        return self.do_open(made, req, context=self._context)  # type: ignore[attr-defined]  # as its own does


def _connection(kind: type[http.client.HTTPConnection], bound: Bound, *where: Any, **more: Any) -> Any:
    made: Any = kind(*where, **more)
    made._create_connection = bound.dial  # noqa: SLF001 - what http.client dials by, for tests and for this
    return made
