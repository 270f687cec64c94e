"""Revocation: an end, from an instant, with a cause; and all that follows from it."""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.moment import Instant, instant
from remit.core.record import Record

KINDS: Final = ("task", "credential", "agent", "person", "path", "brief", "resource", "service", "lease", "consent")


class Revocation(Record, frozen=True, kw_only=True, tag_field="noun", tag="revocation"):
    """One act of stopping. Owned by whoever said stop; it has no undo, only something new can be given."""

    id: str
    kind: str
    target: str
    by: str
    at: Instant
    because: str = ""

    def __post_init__(self) -> None:
        ids.parse("rev", self.id)
        instant(self.at)
        if self.kind not in KINDS:
            raise RemitError("revocation_invalid", "This cannot be revoked.", f"Name one of {', '.join(KINDS)}.")
        if len(self.because) > 500:
            raise RemitError("revocation_invalid", "The reason is too long.", "Use up to 500 characters.")
