"""A server that says a little now and then, for ever."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDLESS = {
    "head": (b"HTTP/1.1 200 OK\r\n", b"x-more: y\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{", b" "),
    "tls": (b"\x16\x03\x03\x40\x00\x02", b"\0"),
    "interim": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@contextmanager
def dripping(kind: str) -> Iterator[int]:
    """The port of a server that begins so, and goes on octet by octet."""
    first, more = ENDLESS[kind]
    over, listening = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not over.is_set():
            try:
                conn, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(conn,), daemon=True).start()

    def talk(conn: socket.socket) -> None:
        with conn:
            try:
                conn.sendall(first)
                while not over.wait(0.05):
                    for one in more:
                        conn.sendall(bytes([one]))
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    over.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)
