"""Where a server's command runs, as far as that tells which program it is. Pure.

A file that is named without a whole path is another one in each folder: the folder is part of what such a command is.
"""

import posixpath
import re
from collections.abc import Sequence
from typing import Final

from remit.scan import packaged, wrapped
from remit.scan.node import Node

_CLIENT: Final = re.compile(
    r"/\.(?:cursor|vscode|claude|gemini|qwen|codex|goose|continue|zed|roo|kiro(?:/(?:settings|agents))?"
    r"|amazonq(?:/(?:cli-)?agents)?)$"
)
"""Folders of clients, which run what their files name in the folder above."""
_WHOLE: Final = re.compile(r"[/~\\]|[A-Za-z]:[\\/]|[\w+.-]+://|\d[\d.:]*$|$")
_PATH: Final = re.compile(r"\.|.*[/\\]|.*\.[a-z]{1,5}$")
_NEAR: Final = re.compile(r"\.|file:|(?!@).*\.(?:tgz|gz|whl|zip)$")
_HERE: Final = frozenset({"make", "just", "task", "rake"})
"""Programs that do what a file of their folder says, with no word of it."""
_ENGINES: Final = frozenset({"docker", "podman", "nerdctl"})


def folder(path: str, entry: Node, argv: Sequence[str]) -> str:
    """The folder that a server's command depends on; empty when it is the same program wherever it is run."""
    above = posixpath.dirname(path)
    root = _CLIENT.sub("", above) or "/"
    given = entry["cwd"].text
    if given:
        return posixpath.normpath(posixpath.join(root, given))
    return root if relative(argv) else ""


def relative(argv: Sequence[str]) -> list[int]:
    """The places of the words that may name a file and say nothing of where it is.

    A bare program is found by the PATH. What a package or an image is given is a file only where it looks like one;
    for any other program each word may be.
    """
    words = wrapped.bare([(word, n) for n, word in enumerate(argv)])
    first = wrapped.program(words[0][0]) if words else ""
    image = first in _ENGINES and words[1:2] == [("run", words[0][1] + 1)]
    package = packaged.package_of(words) if first != "uv" else None
    named = packaged.image_of(words) if image else package
    found = [0] if first in _HERE or (argv and re.search(r"[/\\]", argv[0]) and not _WHOLE.match(argv[0])) else []
    return found + [
        n for n, word in enumerate(argv) if n and _may_be_file(word, named[0] if named else "", image=image)
    ]


def _may_be_file(word: str, named: str, *, image: bool) -> bool:
    """Say whether a word may name a file in the folder; `named` is the package or image that is run, if one is."""
    flag, mark, value = word.partition("=")
    text = value if mark and flag.startswith("-") else word
    if "***" in text or _WHOLE.match(text):
        return False
    if text.startswith("-"):
        return not named and len(text) > 2 and text[1] != "-"
    if named and word == named:
        return not image and bool(_NEAR.match(word))
    return not named or bool(_PATH.match(text))
