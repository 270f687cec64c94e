"""Values as people must see them: whole, doing nothing, and with whatever hides, turns or imitates marked."""

import json
import re
import unicodedata
from typing import Final

from markupsafe import Markup, escape

from remit.core.canonical import Json

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
SPACES: Final = 8
"""A longer run of spaces is told as a number: it would push what follows out of sight."""
_WORD: Final = re.compile(rf" {{{SPACES + 1},}}|\S+|\s")


def marked(text: str) -> Markup:
    """Text with each character marked that hides or turns, and each letter that imitates one of its neighbours."""
    if text.isascii() and text.isprintable() and " " * (SPACES + 1) not in text:
        return escape(text)
    return Markup("").join(_part(part) for part in _WORD.findall(text))


def value(held: Json) -> Markup:
    """A value in its JSON spelling, whole, as `marked` writes it."""
    return marked(json.dumps(held, ensure_ascii=False))


def odd(held: Json) -> bool:
    """Say whether anything in a value is marked."""
    return "<mark" in value(held)


def _part(part: str) -> Markup:
    if part.isascii() and part.isprintable() and not part.isspace():
        return escape(part)
    if part.strip(" ") == "":
        return _mark(f"{len(part)} spaces", f"{len(part)} spaces") if len(part) > SPACES else escape(part)
    mixed = any(one.isascii() and one.isalpha() for one in part)
    return Markup("").join(_letter(one, mixed=mixed) for one in part)


def _letter(one: str, *, mixed: bool) -> Markup:
    name = unicodedata.name(one, "no character")
    if unicodedata.category(one) in HIDDEN and one != " ":
        return _mark(one.encode("unicode_escape").decode(), f"U+{ord(one):04X} {name}")
    if mixed and one.isalpha() and not name.startswith("LATIN"):
        return _mark(one, f"U+{ord(one):04X} {name}")
    return escape(one)


def _mark(text: str, title: str) -> Markup:
    return Markup('<mark title="{}">{}</mark>').format(title, text)
