"""The two trust paths. They never meet in one credential (law 2)."""

from enum import StrEnum


class TrustPath(StrEnum):
    """Whose authority an act rests on: a person's who consented, or the agent's own service authority."""

    DELEGATED = "delegated"
    OWN = "own"
