"""An OAuth provider of other people's making, and a browser that goes through what it asks a person."""

import json
import os
import subprocess
from typing import Any
from urllib.parse import urlsplit

from tests.kit import peers
from tests.kit.browser import Browser

CLIENT = b"client-secret-of-the-test"
THERE = b"secret-at-the-target"
BOTH = json.dumps({"provider": CLIENT.decode(), "target": THERE.decode()}).encode()
"""Our secret at the provider, that of `remit-there` at the server that takes its assertions, and both as one secret."""


class provided:  # noqa: N801 - a context, read as one
    """The provider for as long as a test needs it; `redirect` is where its client is led back to."""

    def __init__(self, how: str = "keep", redirect: str = "http://127.0.0.1/cb") -> None:
        self.how, self.redirect = how, redirect

    def __enter__(self) -> dict[str, Any]:
        script = peers.KIT / "clients" / "oidc_provider.mjs"
        self.process = subprocess.Popen(
            [str(peers.node()), str(script), self.how, self.redirect], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=os.environ | {"PEER_PREFIX": str(peers.npm_prefix("provider"))},
        )  # fmt: skip
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found | {"client": "remit", "secret": CLIENT.decode(), "asserts_to": self.asserts_to}

    def asserts_to(self, client: str) -> None:
        """Let it assert people to another client at the target's server than `remit-there`."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{client}\n".encode())
        self.process.stdin.flush()

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def agreed(location: str, who: str = "ann") -> str:
    """Go where a browser is sent, as this person at the provider, until it leads somewhere else: that address."""
    home = urlsplit(location)
    browser = Browser(f"{home.scheme}://{home.netloc}", {"who": who} if who else {})
    for _ in range(10):
        parts = urlsplit(location)
        if parts.netloc and parts.netloc != home.netloc:
            return location
        answer = browser.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        assert answer.status in (302, 303), (answer.status, answer.body[:500])
        location = answer.headers["location"]
    raise AssertionError("the provider leads nowhere")
