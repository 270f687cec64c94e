"""Policy statements in TypeScript (CDK, Pulumi) as nodes with their lines. Pure and tolerant.

Read are object literals: of `new PolicyStatement({…})`, and those that have an `Effect`. What is no text, list or
object is read as a reference.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from remit.scan import secret
from remit.scan.cursor import Values
from remit.scan.jsonc import SPACE
from remit.scan.node import DEEPEST, Node

_BEGIN: Final = re.compile(r"\bPolicyStatement\(\s*(?=\{)|(?=\{\s*(?:Sid\s*:[^,\n]*,\s*)?[\"']?Effect[\"']?\s*:)")
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_MOST: Final = 500
"""Literals of one file that are read."""
_WIDEST: Final = 6_000
"""Characters of one literal."""
_GIVEN: Final = re.compile(
    r"(?:[(=,\[:]|\breturn|\?)\s{0,200}(?=\{\s{0,200}(?:[\w$\"'-]+\s{0,9}[:,}(]|\.\.\.|async\s))"
)
_TYPED: Final = re.compile(r"(?:\s*!|\s+as\s+const\b|\s+(?:as|satisfies)\s+[\w.]+(?:<[^<>{}()]{0,80}>)?(?:\[\])?)+")

_CAST: Final = re.compile(r"\s+(?:as|satisfies)\s+[\w.]+(?:<[^<>{}()]{0,80}>)?(?:\[\])?")
_BUILT: Final = re.compile(
    r"(?<![\w$.])(?:new\s+)?([A-Za-z_$][\w$.]{0,80})(?:<[^<>(){}]{0,80}>)?\((?:[^(){};]{0,200},)?\s{0,99}(?=\{)"
)
"""What is called, or built, with an object; before it may stand a scope and a name, as of a construct of CDK."""


_HOME: Final = re.compile(
    r"(?:process\.env(?:\??\.(?:HOME|USERPROFILE)|\[[\"'](?:HOME|USERPROFILE)[\"']\])|(?:os\.)?homedir\(\))"
    r"(?:!|\s+as\s+string|\s*(?:\?\?|\|\|)\s*(?:[\"'][^\"']*[\"']|(?:os\.)?homedir\(\)))*"
)
"""What code writes for the home of whoever runs it."""
_JOINED: Final = re.compile(r"(?:path\.)?(?:join|resolve)\(\s*(.*)\)$", re.DOTALL)
_URL: Final = re.compile(r"new\s+URL\(\s*([\"'`])([^\"'`]*)\1\s*\)$")


def plain(text: str) -> str:
    """A text of code with the home written as `~`."""
    return re.sub(rf"\$\{{{_HOME.pattern}\}}", "~", text) if "${" in text else text


def _expression(text: str) -> str:
    """What an expression stands for, where that is plain: the home, a place in it, an address; else a reference."""
    if _HOME.fullmatch(text):
        return "~"
    if found := _URL.match(text):
        return found[2]
    if (joined := _JOINED.match(text)) and (home := _HOME.match(joined[1])):
        rest = re.findall(r"[\"'`]([^\"'`]*)[\"'`]", joined[1][home.end() :])
        return "/".join(["~", *rest])
    if (home := _HOME.match(text)) and (more := re.fullmatch(r"\s*\+\s*[\"'`]([^\"'`]*)[\"'`]", text[home.end() :])):
        return f"~{more[1]}"
    return "${" + text[:200] + "}"


def value(text: str, at: int) -> Node | None:
    """The value that begins at this place of a text, with its lines; None when it is none that can be read."""
    try:
        return _Reader(text[at : at + _WIDEST], SPACE).value(0).below(text.count("\n", 0, at))
    except (ValueError, RecursionError):
        return None


_GIVEN_ONCE: Final = re.compile(
    r"\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::\s*[\w$\[\]<>., |]{1,80})?\s*=\s*"
    r"(?=[\"'`\[]|(?:os\.|path\.)?(?:homedir|join|resolve)\(|process\.env\b)"
)
_FOLLOWED: Final = 100
"""Names of one file that are followed."""


@lru_cache(maxsize=1)
def names(text: str) -> dict[str, Node]:
    """What the names of a file stand for that are given one text, list or place in a home, each once."""
    found: dict[str, Node] = {}
    twice: set[str] = set()
    for begun in islice(_GIVEN_ONCE.finditer(text), _FOLLOWED):
        one = value(text, begun.end())
        twice |= {begun[1]} & found.keys()
        told = one is not None and (
            secret.is_held(begun[1], one.text) or (one.text.isalnum() and secret.is_random(one.text))
        )
        if one is not None and not told and (isinstance(one.value, list) or one.text[:2] not in ("", "${")):
            found[begun[1]] = one
    return {name: one for name, one in found.items() if name not in twice}


def resolved(node: Node, known: dict[str, Node], depth: int = 0) -> Node:
    """The node with what its names stand for; a list keeps its lines, a text has that of where it is used."""
    if not known or depth > DEEPEST:
        return node
    if isinstance(node.value, dict):
        return Node(node.line, {name: resolved(one, known, depth + 1) for name, one in node.value.items()})
    if isinstance(node.value, list):
        items: list[Node] = []
        for one in node.value:
            spread = known.get(one.text[5:-1]) if one.text.startswith("${...") else None
            items += spread.items if spread is not None else [resolved(one, known, depth + 1)]
        return Node(node.line, items)
    if "${" not in node.text:
        return node
    whole = known.get(node.text[2:-1]) if node.text.startswith("${") else None
    if whole is not None:
        return whole if isinstance(whole.value, list) else Node(node.line, whole.value)
    return Node(
        node.line,
        _PUT.sub(lambda one: known[one[1]].text if one[1] in known and known[one[1]].text else one[0], node.text),
    )


_PUT: Final = re.compile(r"\$\{([A-Za-z_$][\w$]*)\}")


def statements(text: str) -> tuple[Node, ...]:
    """The policy statements of a file, each as a node with its members."""
    if not _POLICIES.search(text) and not (_ALLOWING.search(text) and _CLOUD.search(text)):
        return ()
    found = tuple(_found(text))
    lines = {one.line for one in found}
    return (*found, *(one for one in _loose(text) if one.line not in lines))


_POLICIES: Final = re.compile(r"PolicyStatement|PolicyDocument|Effect\b|Statement\b")
_ALLOWING: Final = re.compile(r"\bactions\s*:\s*\[[^\]]{0,900}\]\s*,\s*resources\b")
"""A statement that says by its members alone what it is; it counts where the cloud is named."""
_CLOUD: Final = re.compile(r"\bsst\b|aws|pulumi|cdk|serverless|arn:")


def _loose(text: str) -> Iterator[Node]:
    """Statements that are no construct: members of a policy, in whatever order; one without an effect allows."""
    for root in objects(text):
        for part in root.inside():
            members = part.members
            if "Effect" in members or {"actions", "resources"} <= members.keys():
                effect = members.get("Effect") or members.get("effect") or Node(part.line, "Allow")
                denied = "DENY" in effect.text.upper()
                yield Node(part.line, {**members, "Effect": Node(effect.line, "Deny" if denied else "Allow")})


@lru_cache(maxsize=1)
def objects(text: str) -> tuple[Node, ...]:
    """The object literals of a file, from where each is given, assigned or returned: so many and so long at most."""
    return tuple(one for _, one in _each(text, _GIVEN))


@lru_cache(maxsize=1)
def built(text: str) -> tuple[tuple[str, Node], ...]:
    """What a file calls or builds with an object, each by its dotted name, with that object."""
    return tuple((begun[1], one) for begun, one in _each(text, _BUILT))


def _found(text: str) -> Iterator[Node]:
    for begun, one in _each(text, _BEGIN):
        members = dict(one.members)
        if begun[0]:
            effect = members.get("effect", Node(one.line, "Allow"))
            members["effect"] = Node(effect.line, "Deny" if "DENY" in effect.text.upper() else "Allow")
            members["Effect"] = members["effect"]
        yield Node(one.line, members)


def _each(text: str, start: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Node]]:
    line, counted = 0, 0
    for count, begun in enumerate(start.finditer(text)):
        if count >= _MOST:
            return
        line, counted = line + text.count("\n", counted, begun.end()), begun.end()
        try:
            one = _Reader(text[begun.end() : begun.end() + _WIDEST], SPACE).value(0)
        except (ValueError, RecursionError):
            continue
        if one.members:
            yield begun, one.below(line)


class _Reader(Values):
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
            found = Node(line, plain(self.string()))
        else:
            return self.reference(line, start)
        typed = _TYPED.match(self.text, self.at)
        self.at = typed.end() if typed else self.at
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
                rest = self.reference(line if not name else self.here(), self.at)
                if rest.text.startswith("${..."):
                    members[rest.text[2:-1]] = rest
                elif name and rest.text == "${}":
                    members[name] = Node(self.here(), "${" + name + "}")
            if not self.take(",") and not self.peek("}"):
                raise ValueError
        return Node(line, members)

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
            elif char in " \n" and (typed := _CAST.match(self.text, self.at)):
                self.at = typed.end()
                continue
            self.at += 1
        return Node(line, _expression(self.text[start : self.at].strip()))
