"""Opening a source by its kind: what it needs is imported only then, since each kind has a driver of its own."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import Minting, Resource
from remit.custody.secret import Secret
from remit.custody.source import Source

KINDS: Final = {
    "aws": "",
    "github": "",
    "google": "",
    "kubernetes": "",
    "mariadb": "mariadb",
    "mysql": "mariadb",
    "oauth": "",
    "openbao": "",
    "postgres": "postgres",
}
"""The kinds of sources, and the extra that brings each one's driver."""
ADDRESSED: Final = ("mariadb", "mysql", "postgres")
"""The kinds whose secret is the URL that they connect to."""
LEADING: Final = ("host", "hostaddr", "port", "dbname", "service")
"""What of such a URL's query, or of libpq's `NAME=VALUE` words, says where it leads."""
_WORD: Final = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|\S*)")


def address(kind: str, secret: Secret) -> tuple[str, ...]:
    """Where a secret of this kind of source leads, without who logs in there; empty where it says nothing of that."""
    if kind not in ADDRESSED:
        return ()
    text = secret.reveal().decode(errors="replace")
    try:
        parts = urlsplit(text)
        asked = sorted(f"{name}={value}" for name, value in parse_qsl(parts.query) if name in LEADING)
    except ValueError:
        return (text,)
    if not parts.scheme:
        return tuple(sorted(f"{name}={value}" for name, value in _WORD.findall(text) if name in LEADING))
    return parts.netloc.rpartition("@")[2].lower(), parts.path, *asked


def open_source(resource: Resource, secret: Secret | None, owner: str, now: Callable[[], Instant]) -> Source:
    """Open the source of a resource whose credentials are minted.

    `owner` is the ledger whose names it may end, `now` the instant that what is sent is signed at.

    Refuses a kind that is not known (`source_unknown`), one whose driver is not installed (`driver_missing`), and one
    whose secret is not named (`secret_unknown`).
    """
    minting = resource.minting
    kind = minting.kind if minting else ""
    if minting is None or kind not in KINDS:
        raise RemitError(
            "source_unknown", f"There is no source of the kind {kind!r}.", f"Use one of {', '.join(sorted(KINDS))}."
        )
    if secret is None:
        raise RemitError("secret_unknown", f"{resource.name} names no secret to mint with.", "Register it with one.")
    try:
        return _opened(kind, secret, owner, minting, now)
    except ImportError as fault:
        raise RemitError(
            "driver_missing",
            f"The driver for {kind} is not installed.",
            f"Install it: pip install 'remit[{KINDS[kind]}]'.",
        ) from fault


def _opened(kind: str, secret: Secret, owner: str, minting: Minting, now: Callable[[], Instant]) -> Source:
    settings, life = minting.settings, minting.life
    if kind == "aws":
        from remit.custody.sources.sts import StsSource

        return StsSource(secret, settings, now)
    if kind == "oauth":
        from remit.custody.sources.oauth import OAuthSource

        return OAuthSource(secret, settings, now)
    if kind == "github":
        from remit.custody.sources.github import GitHubSource

        return GitHubSource(secret, settings, now)
    if kind == "google":
        from remit.custody.sources.google import GoogleSource

        return GoogleSource(secret, settings, now)
    if kind == "kubernetes":
        from remit.custody.sources.kubernetes import KubernetesSource

        return KubernetesSource(secret, owner, settings)
    if kind in ("mariadb", "mysql"):
        from remit.custody.sources.mariadb import MariaSource

        return MariaSource(secret, owner, settings, kind)
    if kind == "openbao":
        from remit.custody.sources.openbao import OpenBaoSource

        return OpenBaoSource(secret, owner, settings, life)
    from remit.custody.sources.postgres import PostgresSource

    return PostgresSource(secret, owner, settings)
