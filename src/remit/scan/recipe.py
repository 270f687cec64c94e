"""Reader of Dockerfiles, Makefiles, shell scripts and Codex's rules: agents that they start with nobody asked. Pure.

A script is one holder of the variables that it sets.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import consent, jsonc, mixed, verbs
from remit.scan.launch import Told
from remit.scan.said import short
from remit.scan.sight import Holder, Pair

_PLACE: Final = re.compile(
    r"(?:^|/)(?:Dockerfile|Containerfile|[Mm]akefile|GNUmakefile|[Jj]ustfile)(?:\.[\w-]+)?$|\.(?:[dD]ockerfile|mk"
    r"|sh|bash)$"
    r"|(?:^|/)\.?codex/(?:.*/)?rules/[^/]+\.rules$"
)
_AGENTS: Final = re.compile(
    r"(?<![\w-])(?:claude|codex|gemini|qwen|copilot|cursor-agent|aider|goose|opencode|amp|droid|crush|q chat"
    r"|kiro-cli)(?![\w-])"
)
_LISTED: Final = re.compile(r"^\s*(?:ENTRYPOINT|CMD|RUN)\s+(\[.*\])\s*$")
_RULE: Final = re.compile(r"prefix_rule\(([^()]{0,2000})\)")
_PATTERN: Final = re.compile(r"pattern\s*=\s*\[([^\[\]]{1,500})")
_ALLOW: Final = re.compile(r"decision\s*=\s*[\"']allow[\"']")


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return bool(_PLACE.search(path))


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that it does not know is passed over."""
    told = [*(_rules(text) if path.endswith(".rules") else _lines(text))]
    if path.endswith((".sh", ".bash")):
        told += mixed.told(tuple(_holders(path.rpartition("/")[2], text)))
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in dict.fromkeys(told))


_SET: Final = re.compile(r"\s*(export\s+)?([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;&|]*)")


def _holders(name: str, text: str) -> Iterator[Holder]:
    """A script with the variables that it sets, and each command that is given some before its name."""
    whole: list[Pair] = []
    began, held = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        began = began if held else number
        held += f"{line}\n"
        if line.endswith("\\"):
            continue
        pairs, at = [], 0
        while found := _SET.match(held, at):
            at = found.end()
            here = began + held.count("\n", 0, found.start(2))
            pairs.append(Pair(found[2], found[3].strip("\"'"), here))
            if held.startswith(" \\\n", at):
                at += 3
        if held[at:].strip() and not re.match(r"\s*(?:[;#]|&&)", held[at:]):
            yield Holder("script", f"{name}, line {began}", began, "", tuple(pairs))
        else:
            whole += pairs
        held = ""
    yield Holder("script", name, 1, name, tuple(whole))


def _lines(text: str) -> Iterator[Told]:
    if not _AGENTS.search(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        listed = _LISTED.match(line)
        words = jsonc.read(listed[1]) if listed else None
        if words is not None:
            yield from consent.started([(one.text, number) for one in words.items if one.text])
        else:
            yield from consent.shell(line.lstrip("\t @-") if line.startswith("\t") else line, number)
            yield from consent.loose(line, number)


def _rules(text: str) -> Iterator[Told]:
    """Commands that Codex runs outside its sandbox with nobody asked, by the words that they begin with."""
    for one in _RULE.finditer(text):
        pattern, allowed = _PATTERN.search(one[1]), _ALLOW.search(one[1])
        command = " ".join(re.findall(r"[\"']([^\"']*)[\"']", pattern[1])) if pattern else ""
        if allowed and command and not verbs.only_reads(command):
            line = text.count("\n", 0, one.start(1) + allowed.start()) + 1
            yield Kind.UNASKED, line, f"{short(command)} runs with nobody asked"
