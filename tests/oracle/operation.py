"""Twin of `core.operation`: what every lenient reader would make of a raw path and query, and whether they agree."""

import posixpath
import re
from itertools import pairwise, product
from urllib.parse import parse_qsl, unquote


def readings(path: str, query: str) -> list[tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]:
    """The request as readers of different habits see it: segments and pairs, once for each habit."""
    return [
        (
            _path(path, decode_first=decode_first, merge=merge, twice=twice, semicolons=semicolons),
            _query(query, twice=twice, semicolons=semicolons, plus=plus),
        )
        for decode_first, merge, twice, semicolons, plus in product((False, True), repeat=5)
    ]


def agree(path: str, query: str) -> bool:
    """Say whether all readers see the same request, with each name once."""
    found = readings(path, query)
    names = [name.casefold() for name, _ in found[0][1]]
    return all(one == other for one, other in pairwise(found)) and len(set(names)) == len(names)


def _path(path: str, *, decode_first: bool, merge: bool, twice: bool, semicolons: bool) -> tuple[str, ...]:
    def decoded(text: str) -> str:
        text = unquote(text, errors="surrogateescape")
        return unquote(text, errors="surrogateescape") if twice else text

    text = decoded(path) if decode_first else path
    if semicolons:
        text = re.sub(r";[^/]*", "", text)
    if merge:
        text = posixpath.normpath("/" + text.replace("\\", "/").lstrip("/"))
    segments = tuple(text.split("/"))
    return segments if decode_first else tuple(decoded(one) for one in segments)


def _query(query: str, *, twice: bool, semicolons: bool, plus: bool) -> tuple[tuple[str, str], ...]:
    if semicolons:
        query = query.replace(";", "&")
    if not plus:
        query = query.replace("+", "%2B")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    if twice:
        pairs = [(unquote(name), unquote(value)) for name, value in pairs]
    return tuple(pairs)
