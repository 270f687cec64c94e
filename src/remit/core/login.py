"""Login: a way in for the operator: a link that opens the console once, a browser's session, or a token for the API.

A link can also be a person's: it opens a session of theirs, and nothing of the operator's.
"""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle("login", {"open": {"used": "used", "ended": "ended"}, "used": {}, "ended": {}})
LASTS: Final = {"link": 15 * 60_000, "session": 8 * 3_600_000, "token": 30 * 24 * 3_600_000}
"""How long each kind lasts, in milliseconds."""


class Login(Record, frozen=True, kw_only=True, tag_field="noun", tag="login"):
    """One way in. `id` is made from the digest of a random secret, which is nowhere kept; it is no capability itself.

    Owned by whoever holds the secret. Only a link is ever `used`, and only a link is ever a `person`'s. `login_invalid`
    for what cannot be.
    """

    id: str
    kind: str
    made: Instant
    until: Instant
    state: str = "open"
    person: str = ""

    def __post_init__(self) -> None:
        ids.parse("lgn", self.id)
        if self.kind not in LASTS or self.state not in LIFE.table or not instant(self.made) < instant(self.until):
            raise RemitError("login_invalid", "This cannot be a login.", "Give a kind, and an end after its begin.")
        if self.person and self.kind != "link":
            raise RemitError("login_invalid", "Only a link is a person's.", "Let them come in by a link.")
        if self.person:
            ids.parse("per", self.person)
