"""Session: that a person signed in at their company's identity provider, when, and how surely."""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle("session", {"open": {"ended": "ended"}, "ended": {}})
LASTS: Final = 8 * 3_600_000
"""How long a session lasts at most, in milliseconds."""


class Session(Record, frozen=True, kw_only=True, tag_field="noun", tag="session"):
    """One sign-in of a person. `id` is made from the digest of a random secret, which is nowhere kept.

    `auth_time` is when the provider last saw the person prove who they are, 0 when it did not say; `acr` and `amr` are
    how (OpenID Connect Core section 2), and `before` is how surely at the sign-in before, where that was otherwise.
    Owned by whoever holds the secret. `session_invalid` for what cannot be.
    """

    id: str
    person: str
    issuer: str
    made: Instant
    until: Instant
    auth_time: Instant = Instant(0)
    acr: str = ""
    amr: tuple[str, ...] = ()
    before: str = ""
    state: str = "open"

    def __post_init__(self) -> None:
        ids.parse("ses", self.id)
        ids.parse("per", self.person)
        instant(self.auth_time)
        if self.state not in LIFE.table or not instant(self.made) < instant(self.until):
            raise RemitError("session_invalid", "This cannot be a session.", "Let the person sign in again.")
