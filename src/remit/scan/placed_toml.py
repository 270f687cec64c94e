"""A document of TOML with the place of each text that is written on one line. Pure.

The library tells no places. So each text is put by a mark of its own, the file is read again, and where a mark comes
out there its text stands: what the grammar says a text is, the library decides.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Final

from remit.scan import tomldoc
from remit.scan.placed import Path, Placed, called

LARGEST: Final = 1 << 20
"""Characters of a file from which a fix is cut; of a larger one nothing is changed."""
_TOKEN: Final = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<long>\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"{3,5}|'''(?:[^']|'(?!''))*'{3,5})"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')",
    re.DOTALL,
)
_NAMED: Final = re.compile(r"([\w-]+)[ \t]*=[ \t]*(?:\[[^\[\]\n]*)?$")


def placed(text: str) -> Placed | None:
    """Read one document; None when it is none."""
    root = tomldoc.read(text) if len(text) <= LARGEST else None
    if root is None:
        return None
    tokens = list(_TOKEN.finditer(text))
    marks = {f"\0{number}\0": one for number, one in enumerate(tokens) if one["text"]}
    parts, end = [], 0
    for mark, one in marks.items():
        parts += [text[end : one.start()], '"', mark.replace("\0", r"\u0000"), '"']
        end = one.end()
    marked = "".join([*parts, text[end:]])
    try:
        said = {mark: str(tomllib.loads(f"a = {one[0]}")["a"]) for mark, one in marks.items()}
        read = tomllib.loads(marked)
        found = list(_texts(read, ()))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None
    places = {
        tuple(said.get(str(step), step) for step in path): marks[value].span()
        for path, value in found
        if value in marks
    }
    names, paths = called(root)
    nodes = tuple(root.inside())
    spans = {id(node): places[paths[id(node)]] for node in nodes if node.text and paths[id(node)] in places}
    taken = set(spans.values())
    keys = {marks[name].span() for name in _keys(read) if name in marks}
    loose = tuple(
        (one.span(), _name(text, one), one[0].strip("\"'"))
        for one in tokens
        if not one["comment"] and one.span() not in taken | keys
    )
    comments = tuple(one.span() for one in tokens if one["comment"])
    return Placed(text, root, nodes, names, comments, spans, "toml", paths, loose)


def _name(text: str, token: re.Match[str]) -> str:
    found = _NAMED.search(text, text.rfind("\n", 0, token.start()) + 1, token.start())
    return found[1] if found else ""


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(one)


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _texts(one, (*path, place))
    elif isinstance(value, str):
        yield path, value
