"""Signals: what others tell of people (OpenID Shared Signals), who may tell it, and what each kind of event ends."""

from collections.abc import Mapping
from typing import Final

from remit.core import ids
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle("transmitter", {"active": {"removed": "removed"}, "removed": {"added": "active"}})
CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
RISC: Final = "https://schemas.openid.net/secevent/risc/event-type/"
VERIFY: Final = "https://schemas.openid.net/secevent/ssf/event-type/verification"
ALIASES: Final = 16
ENDS: Final[Mapping[str, str]] = {
    f"{CAEP}session-revoked": "tasks",
    f"{CAEP}credential-change": "tasks",
    f"{CAEP}assurance-level-change": "credentials",
    f"{CAEP}token-claims-change": "credentials",
    f"{RISC}account-disabled": "person",
    f"{RISC}account-purged": "person",
    f"{RISC}credential-compromise": "tasks",
    f"{RISC}sessions-revoked": "tasks",
}
"""What an event about a person ends: their sessions always; then their delegated credentials or tasks, or all."""


class Transmitter(Record, frozen=True, kw_only=True, tag_field="noun", tag="transmitter"):
    """Who may tell us of people. Owned by the operator.

    `issuer` and `audience` are exact. It speaks of subjects of its own issuer, and of those in `about`; with `email`
    also of people whose subject there is an e-mail address. Its keys are at `keys_url`.
    """

    name: str
    issuer: str
    audience: str
    keys_url: str
    about: tuple[str, ...] = ()
    email: bool = False
    state: str = "active"

    def __post_init__(self) -> None:
        ids.name("transmitter", self.name)
        whole = all(0 < len(one) <= 512 for one in (self.issuer, self.audience, self.keys_url, *self.about))
        if not whole or not self.keys_url.startswith(("https://", "http://")) or self.state not in LIFE.table:
            raise RemitError(
                "transmitter_invalid",
                "A transmitter has an issuer, an audience and the URL of its keys.",
                "Take the issuer and the jwks_uri from its /.well-known/ssf-configuration.",
            )

    def speaks_of(self, issuer: str) -> bool:
        """Say whether it may tell of this issuer's subjects."""
        return issuer == self.issuer or issuer in self.about


class Signal(Record, frozen=True, kw_only=True, tag_field="noun", tag="signal"):
    """One event that was heard, proved, and done. `jti` is the transmitter's own name for it."""

    id: str
    transmitter: str
    jti: str
    event: str
    person: str
    told: Instant
    ends: str

    def __post_init__(self) -> None:
        ids.parse("sgn", self.id)
        ids.name("transmitter", self.transmitter)
        ids.parse("per", self.person)
        instant(self.told)
        if self.ends not in {"nothing", "sessions", *ENDS.values()} or not 0 < len(self.jti) <= 256:
            raise RemitError("signal_invalid", "This cannot be a signal.", "Tell it as RFC 8417 says.")


def ends(event: str, said: Mapping[str, Json]) -> str:
    """What this event ends of a person's: `person`, `tasks`, `credentials`, `sessions` or `nothing`.

    A credential that is new or was changed asks for a new sign-in; one that was revoked or deleted ends what was
    delegated. An assurance level that rose ends nothing.
    """
    if event == f"{CAEP}credential-change" and said.get("change_type") not in ("revoke", "delete"):
        return "sessions"
    if event == f"{CAEP}assurance-level-change" and said.get("change_direction") == "increase":
        return "nothing"
    return ENDS.get(event, "nothing")


def subjects(value: Json) -> tuple[tuple[str, str], ...]:
    """Whom a subject identifier (RFC 9493) is about: issuer and subject, or "" and an e-mail address; empty for nobody.

    Of a complex subject its user counts. Aliases (section 3.2.8) are many names of one, of which `ALIASES` are read.
    """
    if not isinstance(value, dict):
        return ()
    if value.get("format") in (None, "complex") and isinstance(value.get("user"), dict):
        value = value["user"]
    names = [value]
    if value.get("format") == "aliases" and isinstance(value.get("identifiers"), list):
        names = [one for one in value["identifiers"][:ALIASES] if isinstance(one, dict)]
    return tuple(one for one in map(_subject, names) if one is not None)


def _subject(value: dict[str, Json]) -> tuple[str, str] | None:
    issuer, name, email = value.get("iss"), value.get("sub"), value.get("email")
    if value.get("format") == "iss_sub" and isinstance(issuer, str) and isinstance(name, str) and issuer and name:
        return issuer, name
    if value.get("format") == "email" and isinstance(email, str) and email:
        return "", email
    return None
