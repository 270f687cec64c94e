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
    INHERITED = "AG102"
    SHARED = "AG103"
    STANDING = "AG104"
    UNUSED = "AG110"
    ADMIN = "AG111"
    WILDCARD = "AG112"
    UNPINNED = "AG120"
    BROAD_TOOL = "AG121"
    HOST_MOUNT = "AG122"
    OPEN_REMOTE = "AG130"
    UNASKED = "AG131"
    UNOWNED = "AG140"
    TOXIC = "AG150"
    MIXED = "AG151"


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
    """Where it was seen: a file, a line from 1, and words about it that never hold a secret.

    `also` are the other places that the words name, each as (FILE:LINE).
    """

    file: str
    line: int
    said: str
    also: tuple[tuple[str, int], ...] = ()


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
        Kind.INHERITED: Rule(
            "A whole environment of secrets is handed on",
            Severity.MEDIUM,
            "What needs one secret can use all of them, and each that is added later without anybody deciding so.",
            "Hand on by name what is needed, and nothing else.",
            ("ASI03", "NHI5"),
        ),
        Kind.SHARED: Rule(
            "One credential is used by several agents or servers",
            Severity.MEDIUM,
            "No log says which of them acted, and ending one of them means ending all.",
            "Issue a credential of its own to each, with no more than it needs.",
            ("ASI03", "NHI9"),
        ),
        Kind.STANDING: Rule(
            "A standing credential is used where the service issues short-lived ones",
            Severity.MEDIUM,
            "Once copied it works until somebody notices, for it does not end by itself.",
            "Use the service's federated login or tokens that end within hours, and revoke this one.",
            ("ASI03", "NHI7"),
        ),
        Kind.UNUSED: Rule(
            "More is granted than is seen to be used",
            Severity.MEDIUM,
            "What is granted and not needed serves only whoever takes the agent over.",
            "Grant what was used, and watch for refusals.",
            ("ASI03", "NHI5"),
        ),
        Kind.ADMIN: Rule(
            "A permission gives the tenant, the organisation or the cluster away",
            Severity.CRITICAL,
            "Its holder can give itself, or anybody, every other permission there is.",
            "Take it away, and give the few permissions that the work needs.",
            ("ASI03", "NHI5"),
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
        Kind.UNOWNED: Rule(
            "Nobody is named who owns it, or no purpose, or no end",
            Severity.MEDIUM,
            "What nobody answers for is kept for ever, and nobody is asked when it does harm.",
            "Write down who owns it and what it is for, and give it a day on which it ends.",
            ("ASI10", "NHI1"),
        ),
        Kind.TOXIC: Rule(
            "One agent reads what strangers write, holds private data and has a way out",
            Severity.HIGH,
            "Words in what it reads can tell it to send out what it holds, with no fault in any of the three.",
            "Take one of the three away, or give them to agents that do not share what they read.",
            ("ASI01", "ASI02", "NHI5"),
        ),
        Kind.MIXED: Rule(
            "One workflow calls with a person's token and a service's own credential",
            Severity.HIGH,
            "What the person may not do the service may, and no log says for whom it was done.",
            "Keep the two apart: a job, a server or an agent for each, with only its own credential.",
            ("ASI03", "NHI10"),
        ),
    }
)
