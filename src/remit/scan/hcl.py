"""HCL, as Terraform files write it, as nodes with their lines. Pure and tolerant.

The grammar is the native syntax of HCL 2, less its arithmetic: an expression that is more than a literal, a list, an
object or `jsonencode(…)` is read as a reference. A block is a member that holds a list; its labels are `$labels`.
"""

import re
from functools import lru_cache
from typing import Final

from remit.scan import jsonc
from remit.scan.cursor import Values
from remit.scan.node import DEEPEST, Node

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][\w-]*")
_WORD: Final = re.compile(r"(?:true|false|null|-?\d+(?:\.\d+)?)(?=[ \t]*(?:[\r\n,}\])#]|//|$))")
_HEREDOC: Final = re.compile(r"<<(-?)([A-Za-z_]\w*)[ \t]*\r?\n")
_AFTER: Final = re.compile(r"[ \t]*(?:[\r\n,}\])#]|//|/\*|$)")
_EACH: Final = re.compile(r"[\[{]\s*for\b")
_WORDS: Final = {"true": True, "false": False, "null": None}


@lru_cache(maxsize=1)
def read(text: str) -> Node | None:
    """Read one file; None when it is none, or is nested too deep."""
    try:
        reader = _Reader(text, _SPACE)
        found = reader.body(0, "")
    except (ValueError, RecursionError):
        return None
    return found if reader.at == len(text) else None


class _Reader(Values):
    def body(self, depth: int, end: str) -> Node:
        """Attributes and blocks up to `end`."""
        if depth > DEEPEST:
            raise ValueError
        self.skip()
        line = self.here()
        members: dict[str, Node] = {}
        while not (self.take(end) if end else self.at >= len(self.text)):
            name = self.name()
            if self.take("="):
                members[name] = self.value(depth + 1)
            else:
                block = self.block(depth + 1)
                before = members.get(name)
                held = before.items if before else []
                members[name] = Node(held[0].line if held else block.line, [*held, block])
            self.skip()
        return Node(line, members)

    def block(self, depth: int) -> Node:
        labels: list[Node] = []
        while not self.take("{"):
            self.skip()
            labels.append(Node(self.here(), self.name()))
        found = self.body(depth, "}")
        if labels:
            found.members["$labels"] = Node(labels[0].line, [*labels])
        return found

    def name(self) -> str:
        self.skip()
        if self.text.startswith('"', self.at):
            return self.string()
        found = _NAME.match(self.text, self.at)
        if not found:
            raise ValueError
        self.at = found.end()
        return found[0]

    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ValueError
        self.skip()
        line, start = self.here(), self.at
        heredoc, word = _HEREDOC.match(self.text, self.at), _WORD.match(self.text, self.at)
        if heredoc:
            return self.heredoc(heredoc, line)
        if word:
            self.at = word.end()
            return Node(line, _WORDS.get(word[0], word[0]))
        if self.take("jsonencode(") or self.take("yamlencode("):
            found = self.value(depth + 1)
            if not self.take(")"):
                raise ValueError
            return found
        if self.peek("[") and not _EACH.match(self.text, self.at):
            found = self.items(line, depth)
        elif self.peek("{") and not _EACH.match(self.text, self.at):
            found = self.object(line, depth)
        elif self.peek('"'):
            found = Node(line, self.string())
        else:
            return self.reference(line, start)
        return found if _AFTER.match(self.text, self.at) else self.reference(line, start)

    def object(self, line: int, depth: int) -> Node:
        self.take("{")
        members: dict[str, Node] = {}
        while not self.take("}"):
            name = self.key()
            if not (self.take("=") or self.take(":")):
                raise ValueError
            members[name] = self.value(depth + 1)
            self.take(",")
        return Node(line, members)

    def key(self) -> str:
        if self.take("("):
            end = self.text.find(")", self.at)
            if end < 0:
                raise ValueError
            self.at, name = end + 1, self.text[self.at : end]
            return name
        name = self.name()
        while self.text.startswith(".", self.at):
            self.at += 1
            name += "." + self.name()
        return name

    def string(self) -> str:
        """A quoted template; `${…}` inside stays as it is written."""
        self.at += 1
        parts: list[str] = []
        inside = 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and not inside:
                parts.append(self.text[self.at + 1 : self.at + 2].replace("n", "\n").replace("t", "\t"))
                self.at += 2
                continue
            if self.text.startswith(("${", "%{"), self.at):
                inside += 1
            elif char == "}" and inside:
                inside -= 1
            elif char == '"' and not inside:
                self.at += 1
                return "".join(parts)
            elif char == "\n":
                break
            parts.append(char)
            self.at += 1
        raise ValueError

    def heredoc(self, begun: re.Match[str], line: int) -> Node:
        """A heredoc; one that is JSON is read as what it says."""
        end = re.compile(rf"^[ \t]*{begun[2]}[ \t]*$", re.MULTILINE).search(self.text, begun.end())
        if not end:
            raise ValueError
        text = self.text[begun.end() : end.start()]
        self.at = end.end()
        found = (
            jsonc.read(re.sub(r"\$\{[^}\n]*\}", lambda m: m[0].replace('"', "'"), text))
            if text.lstrip()[:1] in ("{", "[")
            else None
        )
        return found.below(line) if found else Node(line, text)

    def reference(self, line: int, start: int) -> Node:
        """Pass over an expression: to the end of its line, or of what holds it."""
        self.at, open_ = start, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.string()
                continue
            if char in "([{":
                open_ += 1
            elif char in ")]}":
                if not open_:
                    break
                open_ -= 1
            elif char in "\n," and not open_:
                break
            self.at += 1
        return Node(line, "${" + self.text[start : self.at].strip() + "}")
