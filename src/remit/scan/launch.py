"""What a command line starts: with which package, image, mounts, folders and checks. Pure.

Lines of commands come from clients' files, units, workflows and code alike. A word is a text and its line.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import checked, mounted, opened, packaged, secret
from remit.scan.wrapped import Word, bare, parts, program

Told = tuple[Kind, int, str]

_MODE: Final = re.compile(r"^GOOSE_MODE$|(?:^|_)(?:APPROVAL_(?:MODE|POLICY)|PERMISSION_MODE)$")
_ASKED: Final = re.compile(
    r"^(?:\w+_)?(?:(?:REQUIRE|ASK)_(?:TOOL_|HUMAN_)?(?:APPROVALS?|CONFIRMATION|CONSENT|PERMISSION)"
    r"|HUMAN_IN_THE_LOOP|(?:HUMAN_)?APPROVAL_(?:REQUIRED|ENABLED)"
    r"|TOOL_(?:APPROVAL|CONFIRMATION)(?:_REQUIRED|_ENABLED)?|(?:SECURITY_)?CONFIRMATION_MODE|CONFIRM_(?:TOOLS?"
    r"|COMMANDS?|ACTIONS?|WRITES?))$"
)
_UNASKED: Final = re.compile(
    r"^(?!(?:TF|TERRAFORM|PULUMI|TERRAGRUNT|RENOVATE|DEPENDABOT|ATLANTIS)_|(?:\w+_)?(?:PR|MR|MERGE"
    r"|REVIEW)S?_)(?:\w+_)?(?:AUTO_APPROVE(?:_ALL|_TOOLS?|_TOOL_CALLS|_COMMANDS)?|BYPASS_(?:TOOL_)?(?:CONSENT"
    r"|APPROVALS?|PERMISSIONS?)"
    r"|(?:SKIP|DISABLE|NO)_(?:TOOL_)?(?:PERMISSIONS|APPROVALS?|CONFIRM(?:ATIONS?)?|PERMISSION_(?:CHECKS|PROMPTS?))"
    r"|AUTO_(?:RUN|EXECUTE|CONFIRM)_(?:TOOLS?|COMMANDS?)|(?:AGENTS?|TOOLS?|COMMANDS?|INTERPRETER)_AUTO_(?:RUN"
    r"|EXECUTE|CONFIRM)|YOLO(?:_MODE)?|YES_ALWAYS|ALLOW_ALL_TOOLS"
    r"|DANGEROUSLY_(?:SKIP_PERMISSIONS|ALLOW_ALL|AUTO_APPROVE|BYPASS_APPROVALS))$|^COPILOT_ALLOW_ALL$"
)


def unasked(name: str, value: str) -> bool:
    """Say whether a variable of this name and value tells an agent to ask nobody."""
    bare = value.strip("\"' ").lower()
    if _MODE.search(name):
        return bare in (
            "auto",
            "never",
            "yolo",
            "bypasspermissions",
            "acceptedits",
            "none",
            "full-auto",
            "auto-high",
            "full_auto",
            "auto_edit",
            "auto-edit",
            "unrestricted",
        )
    if _ASKED.search(name):
        return bare in ("0", "false", "no", "off")
    return bool(_UNASKED.search(name)) and bare in ("1", "true", "yes", "on", "all")


def told(words: list[Word], *, limits: bool = False, keyed: bool | None = None) -> Iterator[Told]:
    """What is wrong with a started command.

    `limits` says that its environment lists what it may run, `keyed` whether it is given a credential beside its words;
    None where that is not known.
    """
    if not words:
        return
    given = keyed is not False or packaged.keyed(words)
    whole, words = words, bare(words)
    yield from _literals([one for one in whole if _SETS.match(one[0]) and one not in words])
    yield from _literals(words)
    yield from dict.fromkeys(one for part in (words, *parts(words)) for one in checked.told(part))
    for part in parts(words):
        yield from _started(part, limits=limits, keyed=given)
        if keyed:
            yield from _installs(part)


def _started(words: list[Word], *, limits: bool, keyed: bool, depth: int = 0) -> Iterator[Told]:
    """One command that is started, and what it is told to start in turn."""
    if not words:
        return
    first = program(words[0][0])
    if first in packaged.ENGINES or first in mounted.BINDS:
        yield from mounted.mounts(words, first)
    package = packaged.package_of(words)
    if first in packaged.ENGINES:
        image = packaged.image_of(words)
        if image and packaged.keyed(words) and not packaged.pinned_image(image[0]):
            yield Kind.UNPINNED, image[1], f"{first} runs an image with no exact version"
    elif package and keyed and not packaged.pinned(first, package[0]):
        yield Kind.UNPINNED, package[1], f"{first} runs a package with no exact version"
    yield from opened.told(words, package, limits=limits)
    for inner in packaged.commands(words) if depth < _DEEPEST else ():
        yield from _started(bare(inner), limits=limits, keyed=keyed, depth=depth + 1)


_DEEPEST: Final = 2
"""Commands that are started by another, one within the next."""


def _installs(words: list[Word]) -> Iterator[Told]:
    first = program(words[0][0]) if words else ""
    for package in packaged.installed(words):
        if not packaged.pinned("npm" if first in ("npm", "pnpm", "yarn", "bun") else first, package[0]):
            yield Kind.UNPINNED, package[1], f"{first} installs a package with no exact version"


_SETS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_STORED: Final = re.compile(r"--secret (?:[\w.-]+[,:]|\w+=)")
"""How a stored secret is named to a container engine, or to a cloud."""


def _literals(words: list[Word]) -> Iterator[Told]:
    for place, (word, line) in enumerate(words):
        flag, mark, value = word.removeprefix("--env=").partition("=")
        named = flag.lstrip("-")
        if mark and secret.is_name(flag) and secret.is_literal(value):
            yield Kind.LITERAL_SECRET, line, f"argument {flag} holds a literal value"
        elif not mark and word.startswith("-") and secret.is_name(named) and place + 1 < len(words):
            given, below = words[place + 1]
            stored = _STORED.match(f"{word} {given}") or (
                word == "--secret" and program(words[0][0]) in packaged.ENGINES
            )
            if not given.startswith("-") and secret.is_literal(given) and not stored:
                yield Kind.LITERAL_SECRET, below, f"argument {word} holds a literal value"
        elif re.match(r"(?i)(?:[\w-]+: *)?(?:bearer|basic) ", word) and secret.is_literal(word.split(": ")[-1]):
            yield Kind.LITERAL_SECRET, line, "a header among the arguments holds a literal value"
        elif secret.is_known(word):
            yield Kind.LITERAL_SECRET, line, "an argument holds a literal secret"
