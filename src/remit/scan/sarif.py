"""A scan in SARIF 2.1.0 (OASIS Standard), for code hosts and editors that show findings where they stand. Pure."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from remit.core.finding import RULES, Kind, Rule, Severity
from remit.scan import shapes
from remit.scan.accepted import Marked, State
from remit.scan.remedy import remedy
from remit.scan.walk import Scan, Unread

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HELP: Final = "https://owasp.org/www-project-non-human-identities-top-10/2025/top-10-2025"
"""Where each rule's risk is written about: every rule has an id of that list among its tags."""
_LEVEL: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SCORE: Final = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
"""What code hosts sort by: `security-severity`, from 0 to 10."""


def sarif(found: Scan, marked: Iterable[Marked], version: str) -> dict[str, Any]:
    """One run. What could not be read is a notification of the run (section 3.20.21), never silence.

    So is that fewer shapes of secrets were looked for; the library of the others is an extension of the tool (3.18.3).
    """
    kinds = list(RULES)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "remit scan",
                        "semanticVersion": version,
                        "rules": [_rule(kind, RULES[kind]) for kind in kinds],
                    },
                    **_extended(found.shapes),
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            *([] if found.shapes else [{"level": "note", "message": {"text": shapes.FEWER}}]),
                            *(_unread(one) for one in found.unread),
                        ],
                    }
                ],
                "results": [_result(one, kinds.index(one.finding.kind)) for one in marked],
            }
        ],
    }


def _extended(library: str) -> dict[str, Any]:
    name, _, version = library.partition(" ")
    return {"extensions": [{"name": name, "version": version}]} if library else {}


def _rule(kind: Kind, rule: Rule) -> dict[str, Any]:
    return {
        "id": kind.value,
        "name": "".join(word.title() for word in kind.name.split("_")),
        "helpUri": HELP,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix, "markdown": f"{rule.why}\n\n**Do:** {rule.fix}"},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {"security-severity": _SCORE[rule.severity], "tags": ["security", *rule.owasp]},
    }


def _result(one: Marked, place: int) -> dict[str, Any]:
    finding = one.finding
    told: dict[str, Any] = {
        "ruleId": finding.kind.value,
        "ruleIndex": place,
        "level": _LEVEL[finding.rule.severity],
        "message": {"text": f"{finding.rule.title}: {finding.evidence.said}. {remedy(finding)}"},
        "locations": [
            {"physicalLocation": {**_place(finding.evidence.file), "region": {"startLine": finding.evidence.line}}}
        ],
        "partialFingerprints": {"remitScan/v1": one.fingerprint},
        "properties": {"confidence": finding.confidence.value},
    }
    if one.state is State.KNOWN:
        told["baselineState"] = "unchanged"
    if one.state is State.SUPPRESSED:
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one.because}]
    return told


def _unread(one: Unread) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"Not read: {one.reason}."},
        "locations": [{"physicalLocation": _place(one.file)}],
    }


def _place(file: str) -> dict[str, Any]:
    path = quote(file.encode("utf-8", "surrogateescape"))
    return {"artifactLocation": {"uri": f"file://{path}" if file.startswith("/") else path}}
