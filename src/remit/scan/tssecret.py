"""Secrets that TypeScript holds in full: in any text, under a telling name, for a variable (AG101, AG103). Pure.

Read are texts in quotes and object literals. No expression is followed.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import project, secret, tsobject
from remit.scan.launch import Told
from remit.scan.node import line_at
from remit.scan.sight import FOLDER, Holder, Pair

TEXT: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")
"""A text in quotes, where comments were made blank."""
_GIVEN: Final = re.compile(
    r"(?<![\w$-])([A-Za-z_$][\w$-]{0,80})(?:[\"']\])?\s{0,9}(?:!?:\s{0,9}string\s{0,9})?=\s{0,9}([\"'`])((?:(?!\2)[^\\\n]){0,800})\2"
)
"""A name, a member or a parameter that is given a text."""
_FALLBACK: Final = re.compile(
    r"\b(?:process|Bun)\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])\s{0,40}(?:\?\?|\|\|)\s{0,40}([\"'`])((?:(?!\3)[^\\\n]){0,800})\3"
)
"""What stands for a variable that is not set."""


def told(text: str) -> Iterator[Told]:
    """What stands in a text whose comments were made blank."""
    for one in TEXT.finditer(text):
        if secret.is_known(one[0][1:-1]):
            yield Kind.LITERAL_SECRET, line_at(text, one.start()), "a text holds a literal secret"
    for pair in _pairs(text):
        yield Kind.LITERAL_SECRET, pair.line, f"{pair.name[:60]} holds a literal value"
    yield from _logins(text)
    for one in _FALLBACK.finditer(text):
        if secret.is_written(one[1] or one[2], one[4]):
            said = f"{one[1] or one[2]} has a literal value where it is not set"
            yield Kind.LITERAL_SECRET, line_at(text, one.start()), said


_LOGIN: Final = re.compile(
    r"\bnew\s+(?:ClientSecretCredential|UsernamePasswordCredential|StorageSharedKeyCredential|AzureNamedKeyCredential"
    r"|AzureKeyCredential)\(([^()]{0,600})\)"
)


def _logins(text: str) -> Iterator[Told]:
    """Logins that are given their secret by its place."""
    for one in _LOGIN.finditer(text):
        given = [*TEXT.finditer(one[1])]
        if given and secret.is_random(given[-1][0][1:-1]) and one[1].rstrip(" ,\n\t").endswith(given[-1][0]):
            yield Kind.LITERAL_SECRET, line_at(text, one.start(1) + given[-1].start()), "a login holds a literal value"


def holders(path: str, text: str) -> tuple[Holder, ...]:
    """What the code of one agent among others holds in full."""
    folder = project.of_file(path)
    return (Holder("code", FOLDER, 1, folder, tuple(_pairs(text))),) if folder else ()


def _pairs(text: str) -> Iterator[Pair]:
    """The secrets that stand under a name of their own, or as a member of an object."""
    for one in _GIVEN.finditer(text):
        if secret.is_written(one[1], one[3]):
            yield Pair(one[1], one[3], line_at(text, one.start()))
    for root in tsobject.objects(text):
        for part in root.inside():
            for key, given in part.members.items():
                if given.text and not given.text.startswith("${") and secret.is_written(key, given.text):
                    yield Pair(key, given.text, given.line)
