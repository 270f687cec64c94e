"""Reader of `.env` files: secrets that stand in them in full, and certificate checks that they turn off. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import addressed, checked, launch, secret
from remit.scan.sight import Pair

_LINE: Final = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(.*))")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_SAMPLES: Final = ("example", "sample", "template", "dist", "test", "defaults")


def wants(path: str) -> bool:
    """Say whether this is such a file; one that is named as an example, a template or a test's is not."""
    name = path.rsplit("/", 1)[-1].lower()
    parts = re.split(r"[._-]", name)
    return (re.match(r"\.env(?![a-z])", name) is not None or name.endswith(".env")) and not any(
        part in _SAMPLES for part in parts
    )


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that is no assignment is passed over."""
    found: list[Finding] = []
    for one in pairs(text):
        number, name, value = one.line, one.name, one.text
        if secret.is_held(name, value):
            said = f"{name} holds a literal value"
            found.append(Finding(Kind.LITERAL_SECRET, Confidence.HIGH, Evidence(path, number, said)))
        if checked.unchecked(name, value):
            said = f"{name} turns certificate checks off"
            found.append(Finding(Kind.OPEN_REMOTE, Confidence.HIGH, Evidence(path, number, said)))
        if launch.unasked(name, value):
            said = f"{name} lets everything run with nobody asked"
            found.append(Finding(Kind.UNASKED, Confidence.HIGH, Evidence(path, number, said)))
        found += (
            Finding(Kind.OPEN_REMOTE, Confidence.HIGH, Evidence(path, number, said)) for said in _said(name, value)
        )
    return tuple(found)


def _said(name: str, value: str) -> Iterator[str]:
    yield from addressed.variable(name, value)
    if name == "OLLAMA_HOST" and addressed.listens(name, value):
        yield f"{name}: {addressed.NOBODY}"


def pairs(text: str) -> Iterator[Pair]:
    """The variables of such a file."""
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.match(line)
        if match:
            bare = _COMMENT.sub("", match[4] or "").strip()
            yield Pair(match[1], match[2] or match[3] or bare, number)
