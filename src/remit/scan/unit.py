"""Reader of systemd units and of Podman's quadlets: secrets, mounts and what their commands start. Pure.

The grammar is systemd.syntax(7): `Key=value`, a backslash at the end of a line continues it.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import addressed, consent, launch, mounted, packaged, secret, server, uttered, wrapped
from remit.scan.launch import Told
from remit.scan.node import Node

_ENDS: Final = (".service", ".container", ".pod", ".timer", ".socket", ".conf.service")
_BINDS: Final = frozenset({"Volume", "BindPaths", "BindReadOnlyPaths", "Mount"})


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return path.endswith(_ENDS) or bool(re.search(r"\.(?:service|container)\.d/[^/]+\.conf$", path))


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that is no assignment is passed over."""
    every = list(settings(text))
    keyed = any(_gives(key, value) for _, key, value in every)
    told = [one for number, key, value in every for one in _told(number, key, value, keyed=keyed)]
    told += _serves(every)
    told += _listens(every)
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in told)


def _gives(key: str, value: str) -> bool:
    """Say whether a line hands a credential on: a variable of such a name, a file of them, a stored secret."""
    if key in ("Secret", "EnvironmentFile", "EnvironmentHost") or key.startswith(
        ("LoadCredential", "SetCredential", "ImportCredential")
    ):
        return value.lower() not in ("", "false", "no", "off", "0")
    if key in ("Environment", "PassEnvironment"):
        return any(packaged.is_named(word.partition("=")[0]) for word in wrapped.split(value))
    return False


def _serves(every: list[tuple[int, str, str]]) -> Iterator[Told]:
    """A quadlet of a server of tools that is reached from without, and is told to listen to all."""
    image = " ".join(value for _, key, value in every if key == "Image")
    out = any(key == "PublishPort" and not value.startswith("127.") for _, key, value in every)
    if re.search(r"(?i)mcp", image) and (out or any(key == "Network" and value == "host" for _, key, value in every)):
        for number, key, value in every:
            if key == "Exec":
                words = [(word, number) for word in wrapped.split(value)]
                yield from addressed.open_to_all(words, served=True)


def _listens(every: list[tuple[int, str, str]]) -> Iterator[Told]:
    """A model's or an MCP server's unit whose variable opens it to all, and which has no word of who may call."""
    pairs = [
        (number, *word.partition("=")[::2])
        for number, key, value in every
        if key == "Environment"
        for word in wrapped.split(value)
    ]
    asked = any(addressed.ASKS.search(name) for _, name, _ in pairs)
    for number, name, value in pairs:
        if addressed.listens(name, value) and (name == "OLLAMA_HOST" or not asked):
            yield Kind.OPEN_REMOTE, number, f"{name}: {addressed.NOBODY}"


def settings(text: str) -> Iterator[tuple[int, str, str]]:
    """Every assignment of a unit: its line, key and value."""
    held, began = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not held and line.lstrip().startswith(("#", ";", "[")):
            continue
        began = began or number
        held += line
        if held.endswith("\\"):
            held = held[:-1] + " "
            continue
        key, mark, value = held.partition("=")
        if mark:
            yield began, key.strip(), value.strip()
        held, began = "", 0


def _told(number: int, key: str, value: str, *, keyed: bool) -> Iterator[Told]:
    if key == "Environment":
        for word in wrapped.split(value):
            name, _, given = word.partition("=")
            if secret.is_held(name, given):
                yield Kind.LITERAL_SECRET, number, f"{name} holds a literal value"
            yield from (
                one for one in server.variable("", name, Node(number, given)) if one[0] is not Kind.LITERAL_SECRET
            )
    elif key in _BINDS:
        yield from mounted.binds([(word.lstrip("-+"), number) for word in wrapped.split(value)])
    elif key in ("PodmanArgs", "GlobalArgs"):
        yield from mounted.mounts([(word, number) for word in wrapped.split(value)])
    elif key == "Image":
        if keyed and not value.endswith((".image", ".build")) and not packaged.pinned_image(value):
            yield Kind.UNPINNED, number, "an image with no exact version is given a credential"
    elif key in ("ExecStart", "ExecStartPre", "Exec"):
        words = [(word, number) for word in wrapped.split(value.lstrip("-@+!:"))]
        yield from _command(words, value, keyed=keyed)
        yield from addressed.open_to_all(words)
        yield from addressed.spoken(words)
        yield from consent.shell(value, number)
        yield from consent.loose(value, number)
    elif key.startswith("Exec"):
        yield from ((Kind.LITERAL_SECRET, number, said) for _, said in uttered.literals(value, number))


def _command(words: list[wrapped.Word], value: str, *, keyed: bool) -> Iterator[Told]:
    told = [*launch.told(words, keyed=keyed)]
    yield from told
    if words and not any(kind is Kind.LITERAL_SECRET for kind, _, _ in told):
        yield from ((Kind.LITERAL_SECRET, line, said) for line, said in uttered.literals(value, words[0][1]))
