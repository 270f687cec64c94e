"""Consent: a person's yes to one task of one agent; and the Code and Refresh tokens that come of it, each for once."""

import re
from typing import Final

import msgspec

from remit.core import ids
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle("consent", {"live": {"withdrawn": "withdrawn"}, "withdrawn": {}})
ONCE: Final = Lifecycle("token", {"open": {"used": "used", "ended": "ended"}, "used": {}, "ended": {}})
CODE_LASTS: Final = 60_000
"""Milliseconds that a code counts."""
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
"""What an S256 challenge looks like (RFC 7636 section 4.2), and the thumbprint of a key (RFC 7638)."""


class Consent(Record, frozen=True, kw_only=True, tag_field="noun", tag="consent"):
    """That this person let this agent do this one task, by which client, and that they still do.

    `shown` is the digest of what they saw; `parameters` what the client asked, and they agreed, that arguments be.
    Every call under the task rests on it. Owned by the person.
    """

    id: str
    person: str
    client: str
    agent: str
    brief: str
    task: str
    session: str
    at: Instant
    until: Instant
    shown: str
    parameters: dict[str, Json] = msgspec.field(default_factory=dict)
    state: str = "live"

    def __post_init__(self) -> None:
        for prefix, one in (("con", self.id), ("per", self.person), ("cli", self.client), ("agt", self.agent)):
            ids.parse(prefix, one)
        ids.name("brief", self.brief)
        ids.parse("tsk", self.task)
        ids.parse("ses", self.session)
        if self.state not in LIFE.table or not instant(self.at) < instant(self.until):
            raise _invalid("consent")


class Code(Record, frozen=True, kw_only=True, tag_field="noun", tag="code"):
    """An authorization code, by the digest of its text: it counts once, for one client, and with its verifier alone.

    With `thumb` it counts only with a proof of that key (RFC 9449 section 10).
    """

    id: str
    consent: str
    client: str
    redirect: str
    challenge: str
    audience: tuple[str, ...]
    made: Instant
    until: Instant
    thumb: str = ""
    state: str = "open"

    def __post_init__(self) -> None:
        ids.parse("cod", self.id)
        ids.parse("con", self.consent)
        ids.parse("cli", self.client)
        if self.state not in ONCE.table or not CHALLENGE.fullmatch(self.challenge) or not self.audience:
            raise _invalid("code")
        if self.thumb and not CHALLENGE.fullmatch(self.thumb):
            raise _invalid("code")
        if not instant(self.made) < instant(self.until):
            raise _invalid("code")


class Refresh(Record, frozen=True, kw_only=True, tag_field="noun", tag="refresh"):
    """A refresh token, by the digest of its text: used once, for the next one; bound to a key where one was proved."""

    id: str
    consent: str
    client: str
    audience: tuple[str, ...]
    made: Instant
    until: Instant
    thumb: str = ""
    state: str = "open"

    def __post_init__(self) -> None:
        ids.parse("rfr", self.id)
        ids.parse("con", self.consent)
        ids.parse("cli", self.client)
        if self.state not in ONCE.table or not self.audience or not instant(self.made) < instant(self.until):
            raise _invalid("refresh")


def _invalid(noun: str) -> RemitError:
    return RemitError("consent_invalid", f"This cannot be a {noun}.", "Let the person consent again.")
