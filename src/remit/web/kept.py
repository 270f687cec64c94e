"""What clients' documents said lately, so that one sign-in does not read the same address again and again."""

from dataclasses import dataclass, field
from typing import Final

from remit.control.client import Described

KEPT_MS: Final = 5 * 60_000
MOST_KEPT: Final = 256


@dataclass(slots=True)
class Documents:
    """What was read lately, for five minutes each. Owned by the application; faults are not kept."""

    kept: dict[str, tuple[int, Described]] = field(default_factory=dict)

    def get(self, url: str, now: int) -> Described | None:
        """What this address said lately."""
        at, found = self.kept.get(url, (0, None))
        return found if found is not None and now - at < KEPT_MS else None

    def put(self, url: str, now: int, found: Described) -> None:
        """Keep what it said."""
        if len(self.kept) >= MOST_KEPT:
            self.kept.clear()
        self.kept[url] = now, found
