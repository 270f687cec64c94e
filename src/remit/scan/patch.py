"""A fix as a patch: for people, with no value of a file that might be a secret; or exact, for `git apply`. Pure.

For people, of the values of a file only those are printed that a fix says may be, names of programs and of ways to
connect, and references; every other text stands as ***, and comments not at all. The exact one holds what it takes out,
so it is a secret itself.
"""

import re
from collections.abc import Callable, Iterator
from difflib import unified_diff
from typing import Final

from remit.core.shown import shown
from remit.scan import mend, secret
from remit.scan.mend import Mended

HIDDEN: Final = "***"
_REFERENCE: Final = re.compile(r"\$\{(?:env:|input:)?[\w-]+(?::\?)?\}|\{env:\w+\}")
_REFERS: Final = re.compile(
    r"(?i)(?:[A-Za-z_][\w-]*=|--?[a-z][\w-]*=)?(?:[\w-]+: *)?(?:(?:bearer|token|basic) +)?(?:"
    + _REFERENCE.pattern
    + ")"
)
_PLAIN: Final = {
    "type": re.compile(r"[A-Za-z-]{1,20}"),
    "transport": re.compile(r"[A-Za-z-]{1,20}"),
    "command": re.compile(r"[a-z0-9]{1,10}"),
    "defaultMode": re.compile(r"[A-Za-z]{1,20}"),
    "approvalMode": re.compile(r"[A-Za-z]{1,20}"),
    "defaultApprovalMode": re.compile(r"[A-Za-z]{1,20}"),
}
_COMMENT: Final = re.compile(r"//[^\r\n]*|/\*.*?\*/|#[^\r\n]*", re.DOTALL)
_LET: Final = re.compile(r"\s*(?:\|\||;)\s*(?:true|:|exit [02])\s*;?\s*$")
_NAMED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,60}|--?[a-z][a-z-]{0,60})=(?!=|\s*$)")
_CERTAIN: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|--[a-z][a-z-]*")
"""What is a name before `=` for certain: the end of a drawn text is padded with `=` too."""
_WORD: Final = re.compile(r"[^\s\"'`{}\[\],:=]{12,}")
_ODD: Final = re.compile(r"[^ -~]|[\"\\]")


def patch(one: Mended) -> str:
    """The patch of one file for people, in the unified form; empty when nothing is changed."""
    if not one.fixes:
        return ""
    shows = frozenset(text for fix in one.fixes for text in fix.shows)
    taken = [name for fix in one.fixes for name, _ in fix.takes]
    asked = frozenset(name.lower().replace("_", "-") for name in taken) | frozenset(taken)
    old, new = (_inert(one.path, text.removeprefix("\ufeff"), shows | asked) for text in (one.before, one.after))
    guard = _guard(shows | asked, [value for fix in one.fixes for _, value in fix.takes])
    head, *rest = [*_lines(shown(one.path), old, new)] or [""]
    return head + "".join(rest[:1]) + "".join(map(guard, rest[1:]))


def _guard(shows: frozenset[str], taken: list[str]) -> Callable[[str], str]:
    """What hides, in a line of the patch, values that stand where names do, and names that look drawn at random."""

    def word(found: re.Match[str]) -> str:
        bare = found[0]
        return HIDDEN if bare not in shows and (secret.is_random(bare) or secret.is_known(bare)) else bare

    def guard(line: str) -> str:
        for value in sorted(taken, key=len, reverse=True):
            line = line.replace(value, HIDDEN)
        return _WORD.sub(word, line)

    return guard


def exact(one: Mended, name: str) -> bytes:
    """The patch of one file as `git apply` takes it, the file called so; it holds what the fixes take out."""
    if not one.fixes:
        return b""
    old, new = (f"{side}/{name}" for side in "ab")
    head = f"diff --git {_quoted(old)} {_quoted(new)}\n"
    found = [head]
    for number, line in enumerate(unified_diff(_split(one.before), _split(one.after), _quoted(old), _quoted(new))):
        if number < 2:
            bare = line.rstrip("\n")
            found.append(f"{bare}\t\n" if " " in name else f"{bare}\n")
        else:
            found.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(found).encode("utf-8", "surrogateescape")


def _quoted(name: str) -> str:
    """A file's name as git writes it: in quotes, octets by number, where it holds what is not plain."""
    if not _ODD.search(name):
        return name
    octets = name.encode("utf-8", "surrogateescape")
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\{c:03o}" for c in octets) + '"'


def _lines(path: str, old: str, new: str) -> Iterator[str]:
    for line in unified_diff(_split(old), _split(new), f"a/{path.lstrip('/')}", f"b/{path.lstrip('/')}"):
        bare, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        yield "\t".join(shown(part) for part in bare.split("\t")) + (end or "\n\\ No newline at end of file\n")


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _inert(path: str, text: str, shows: frozenset[str]) -> str:
    """The text with each value hidden that may not be printed, and with its comments away."""
    document = mend.of(path, text)
    if document is None:
        return ""
    quote = "" if document.form == "yaml" else '"'
    cuts = [
        (start, end, f"{quote}{_hidden(said, shows)}{quote}" + "\n" * text.count("\n", start, end))
        for (start, end), name, said in document.texts()
        if not _prints(name, said, shows)
    ]
    cuts += [(start, end, _COMMENT.sub(_breaks, text[start:end])) for start, end in document.comments]
    for start, end, put in sorted(set(cuts), reverse=True):
        text = text[:start] + put + text[end:]
    return text


def _prints(name: str, text: str, shows: frozenset[str]) -> bool:
    shape = _PLAIN.get(name)
    refers = _REFERS.fullmatch(text) and ("=" not in text.partition("$")[0] or _named(text, shows))
    return text in shows or bool(refers) or bool(shape and shape.fullmatch(text))


def _named(text: str, shows: frozenset[str]) -> str:
    """The name that a text begins with and gives a value to, with its `=`; empty when that is not certain."""
    found = _NAMED.match(text)
    return found[0] if found and (found[1] in shows or _CERTAIN.fullmatch(found[1])) else ""


def _hidden(text: str, shows: frozenset[str]) -> str:
    """Nothing of the text but the name that it is given to, references, and how a hook ends: by letting pass or not."""
    let, named = _LET.search(text), _named(text, shows)
    inner = text[len(named) : let.start() if let else len(text)]
    parts = [HIDDEN if part else "" for part in _REFERENCE.split(inner)]
    refers = [*_REFERENCE.findall(inner), ""]
    hidden = "".join(part + each for part, each in zip(parts, refers, strict=True)) or HIDDEN
    return f"{named}{hidden}{let[0] if let else ''}"


def _breaks(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")
