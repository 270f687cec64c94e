"""Connection: an account of a person at a provider, opened once by them, from which each task gets a narrower token."""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle(
    "connection",
    {
        "live": {"ended": "ended"},
        "ended": {"pending": "pending", "gone": "gone"},
        "pending": {"gone": "gone"},
        "gone": {},
    },
)
LEAVING: Final = ("ended", "pending")
"""Nothing is lent of it any more, and the provider has not taken it back yet."""
PROOFS: Final = ("", "revoked", "forgotten", "replaced")


class Connection(Record, frozen=True, kw_only=True, tag_field="noun", tag="connection"):
    """What one person connected at one resource. Owned by that person; nobody else's task ever gets anything of it.

    Its refresh token is sealed under `id`, and goes when it is gone. `scopes` are those that the person agreed to.
    `proof` says how it went: the provider took it back and was asked whether it did (`revoked`), nothing there takes
    it back (`forgotten`), or the same account was connected anew (`replaced`). `trouble` says why it has not yet.
    """

    id: str
    person: str
    resource: str
    scopes: tuple[str, ...]
    at: Instant
    state: str = "live"
    ended: Instant = Instant(0)
    proof: str = ""
    trouble: str = ""

    def __post_init__(self) -> None:
        ids.parse("cnx", self.id)
        ids.parse("per", self.person)
        ids.name("resource", self.resource)
        instant(self.at)
        whole = self.state in LIFE.table and self.proof in PROOFS and bool(self.proof) is (self.state == "gone")
        if not whole or len(self.scopes) > 100 or not all(_scope(one) for one in self.scopes):
            raise RemitError(
                "connection_invalid", "The state or the scopes of this connection cannot be.", "Connect it anew."
            )


def _scope(text: str) -> bool:
    """Say whether this is a scope token (RFC 6749 section 3.3)."""
    return 0 < len(text) <= 200 and all(c == "!" or "#" <= c <= "[" or "]" <= c <= "~" for c in text)
