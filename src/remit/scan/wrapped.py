"""The words of a command, and the command that others (shells, environments, keepers of secrets) only start. Pure."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

Word = tuple[str, int]

SHELLS: Final = frozenset({"bash", "sh", "zsh", "dash", "ash", "fish"})
_POWERSHELL: Final = frozenset({"powershell", "pwsh"})
_SETS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLAIN: Final[Mapping[str, frozenset[str]]] = {
    "env": frozenset({"-u", "--unset", "-C", "--chdir"}),
    "sudo": frozenset({"-u", "--user", "-g", "--group", "-C", "-h", "-p"}),
    "exec": frozenset({"-a"}),
    "nohup": frozenset(),
    "time": frozenset(),
    "nice": frozenset({"-n", "--adjustment"}),
    "ionice": frozenset({"-c", "-n"}),
    "setsid": frozenset(),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "tini": frozenset(),
    "dumb-init": frozenset(),
    "caffeinate": frozenset({"-t"}),
    "xvfb-run": frozenset({"-n", "-s", "--server-args"}),
}
"""Programs that run the words behind their flags, and which of those flags take a value."""
_AFTER: Final = frozenset(
    {"op", "doppler", "infisical", "aws-vault", "chamber", "dotenvx", "dotenv", "envchain", "mise", "teller", "sops",
     "vault", "bws", "akeyless", "with-secrets", "secretspec", "direnv", "fnox"}
)  # fmt: skip
"""Programs that fetch what a command needs and run it, behind `--` or behind `exec` and a name."""


def bare(words: list[Word]) -> list[Word]:
    """The words without those that only start another command: `cmd /c`, `env`, `sudo`, `wsl`, `op run --`."""
    for _ in range(8):
        inner = _inside(words)
        if inner is None:
            return words
        if not inner:
            return [("sh", 0)]
        words = inner
    return words


def _inside(words: list[Word]) -> list[Word] | None:
    """The command that such words only start; None when they start nothing else."""
    if len(words) < 2:
        return None
    first = program(words[0][0])
    if _SETS.match(words[0][0]):
        return words[1:]
    if first in _PLAIN:
        return _past_flags(words[1:], _PLAIN[first])
    if first == "timeout":
        rest = _past_flags(words[1:], frozenset({"-k", "-s", "--signal", "--kill-after"}))
        return rest[1:] or None
    if first in SHELLS or first in _POWERSHELL or first == "cmd":
        return _line(words, first)
    if first == "wsl":
        rest = _past_flags(words[1:], frozenset({"-d", "--distribution", "-u", "--user", "--cd"}), "-e", "--exec")
        return rest or None
    return _kept(words) if first in _AFTER else None


def _past_flags(words: list[Word], valued: frozenset[str], *ends: str) -> list[Word]:
    """The words behind the flags that they begin with; `--` and those of `ends` are the last of them."""
    at = 0
    while at < len(words) and words[at][0].startswith("-"):
        word = words[at][0]
        at += 2 if word in valued else 1
        if word == "--" or word in ends:
            break
    return words[at:]


def _line(words: list[Word], first: str) -> list[Word] | None:
    """What a shell is told to run: the line behind `-c`, the words behind `/c` or `-Command`."""
    for at, (word, _) in enumerate(words[1:4], 1):
        rest = words[at + 1 :]
        if first == "cmd" and re.fullmatch(r"/[a-z]", word, re.IGNORECASE):
            if word.lower() in ("/c", "/k"):
                return _split(rest) if rest else None
        elif first in _POWERSHELL and word.lower() in ("-command", "-c", "/c"):
            return _split(rest) if rest else None
        elif first in SHELLS and re.fullmatch(r"-[a-z]*c", word):
            return (spread(*rest[0]) or rest[1:]) if rest else None
        elif not word.startswith("-"):
            return None
    return None


def spread(text: str, line: int) -> list[Word]:
    """The words of a shell's script, each with its line; what stands in lines of its own begins below."""
    if "\n" not in text.strip():
        return [(one, line) for one in split(text)]
    words: list[Word] = []
    for number, one in enumerate(text.split("\n"), line + 1):
        goes_on = one.rstrip().endswith("\\")
        words += [(word, number) for word in split(one.rstrip().removesuffix("\\"))]
        words += [] if goes_on else [(";", number)]
    return words


def _split(rest: list[Word]) -> list[Word]:
    """Words as they are; a line that is one word, by its spaces."""
    return [(one, rest[0][1]) for one in split(rest[0][0])] if len(rest) == 1 else rest


def _kept(words: list[Word]) -> list[Word] | None:
    """The command that a keeper of secrets runs: what stands behind `--`."""
    texts = [word for word, _ in words]
    return words[texts.index("--") + 1 :] or None if "--" in texts else None


def parts(words: list[Word]) -> Iterator[list[Word]]:
    """The single commands of a shell's line, each without what only starts it."""
    held: list[Word] = []
    for word, line in words:
        if word in ("&&", "||", ";", "|", "&"):
            yield bare(held)
            held = []
            continue
        held.append((word.removesuffix(";"), line))
        if word.endswith(";"):
            yield bare(held)
            held = []
    yield bare(held)


def program(word: str) -> str:
    """The bare name of a program, however it is spelled."""
    name = re.split(r"[/\\]", word)[-1].lower()
    return re.sub(r"\.(?:exe|cmd|bat|ps1)$", "", name)


def split(line: str) -> list[str]:
    """The words of a shell's line; at its spaces where its quotes do not close."""
    if "$(" in line:
        line = re.sub(r"\$\([^()]{0,200}\)", lambda one: one[0].replace(" ", "\u00a0"), line)
    try:
        return shlex.split(line)
    except ValueError:
        return line.split(" ") if "\u00a0" in line else line.split()
