"""The node that a run is opened at: asked as the operator who is logged in here, past any proxy."""

import contextlib
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from remit.cli.settings import loopback
from remit.core.errors import RemitError
from remit.core.shown import shown

PATIENCE_S: Final = 10
ONCE_S: Final = 30
SHORTEST: Final = 16
"""Characters below which a kept text is no token of ours."""
LARGEST: Final = 4 * 1024 * 1024
Refused = Callable[[urllib.error.HTTPError, str], RemitError]
"""Reads what a node at this origin said no with."""


def folder() -> Path:
    """Where `remit login` keeps its tokens."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "remit"


def tokens() -> tuple[str, ...]:
    """Every token that is kept there, of whatever node: none of them is a command's."""
    found: list[str] = []
    for one in sorted(folder().glob("*.header")):
        with contextlib.suppress(OSError, ValueError):
            found.append(one.read_text(encoding="ascii").partition("Bearer ")[2].strip())
    return tuple(text for text in found if len(text) >= SHORTEST)


class Node:
    """Owned by one run. Its token is read once; it is nobody's who is started afterwards."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.host = parts.hostname or ""
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        if not self.host or (self.tls is None and not loopback(self.host)):
            raise RemitError("address_insecure", f"{origin} is not https, nor this machine.", "Name an https address.")
        self._header = _token(self.origin)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Stay(), urllib.request.HTTPSHandler(context=self.tls)
        )

    def get(self, path: str) -> dict[str, Any]:
        """Ask for something (`server_unreachable`, or what the node says)."""
        return self._ask(path, None, {"authorization": self._header}, PATIENCE_S, _told)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have something done (`server_unreachable`, or what the node says)."""
        head = {"authorization": self._header, "content-type": "application/json"}
        return self._ask(path, json.dumps(body).encode(), head, PATIENCE_S, _told)

    def form(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Ask an OAuth endpoint, as whoever the fields prove (`server_unreachable`, or `consent_over` when it says no).

        It is waited for longer: what is shown there counts once, and cannot be shown again when no answer came.
        """
        head = {"content-type": "application/x-www-form-urlencoded"}
        return self._ask(path, urlencode(fields).encode(), head, ONCE_S, _said)

    def _ask(self, path: str, data: bytes | None, head: dict[str, str], patience: int, no: Refused) -> dict[str, Any]:
        request = urllib.request.Request(self.origin + path, data, head)  # noqa: S310 - the scheme was checked
        try:
            with self._opener.open(request, timeout=patience) as told:
                found: dict[str, Any] = json.loads(told.read(LARGEST))
        except urllib.error.HTTPError as fault:
            raise no(fault, self.origin) from None
        except (OSError, ValueError) as fault:
            raise RemitError(
                "server_unreachable", f"Nothing answers as Remit does at {self.origin}.", "Start it: remit serve."
            ) from fault
        return found


class _Stay(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that it is for, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return


def _token(origin: str) -> str:
    path = folder() / f"{urlsplit(origin).netloc.replace(':', '_')}.header"
    try:
        said = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        said = ""
    if not said.startswith("Authorization: Bearer "):
        raise RemitError(
            "login_missing",
            f"Nobody is logged in at {origin} here.",
            "Get a link with remit up --admin --no-serve, then: remit login LINK.",
        )
    return said.removeprefix("Authorization: ")


def _told(fault: urllib.error.HTTPError, origin: str) -> RemitError:
    try:
        said = json.loads(fault.read(65536))
        told = RemitError(said["code"], said["message"], said["remedy"])
    except (OSError, ValueError, KeyError, TypeError):
        return RemitError("server_unreachable", f"The server at {origin} answered {fault.code}.", "Look at its log.")
    if told.code == "unauthenticated":
        return RemitError(
            "login_missing",
            f"The token for {origin} counts no more.",
            "Get a link with remit up --admin --no-serve: remit login LINK.",
        )
    return told


def _said(fault: urllib.error.HTTPError, origin: str) -> RemitError:
    """What an OAuth endpoint said no with (RFC 6749 section 5.2); what passes by itself is as if it were away."""
    try:
        said = json.loads(fault.read(65536))
        why = shown(str(said["error_description"]), 500)
    except (OSError, ValueError, KeyError, TypeError):
        why = ""
    if not why or fault.code >= 500 or fault.code == 429:
        return RemitError("server_unreachable", f"The server at {origin} answered {fault.code}.", "Look at its log.")
    return RemitError(
        "consent_over", f"The person's consent gives nothing more: {why}", "Run it again, and let them consent anew."
    )
