"""What was accepted of a scan: what a baseline knows, and what somebody answers for until a day. Pure."""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from remit.core.errors import RemitError
from remit.core.finding import Evidence, Finding, Kind

LONGEST_DAYS: Final = 366
"""How far ahead a suppression may end: what nobody looks at again is no acceptance."""
Called = Callable[[str], tuple[str, str]]
"""The names of a file: from the root of what was scanned, and whole."""
_MEMBERS: Final = frozenset({"code", "file", "owner", "until", "because"})


class State(StrEnum):
    """Whether a finding still waits for somebody: `new` does."""

    NEW = "new"
    KNOWN = "known"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Somebody answers, until the end of a day, for findings of one code in the files that a pattern names."""

    code: str
    file: str
    owner: str
    until: date
    because: str

    def covers(self, one: Finding, names: Iterable[str]) -> bool:
        """Say whether this finding is meant, by any of the names of its file."""
        return one.kind.value == self.code and any(fnmatchcase(name, self.file) for name in names)


@dataclass(frozen=True, slots=True)
class Marked:
    """A finding, its fingerprint, and what is known of it already; `because` says who answers for it and why."""

    finding: Finding
    fingerprint: str
    state: State
    because: str = ""


class Baseline(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fingerprints that were there when a baseline was written."""

    version: int
    fingerprints: frozenset[str]


def as_spelt(file: str) -> tuple[str, str]:
    """The names of a file where nothing else is known of it than its path."""
    return file, file


def mark(
    findings: Iterable[Finding],
    known: frozenset[str],
    suppressions: tuple[Suppression, ...],
    today: date,
    called: Called = as_spelt,
) -> tuple[Marked, ...]:
    """Say of each finding whether it is new. A suppression that is past its day marks nothing.

    `called` gives the names of a file that do not depend on how a place was spelt: the first stands in fingerprints.
    """
    found, seen = [], Counter[tuple[str, str, str]]()
    for one in findings:
        names = called(one.evidence.file)
        place = one.kind.value, names[0], _said(one.evidence, called)
        seen[place] += 1
        text = "\0".join((*place, str(seen[place])))
        fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        answers = next((s for s in suppressions if s.until >= today and s.covers(one, names)), None)
        if answers is not None:
            because = f"{answers.owner}, until {answers.until.isoformat()}: {answers.because}"
            found.append(Marked(one, fingerprint, State.SUPPRESSED, because))
        else:
            found.append(Marked(one, fingerprint, State.KNOWN if fingerprint in known else State.NEW))
    return tuple(found)


def _said(evidence: Evidence, called: Called) -> str:
    """What was seen, with other files by their names and without their lines: neither makes another finding."""
    said = evidence.said
    for file, line in evidence.also:
        said = said.replace(f"({file}:{line})", f"({called(file)[0]})")
    return said


def baseline(data: bytes) -> frozenset[str]:
    """The fingerprints of a baseline file (`baseline_invalid`)."""
    try:
        read = msgspec.json.decode(data, type=Baseline)
    except (msgspec.MsgspecError, ValueError) as fault:
        raise _unknown_baseline("This is no baseline of a scan.") from fault
    if read.version != 1:
        raise _unknown_baseline(f"This baseline has version {read.version}, and 1 is known.")
    return read.fingerprints


def written(marked: Iterable[Marked]) -> bytes:
    """The baseline file that knows all of these."""
    lines = sorted({one.fingerprint for one in marked})
    return msgspec.json.format(msgspec.json.encode({"version": 1, "fingerprints": lines}), indent=2) + b"\n"


def suppressions(data: bytes, today: date) -> tuple[Suppression, ...]:
    """The suppressions of a TOML file, those past their day among them (`suppression_invalid`)."""
    try:
        read = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _invalid("The file is not TOML.") from fault
    given = read.pop("suppress", [])
    if read or not isinstance(given, list):
        raise _invalid("The file holds something else than [[suppress]] tables.")
    return tuple(_one(one, number, today) for number, one in enumerate(given, 1))


def _one(given: Any, number: int, today: date) -> Suppression:
    if not isinstance(given, dict) or given.keys() != _MEMBERS:
        raise _invalid(f"Number {number} does not have exactly {', '.join(sorted(_MEMBERS))}.")
    until, words = given["until"], [given[name] for name in _MEMBERS - {"until"}]
    if type(until) is not date or not all(isinstance(one, str) and one for one in words):
        raise _invalid(f"Number {number} needs a date in until, and words in all else.")
    if given["code"] not in {kind.value for kind in Kind}:
        raise _invalid(f"Number {number} names a code that no finding has.")
    if (until - today).days > LONGEST_DAYS:
        raise _invalid(f"Number {number} ends more than {LONGEST_DAYS} days from now.")
    return Suppression(**given)


def _invalid(message: str) -> RemitError:
    return RemitError("suppression_invalid", message, "Write each as docs/spec/scan.md says; see remit scan --help.")


def _unknown_baseline(message: str) -> RemitError:
    return RemitError("baseline_invalid", message, "Write one with remit scan --write-baseline FILE.")
