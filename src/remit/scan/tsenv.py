"""Who holds what in TypeScript, and which environments are handed on whole (AG102, AG103). Pure.

Read are object literals. What a name stands for is followed only to its plain `const` in the same file.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import server, tsobject
from remit.scan.launch import Told
from remit.scan.node import Node, line_at
from remit.scan.sight import Holder, Pair

CONST: Final = re.compile(r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]+)?=\s*([\"'`])((?:(?!\2)[^\\\n])*)\2")
"""A name that stands for a text."""
ENV: Final = re.compile(r"process\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])")
"""A variable that is read."""
_WHOLE: Final = (
    r"(?:<[^<>()]{0,80}(?:<[^<>]{0,80}>)?>\s*)?(?:process\.env|Bun\.env|Deno\.env\.toObject\(\))(?![\w.\[?])"
    r"|(?:structuredClone|cloneDeep|_\.cloneDeep)\(\s*process\.env\b(?![.\[])"
    r"|Object\.(?:assign|fromEntries)\((?:[^;]{0,200}?[(,\s])??process\.env\b(?![.\[])"
    r"|(?:dotenv|Dotenv)\.(?:config|parse)\("
)
_IS_WHOLE: Final = re.compile(rf"\$\{{(?:{_WHOLE})")
_NAMED: Final = re.compile(rf"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{{1,120}})?=\s*(?:{_WHOLE})")
_SPREAD: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{1,120})?=\s*\{[^{}]{0,400}?\.\.\.\(?(?:process|Bun)\.env\b(?![.\[])"
)
_PICKED: Final = re.compile(r"\.filter\((?![^;\n]{0,80}(?:undefined|Boolean|typeof|null))")
"""A filter that chooses; one that only drops what is not set hands on the rest."""
_HANDED: Final = ("env", "environment", "envs", "envVars", "Env", "environmentVariables")
_KEPT: Final = (
    "authorization", "authorization_token", "authorizationToken", "authToken", "bearerToken", "accessToken", "apiKey",
    "token",
)  # fmt: skip
_CALLED: Final = frozenset({"command", "url", "headers", "serverUrl", "server_url", "baseUrl"})


def told(text: str) -> Iterator[Told]:
    """Environments that are handed on whole, each where it is made."""
    if "env" not in text:
        return
    names = {
        one[1]: line_at(text, one.start())
        for shape in (_NAMED, _SPREAD)
        for one in shape.finditer(text)
        if not _PICKED.search(text[one.end() : one.end() + 200].partition(";")[0])
    }
    for root in tsobject.objects(text):
        for part in root.inside():
            for key in _HANDED:
                line = _whole(part[key], names)
                if line:
                    yield Kind.INHERITED, line, "the whole environment is handed on"


def _whole(one: Node, names: dict[str, int]) -> int:
    """The line of a whole environment that this is; 0 when it is none."""
    bare = one.text[2:-1] if one.text.startswith("${") else ""
    if bare in names:
        return names[bare]
    if bare and _IS_WHOLE.match(one.text) and not _PICKED.search(bare):
        return one.line
    for name in one.members:
        if name.startswith("...") and re.fullmatch(r"\.\.\.\(?(?:process|Bun)\.env\b(?![.\[]).*", name, re.DOTALL):
            return one.line
        if name.removeprefix("...") in names:
            return names[name.removeprefix("...")] if name.startswith("...") else 0
    return 0


def holders(text: str) -> tuple[Holder, ...]:
    """The servers that the code starts or calls, with what each is given."""
    return tuple(_holders(text))


def _holders(text: str) -> Iterator[Holder]:
    consts = {one[1]: one[3] for one in CONST.finditer(text)}
    for root in tsobject.objects(text):
        for part in root.inside():
            given = [*part["env"].members.items(), *part["headers"].members.items()]
            if {"serverUrl", "server_url", "serverLabel", "server_label", "url"} & part.members.keys():
                given += [(key, part[key]) for key in _KEPT if part[key].text]
            if not given or not _CALLED & part.members.keys():
                continue
            pairs = tuple(Pair(name, value(one.text, consts), one.line) for name, one in given if one.text)
            like = next((part[key].text for key in server.ADDRESSES if part[key].text), "") or part["command"].text
            called = next((part[key].text for key in ("name", "serverLabel", "server_label") if part[key].text), "")
            yield Holder("server", called or like or f"line {part.line}", part.line, like, pairs)


def value(text: str, consts: dict[str, str]) -> str:
    """A value's text; what is read of the environment as such a reference, a constant as what it holds."""
    read = ENV.search(text)
    if read:
        return "${" + (read[1] or read[2]) + "}"
    bare = text[2:-1] if text.startswith("${") else ""
    return consts.get(bare, "" if bare else text)
