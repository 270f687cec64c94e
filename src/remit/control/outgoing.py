"""Outgoing: one connection of ours to another server, to the very address that was judged, and bounded as a whole.

A timeout bounds the wait for each octet, so a server that sends one now and then could hold a thread for months. Here
the connection is cut once its whole time is over, whatever was said on it until then. Runs in a thread.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def dialled(address: str, port: int, *, name: str = "", each_s: float, whole_s: float) -> Iterator[socket.socket]:
    """A connection to this address, under TLS for `name` where there is one; closed at the end.

    Each wait takes `each_s` at most, and everything together `whole_s`. Raises OSError; of what was cut too, so that
    an answer that was cut short is never taken for a whole one.
    """
    line, late = socket.create_connection((address, port), each_s), threading.Event()
    held = [line]

    def over() -> None:
        late.set()
        cut(held[0])

    timer = threading.Timer(whole_s, over)
    timer.daemon = True
    timer.start()
    try:
        if name:
            secured = ssl.create_default_context().wrap_socket(
                line, server_hostname=name, do_handshake_on_connect=False
            )
            held[0] = line = secured
            secured.do_handshake()
        yield line
        if late.is_set():
            raise TimeoutError
    finally:
        timer.cancel()
        line.close()


def cut(line: socket.socket) -> None:
    """End a connection that another thread may be reading from: it reads the end."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
