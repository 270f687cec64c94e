"""A fix as a patch that people read: what goes and what comes, and no value of a file that might be a secret. Pure.

Of the values of a file only those are printed that a fix says may be, names of programs and of ways to connect, and
references; every other text stands as ***, and comments not at all. So whoever applies a patch needs the file.
"""

import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

from remit.core.shown import shown
from remit.scan.mend import Mended
from remit.scan.placed import placed

HIDDEN: Final = "***"
_REFERENCE: Final = re.compile(r"(?i)(?:(?:bearer|token|basic) )?(?:\$\{(?:env:|input:)?[\w-]+\}|\{env:\w+\})")
_PLAIN: Final = {
    "type": re.compile(r"[A-Za-z-]{1,20}"),
    "transport": re.compile(r"[A-Za-z-]{1,20}"),
    "command": re.compile(r"[a-z0-9]{1,10}"),
    "defaultMode": re.compile(r"[A-Za-z]{1,20}"),
    "approvalMode": re.compile(r"[A-Za-z]{1,20}"),
    "defaultApprovalMode": re.compile(r"[A-Za-z]{1,20}"),
}
_COMMENT: Final = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_LET: Final = re.compile(r"\s*(?:\|\||;)\s*(?:true|:|exit [02])\s*;?\s*$")


def patch(one: Mended) -> str:
    """The patch of one file, in the unified form; empty when nothing is changed."""
    if not one.fixes:
        return ""
    shows = frozenset(text for fix in one.fixes for text in fix.shows)
    asked = frozenset(name.lower().replace("_", "-") for fix in one.fixes for name, _ in fix.takes)
    old, new = (_inert(text.removeprefix("\ufeff"), shows | asked) for text in (one.before, one.after))
    return "".join(_lines(shown(one.path), old, new))


def _lines(path: str, old: str, new: str) -> Iterator[str]:
    for line in unified_diff(_split(old), _split(new), f"a/{path.lstrip('/')}", f"b/{path.lstrip('/')}"):
        bare, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        yield "\t".join(shown(part) for part in bare.split("\t")) + (end or "\n\\ No newline at end of file\n")


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _inert(text: str, shows: frozenset[str]) -> str:
    """The text with each value hidden that may not be printed, and with its comments away."""
    document = placed(text)
    if document is None:
        return ""
    cuts = [
        (*document.span(node), _hidden(node.text))
        for node in document.nodes
        if node.text and not _prints(document.name(node), node.text, shows)
    ]
    cuts += [(start, end, _COMMENT.sub(_breaks, text[start:end])) for start, end in document.comments]
    for start, end, put in sorted(cuts, reverse=True):
        text = text[:start] + put + text[end:]
    return text


def _prints(name: str, text: str, shows: frozenset[str]) -> bool:
    shape = _PLAIN.get(name)
    return text in shows or bool(_REFERENCE.fullmatch(text)) or bool(shape and shape.fullmatch(text))


def _hidden(text: str) -> str:
    """Nothing of the text but how a hook's command ends, where it lets pass or refuses."""
    let = _LET.search(text)
    return f'"{HIDDEN}{let[0] if let else ""}"'


def _breaks(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")
