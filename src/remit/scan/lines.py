"""Who holds what, in files of lines: a folder's `.env`, a shell's profile, a unit. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import dotenv, holder, loaded, profile, secret, unit, wrapped
from remit.scan.sight import FOLDER, Holder, Pair, Whole, is_credential


def wants(path: str) -> bool:
    """Say whether such holders may stand in a file of this path."""
    return dotenv.wants(path) or profile.wants(path) or unit.wants(path)


def read(path: str, text: str) -> tuple[Holder, ...]:
    """The one holder of such a file."""
    folder, _, name = path.rpartition("/")
    if dotenv.wants(path):
        return (Holder("env", FOLDER, 1, folder or ".", tuple(dotenv.pairs(text))),)
    if unit.wants(path):
        pairs, wholes = _unit(text)
        name = re.sub(r"\.d$", "", folder.rpartition("/")[2]) if name.endswith(".conf") else name
        return (Holder("unit", name, 1, name, pairs, wholes),)
    return (Holder("profile", name, 1, name, tuple(profile.pairs(text)), tuple(loaded.shell(text))),)


def _unit(text: str) -> tuple[tuple[Pair, ...], tuple[Whole, ...]]:
    pairs: list[Pair] = []
    wholes: list[Whole] = []
    for line, key, value in unit.settings(text):
        pairs += _pairs(line, key, value)
        wholes += _wholes(line, key, value)
    return tuple(pairs), tuple(wholes)


def _pairs(line: int, key: str, value: str) -> Iterator[Pair]:
    if key == "Environment":
        for word in wrapped.split(value):
            name, _, given = word.partition("=")
            yield Pair(name, given, line)
    elif key == "SetCredential":
        name, _, given = value.partition(":")
        yield Pair(f"{name}_secret", given.strip(), line)
    elif key == "SetCredentialEncrypted":
        name, _, sealed = value.partition(":")
        yield Pair(f"{name}_secret", f"${{secret:{re.sub('[^A-Za-z0-9+=]', '', sealed)}/{name}}}", line)
    elif key in _CREDENTIALS:
        name, _, place = value.partition(":")
        yield Pair(f"{name}_secret", f"${{secret:{place or name}}}", line)
    elif key == "Secret":
        name, *options = value.split(",")
        target = next((one.partition("=")[2] for one in options if one.startswith("target=")), name)
        yield Pair(f"{target}" if is_credential(target) else f"{target}_secret", f"${{secret:{name}}}", line)
    elif key in _STARTS:
        flags = holder.flags(wrapped.bare(_words(line, value)))
        yield from (one for one in flags if secret.is_held(one.name, one.text))
    elif key == "PassEnvironment":
        yield from (Pair(name, f"${{{name}}}", line) for name in value.split())


def _wholes(line: int, key: str, value: str) -> Iterator[Whole]:
    if key in _STARTS:
        given = _words(line, value)
        yield from loaded.words(given)
        yield from (one for word, _ in given if " " in word for one in loaded.shell(word, line))
    elif key == "PodmanArgs":
        yield from loaded.words([(word, line) for word in wrapped.split(value)])
    elif key == "ImportCredential" and value == "*":
        yield Whole(line, "every credential that the host has is handed on")
    elif key == "EnvironmentFile" and value:
        yield Whole(line, "EnvironmentFile hands on every variable of a file", value.lstrip("-"))
    elif key == "EnvironmentHost" and value.lower() in ("true", "yes", "1", "on"):
        yield Whole(line, "the container is given the host's whole environment")


_STARTS: Final = ("ExecStart", "Exec")
_CREDENTIALS: Final = (
    "LoadCredential", "LoadCredentialEncrypted", "ImportCredential",
)  # fmt: skip


def _words(line: int, value: str) -> list[wrapped.Word]:
    return [(word, line) for word in wrapped.split(value.lstrip("-@+!:"))]
