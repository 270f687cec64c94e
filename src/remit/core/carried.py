"""Values that cross: how one value is known again in another call, however it is nested or spelt.

A number and its text are one value; so are texts that differ in case, width or white space at their ends. Inside a
longer text, what looks like an identifier (an address, a number, a name with a digit) is a value of its own. What is so
short that it is the same by chance (a flag, a small number, a word of three letters) is none: nothing is invented.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from remit.core.canonical import Json

SHORTEST: Final = 4
LONGEST: Final = 100_000
"""Characters of one text that are looked at; what lies beyond is not known again."""
MOST: Final = 4_000
"""Values of one answer or call that are looked at."""
_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,20})?(?:e[+-]?\d{1,2})?")
_TOKEN: Final = re.compile(r"[^\s,;:\"'()\[\]{}<>=|/?&]+")
_EDGE: Final = ".!?-_/\\*#&"


def values(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    """Each value in it that can be known again, with its place as a JSON Pointer; equal values at their first place."""
    seen: set[str] = set()
    for where, atom in _walk(value, place):
        if atom not in seen:
            seen.add(atom)
            yield where, atom
            if len(seen) >= MOST:
                return


def _walk(value: Json, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _walk(held, f"{place}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for number, held in enumerate(value):
            yield from _walk(held, f"{place}/{number}")
    elif isinstance(value, str):
        for atom in _texts(value):
            yield place, atom
    elif isinstance(value, int | float) and not isinstance(value, bool):
        atom = _number(repr(value))
        if len(atom) >= SHORTEST:
            yield place, atom


def _texts(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold().strip()
    whole = _number(folded)
    if len(whole) >= SHORTEST:
        yield whole
    for found in _TOKEN.finditer(folded):
        token = found.group().strip(_EDGE)
        if len(token) > SHORTEST and ("@" in token or any(one.isdigit() for one in token)):
            yield _number(token)


def _number(text: str) -> str:
    """A number by its value: 48210, "48210" and "48210.00" are one. Another text stays as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    try:
        plain = format(Decimal(text).normalize(), "f")
    except InvalidOperation:
        return text
    return plain.removeprefix("+")
