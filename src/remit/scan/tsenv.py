"""Who holds what in TypeScript, and which environments are handed on whole (AG102, AG103). Pure.

Read are object literals. What a name stands for is followed only to its plain `const` in the same file.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.core.finding import Kind
from remit.scan import holder, tsobject
from remit.scan.launch import Told
from remit.scan.node import Node, line_at
from remit.scan.sight import Holder, Pair, is_credential

CONST: Final = re.compile(r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]+)?=\s*([\"'`])((?:(?!\2)[^\\\n])*)\2")
"""A name that stands for a text."""
ENV: Final = re.compile(r"process\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])")
"""A variable that is read."""
_WHOLE: Final = (
    r"(?:<[^<>()]{0,80}(?:<[^<>]{0,80}>)?>\s*)?(?:process\.env|Bun\.env|Deno\.env\.toObject\(\))(?![\w.\[?])"
    r"|(?:structuredClone|cloneDeep|_\.cloneDeep)\(\s*process\.env\b(?![.\[])"
    r"|Object\.(?:assign|fromEntries)\((?:[^;]{0,200}?[(,\s])??process\.env\b(?![.\[])"
    r"|(?:dotenv|Dotenv)\.(?:config|parse)\("
    r"|Object\.entries\(\s*process\.env\s*\)\.reduce\((?![^;]{0,300}(?:startsWith|endsWith|includes|\.has|\.test|allow))"
)
_IS_WHOLE: Final = re.compile(rf"\$\{{(?:{_WHOLE})")
_NAMED: Final = re.compile(rf"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{{1,120}})?=\s*(?:{_WHOLE})")
_SPREAD: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{1,120})?=\s*\{[^{}]{0,400}?\.\.\.\(?(?:process|Bun)\.env\b(?![.\[])"
)
_REST: Final = re.compile(
    r"\b(?:const|let|var)\s+\{[^{}]{0,400}?\.\.\.(\w+)\s*,?\s*\}\s*=\s*(?:process|Bun)\.env\b(?![.\[])"
)
"""All but what is named."""
_COPIED: Final = re.compile(
    r"\bfor\s*\(\s*(?:const|let|var)\s*(?:\[[\w\s,]{1,80}\]|\w+)\s+(?:of|in)\s+(?:Object\.(?:entries|keys)\(\s*)?process\.env\s*\)?\s*\)\s*\{?\s*"
    r"(?:const\s+\w+\s*=\s*process\.env\[\w+\]!?;?\s*)?(?:if\s*\((?:typeof\s+)?\w+(?:\s*!==?\s*(?:undefined|null|[\"']{2})|\s*===?\s*[\"']string[\"'])?\)\s*\{?\s*)?"
    r"(\w+)\[\w+\]\s*="
)
"""A loop that copies one variable after another."""
_PARSED: Final = re.compile(
    r"\b(?:const|let|var)\s+(?:\{\s*(?:parsed\s*:\s*(?=\w))?(\w+)\s*(?:=\s*\{\s*\}\s*)?,?\s*\}\s*=\s*(?:\w+\.)?config\("
    r"|(\w+)\s*(?::[^=\n]{1,120})?=\s*(?:\w+\.)?(?:parse\(\s*(?:\w+\.)?readFile|config\([^()\n]{0,120}\)\.parsed))"
)
"""What an env file holds, by the library's own words."""
_NAMES: Final = re.compile(
    r"Object\.(?:keys|entries)\(\s*process\.env\s*\)\s*\.\s*(?:flatMap|map|reduce)\([^;]{0,160}?[\"'`](?:-e|--env)\b"
)
"""Every variable's name, as flags of a container engine."""
_SHOWN: Final = re.compile(r"\bJSON\.stringify\(\s*(?:\{\s*\.\.\.\s*)?process\.env\s*[,)}]")
_TOOLS: Final = re.compile(
    r"\b(?:registerTool|addTool|registerResource|createTool|tool|setRequestHandler)\s*(?:<[^<>]{0,80}>)?\("
)
_PICKED: Final = re.compile(r"\.filter\((?![^;\n]{0,80}(?:undefined|Boolean|typeof|null))")
"""A filter that chooses; one that only drops what is not set hands on the rest."""
_HANDED: Final = ("env", "environment", "envs", "envVars", "Env", "environmentVariables")
_KEPT: Final = (
    "authorization", "authorization_token", "authorizationToken", "authToken", "bearerToken", "accessToken", "apiKey",
    "token",
)  # fmt: skip
_CALLED: Final = frozenset({"command", "fullCommand", "url", "serverUrl", "server_url", "baseUrl"})
_HOSTED: Final = frozenset({"serverUrl", "server_url", "serverLabel", "server_label", "url"})
_PLACES: Final = frozenset(
    {"transport", "params", "options", "config", "server", "connection", "server_params", "opts"}
)
"""Members that hold a server and do not call it by a name."""
_TRANSPORT: Final = re.compile(
    r"\bnew\s+\w{1,60}Transport\(\s*new\s+URL\(\s*([\"'`])([^\"'`\n]{1,300})\1\s*\)\s*,\s*(?=\{)"
)
_OBJECT: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{1,120})?=\s*(?:(?:async\s*)?\([^()]{0,200}\)\s*(?::[^=\n]{1,120})?=>\s*\(\s*)?(?=\{)"
    r"|\bfunction\s+(\w+)\s*\([^()]{0,200}\)\s*(?::[^={}\n]{1,120})?\{\s*return\s+(?=\{)"
)
"""An object that a name stands for, or that a function of that name gives back."""
_CALL: Final = re.compile(r"(\w+)\((.*)\)$", re.DOTALL)
_IMPORTED: Final = re.compile(r"\bimport\s+\{([^{}]{1,600})\}\s*from\s*[\"']\.")
_SETTING: Final = re.compile(
    r"\$\{\s*(?:env|config|settings|cfg|secrets|Deno\.env\.get\([\"']|Bun\.env)\.?((?i:\w*(?:key|token|secret|password|pat)))\b()"
)
"""A member of what a program read its settings into."""
_PUT: Final = re.compile(r"\$\{(\w+)\}")
_MOST: Final = 200
"""Objects of one file that names stand for."""


def told(text: str) -> Iterator[Told]:
    """Environments that are handed on whole, each where it is made."""
    if "env" not in text:
        return
    for one in (*_NAMES.finditer(text), *(_SHOWN.finditer(text) if _TOOLS.search(text) else ())):
        yield Kind.INHERITED, line_at(text, one.start()), "the whole environment is handed on"
    names = {
        one[1]: line_at(text, one.start())
        for shape in (_NAMED, _SPREAD, _REST, _COPIED)
        for one in shape.finditer(text)
        if not _PICKED.search(text[one.end() : one.end() + 200].partition(";")[0])
    }
    if "dotenv" in text:
        names |= {one[1] or one[2]: 0 for one in _PARSED.finditer(text)}
    for root in tsobject.objects(text):
        for part in root.inside():
            for key in _HANDED:
                line = _whole(part[key], names)
                if line:
                    yield Kind.INHERITED, line, "the whole environment is handed on"


def _whole(one: Node, names: dict[str, int]) -> int:
    """The line of a whole environment that this is; 0 when it is none."""
    bare = one.text[2:-1] if one.text.startswith("${") else ""
    if _uncast(bare) in names:
        return names[_uncast(bare)] or one.line
    if bare and _IS_WHOLE.match(one.text) and not _PICKED.search(bare):
        return one.line
    for name in one.members:
        if name.startswith("...") and re.fullmatch(r"\.\.\.\(?(?:process|Bun)\.env\b(?![.\[]).*", name, re.DOTALL):
            return one.line
        if name.removeprefix("...") in names:
            return (names[name.removeprefix("...")] or one.line) if name.startswith("...") else 0
    return 0


def _uncast(text: str) -> str:
    """An expression less what it is said to be."""
    return re.sub(r"!?(?:\s+(?:as|satisfies)\s.*)?$", "", text, flags=re.DOTALL)


def holders(path: str, text: str) -> tuple[Holder, ...]:
    """The servers that the code starts or calls, with what each is given: the outermost reading of each."""
    found: dict[tuple[int, str, tuple[Pair, ...]], Holder] = {}
    for one in _holders(path, text):
        found.setdefault((one.line, one.like, one.pairs), one)
    return tuple(found.values())


def _holders(path: str, text: str) -> Iterator[Holder]:
    known = _Known(text)
    for root in tsobject.objects(text):
        called = {id(one): name for part in root.inside() for name, one in part.members.items()}
        for part in root.inside():
            if _CALLED & part.members.keys():
                yield from _holder(path, part, called.get(id(part), ""), known)
    for one in _TRANSPORT.finditer(text):
        options = tsobject.value(text, one.end())
        if options is not None:
            address = Node(line_at(text, one.start()), one[2])
            yield from _holder(path, Node(address.line, {**options.members, "url": address}), "", known)


def _holder(path: str, part: Node, called: str, known: "_Known") -> Iterator[Holder]:
    """One server, by what it is called, else by what is started or called."""
    given = [pair for key in ("env", "headers") for pair in known.members(part[key])]
    options = dict(known.members(part["requestInit"]))
    given += known.members(options["headers"]) if "headers" in options else [*options.items()]
    given += [(key, part[key]) for key in _KEPT if part[key].text] if _HOSTED & part.members.keys() else []
    pairs = tuple(Pair(name, value(one.text, known.texts), one.line) for name, one in given if one.text)
    if pairs:
        like = holder.like(part)
        named = next((part[key].text for key in ("name", "serverLabel", "server_label") if part[key].text), "")
        named = named or ("" if called in _PLACES else called) or like
        yield Holder("server", named or f"{path} line {part.line}", part.line, like, pairs)


def _imported(text: str) -> list[str]:
    """Names of credentials that come from another file of the project: whatever they hold, it is one thing."""
    names = [re.split(r"\s+as\s+", one.strip())[-1] for part in _IMPORTED.finditer(text) for one in part[1].split(",")]
    return [one for one in names if re.fullmatch(r"[A-Z][A-Z0-9_]*", one) and is_credential(one)]


class _Known:
    """What the names of one file stand for: texts, and objects of headers or variables. Owned by one reading."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.texts = {one[1]: one[3] for one in CONST.finditer(text)}
        self.texts |= {name: "${" + name + "}" for name in _imported(text)}
        self._objects = {one[1] or one[2]: one.end() for one in islice(_OBJECT.finditer(text), _MOST)}
        self._read: dict[str, dict[str, Node]] = {}

    def members(self, node: Node) -> list[tuple[str, Node]]:
        """The members of an object, of one that a name stands for, and of those that are spread into it."""
        if made := _CALL.match(node.text[2:-1]) if node.text.startswith("${") else None:
            given = [one.strip() for one in made[2].split(",") if one.strip()]
            if given and made[1] in self._objects:
                return [("authorization", Node(node.line, "${" + one + "}")) for one in given]
            return [(name, Node(node.line, one.value)) for name, one in self._of(made[1]).items()]
        if node.text.startswith("${"):
            return [(name, Node(node.line, one.value)) for name, one in self._of(_uncast(node.text[2:-1])).items()]
        found = []
        for name, one in node.members.items():
            if name.startswith("..."):
                found += [(key, Node(one.line, given.value)) for key, given in self._of(name[3:]).items()]
            else:
                found.append((name, one))
        return found

    def _of(self, name: str) -> dict[str, Node]:
        if name not in self._objects:
            return {}
        if name not in self._read:
            found = tsobject.value(self._text, self._objects[name])
            self._read[name] = found.members if found else {}
        return self._read[name]


def value(text: str, consts: dict[str, str]) -> str:
    """A value's text; what is read of the environment as such a reference, a constant as what it holds."""
    bare = text[2:-1] if text.startswith("${") else ""
    said = consts.get(_uncast(bare), text)
    read = ENV.search(said) or _SETTING.search(said)
    if read:
        return "${" + (read[1] or read[2]) + "}"
    plain = _PUT.search(said) if "${" in said else None
    if plain and plain[1] in consts:
        said = said.replace(plain[0], consts[plain[1]])
    return "" if bare and _uncast(bare) not in consts else said
