"""One change to a file that takes a finding away: which text, by which. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from remit.core.finding import Finding, Kind
from remit.scan.placed import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """The text between two places of a document, and what stands there instead."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One change that makes sense by itself. `takes` are names and values of secrets that it takes out of the file.

    `shows` are the values that a patch may print: no other value of the file is printed. `meant` are the places of the
    document that say something else afterwards, each with what it says (`same`); all others say what they said. `also`
    are lines, besides its own, on which it takes a finding away.
    """

    kind: Kind
    line: int
    said: str
    edits: tuple[Edit, ...]
    takes: tuple[tuple[str, str], ...] = ()
    shows: frozenset[str] = frozenset()
    meant: tuple[tuple[Path, object], ...] = ()
    also: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines on which it takes a finding away."""
        return (self.line, *self.also)


def edited(text: str, fixes: Iterable[Fix]) -> str:
    """The text with the edits of fixes that do not overlap; none of all other characters is touched."""
    for one in sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: -edit.start):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Those of the fixes that do not overlap an earlier one."""
    found: list[Fix] = []
    taken: list[Edit] = []
    for fix in fixes:
        if not any(one.start < other.end and other.start < one.end for one in fix.edits for other in taken):
            found.append(fix)
            taken += fix.edits
    return found


def lines(findings: Iterable[Finding], kind: Kind) -> dict[int, str]:
    """The lines on which findings of a kind stand, and all that is said of each."""
    found: dict[int, str] = {}
    for one in findings:
        if one.kind is kind:
            found[one.evidence.line] = f"{found.get(one.evidence.line, '')}\n{one.evidence.said}"
    return found
