"""A scan as JSON. The published schema, docs/spec/scan.schema.json, is made from these types. Pure."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from remit.core.finding import Confidence, Severity
from remit.scan.accepted import Marked, State
from remit.scan.remedy import remedy
from remit.scan.walk import Scan


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding, and what is known of it already. No member holds a secret's text, nor any part of it."""

    code: str
    title: str
    severity: Severity
    confidence: Confidence
    file: str
    line: int
    evidence: str
    why: str
    fix: str
    owasp: list[str]
    fingerprint: str
    state: State
    because: str


class Missed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file or folder that should have been read and was not, and why."""

    file: str
    reason: str


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one scan found, what it could not read, and how many files it read and met.

    `shapes` names the library whose shapes of issuers' tokens were looked for, and its version; it is empty when only
    the few that are built in were.
    """

    version: Literal[1]
    findings: list[Told]
    unread: list[Missed]
    read: int
    met: int
    shapes: str


def report(found: Scan, marked: Iterable[Marked]) -> Report:
    """The scan as docs/spec/scan.md says it."""
    return Report(
        version=1,
        findings=[_told(one) for one in marked],
        unread=[Missed(one.file, one.reason) for one in found.unread],
        read=found.read,
        met=found.met,
        shapes=found.shapes,
    )


def _told(one: Marked) -> Told:
    finding, rule = one.finding, one.finding.rule
    return Told(
        code=finding.kind.value,
        title=rule.title,
        severity=rule.severity,
        confidence=finding.confidence,
        file=finding.evidence.file,
        line=finding.evidence.line,
        evidence=finding.evidence.said,
        why=rule.why,
        fix=remedy(finding),
        owasp=list(rule.owasp),
        fingerprint=one.fingerprint,
        state=one.state,
        because=one.because,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Report)}
