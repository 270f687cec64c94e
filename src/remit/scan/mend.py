"""What may be changed in a file with no risk, so that what was found in it is gone. Pure.

Only what has one right answer is changed: a secret that its reader can take by reference, an approval that is given
beforehand, a hook that lets pass when it fails, a version that is known. Every proposal is read again: it counts only
if it takes its finding away, brings no other, and the file says what it said but for what the fix means to change. One
that does not is refused and named. That the credential which is taken out does not end by itself may be told in other
words afterwards, or only then: by its name where it was by its value.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.finding import Finding, Kind
from remit.scan import (
    client,
    holder,
    moved,
    pin,
    placed,
    placed_toml,
    placed_yaml,
    readers,
    refer,
    standing,
    withdraw,
    workload,
)
from remit.scan.fix import Fix, apart, edited, lines
from remit.scan.names import Names
from remit.scan.pin import Versions
from remit.scan.placed import Placed
from remit.scan.same import same

_BOM: Final = "\ufeff"
_ADDRESS: Final = f"{refer.ADDRESS}, in full"


@dataclass(frozen=True, slots=True)
class Left:
    """A finding that stays, and why: nothing that may be changed with no risk takes it away."""

    code: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A file's text as it is and as it would be, by which fixes, and which findings that are mended elsewhere stay."""

    path: str
    before: str
    after: str
    fixes: tuple[Fix, ...]
    left: tuple[Left, ...] = ()


def mend(path: str, text: str, findings: Sequence[Finding], names: Names, versions: Versions) -> Mended:
    """What may be fixed of these findings of a file; nothing where it is written in a doubtful way."""
    mark = _BOM if text.startswith(_BOM) else ""
    document = of(path, text.removeprefix(_BOM))
    if document is None:
        return Mended(path, text, text, (), tuple(_left(path, text, None, findings, (), ())))
    wanted = apart(_wanted(path, document, findings, names, versions))
    good: list[Fix] = []
    for some in (wanted, *([one] for one in wanted)):
        if some and some[0] not in good and _better(path, document, good, some):
            good += some
    refused = [one for one in wanted if one not in good]
    left = _left(path, text, document, findings, good, refused)
    return Mended(path, text, mark + edited(document.text, good), tuple(good), tuple(left))


def of(path: str, text: str) -> Placed | None:
    """The document of a file of a form that fixes are cut from."""
    if path.endswith(".toml"):
        return placed_toml.placed(text) if client.wants(path) else None
    if path.endswith((".yaml", ".yml")):
        return placed_yaml.placed(text) if client.wants(path) or "services:" in text else None
    return placed.placed(text)


def _wanted(
    path: str, document: Placed, findings: Sequence[Finding], names: Names, versions: Versions
) -> tuple[Fix, ...]:
    unasked = lines(findings, Kind.UNASKED) if document.form == "json" else {}
    return (
        *refer.fixes(path, document, findings, names),
        *moved.fixes(path, document, lines(findings, Kind.LITERAL_SECRET), names),
        *withdraw.approvals(path, document, unasked),
        *withdraw.hooks(path, document, unasked),
        *pin.packages(document, lines(findings, Kind.UNPINNED), versions),
    )


def _better(path: str, document: Placed, good: list[Fix], more: list[Fix]) -> bool:
    """Say whether each of these fixes takes a finding away, none brings another, and nothing else is said."""
    now, then = (edited(document.text, fixes) for fixes in (good, [*good, *more]))
    places = _places(path, now, [value for fix in more for _, value in fix.takes])
    before, after = _found(path, now, places), _found(path, then, places)
    return (
        after is not None
        and before is not None
        and after <= before
        and (before - after).total() >= len(more)
        and same(document.form, now, then, more)
    )


def _places(path: str, text: str, values: Sequence[str]) -> tuple[str, ...]:
    """How what is told of a standing credential begins, for each place at which one of these values stands."""
    if not values or not holder.wants(path):
        return ()
    return tuple(
        f"{one.name}: {pair.name} is "
        for one in holder.read(path, text)
        for pair in one.pairs
        if any(value in pair.text for value in values)
    )


def _found(path: str, text: str, places: tuple[str, ...]) -> Counter[tuple[str, str]] | None:
    """What is found, but for standing credentials at these places.

    A token in an address is found twice where it stands there in full, else once; of the standing credentials on one
    line each counts, though a reader tells the first alone.
    """
    found = readers.read(path, text.encode())
    if isinstance(found, str):
        return None
    said = [(one.kind.value, one.evidence.said) for one in found]
    if holder.wants(path):
        told = {(kind.value, what) for kind, _, what in standing.told(holder.read(path, text))}
        said += told - set(said)
    said = [(code, what) for code, what in said if code != Kind.STANDING or not what.startswith(places)]
    full = [(code, what.replace(refer.ADDRESS, _ADDRESS)) for code, what in said if refer.ADDRESS in what]
    return Counter([*((code, what.replace(refer.ADDRESS, refer.REFERRED)) for code, what in said), *full])


_UNKNOWN: Final = (
    "no word is known here by which its client takes a secret by reference: start the server by a script that reads it"
)
_DOUBT: Final = "the file is written in a way from which nothing can be cut with no doubt"
_SERVICES: Final = re.compile(r"(?m)^services:")
_PARTS: Final = re.compile(r"(?m)(?<=\n)---(?=\s)")
_AFTER: Final = "refused: read again, the file would not say the same but for this"


def _left(
    path: str,
    text: str,
    document: Placed | None,
    findings: Sequence[Finding],
    good: Sequence[Fix],
    refused: Sequence[Fix],
) -> list[Left]:
    """Why secrets and versions that are mended elsewhere stay here."""
    found = []
    done = {(one.kind, line) for one in good for line in one.lines}
    tried = {(one.kind, line) for one in refused for line in one.lines}
    for one in findings:
        at = (one.kind, one.evidence.line)
        if one.kind not in (Kind.LITERAL_SECRET, Kind.UNPINNED) or at in done:
            continue
        if at in tried:
            why = _AFTER
        elif one.kind is Kind.UNPINNED:
            why = "no lock of the tree names its version" if client.wants(path) else ""
        else:
            why = _stays(path, text, document)
        if why:
            found.append(Left(one.kind.value, one.evidence.line, why))
    return list(dict.fromkeys(found))


def _stays(path: str, text: str, document: Placed | None) -> str:
    """Why a secret stays in this file; "" for a file in which none is ever mended."""
    word, _ = refer.words(path)
    if document is None:
        composed = path.endswith((".yaml", ".yml")) and _SERVICES.search(text)
        return _doubt(path, text) if client.wants(path) or composed else ""
    if client.wants(path):
        if not word and not moved.knows(path):
            return _UNKNOWN
        return "there its client puts no reference in, or what would be cut is written in a doubtful way"
    if workload.is_compose(path, document.root):
        return "it stands in no variable of a service, or is written in a way that has a meaning of its own"
    return ""


def _doubt(path: str, text: str) -> str:
    """Why nothing is cut from a file."""
    most = placed_toml.LARGEST if path.endswith(".toml") else placed_yaml.LARGEST
    if not path.endswith((".json", ".jsonc")) and len(text) > most:
        return f"the file is larger than {most >> 10} KiB, and nothing is cut from one of that size"
    if path.endswith((".yaml", ".yml")) and len(_PARTS.findall(text)) > 0:
        return "the file holds several documents, and not just one of them has services"
    return _DOUBT
