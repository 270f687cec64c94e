"""The answer to a question that a person was asked in their browser: taken at a port of this machine, once.

No thread is begun here, since the command has not started yet: one loop over sockets, which waits for nobody slow.
"""

import contextlib
import hashlib
import hmac
import json
import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.shown import shown

HEAD: Final = 16 * 1024
HEAD_S: Final = 10
"""Seconds within which a connection says what it wants."""
MOST: Final = 32
"""Connections at a time: with more, the oldest that said nothing goes."""
ENDS: Final = b"\r\n\r\n"
PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Remit</title><body style='font: 1.1rem sans-serif; "
    "margin: 3rem'><p>{}</p>"
)
FIELDS: Final = (
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a person: where its answer comes, and what makes it an answer to this question and no other."""

    client: str
    issuer: str
    redirect: str
    state: str
    verifier: str

    def address(self, details: Mapping[str, Json]) -> str:
        """Where the person reads the question."""
        challenge = b64(hashlib.sha256(self.verifier.encode()).digest())
        asked = {
            "response_type": "code", "client_id": self.client, "redirect_uri": self.redirect, "state": self.state,
            "code_challenge": challenge, "code_challenge_method": "S256",
            "authorization_details": json.dumps([{"type": "remit_task", **details}], separators=(",", ":")),
        }  # fmt: skip
        return f"{self.issuer}/oauth/authorize?{urlencode(asked)}"

    def code(self, said: Mapping[str, str]) -> str:
        """The code that an answer to this question carries (`consent_foreign`, `consent_denied`)."""
        if said.get("iss") != self.issuer:
            raise RemitError(
                "consent_foreign",
                "An answer came that another server than the one that was asked says it gave; it was not used.",
                "Run it again; should it happen again, look at what led the browser there.",
            )
        if "error" in said or not said.get("code"):
            why = shown(said.get("error_description") or said.get("error", ""), 500)
            raise RemitError(
                "consent_denied",
                f"The person's consent was not given: {why or 'no reason was told.'}",
                "Ask them, or let the operator look at who may dispatch this brief: remit brief show.",
            )
        return said["code"]


@dataclass
class _Taken:
    """What came so far: the answer's code, or why it counts for nothing; and how many belonged to something else."""

    asked: Asked
    code: str = ""
    fault: RemitError | None = None
    strangers: int = 0

    @property
    def over(self) -> bool:
        """Whether the answer has come."""
        return bool(self.code) or self.fault is not None

    def take(self, target: str) -> tuple[int, str]:
        """Look at one request: the first answer to this question counts, and all else is turned away."""
        said = _said(target, urlsplit(self.asked.redirect).path)
        if said is None:
            return 404, "Nothing is here."
        if not hmac.compare_digest(said.get("state", "").encode(), self.asked.state.encode()):
            self.strangers += 1
            return 400, "This is no answer to what was asked from this machine. Nothing came of it."
        try:
            self.code = self.code or self.asked.code(said)
        except RemitError as fault:
            self.fault = fault
            if fault.code == "consent_foreign":
                return 400, "This answer came from elsewhere, and was not used. Look at where you began."
        return 200, "Your answer was taken. Go on where you began; this page can be closed."


@dataclass
class _Caller:
    """A connection, what it said so far, and until when it may say more."""

    line: socket.socket
    until: float
    text: bytes = field(default=b"")


def answered(listening: socket.socket, asked: Asked, seconds: float) -> str:
    """Wait for the person's answer; the code in it.

    Refuses a no (`consent_denied`), another server's answer (`consent_foreign`) and that none came in this time
    (`consent_unanswered`).
    """
    taken, until = _Taken(asked), time.monotonic() + seconds
    callers: list[_Caller] = []
    listening.setblocking(False)
    with selectors.DefaultSelector() as waiting:
        waiting.register(listening, selectors.EVENT_READ)
        while not taken.over and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(min(left, 1.0)):
                if key.data is None:
                    callers += _come(listening, waiting)
                elif _heard(key.data, taken):
                    key.data.until = 0.0
            now = time.monotonic()
            gone = [one for one in callers if one.until <= now or one in callers[:-MOST]]
            callers = [one for one in callers if one not in gone]
            for one in gone:
                waiting.unregister(one.line)
                one.line.close()
        for one in callers:
            one.line.close()
    if taken.fault is not None:
        raise taken.fault
    if not taken.code:
        beside = f" {taken.strangers} came that belonged to something else." if taken.strangers else ""
        raise RemitError(
            "consent_unanswered",
            f"Nobody answered within {round(seconds)} seconds.{beside}",
            "Run it again; --wait 20m gives people longer.",
        )
    return taken.code


def _come(listening: socket.socket, waiting: selectors.BaseSelector) -> list[_Caller]:
    """Let in who knocks."""
    try:
        line, _ = listening.accept()
    except OSError:
        return []
    line.setblocking(False)
    one = _Caller(line, time.monotonic() + HEAD_S)
    waiting.register(line, selectors.EVENT_READ, one)
    return [one]


def _heard(one: _Caller, taken: _Taken) -> bool:
    """Read what a connection says, and answer it when it has said all; whether it is done with."""
    try:
        piece = one.line.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True
    one.text += piece
    if ENDS not in one.text:
        return not piece or len(one.text) > HEAD
    words = one.text.partition(b"\r\n")[0].split(b" ")
    asked = words[1].decode("ascii", "replace") if len(words) == 3 and words[0] == b"GET" else ""
    status, text = taken.take(asked)
    body = PAGE.format(text).encode()
    head = f"HTTP/1.1 {status} Said\r\n{FIELDS}Content-Length: {len(body)}\r\n\r\n"
    with contextlib.suppress(OSError):
        one.line.sendall(head.encode() + body)
        one.line.shutdown(socket.SHUT_WR)
    return True


def _said(target: str, path: str) -> dict[str, str] | None:
    """The parameters of an answer, each once; None for another address, none of them for what cannot be read."""
    asked, _, query = target.partition("?")
    if asked != path:
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=32)
    except ValueError:
        return {}
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
