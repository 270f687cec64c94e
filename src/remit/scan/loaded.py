"""Files of variables that a shell, or a program before another, hands on whole (AG102). Pure.

Sources: bash(1) (`set -a`, `source`), direnv's library (`dotenv`), dotenv-cli, dotenvx, env-cmd, doppler and infisical.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from remit.scan import wrapped
from remit.scan.sight import Whole

_FILE: Final = r"[\"']?([^\s\"'|<>()`;&]*\.env[\w.-]*)"
_LOADED: Final = re.compile(r"\b(?:export|env)\s{1,9}(?:\$\(|`)([^)`\n]{1,400})")
_BREAKS: Final = re.compile(r"[\s\"'|<>()`;&]+")
_DOTENV: Final = re.compile(r"^\s*dotenv(?:_if_exists)?(?:\s+[\"']?([^\s\"']+))?[\"']?\s*$")
_ALL_ON: Final = re.compile(r"^\s*set\s+-(?:\w*a\w*\b|o\s+allexport)")
_ALL_OFF: Final = re.compile(r"^\s*set\s+\+(?:a\b|o\s+allexport)")
_SOURCED: Final = re.compile(rf"^\s*(?:source|\.)\s+{_FILE}")
_SAID: Final = "every variable of a file is exported to all that the shell starts"
_READERS: Final = frozenset({"dotenv", "dotenv-cli", "dotenvx", "env-cmd", "dotenv-run-script"})
_STORES: Final = frozenset({"doppler", "infisical", "phase"})
_FLAGS: Final = ("-e", "-f", "--file", "--env", "--env-file")


def shell(text: str, line: int = 1) -> Iterator[Whole]:
    """What the lines of a shell load, the first of which is `line`."""
    every = False
    for number, one in enumerate(text.split("\n"), line):
        if one.lstrip().startswith("#"):
            continue
        for part in re.split(r"&&|;", one):
            every = (every or bool(_ALL_ON.match(part))) and not _ALL_OFF.match(part)
            sourced = _SOURCED.match(part) if every else None
            exported = _LOADED.search(part)
            names = [word for word in _BREAKS.split(exported[1]) if ".env" in word] if exported else []
            if sourced or names:
                yield Whole(number, _SAID, sourced[1] if sourced else names[0])
            elif dotenv := _DOTENV.match(part):
                yield Whole(number, _SAID, dotenv[1] or ".env")


def words(given: list[wrapped.Word]) -> Iterator[Whole]:
    """What a command hands on whole: by its engine's or runtime's flag, a reader of such files, a store of secrets."""
    texts = [word for word, _ in given]
    if "compose" in texts[:3]:
        return
    for at, ((word, line), (after, _)) in enumerate(pairwise([*given, ("", 0)])):
        name = re.sub(r"(?<=.)@.*$", "", wrapped.program(word).rpartition("/")[2])
        if word in ("--env-host", "--env-host=true"):
            yield Whole(line, "the container is given the host's whole environment")
        elif word.startswith("--env-file") and "op" not in texts[:1]:
            yield Whole(line, "--env-file hands on every variable of a file", word.partition("=")[2] or after)
        elif name in _READERS and "--" in texts[at:]:
            flags = dict(pairwise(texts[at:]))
            source = next((flags[flag] for flag in _FLAGS if flag in flags), ".env")
            yield Whole(line, f"{name} hands on every variable of a file", source)
        elif name in _STORES and after == "run" and not any("--only-secrets" in one for one in texts[at:]):
            yield Whole(line, f"{name} hands on every secret of a store")
