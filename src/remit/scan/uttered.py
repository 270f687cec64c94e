"""Where a secret stands in a text of several words or lines: a command, a script, a file in a file (AG101). Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import secret
from remit.scan.node import Node

_SET: Final = re.compile(
    r"(?<![^\s;&|(\"'`=])([A-Za-z_]\w{1,60})=(?:\"([^\"\n]{8,400})\"|'([^'\n]{8,400})'|([^\s\"';&|)`]{8,400}))"
)
"""What a shell's line sets, for itself or for the command behind it."""
_SENT: Final = re.compile(
    r"(?i)(?<![\w-])((?:proxy-)?authorization|(?:x|private|api|auth)-[\w-]{0,40}(?:key|token|secret))\s{0,3}:\s{0,3}"
    r"(?:(?:bearer|token|basic|apikey|key)\s{1,3})?([^\s\"'\\,;}]{12,400})"
)
"""A header as it is sent."""
_FLAG: Final = re.compile(r"(?<!\S)--?([A-Za-z][\w-]{1,40})(?:=|[ ])[\"']?([^\s\"'\\-][^\s\"'\\]{7,400})")
_LOGIN: Final = re.compile(r"(?<!\S)(?:-u|--user)[= ]?[\"']?[\w.@+-]{1,80}:([^\s\"']{12,200})")
_MEMBER: Final = re.compile(
    r"^\s{0,80}(?:- )?[\"']?([\w.-]{2,80})[\"']?\s{0,9}[:=]\s{0,9}[\"']?([^\s\"']{8,400})[\"']?,?\s{0,9}$"
)
"""A line of settings: a name and its value."""
_CODE: Final = re.compile(r"[&*]|[A-Za-z_][\w.]{0,80}\(")
"""What a line of code gives a name, and an anchor of YAML: no value that stands there."""
_NO_VALUE: Final = frozenset({"secret", "secrets", "build-secret"})
"""Flags that name a stored secret to a container engine."""


def literals(text: str, line: int) -> Iterator[tuple[int, str]]:
    """The lines of a command or script that hold a secret in full, the first of which is `line`."""
    for at, one in enumerate(text.split("\n"), line):
        if (said := _said(one)) and not one.lstrip().startswith("#"):
            yield at, said


def held(name: str, node: Node) -> Iterator[tuple[int, str]]:
    """Where a named value is, or holds, a secret: of one with lines of its own, each line that does."""
    text = node.text
    if "\n" not in text.strip() or "PRIVATE KEY-----" in text:
        if secret.is_held(name, text):
            yield node.line, f"{name[:60]} holds a literal value"
        return
    for at, one in enumerate(text.split("\n"), node.line + 1):
        member = _MEMBER.match(one)
        if member and not _CODE.match(member[2]) and secret.is_written(member[1], member[2].rstrip(",;")):
            yield at, f"{name[:60]}: {member[1]} holds a literal value"
        elif (said := _said(one)) and not one.lstrip().startswith("#"):
            yield at, f"{name[:60]}: {said}"


def _said(line: str) -> str:
    """What a line holds; empty when it holds no secret."""
    if len(line) < secret.SHORTEST:
        return ""
    if secret.is_known(line):
        return "a line holds a literal secret"
    for one in _SET.finditer(line):
        if not _CODE.match(one[4] or "") and secret.is_held(one[1], one[2] or one[3] or one[4]):
            return f"{one[1]} holds a literal value"
    for one in _SENT.finditer(line):
        if not _CODE.match(one[2]) and secret.is_literal(one[2]):
            return "a header that is sent holds a literal value"
    for one in _FLAG.finditer(line):
        if one[1] not in _NO_VALUE and secret.is_name(one[1]) and secret.is_written(one[1], one[2]):
            return f"argument {one[1]} holds a literal value"
    return "a login holds a literal value" if any(secret.is_literal(one[1]) for one in _LOGIN.finditer(line)) else ""
