"""Credential: the short-lived, key-bound token that an agent holds for one task, one plan version and one path."""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record
from remit.core.trust import TrustPath

LIFE: Final = Lifecycle("credential", {"active": {"ended": "ended"}, "ended": {}})


class Credential(Record, frozen=True, kw_only=True, tag_field="noun", tag="credential"):
    """What was issued, without its text: a look-up by id says whether it still counts.

    It carries one trust path (law 2); on the delegated path `subject` is the person, on the own path the agent.
    `audience` are the resources at which it may be shown, `key` the signing key's id. It is bound to the key with the
    RFC 7638 thumbprint `thumb`, or to the certificate with the SHA-256 digest `certificate`, or, without either, to
    nobody: then whoever holds its text is taken for its agent.
    `parent` is the credential that it was exchanged from, and which it never outlives.
    `binding` is what its agent proved itself by, when that was no key of its own; `attested` when that was made (0: not
    known), `signed_in` and `strength` when and how surely the person did.
    """

    id: str
    task: str
    plan: int
    path: TrustPath
    agent: str
    subject: str
    audience: tuple[str, ...]
    key: str
    issued: Instant
    expires: Instant
    thumb: str = ""
    certificate: str = ""
    parent: str = ""
    binding: str = ""
    attested: Instant = Instant(0)
    signed_in: Instant = Instant(0)
    strength: str = ""
    state: str = "active"

    def __post_init__(self) -> None:
        ids.parse("crd", self.id)
        ids.parse("tsk", self.task)
        ids.parse("agt", self.agent)
        if self.parent:
            ids.parse("crd", self.parent)
        ids.parse("per" if self.path is TrustPath.DELEGATED else "agt", self.subject)
        if self.path is TrustPath.OWN and self.subject != self.agent:
            raise RemitError(
                "credential_invalid", "On the own path the subject is the agent itself.", "Use the agent's id."
            )
        if self.binding:
            ids.parse("bnd", self.binding)
        instant(self.issued)
        instant(self.expires)
        if self.issued >= self.expires or self.plan < 1 or self.state not in LIFE.table or not self.audience:
            raise RemitError("credential_invalid", "Its life, plan, state or audience cannot be.", "Issue it anew.")
        if self.thumb and self.certificate:
            raise RemitError("credential_invalid", "It is bound to a key and to a certificate.", "Bind it to one.")

    @property
    def bound(self) -> bool:
        """Whether its holder must prove a key with each use."""
        return bool(self.thumb or self.certificate)


class PathGate(Record, frozen=True, kw_only=True, tag_field="noun", tag="path"):
    """The revocation handle of one trust path: closed refuses all, and what was issued before `since` is dead."""

    name: TrustPath
    since: Instant = Instant(0)
    state: str = "open"


class Key(Record, frozen=True, kw_only=True, tag_field="noun", tag="key"):
    """The public half of a signing key and where it stands in its rotation."""

    id: str
    purpose: str
    public: dict[str, str]
    until: Instant = Instant(0)
    state: str = "active"

    def verifies(self, now: Instant) -> bool:
        """Say whether what it signed counts now: active, or retiring and before its end."""
        return self.state == "active" or (self.state == "retiring" and now < self.until)
