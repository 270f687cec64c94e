"""Reader of shell profiles (bash, zsh, fish): secrets that they export, checks turned off, agents let loose. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import addressed, checked, consent, launch, packaged, secret, uttered, wrapped
from remit.scan.launch import Told
from remit.scan.sight import Pair
from remit.scan.wrapped import Word

NAMES: Final = frozenset(
    {
        ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".bash_aliases", ".zsh_aliases",
        ".aliases",         ".exports", "config.fish", ".envrc",
    }
)  # fmt: skip
_SET: Final = re.compile(
    r"^\s*(?:export\s+|declare\s+-x\s+|typeset\s+-x\s+|set\s+-\w*x\w*\s+"
    r"|set\s+(?:-\w+\s+)*--export\s+)?([A-Za-z_]\w*)(?:=|\s+)"
    r"(?:\"([^\"]*)\"|'([^']*)'|([^\s#;&|]*))"
)
_PARTS: Final = re.compile(r"&&|\|\||;")
_MORE: Final = re.compile(r"(?<=\s)([A-Za-z_]\w*)=(?:\"([^\"]*)\"|'([^']*)'|([^\s#;&|]*))")


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return path.rsplit("/", 1)[-1] in NAMES


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that it does not know is passed over."""
    found: list[Finding] = []
    held: list[tuple[str, int]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        for name, value in _set(line):
            found += _variable(path, number, name, value)
        if not any(one.kind is Kind.LITERAL_SECRET and one.evidence.line == number for one in found[-9:]):
            told = uttered.literals(line, number)
            found += [Finding(Kind.LITERAL_SECRET, Confidence.HIGH, Evidence(path, at, said)) for at, said in told]
        found += [
            Finding(kind, Confidence.HIGH, Evidence(path, at, said))
            for kind, at, said in (*consent.shell(line, number), *consent.loose(line, number))
        ]
        held.append((line, number))
        if not line.rstrip().endswith("\\"):
            found += [Finding(kind, Confidence.HIGH, Evidence(path, at, said)) for kind, at, said in _started(held)]
            held = []
    return tuple(found)


_STARTS: Final = re.compile(
    r"\b(?:docker|podman|nerdctl|curl|wget|npx|uvx|uv|pipx|bunx|pnpm|deno|go|claude|codex|gemini|git|kubectl|helm|pip3?"
    r"|ollama|vllm|opencode|goose|langgraph|adk)\b|mcp"
)
_ALIAS: Final = re.compile(r"^\s*alias\s+(?:-\w\s+)?[\w.-]+(?:=|\s+)([\"'])(.*)\1")


def _started(held: list[tuple[str, int]]) -> Iterator[Told]:
    """What a command starts that goes over these lines, or an alias; a package only where it is given a credential."""
    if not any(_STARTS.search(line) for line, _ in held):
        return
    given: list[Word] = []
    for line, number in held:
        alias = _ALIAS.match(line)
        *ended, last = _ENDS.split(alias[2] if alias else line.rstrip().removesuffix("\\"))
        for part in ended:
            yield from _command([*given, *((word, number) for word in wrapped.split(part))])
            given = []
        given += [(word, number) for word in wrapped.split(last)]
    yield from _command(given)


_ENDS: Final = re.compile(r"&&|\|\||;|\|")


def _command(given: list[Word]) -> Iterator[Told]:
    words = wrapped.bare(given)
    while len(words) > 1 and not _STARTS.search(words[0][0]):
        words = words[1:]
    if words and _STARTS.search(words[0][0]):
        yield from launch.told(words, keyed=packaged.keyed(given))
        yield from addressed.spoken(words)
        yield from addressed.open_to_all(words)


def _set(line: str) -> Iterator[tuple[str, str]]:
    """The variables that a line sets: the first, and each that `export` names after it or after `&&` and its like."""
    given = [match for match in [_SET.match(line)] if match]
    for part in _PARTS.split(line):
        given += _MORE.finditer(part) if part.lstrip().startswith(("export ", "declare -x ", "typeset -x ")) else ()
    yield from dict.fromkeys((one[1], one[2] or one[3] or one[4] or "") for one in given)


def _variable(path: str, number: int, name: str, value: str) -> Iterator[Finding]:
    told = (
        (secret.is_held(name, value), Kind.LITERAL_SECRET, "holds a literal value"),
        (checked.unchecked(name, value), Kind.OPEN_REMOTE, "turns certificate checks off"),
        (launch.unasked(name, value), Kind.UNASKED, "lets everything run with nobody asked"),
    )
    for so, kind, said in told:
        if so:
            yield Finding(kind, Confidence.HIGH, Evidence(path, number, f"{name} {said}"))
    for what in addressed.variable(name, value):
        yield Finding(Kind.OPEN_REMOTE, Confidence.HIGH, Evidence(path, number, what))
    if name == "OLLAMA_HOST" and addressed.listens(name, value):
        yield Finding(Kind.OPEN_REMOTE, Confidence.HIGH, Evidence(path, number, f"{name}: {addressed.NOBODY}"))


def pairs(text: str) -> Iterator[Pair]:
    """The variables that such a file sets."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            yield from (Pair(name, value, number) for name, value in _set(line))
