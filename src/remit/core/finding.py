"""Finding: an identity, secret or grant seen outside governance, or wider than its use, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Severity(StrEnum):
    """How much harm what was found can do."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Place in the order from low, 0, to critical, 3."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How sure the reader is that it saw what it says."""

    MEDIUM = "medium"
    HIGH = "high"


class Kind(StrEnum):
    """The stable code of what was found."""

    LITERAL_SECRET = "AG101"  # noqa: S105 - the name of a finding
    WILDCARD = "AG112"
    UNPINNED = "AG120"
    BROAD_TOOL = "AG121"
    HOST_MOUNT = "AG122"
    OPEN_REMOTE = "AG130"
    UNASKED = "AG131"


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for every finding of one kind. `owasp` are ids of OWASP's agentic (ASI) and NHI top tens."""

    title: str
    severity: Severity
    why: str
    fix: str
    owasp: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where it was seen: a file, a line from 1, and words about it that never hold a secret."""

    file: str
    line: int
    said: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. It is told, never acted on: a reader runs nothing and tries no secret."""

    kind: Kind
    confidence: Confidence
    evidence: Evidence

    @property
    def rule(self) -> Rule:
        """What holds for every finding of this kind."""
        return RULES[self.kind]


RULES: Final[Mapping[Kind, Rule]] = MappingProxyType(
    {
        Kind.LITERAL_SECRET: Rule(
            "A secret stands in a configuration file",
            Severity.HIGH,
            "Whoever can read the file, or a copy of it, can act as its holder.",
            "Replace the value at its issuer, and refer to the new one through the environment or a secret store.",
            ("ASI03", "NHI2"),
        ),
        Kind.WILDCARD: Rule(
            "A cloud policy allows by wildcard",
            Severity.HIGH,
            "Whoever holds the role can do more than its work, and each new action or resource of the cloud widens it.",
            "Name the actions and the resources that the work needs.",
            ("ASI03", "NHI5"),
        ),
        Kind.UNPINNED: Rule(
            "A package is run without a pinned version",
            Severity.MEDIUM,
            "Whoever publishes the next version decides what runs here.",
            "Name one exact version, or an image by its digest.",
            ("ASI04", "NHI3"),
        ),
        Kind.BROAD_TOOL: Rule(
            "A file server is given the root or a whole home folder",
            Severity.HIGH,
            "The agent can read every key and credential that lies there.",
            "Name the one folder that the work needs.",
            ("ASI02", "ASI05", "NHI5"),
        ),
        Kind.HOST_MOUNT: Rule(
            "A container is given the host's home, credentials or container socket",
            Severity.HIGH,
            "The container can act as the user, and through the socket as root of the host.",
            "Mount the one folder that the work needs, read-only where that is enough.",
            ("ASI03", "ASI05", "NHI5"),
        ),
        Kind.OPEN_REMOTE: Rule(
            "A remote server is called without TLS, or with a token in its address",
            Severity.HIGH,
            "What is sent, and the token, can be read on the way or in logs.",
            "Use https, and send the token in a header that refers to the environment.",
            ("ASI07", "NHI4"),
        ),
        Kind.UNASKED: Rule(
            "What writes or runs commands is approved with nobody asked",
            Severity.HIGH,
            "An instruction that the agent reads somewhere acts at once, with the user's own rights.",
            "Approve only what reads, and let a person or a gate decide the rest; let a hook that fails refuse.",
            ("ASI02", "ASI09", "NHI5"),
        ),
    }
)
