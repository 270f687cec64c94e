"""Agent: registered software that acts. It has an owner, a purpose, keys, a ceiling, a tier and a next review."""

from typing import Final

from remit.core import ids
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record
from remit.core.resource import matches, selector

LIFE: Final = Lifecycle(
    "agent",
    {
        "proposed": {"reviewed": "active", "retired": "retired"},
        "active": {"reviewed": "active", "transferred": "active", "suspended": "suspended", "retired": "retired"},
        "suspended": {"reviewed": "active", "transferred": "suspended", "retired": "retired"},
        "retired": {},
    },
)
TIERS: Final = ("low", "medium", "high")


class Agent(Record, frozen=True, kw_only=True, tag_field="noun", tag="agent"):
    """Registered software that acts, and by itself may do nothing.

    `ceiling` lists what any task of this agent could ever use: exact actions, or `mcp:RESOURCE/*`. `review_due` is when
    its owner must have looked again; past it every call is refused. Keys are public JWKs.
    """

    id: str
    name: str
    owner: str
    purpose: str
    review_due: Instant
    ceiling: tuple[str, ...]
    tier: str = "medium"
    keys: tuple[dict[str, str], ...] = ()
    state: str = "proposed"

    def __post_init__(self) -> None:
        ids.parse("agt", self.id)
        ids.name("agent", self.name)
        ids.parse("per", self.owner)
        instant(self.review_due)
        for entry in self.ceiling:
            selector(entry)
        if not self.purpose.strip() or len(self.purpose) > 500 or not self.purpose.isprintable():
            raise RemitError(
                "agent_invalid",
                "An agent needs a purpose in one printable line.",
                "Say in 1 to 500 characters what it is for.",
            )
        if self.tier not in TIERS or self.state not in LIFE.table:
            raise RemitError(
                "agent_invalid", "This tier or state is not known.", f"Use one of the tiers {', '.join(TIERS)}."
            )

    def reaches(self, action: str) -> bool:
        """Say whether the agent's ceiling holds this action."""
        for entry in self.ceiling:  # noqa: SIM110 - asked of every call, and so in the quicker way
            if matches(entry, action):
                return True
        return False
