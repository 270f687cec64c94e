"""Reader of GitHub Actions workflows: secrets, mounts, agents let loose and unpinned steps with a credential. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import consent, jsonc, launch, secret, server, yamldoc
from remit.scan.launch import Told, Word
from remit.scan.node import Node
from remit.scan.said import short

_PLACE: Final = re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$")
_SECRET: Final = re.compile(r"\$\{\{\s*secrets\.")
_SHA: Final = re.compile(r"@[0-9a-f]{40}$")
_OURS: Final = ("actions/", "github/", "./", "docker://")


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return bool(_PLACE.search(path))


def read(path: str, text: str) -> tuple[Finding, ...] | None:
    """Find what stands in this file; None when it is no YAML."""
    documents = yamldoc.read(text)
    if documents is None:
        return None
    found = [one for root in documents for part in root.inside() for one in _part(part)]
    found += [one for number, line in enumerate(text.split("\n"), 1) for one in _line(line, number)]
    return tuple(
        Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in dict.fromkeys(found)
    )


def _part(part: Node) -> Iterator[Told]:
    for name, value in part["env"].members.items():
        yield from server.variable("env", name, value)
    for name, value in part["with"].members.items():
        if value.text and secret.is_held(name, value.text):
            yield Kind.LITERAL_SECRET, value.line, f"{name} holds a literal value"
    if part["with"]["sandbox"].text == "danger-full-access":
        yield Kind.BROAD_TOOL, part["with"]["sandbox"].line, "the agent's commands run with no sandbox"
    for mount in part["volumes"].items:
        if mount.text and launch.held(launch.source(mount.text)):
            yield Kind.HOST_MOUNT, mount.line, "a home, credentials or socket of the host is mounted"
    yield from _approved(part)
    if part["image"].text and part["options"].text:
        yield from launch.mounts(_words(part["options"].text, part["options"].line))
    yield from _used(part)
    keyed = any(_SECRET.search(one.text) for one in part["env"].members.values())
    for words in _commands(part["run"]):
        asked = keyed and any(word in ("-y", "--yes", "uvx", "pipx", "bunx", "dlx") for word, _ in words)
        yield from (one for one in launch.told(words) if one[0] is not Kind.UNPINNED or asked)


def _approved(part: Node) -> Iterator[Told]:
    """What a step that is an agent may do with nobody asked: its tools, and its client's settings."""
    for key in ("allowed_tools", "allowed-tools"):
        tools = re.split(r"[,\n]\s*|\s+(?![^(]*\))", part["with"][key].text.strip())
        if loud := next((one for one in tools if one and consent.rule_writes(one)), ""):
            yield Kind.UNASKED, part["with"][key].line, f"{short(loud)} is allowed with nobody asked"
    given = part["with"]["settings"]
    if given.text.lstrip().startswith("{") and (inner := jsonc.read(given.text)) is not None:
        client = ".gemini/settings.json" if "gemini" in part["uses"].text else ".claude/settings.json"
        yield from consent.of_client(client, inner.below(given.line - ("\n" not in given.text)))


def _commands(run: Node) -> Iterator[list[Word]]:
    """The commands of a script, each word with its line. A backslash at a line's end continues it."""
    held: list[Word] = []
    for offset, line in enumerate(run.text.split("\n")):
        at = run.line + offset + (1 if "\n" in run.text else 0)
        goes_on = line.rstrip().endswith("\\")
        *ended, last = re.split(r"&&|\|\||;|\|", line.rstrip().removesuffix("\\"))
        for part in ended:
            yield [*held, *_words(part, at)]
            held = []
        held += _words(last, at)
        if not goes_on:
            yield held
            held = []
    yield held


def _words(text: str, at: int) -> list[Word]:
    return [(word.strip("\"'"), at) for word in launch.split(text)]


def _used(part: Node) -> Iterator[Told]:
    uses = part["uses"]
    if not uses.text or uses.text.startswith(_OURS) or _SHA.search(uses.text):
        return
    held = [one.text for one in (*part["with"].members.values(), *part["env"].members.values())]
    called = part["secrets"].text == "inherit" or bool(part["secrets"].members)
    if called or any(_SECRET.search(one) for one in held):
        yield Kind.UNPINNED, uses.line, "a step of others at a tag or branch is given a credential"


def _line(line: str, number: int) -> Iterator[Told]:
    yield from consent.shell(line, number)
    yield from consent.loose(line, number)
