"""Policy statements in TypeScript (CDK, Pulumi) as nodes with their lines. Pure and tolerant.

Read are object literals: of `new PolicyStatement({…})`, and those that have an `Effect`. What is no text, list or
object is read as a reference.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan.cursor import Cursor
from remit.scan.node import DEEPEST, Node

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*+")
_BEGIN: Final = re.compile(r"\bPolicyStatement\(\s*(?=\{)|(?=\{\s*(?:Sid\s*:[^,\n]*,\s*)?[\"']?Effect[\"']?\s*:)")
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_MOST: Final = 500
"""Statements of one file that are read."""


def statements(text: str) -> tuple[Node, ...]:
    """The policy statements of a file, each as a node with its members."""
    if "PolicyStatement" not in text and "Effect" not in text:
        return ()
    return tuple(_found(text))


def _found(text: str) -> Iterator[Node]:
    for count, begun in enumerate(_BEGIN.finditer(text)):
        if count >= _MOST:
            return
        reader = _Reader(text, _SPACE)
        reader.at = begun.end()
        try:
            one = reader.value(0)
        except (ValueError, RecursionError):
            continue
        members = dict(one.members)
        if begun[0]:
            effect = members.get("effect", Node(one.line, "Allow"))
            members["effect"] = Node(effect.line, "Deny" if "DENY" in effect.text.upper() else "Allow")
        yield Node(one.line, members)


class _Reader(Cursor):
    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ValueError
        self.skip()
        line, start = self.here(), self.at
        if self.peek("{"):
            found = self.object(line, depth)
        elif self.peek("["):
            found = self.items(line, depth)
        elif self.text[self.at : self.at + 1] in ("'", '"', "`"):
            found = Node(line, self.string())
        else:
            return self.reference(line, start)
        self.skip()
        return (
            found if self.text[self.at : self.at + 1] in ("", ",", "}", "]", ")", ";") else self.reference(line, start)
        )

    def object(self, line: int, depth: int) -> Node:
        self.take("{")
        members: dict[str, Node] = {}
        while not self.take("}"):
            self.skip()
            if self.text[self.at : self.at + 1] in ("'", '"'):
                name = self.string()
            else:
                named = _NAME.match(self.text, self.at)
                name = named[0] if named else ""
                self.at = named.end() if named else self.at
            if self.take(":"):
                members[name] = self.value(depth + 1)
            else:
                self.reference(line, self.at)
            if not self.take(",") and not self.peek("}"):
                raise ValueError
        return Node(line, members)

    def items(self, line: int, depth: int) -> Node:
        self.take("[")
        found: list[Node] = []
        while not self.take("]"):
            found.append(self.value(depth + 1))
            if not self.take(",") and not self.peek("]"):
                raise ValueError
        return Node(line, found)

    def string(self) -> str:
        """A text; what a template puts in stays as it is written."""
        quote, begun = self.text[self.at], self.at + 1
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 2 if char == "\\" else 1
            if char == quote:
                return self.text[begun : self.at - 1]
            if char == "\n" and quote != "`":
                break
        raise ValueError

    def reference(self, line: int, start: int) -> Node:
        """Pass over an expression, to the end of what holds it."""
        self.at = start
        left: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in ("'", '"', "`"):
                self.string()
                continue
            if char in _OPEN:
                left.append(_OPEN[char])
            elif left and char == left[-1]:
                left.pop()
            elif not left and char in ",)]};":
                break
            self.at += 1
        return Node(line, "${" + self.text[start : self.at].strip()[:200] + "}")
