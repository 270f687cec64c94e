"""Ports of 127.0.0.1 for programs that must be told theirs before they listen there."""

import random
import socket

LOW, HIGH = 10_000, 30_000
"""Below what systems draw from for port 0 and for whoever connects: nobody takes one by chance before it is used."""
_draw = random.SystemRandom()
_given: set[int] = set()


def free() -> int:
    """A port that nobody listens on; never the same twice in one process."""
    while True:
        port = _draw.randrange(LOW, HIGH)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
