"""Reader of GitHub Actions workflows: secrets, mounts, agents let loose and unpinned steps with a credential. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    addressed,
    client,
    consent,
    jsonc,
    launch,
    mounted,
    packaged,
    secret,
    server,
    uttered,
    wrapped,
    yamldoc,
)
from remit.scan.launch import Told
from remit.scan.node import NOTHING, Node
from remit.scan.said import short
from remit.scan.sight import is_credential
from remit.scan.wrapped import Word

_PLACE: Final = re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$")
_SECRET: Final = re.compile(r"\$\{\{\s*secrets\.")
_INPUT: Final = re.compile(r"\$\{\{\s*inputs\.([\w-]+)\s*\}\}")
_SHA: Final = re.compile(r"@[0-9a-f]{40}$")
_OURS: Final = ("actions/", "github/", "./")
_TAKEN: Final = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return bool(_PLACE.search(path))


def read(path: str, text: str) -> tuple[Finding, ...] | None:
    """Find what stands in this file; None when it is no YAML."""
    documents = yamldoc.read(text)
    if documents is None:
        return None
    found = [one for root in documents for part, lent in _parts(root) for one in _part(part, lent=lent)]
    found += [one for number, line in enumerate(text.split("\n"), 1) for one in _line(line, number)]
    unpinned = {line for kind, line, _ in found if kind is Kind.UNPINNED}
    found += [one for root in documents for one in _moving(root) if one[1] not in unpinned]
    known = {line for kind, line, _ in found if kind is Kind.LITERAL_SECRET}
    found += [one for root in documents for part in root.inside() for one in _typed(part) if one[1] not in known]
    return tuple(
        Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in dict.fromkeys(found)
    )


def _parts(root: Node) -> Iterator[tuple[Node, bool]]:
    """Every part of a workflow; with it whether the workflow or its job gives it a stored secret."""
    above = _is_given(root["env"])
    for name, part in root.members.items():
        jobs = part.members.values() if name == "jobs" else [part]
        yield from ((one, above or _is_given(job["env"])) for job in jobs for one in job.inside())
    yield root, False


def _is_given(part: Node) -> bool:
    """Say whether variables or inputs hold a stored secret, or an action's input that is called as one."""
    texts = [one.text for one in part.members.values() if "${{" in one.text]
    return any(
        _SECRET.search(one) or any(is_credential(named[1].replace("-", "_")) for named in _INPUT.finditer(one))
        for one in texts
    )


def _part(part: Node, *, lent: bool) -> Iterator[Told]:
    for name, value in part["env"].members.items():
        yield from server.variable("env", name, value)
    for name, value in (*part["with"].members.items(), *part["credentials"].members.items()):
        if value.text and secret.is_written(name, value.text):
            yield Kind.LITERAL_SECRET, value.line, f"{name} holds a literal value"
    if part["with"]["sandbox"].text == "danger-full-access":
        yield Kind.BROAD_TOOL, part["with"]["sandbox"].line, "the agent's commands run with no sandbox"
    yield from _mounts(part)
    yield from _approved(part)
    yield from _inside(part)
    yield from _used(part, lent=lent)
    yield from _contained(part, lent=lent)
    keyed = lent or _is_given(part["env"])
    for words in commands(part["run"]):
        yield from _run(words, keyed=keyed)


_ASKED: Final = frozenset({"-y", "--yes", "uvx", "pipx", "dlx", "go", "dnx", "deno", "install", "i", "add"})
"""Words that say that a package is fetched; without one it may be a dependency of the project."""


def _inside(part: Node) -> Iterator[Told]:
    """Servers that a step is told of by a text of settings among its inputs."""
    for value in part["with"].members.values():
        if value.text.lstrip().startswith("{") and (inner := jsonc.read(value.text)) is not None:
            for name, one in client.servers(inner.below(value.line - ("\n" not in value.text)), client.FOREIGN):
                yield from ((kind, line, f"server {name}: {said}") for kind, line, said in server.told(one))


def _mounts(part: Node) -> Iterator[Told]:
    """What a container of a job, or one that a step starts, mounts of its machine."""
    yield from mounted.binds([(one.text, one.line) for one in part["volumes"].items])
    for options in (part["options"] if part["image"].text else NOTHING, part["with"]["options"]):
        yield from mounted.mounts(_words(options.text, options.line))


def _run(words: list[Word], *, keyed: bool) -> Iterator[Told]:
    asked = any(word in _ASKED or re.search(r"@(?:latest|next|beta|main|\^|~)", word) for word, _ in words)
    asked = asked or packaged.image_of(wrapped.bare(words)) is not None
    yield from (one for one in launch.told(words, keyed=keyed) if one[0] is not Kind.UNPINNED or asked)
    yield from addressed.spoken(words)


def _contained(part: Node, *, lent: bool) -> Iterator[Told]:
    """Images of a job's container and of its services that are given a stored secret."""
    own = lent or _is_given(part["env"])
    for one, above in ((part["container"], own), *((one, False) for one in part["services"].members.values())):
        image = one if one.text else one["image"]
        if image.text and (above or _is_given(one["env"])) and not packaged.pinned_image(image.text):
            yield Kind.UNPINNED, image.line, "an image with no exact version is given a credential"


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


def _typed(part: Node) -> Iterator[Told]:
    """Secrets in the lines of a script."""
    run = part["run"]
    for line, said in uttered.literals(run.text, run.line + ("\n" in run.text)) if run.text else ():
        yield Kind.LITERAL_SECRET, line, said


def commands(run: Node) -> Iterator[list[Word]]:
    """The commands of a script, each word with its line. A backslash at a line's end continues it."""
    held: list[Word] = []
    text = _TAKEN.sub(lambda one: "${{" + one[1].replace(" ", "") + "}}", run.text)
    for offset, line in enumerate(text.split("\n")):
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
    return [(word.strip("\"'"), at) for word in wrapped.split(text)]


def _used(part: Node, *, lent: bool) -> Iterator[Told]:
    uses = part["uses"]
    image = uses.text.startswith("docker://")
    if (
        not uses.text
        or uses.text.startswith(_OURS)
        or (packaged.pinned_image(uses.text[9:]) if image else _SHA.search(uses.text))
    ):
        return
    called = part["secrets"].text == "inherit" or bool(part["secrets"].members)
    if called or lent or _is_given(part["with"]) or _is_given(part["env"]):
        said = "an image with no exact version" if image else "a step of others at a tag or branch"
        yield Kind.UNPINNED, uses.line, f"{said} is given a credential"


_BRANCH: Final = re.compile(
    r"@(?:main|master|trunk|dev|develop|development|HEAD|stable|nightly|(?:releases?|heads|maint|support)/[\w./-]{1,80})$"
)


def _moving(root: Node) -> Iterator[Told]:
    """Steps of others at a branch, in a job whose identity they may ask for: who writes to the branch acts as it."""
    for job in root["jobs"].members.values():
        rights = job["permissions"] if job["permissions"].value is not None else root["permissions"]
        if rights.text != "write-all" and rights["id-token"].text != "write":
            continue
        for one in job["steps"].items:
            uses = one["uses"]
            if _BRANCH.search(uses.text) and not uses.text.startswith(_OURS):
                yield Kind.UNPINNED, uses.line, "a step of others at a branch may ask for the identity of its job"


def _line(line: str, number: int) -> Iterator[Told]:
    yield from consent.shell(line, number)
    yield from consent.loose(line, number)
