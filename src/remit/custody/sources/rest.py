"""What the sources of HTTP targets share: one JSON API over TLS, asked without redirects, and what its words may do."""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final
from urllib.parse import urlencode, urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody import bounded

PATIENCE_S: Final = 5
LARGEST: Final = 8 * 1024 * 1024
LOCAL: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered: its status, and its JSON object as far as it sent one. Never printed: it holds secrets."""

    status: int
    said: dict[str, Json] = field(repr=False)

    def member(self, *names: str) -> Json:
        """The member at this path; None where there is none."""
        found: Json = self.said
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def text(self, *names: str) -> str:
        """The text at this path; empty where there is none."""
        found = self.member(*names)
        return found if isinstance(found, str) else ""

    def objects(self, *names: str) -> list[dict[str, Json]]:
        """The objects of the list at this path."""
        found = self.member(*names)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


@final
class Api:
    """One API of a target, by its base address. `source` and `word` name it in what is said of faults."""

    __slots__ = ("_base", "_http", "source", "word")

    def __init__(self, source: str, word: str, base: str, ca_file: str = "") -> None:
        self.source, self.word = source, word
        self._base = secure(source, "address", base).rstrip("/")
        try:
            context = ssl.create_default_context(cafile=ca_file or None)
        except OSError:
            raise unset(source, "ca_file, as a file of CAs that can be read") from None
        self._http = urllib.request.build_opener(*bounded.handlers(context))

    def ask(
        self,
        method: str,
        path: str,
        heads: Mapping[str, str],
        *,
        sent: Json = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return what came back, whatever its status (`target_unavailable` when nothing did)."""
        body, heads = None, {"accept": "application/json", "user-agent": "remit"} | dict(heads)
        if form is not None:
            body, heads["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif sent is not None:
            body = json.dumps(sent).encode()
            heads.setdefault("content-type", "application/json")
        request = urllib.request.Request(self._base + path, body, heads, method=method)  # noqa: S310 - see `secure`
        try:
            status, data = bounded.sent(self._http, request, each_s=PATIENCE_S, most=LARGEST)
            return Answer(status, _read(data))
        except (OSError, ValueError) as fault:
            what = f"{self.word} cannot be reached ({type(fault).__name__})."
            raise RemitError("target_unavailable", what, "Look at the target.") from None

    def declined(self, answer: Answer, doing: str) -> RemitError:
        """What to raise for an answer that was not the one hoped for: by its status alone: it may hold secrets."""
        what = f"{self.word} refused to {doing} (status {answer.status})."
        return RemitError("target_declined", what, f"Look at what Remit may do at {self.word}.")


def _read(body: bytes) -> dict[str, Json]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def secure(source: str, name: str, url: str) -> str:
    """An address: https, or http on this machine, and no secret in it (`setting_invalid`)."""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    if not parts.hostname or not safe or "@" in parts.netloc or parts.query or parts.fragment:
        raise unset(source, f"{name}, an https URL")
    return url


def after(settings: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The settings of this prefix, without it."""
    return {name.removeprefix(prefix): text for name, text in settings.items() if name.startswith(prefix)}


def unbounded(source: str, name: str, why: str) -> RemitError:
    """What a plan is whose rights cannot be computed from the settings."""
    return RemitError(
        "rights_unbounded",
        f"Nothing can be minted for this plan: {why}.",
        f"Set it: remit lease mint RESOURCE {source} --set {name}.KIND=…",
    )


def unset(source: str, what: str) -> RemitError:
    """What a source cannot do without, or cannot read."""
    return RemitError("setting_invalid", f"A source of the kind {source} must know {what}.", "Set it: --set.")


def within(ends: int, until: Instant) -> Instant:
    """When a lease is over: never later than its target ends it."""
    return Instant(min(ends, until))
