"""A Person or a Service: the principals whose authority an act rests on.

People stand in receipts by opaque id alone. Who a person is at their identity provider is kept apart (store/identity)
and can be erased without breaking the ledger.
"""

import re
from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant
from remit.core.record import Record
from remit.core.resource import matches, selector

LIFE: Final = Lifecycle("principal", {"active": {"left": "gone"}, "gone": {}})
GIVEN: Final = "given a token"
GIVEN_AGAIN: Final = "given a token in place of one"
REGROUPED: Final = "in other groups"
"""Why a service or a person was changed, where others are told of it."""
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Person(Record, frozen=True, kw_only=True, tag_field="noun", tag="person"):
    """A human being whose authority can be delegated, known by an opaque id.

    `rights` are the most that anybody can do for them: exact actions, or `mcp:RESOURCE/*`; without it, only what policy
    says of their groups limits them. `confirmed` is when they last said, as an owner, that they are here.
    """

    id: str
    state: str = "active"
    groups: tuple[str, ...] = ()
    rights: tuple[str, ...] | None = None
    confirmed: Instant = Instant(0)

    def __post_init__(self) -> None:
        ids.parse("per", self.id)
        _known(self.state)
        for group in self.groups:
            ids.name("group", group)
        for right in self.rights or ():
            selector(right)

    def may(self, action: str) -> bool:
        """Say whether this person can let anybody do this for them."""
        return self.rights is None or any(matches(right, action) for right in self.rights)


class Service(Record, frozen=True, kw_only=True, tag_field="noun", tag="service"):
    """A piece of the company's own software that may dispatch tasks, or ask for decisions; it is never an agent.

    `token` is the SHA-256 digest of the random token with which it asks at `/access` and `/ext-authz`, if it may.
    """

    id: str
    name: str
    owner: str
    keys: tuple[dict[str, str], ...] = ()
    state: str = "active"
    token: str = ""

    def __post_init__(self) -> None:
        ids.parse("svc", self.id)
        ids.name("service", self.name)
        ids.parse("per", self.owner)
        _known(self.state)
        if self.token and not _DIGEST.fullmatch(self.token):
            raise RemitError("service_invalid", "This is no digest of a token.", "Let Remit make the token.")


def _known(state: str) -> None:
    if state not in LIFE.table:
        LIFE.after(state, "read")
