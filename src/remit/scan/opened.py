"""What a command lets an agent reach on its machine: folders that are the root or a home, shells with no list. Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from remit.core.finding import Kind
from remit.scan.mounted import broad
from remit.scan.wrapped import Word, program

_FOLDER: Final = re.compile(
    r"(?i)(?:allow\w*|root|base|work\w*|project|writable|accessible|include\w*|additional|add|target|scan|sandbox|shared?"
    r"|files?|filesystem|fs|vault|mcp|index|search|(?:read|write)\w*)[-_]?(?:dir(?:ector(?:y|ies))?s?|paths?|roots?|folders?)$"
    r"|^--?(?:root|add-dir|writable-roots?)$"
)
_PLACE: Final = re.compile(r"^--(?:dir|directory|path|folder|workspace|vault|root|files|home)$")
"""Flags that may name a folder; of a home only, for a slash may be a path of the web."""
_WEB: Final = re.compile(r"(?i)(?:base|root|url|api|public|mount)[-_]?path$")
"""Names whose slash is a path of the web."""
_SHELLS: Final = re.compile(
    r"(?:^|[/@_-])(?:shell|terminal|bash|zsh|commands?|command-line|desktop-commander|iterm2?|ssh|powershell|pwsh|exec"
    r"|repl|code-runner|code-executor|python-interpreter|applescript|osascript|macos-automator|tmux|win(?:dows)?-cli"
    r"|cli(?=[-_](?:mcp|server)))"
    r"(?:[-_]?(?:mcp|server|commander|controller|executor|execution|exec|runner|tools?|access|control))*$"
)
_FILES: Final = re.compile(r"file-?system|(?:^|[/@_-])(?:fs|files?)(?=[-_]|$)")
_LISTED: Final = re.compile(r"(?i)allow(?:ed)?[-_]?(?:commands?|list)?|whitelist|permitted")
_LIST: Final = re.compile(
    r"(?i)(?:allow(?:ed|list)?|permit(?:ted)?|whitelist(?:ed)?|safe)[-_]?(?:shell[-_]?)?(?:commands?|cmds?|programs?"
    r"|executables?|binaries)$|commands?[-_]?(?:allowlist|whitelist)$"
)
_EVERY: Final = frozenset({"*", "all", ".*", "**", "any", "^.*$", "[*]", "['*']", '["*"]'})
_WHOLE: Final = re.compile(r"(?i)(?:^|_)(?:ALLOW_(?:ALL|ANY)_COMMANDS?|UNRESTRICTED_(?:SHELL|COMMANDS?))$")
_BUILT: Final = re.compile(
    r"/(?:dist|build|out|lib|src|bin|index\.[cm]?[jt]s|server\.[cm]?[jt]s|main\.[cm]?[jt]s)(?:/.*)?$"
)
_INTERPRETERS: Final = frozenset({"node", "python", "python3", "bun", "deno", "uv", "tsx", "ts-node", "poetry", "pdm"})
_SCRIPTED: Final = frozenset({"bash", "sh", "zsh", "dash", "ksh", "pwsh", "powershell"})
"""Shells, which are what they are given to run."""
_ENGINES: Final = frozenset({"docker", "podman", "nerdctl"})


def folder(name: str) -> bool:
    """Say whether a flag or variable of this name gives folders that may be used."""
    return bool(_FOLDER.search(name))


def wide(name: str, value: str) -> bool:
    """Say whether a variable or member of this name opens the root or a whole home; one value may hold several."""
    parts = [value] if re.match(r"[A-Za-z]:[\\/]", value) else re.split(r"[:,;]", value)
    return folder(name) and any(broad(one) for one in parts if one.strip()) and not (value == "/" and _WEB.search(name))


_STORED: Final = re.compile(
    r"(?i)^(?:file_?system_?id|efs_?\w*|transit_?encryption\w*|access_?point_?id|image(?:_?uri)?|container_?name)$"
)


def of_store(names: Iterable[str]) -> bool:
    """Say whether these members are those of a store in the cloud or of a container, whose root is no machine's."""
    return any(_STORED.match(name) for name in names)


def lists(name: str) -> bool:
    """Say whether a variable or flag of this name lists the commands that may be run."""
    return bool(_LISTED.search(name))


def every(name: str, value: str) -> bool:
    """Say whether a list of commands that may be run holds them all."""
    bare = value.strip().lower()
    return (bool(_LIST.search(name)) and bare in _EVERY) or (
        bool(_WHOLE.search(name)) and bare in ("1", "true", "yes", "on")
    )


def told(words: list[Word], package: Word | None, *, limits: bool = False) -> Iterator[tuple[Kind, int, str]]:
    """What a started server may reach. `limits` says that its environment lists what it may run."""
    first = program(words[0][0])
    named = package or _named(words, first)
    name = _bare(named[0]) if named else ""
    if any("filesystem" in word for word, _ in words) or _FILES.search(name):
        for word, line in words[1:]:
            place = re.sub(r"^--[\w-]+=", "", word)
            if broad(place) and not (place == "/" and word != "/" and "=" not in word):
                yield Kind.BROAD_TOOL, line, "the file server's folder is the root or a whole home"
        return
    yield from _flags(words, first)
    served = package or "mcp" in " ".join(word for word, _ in words).lower()
    listed = limits or any(lists(word) for word, _ in words)
    if named and served and not listed and _SHELLS.search(name):
        yield Kind.BROAD_TOOL, named[1], "a shell server has no list of commands"


def _flags(words: list[Word], first: str) -> Iterator[tuple[Kind, int, str]]:
    """Flags that name a folder, and lists of commands that hold them all."""
    own = first in _ENGINES or first == "uv"
    for (word, line), (after, below) in pairwise([*words[1:], ("", 0)]):
        flag, mark, value = word.partition("=")
        place, at = (value, line) if mark else (after, below)
        if not flag.startswith("-"):
            continue
        home = broad(place) and not re.fullmatch(r"/+", place)
        if (folder(flag) and broad(place) and not (_WEB.search(flag) and not home)) or (
            home and not own and _PLACE.match(flag)
        ):
            yield Kind.BROAD_TOOL, at, f"{flag} is the root or a whole home"
        elif every(flag, place):
            yield Kind.BROAD_TOOL, at, f"{flag} lets every command be run"


def _named(words: list[Word], first: str) -> Word | None:
    """What a command that runs no package is called: its program, or the module or file that an interpreter runs."""
    if first in _ENGINES:
        return None
    scripted = first in _SCRIPTED and len(words) > 1
    if first not in _INTERPRETERS and not scripted:
        return words[0]
    rest = [one for one in words[1:] if one[0] not in ("run", "-m")]
    return next((one for one in rest if not one[0].startswith("-") and not one[0].endswith(("/", "\\"))), None)


def _bare(name: str) -> str:
    """A package's, program's or file's name without its version, extras and what it is built into."""
    plain = re.sub(r"[@=#\[~<>].*$", "", name.lstrip("@").replace("\\", "/"))
    return re.sub(r"\.(?:git|exe|py|sh|[cm]?js|ts)$", "", _BUILT.sub("", plain))
