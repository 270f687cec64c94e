"""Client: a program that speaks OAuth and stands for one registered agent; and where its answers may be sent."""

import re
from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.record import Record

LIFE: Final = Lifecycle("client", {"live": {"ended": "ended"}, "ended": {}})
KINDS: Final = ("registered", "dynamic", "document")
MOST: Final = 16
LONGEST: Final = 2048
LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
_WEB: Final = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[::1\])(?::([1-9][0-9]{0,4}))?(/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*)?"
    r"(\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?",
    re.ASCII,
)
_APP: Final = re.compile(r"[a-z][a-z0-9+.-]{1,40}:(?://)?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+", re.ASCII)
_NEVER: Final = (
    "about", "blob", "data", "file", "ftp", "http", "https",
    "javascript", "mailto", "vbscript", "view-source", "ws", "wss",
)  # fmt: skip
_HIDDEN: Final = re.compile(
    r"%(?:2e|2f|5c|00|0[ad]|(?![0-9a-f]{2}))|(?:^|/)\.{1,2}(?:/|$|\?)|\\", re.ASCII | re.IGNORECASE
)


class Client(Record, frozen=True, kw_only=True, tag_field="noun", tag="client"):
    """What an operator, or a person's first yes, has bound to an agent. It never says itself for which agent.

    A *registered* client was added by the operator, a *dynamic* one registered itself, a *document* is an address that
    describes one. `confidential` clients prove the agent's key; those that say `keys` of their own, or publish them at
    `keys_url`, prove one of these; all others are public, and prove each code by PKCE. One that `runs` is what `remit
    run` asks people by: what they consent to by it is watched as a run is (control/run).
    """

    id: str
    agent: str
    name: str
    redirects: tuple[str, ...]
    kind: str = "registered"
    confidential: bool = False
    keys: tuple[dict[str, str], ...] = ()
    keys_url: str = ""
    runs: bool = False
    state: str = "live"

    def __post_init__(self) -> None:
        ids.parse("cli", self.id)
        ids.parse("agt", self.agent)
        if self.kind not in KINDS or self.state not in LIFE.table or not named(self.name):
            raise RemitError(
                "client_invalid", "This cannot be a client.", "Give a printable name of 1 to 100 characters."
            )
        own = bool(self.keys) + bool(self.keys_url)
        if own > 1 or (own and (self.confidential or self.kind == "registered")) or len(self.keys) > MOST:
            raise RemitError(
                "client_invalid", "A client proves its agent's key, or keys of its own, said once.", "Give one of them."
            )
        if self.runs and (self.confidential or self.kind != "registered" or not all(map(local, self.redirects))):
            raise RemitError(
                "client_invalid", "A client of runs is public, and answers on its own machine.", "Report this."
            )
        if not 1 <= len(self.redirects) <= MOST or not all(redirect(one, self.kind) for one in self.redirects):
            raise RemitError(
                "redirect_invalid",
                "A client needs 1 to 16 exact addresses that its answers are sent to, and one of these cannot be one.",
                "Use https, or http on this machine (127.0.0.1, [::1], localhost); no fragment, user or dot segment.",
            )

    @property
    def keyed(self) -> bool:
        """Whether it proves a key of its own."""
        return bool(self.keys or self.keys_url)


def named(name: str) -> bool:
    """Say whether this can be a client's name: one printable line, up to 100 characters."""
    return 0 < len(name.strip()) <= 100 and name.isprintable()


def redirect(url: str, kind: str = "registered") -> bool:
    """Say whether answers may be sent to this address at all; an app's own scheme only where an operator says so."""
    if len(url) > LONGEST or _HIDDEN.search(url.partition("://")[2] or url):
        return False
    found = _WEB.fullmatch(url)
    if found is not None:
        return found[1] == "https" or _host(url) in LOOPBACK
    scheme = url.partition(":")[0]
    return kind == "registered" and scheme not in _NEVER and _APP.fullmatch(url) is not None


def answers_at(registered: tuple[str, ...], asked: str) -> bool:
    """Say whether this is a registered address: the same text, but for the port on this machine (RFC 8252)."""
    return asked in registered or any(_same_but_port(one, asked) for one in registered)


def local(url: str) -> bool:
    """Say whether an address is a port of whatever machine reads it, and nothing else's (RFC 8252 section 7.3)."""
    return url.startswith("http://") and _host(url) in LOOPBACK


def _same_but_port(one: str, asked: str) -> bool:
    first, second = _WEB.fullmatch(one), _WEB.fullmatch(asked)
    if first is None or second is None or not redirect(asked) or first[1] != "http" or first[2] not in LOOPBACK:
        return False
    return (first[1], first[2], first[4], first[5]) == (second[1], second[2], second[4], second[5])


def _host(url: str) -> str:
    found = _WEB.fullmatch(url)
    return found[2] if found else ""


def place(url: str) -> str:
    """Where an address is, as a person reads it: its host, or the app's scheme."""
    found = _WEB.fullmatch(url)
    if found is None:
        return url.partition(":")[0]
    return f"{found[2]}:{found[3]}" if found[3] else found[2]


def origin(url: str) -> str:
    """What a page's policy must name so that its form may lead there."""
    return f"{url.partition('://')[0]}://{place(url)}" if _WEB.fullmatch(url) else f"{url.partition(':')[0]}:"
