"""A person's consent to a run: asked for at the node's own authorization server, answered on this machine, for once.

The code flow of OAuth 2.1 as a program on a desktop goes it: PKCE with S256, a loopback address on a free port for the
answer (RFC 8252 section 7.3), `state`, the answer's `iss` (RFC 9207), and `authorization_details` that name the brief
(RFC 9396). What comes out is the task's own credential. No thread is begun here: the command has not started yet.
"""

import contextlib
import secrets
import socket
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from remit.cli.output import say
from remit.cli.running import guard
from remit.cli.running.answering import Asked, answered
from remit.cli.running.node import Node
from remit.core.errors import RemitError
from remit.core.shown import shown
from remit.core.trust import TrustPath


@dataclass
class Held:
    """What a consent gave. Owned by one run; the refresh token stands here and nowhere else, and counts once."""

    node: Node
    client: str
    task: str
    refresh: str

    def renew(self) -> Mapping[str, Any]:
        """The task's next credential (`consent_over`, `server_unreachable`), and a sign of life before it."""
        self.node.post(f"/v1/runs/{self.task}/watch", {})
        asked = {"grant_type": "refresh_token", "client_id": self.client, "refresh_token": self.refresh}
        told = self.node.form("/oauth/token", asked)
        self.refresh = told["refresh_token"]
        return {"credential": told["access_token"], "expires_in": told["expires_in"]}


def consented(node: Node, given: Mapping[str, Any], wait_ms: int, *, browse: bool) -> tuple[dict[str, Any], Held]:
    """Ask a person, wait for their answer, and use it up: what a run is opened with, and what renews its credential.

    Refuses what the node refuses (`sign_in_missing`, `run_own`, `task_refused`), a no (`consent_denied`), no answer in
    time (`consent_unanswered`), another server's answer (`consent_foreign`), and a code that counts no more
    (`consent_over`). A task that was opened by a yes and never taken up ends a minute later (control/run).
    """
    told = node.post("/v1/runs/asking", {"brief": given["brief"], "agent": given["agent"]})
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        parts = urlsplit(told["redirect"])
        redirect = f"{parts.scheme}://{parts.hostname}:{listening.getsockname()[1]}{parts.path}"
        asked = Asked(told["client"], told["issuer"], redirect, secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        wanted = {name: given[name] for name in ("brief", "purpose", "labels") if given[name]}
        address = asked.address(wanted)
        say("A person must allow this. Let them open this address in a browser on this machine, and read what it asks:")
        say(f"  {shown(address)}")
        if browse:
            webbrowser.open(address)
        code = answered(listening, asked, wait_ms / 1000)
    return _taken_up(node, asked, code, given["brief"])


def _taken_up(node: Node, asked: Asked, code: str, brief: str) -> tuple[dict[str, Any], Held]:
    """Turn the code into the task's credential, and hold what came to be what was asked for (`consent_foreign`)."""
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": asked.verifier}
    told = node.form("/oauth/token", fields | {"client_id": asked.client, "redirect_uri": asked.redirect})
    (detail,) = told["authorization_details"]
    held = Held(node, asked.client, detail["task"], told["refresh_token"])
    try:
        seen = node.get(f"/v1/runs/{held.task}/gates")
    except RemitError:
        guard.ended(node, held.task, 0)
        raise
    if (detail["path"], seen["task"]["brief"]) != (TrustPath.DELEGATED.value, brief):
        guard.ended(node, held.task, 0)
        raise RemitError(
            "consent_foreign", "What came of the answer is not what was asked for.", "Run it again, and report this."
        )
    return {"credential": told["access_token"], "expires_in": told["expires_in"], **seen}, held
