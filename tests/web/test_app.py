"""The application as a whole."""

import socket
from urllib.parse import urlsplit

import pytest


def test_every_answer_carries_the_security_headers_and_the_gate_its_own(place):
    for path in ("/healthz", "/v1/status", "/nothing", "/oauth/jwks", "/log/checkpoint"):
        headers = place.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    gate = place.get("/mcp/notes")
    assert (gate.status, gate.body) == (418, b"the gate")


def raw(place, head):
    """What is answered to these bytes, which no library would send."""
    parts = urlsplit(place.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(head + b"connection: close\r\n\r\n")
        return b"".join(iter(lambda: line.recv(4096), b""))


@pytest.mark.parametrize("host", [b"[", b"[::1", b"]", b"a]b", b"\xff", b""])
def test_a_host_that_cannot_be_read_is_not_ours(place, host):
    for path in (b"/console", b"/signin", b"/oauth/authorize", b"/console/enter/x"):
        assert raw(place, b"GET %b HTTP/1.1\r\nhost: %b\r\n" % (path, host)).split(b" ")[1] in (b"400", b"403")
