"""Lifecycles as tables. A state and event that are not written down refuse; nothing leads out of a last state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError

UNUSED: Final = frozenset({"proposed", "refused"})
"""States of what was put forward and no person has approved: nothing may rest on it."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The transition table of one noun: state to event to next state."""

    noun: str
    table: Mapping[str, Mapping[str, str]]

    def after(self, state: str, event: str) -> str:
        """Return the state that follows, or refuse (`transition_refused`)."""
        following = self.table.get(state, {}).get(event)
        if following is None:
            can = ", ".join(sorted(self.table.get(state, {}))) or "nothing; this state is final"
            raise RemitError(
                "transition_refused",
                f"This {self.noun} is {state}; it cannot be {event}.",
                f"What it can still be: {can}.",
            )
        return following

    @property
    def last(self) -> frozenset[str]:
        """The states that nothing leads out of."""
        return frozenset(state for state, edges in self.table.items() if not edges)
