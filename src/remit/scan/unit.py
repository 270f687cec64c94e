"""Reader of systemd units and of Podman's quadlets: secrets, mounts and what their commands start. Pure.

The grammar is systemd.syntax(7): `Key=value`, a backslash at the end of a line continues it.
"""

import re
import shlex
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import consent, launch, secret, server
from remit.scan.launch import Told
from remit.scan.node import Node

_ENDS: Final = (".service", ".container", ".pod", ".timer", ".socket", ".conf.service")
_BINDS: Final = frozenset({"Volume", "BindPaths", "BindReadOnlyPaths", "Mount"})


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return path.endswith(_ENDS) or bool(re.search(r"\.(?:service|container)\.d/[^/]+\.conf$", path))


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that is no assignment is passed over."""
    told = [one for number, key, value in settings(text) for one in _told(number, key, value)]
    told += _image(text)
    told += _listens(text)
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in told)


def _image(text: str) -> Iterator[Told]:
    """A quadlet that is given a credential, and whose image has no exact version."""
    every = list(settings(text))
    keyed = any(
        key in ("Secret", "EnvironmentFile")
        or (key == "Environment" and any(secret.is_name(word.partition("=")[0]) for word in split(value)))
        for _, key, value in every
    )
    for number, key, value in every:
        if key == "Image" and keyed and not value.endswith((".image", ".build")) and not launch.pinned_image(value):
            yield Kind.UNPINNED, number, "an image with no exact version is given a credential"


def _listens(text: str) -> Iterator[Told]:
    """A model's or an MCP server's unit whose variable opens it to all, and which has no word of who may call."""
    pairs = [
        (number, *word.partition("=")[::2])
        for number, key, value in settings(text)
        if key == "Environment"
        for word in split(value)
    ]
    asked = any(server.ASKS.search(name) for _, name, _ in pairs)
    for number, name, value in pairs:
        if server.listens(name, value) and (name == "OLLAMA_HOST" or not asked):
            yield Kind.OPEN_REMOTE, number, f"{name}: it listens to all addresses, and asks nobody who they are"


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


def _told(number: int, key: str, value: str) -> Iterator[Told]:
    if key == "Environment":
        for word in split(value):
            name, _, given = word.partition("=")
            if secret.is_held(name, given):
                yield Kind.LITERAL_SECRET, number, f"{name} holds a literal value"
            yield from (
                one for one in server.variable("", name, Node(number, given)) if one[0] is not Kind.LITERAL_SECRET
            )
    elif key in _BINDS:
        for word in split(value):
            if launch.held(launch.source(word.lstrip("-+"))):
                yield Kind.HOST_MOUNT, number, "a home, credentials or socket of the host is mounted"
    elif key in ("ExecStart", "ExecStartPre", "Exec"):
        words = [(word, number) for word in split(value.lstrip("-@+!:"))]
        yield from launch.told(words)
        yield from launch.open_to_all(words)
        yield from consent.shell(value, number)
        yield from consent.loose(value, number)


def split(value: str) -> list[str]:
    """The words of a value; at its spaces where its quotes do not close."""
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()
