"""What may be changed in a file with no risk, so that what was found in it is gone. Pure.

Only what has one right answer is changed: a secret that its client can take by reference, an approval that is given
beforehand, a hook that lets pass when it fails, a version that is known. Every proposal is read again: it counts only
if it takes its finding away and brings no other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.finding import Finding, Kind
from remit.scan import pin, readers, refer, withdraw
from remit.scan.fix import Fix, apart, edited, lines
from remit.scan.pin import Versions
from remit.scan.placed import placed
from remit.scan.refer import Names

_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Mended:
    """A file's text as it is and as it would be, and by which fixes."""

    path: str
    before: str
    after: str
    fixes: tuple[Fix, ...]


def mend(path: str, text: str, findings: Sequence[Finding], names: Names, versions: Versions) -> Mended:
    """What may be fixed of these findings of a file; nothing, where it is no JSON or is written in a doubtful way."""
    mark = _BOM if text.startswith(_BOM) else ""
    document = placed(text.removeprefix(_BOM))
    if document is None:
        return Mended(path, text, text, ())
    unasked = lines(findings, Kind.UNASKED)
    wanted = apart(
        (
            *refer.fixes(path, document, lines(findings, Kind.LITERAL_SECRET), names),
            *withdraw.approvals(path, document, unasked),
            *withdraw.hooks(path, document, unasked),
            *pin.packages(document, lines(findings, Kind.UNPINNED), versions),
        )
    )
    good: list[Fix] = []
    for some in (wanted, *([one] for one in wanted)):
        if some and some[0] not in good and _better(path, document.text, good, some):
            good += some
    return Mended(path, text, mark + edited(document.text, good), tuple(good))


def _better(path: str, text: str, good: list[Fix], more: list[Fix]) -> bool:
    """Say whether each of these fixes takes a finding away, and none brings another."""
    before, after = (_found(path, edited(text, fixes)) for fixes in (good, [*good, *more]))
    return after is not None and before is not None and after <= before and (before - after).total() >= len(more)


def _found(path: str, text: str) -> Counter[tuple[str, str]] | None:
    found = readers.read(path, text.encode())
    return None if isinstance(found, str) else Counter((one.kind.value, one.evidence.said) for one in found)
