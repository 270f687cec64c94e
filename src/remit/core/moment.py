"""Instants, windows, and how far clocks may be apart. Milliseconds since the Unix epoch, UTC; no clock is read here."""

from dataclasses import dataclass
from typing import Final, NewType

from remit.core.errors import RemitError

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z, never negative."""

SKEW_MS: Final = 60_000
"""Milliseconds that another's clock, or another node's, may be apart from ours: the one place, and never more."""
LAST: Final = Instant(253_402_300_799_999)
"""9999-12-31T23:59:59.999Z: what RFC 3339 can still write, and the latest instant we accept."""


def instant(value: object) -> Instant:
    """Parse a millisecond instant. Refuses anything but an integer in range (`moment_invalid`)."""
    if type(value) is not int or not 0 <= value <= LAST:
        raise RemitError(
            "moment_invalid",
            "An instant is a whole number of milliseconds since 1970, up to the year 9999.",
            "Give the time as an integer of milliseconds.",
        )
    return Instant(value)


def ahead(at: int, now: Instant) -> bool:
    """Say whether an instant that another tells is of the future, by whatever clock it was told."""
    return at > now + SKEW_MS


def over(at: int, now: Instant, life: int) -> bool:
    """Say whether an instant that another tells lies more than `life` milliseconds back, by whatever clock."""
    return at < now - life - SKEW_MS


def near(at: int, now: Instant) -> bool:
    """Say whether an instant that another tells is now, by whatever clock."""
    return abs(at - now) <= SKEW_MS


def forgettable(end: int) -> Instant:
    """From when on what counts until `end` counts by nobody's clock, so that it need not be remembered as spent."""
    return Instant(end + SKEW_MS)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (included) to `end` (excluded); a window that is empty or backwards cannot be built."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        instant(self.start)
        instant(self.end)
        if self.start >= self.end:
            raise RemitError(
                "window_invalid", "A window must end after it starts.", "Give an end that is later than the start."
            )

    def holds(self, now: Instant) -> bool:
        """Say whether `now` lies in the window."""
        return self.start <= now < self.end

    def within(self, other: "Window") -> bool:
        """Say whether every instant of this window is also in `other`."""
        return other.start <= self.start and self.end <= other.end
