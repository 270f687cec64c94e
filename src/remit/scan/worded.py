"""Policies of clouds in texts of any kind, in scripts' commands and in Bicep (AG111, AG112). Pure.

Read are AWS's policies and Azure's roles where their JSON begins, in a script, a step or a text.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import jsonc
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_BEGINS: Final = re.compile(r"\{\s{0,200}\\?\"(?:Version|Id|Statement|Name|IsCustom|Effect)\\?\"\s{0,9}:")
_HINT: Final = re.compile(r"\\?\"(?:Statement|AssignableScopes)\\?\"")
_WIDEST: Final = 20_000
"""Characters of one such text."""
_MOST: Final = 100
_ENDS: Final = re.compile(r"[{}]|\"(?:[^\"\\\n]|\\.)*+\"")
_VERBS: Final = re.compile(
    r"kubectl\s[^\n]{0,80}?create\s+(?:cluster)?role\s[^\n]{0,300}?--verb[= ](?:[\"']?\*|[\"']?[\w,]*,\*)"
)
_ROLE: Final = re.compile(r"Microsoft\.Authorization/roleDefinitions")
_ACTIONS: Final = re.compile(r"\b(?:dataActions|actions)\s*:\s*\[([^\]]{0,4000})\]")
_QUOTED: Final = re.compile(r"'([^'\n]{1,200})'")


def wants(path: str) -> bool:
    """Say whether this is a script or a file of Bicep."""
    return path.endswith((".sh", ".bash", ".bicep"))


def policies(text: str) -> Iterator[Node]:
    """The documents of policies that stand in a text, each with its lines."""
    if not ("Statement" in text or "AssignableScopes" in text) or not _HINT.search(text):
        return
    past = 0
    for count, begun in enumerate(_BEGINS.finditer(text)):
        if count >= _MOST:
            return
        if begun.start() < past:
            continue
        escaped = '\\"' in begun[0]
        body = text[begun.start() : begun.start() + _WIDEST]
        body = body.replace('\\"', '"').replace("\\n", "  ") if escaped else body
        end = _end(body)
        found = jsonc.read(body[:end]) if end else None
        if found is not None:
            past = begun.start() + (0 if escaped else end)
            yield found.below(text.count("\n", 0, begun.start()))


def _end(text: str) -> int:
    """Where the object that a text begins with ends; 0 when it does not."""
    left = 0
    for one in _ENDS.finditer(text):
        left += {"{": 1, "}": -1}.get(one[0], 0)
        if not left:
            return one.end()
    return 0


def commands(text: str) -> Iterator[tuple[int, str]]:
    """The commands of a script, each with the line on which it begins."""
    held, began = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        began = began or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        if not line.lstrip().startswith("#"):
            yield began, held + line
        held, began = "", 0


def told(path: str, text: str) -> Iterator[Told]:
    """What a script's commands, or the roles of a file of Bicep, allow by wildcard."""
    if path.endswith(".bicep"):
        for found in _ACTIONS.finditer(text) if _ROLE.search(text) else ():
            for one in _QUOTED.finditer(found[1]):
                if one[1] == "*" or ("*" in one[1] and not one[1].lower().endswith("/read")):
                    yield Kind.WILDCARD, line_at(text, found.start(1) + one.start()), f"{one[1]} is allowed"
        return
    for line, command in commands(text):
        if _VERBS.search(command):
            yield Kind.WILDCARD, line, "every verb is allowed"
