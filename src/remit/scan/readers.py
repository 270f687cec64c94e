"""Which readers a file has, and what they find: bytes to findings. Pure."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    admin,
    asked,
    client,
    cloud,
    code,
    consent,
    defined,
    document,
    dotenv,
    export,
    hcl,
    hinted,
    holder,
    hooked,
    inherited,
    jsonc,
    lines,
    login,
    mixed,
    observed,
    owned,
    plan,
    profile,
    pymixed,
    pysecret,
    recipe,
    rights,
    script,
    sdk,
    settings,
    spoken,
    standing,
    store,
    surround,
    syntax,
    tomldoc,
    tooling,
    toolset,
    toxic,
    tsobject,
    unit,
    unowned,
    worded,
    workflow,
    workload,
    yamldoc,
)
from remit.scan.launch import Told
from remit.scan.sight import Envelope, Met, Sight, held, is_credential

_TRIALS: Final = frozenset(
    {"test", "tests", "testdata", "__tests__", "fixture", "fixtures", "example", "examples", "sample", "samples"}
)


class Reader(Protocol):
    """A reader of one kind of file: whether it reads a file of this path, and what it finds; None when it cannot."""

    @property
    def wants(self) -> Callable[[str], bool]:
        """Say by its path whether a file is, or may be, of this kind."""

    @property
    def read(self) -> Callable[[str, str], tuple[Finding, ...] | None]:
        """Find what stands in the text of a file of this path."""


READERS: Final[tuple[Reader, ...]] = (
    client,
    dotenv,
    profile,
    store,
    unit,
    workflow,
    workload,
    code,
    script,
    recipe,
    cloud,
)


OTHERS: Final = frozenset(
    {
        "bmp", "c", "cc", "cpp", "cs", "css", "eot", "gif", "go", "gz", "h", "hpp", "html", "ico", "ipynb", "java",
        "jpeg", "jpg", "js", "jsx", "kt", "less", "lock", "log", "lua", "map", "mjs", "otf", "pdf", "php", "png",
        "pyc", "rb", "rs", "rst", "scala", "scss", "so", "sql", "svelte", "svg", "swift", "tar", "tsx",
        "ttf", "txt", "vue", "wasm", "webp", "woff", "woff2", "xml", "zip",
    }
)  # fmt: skip
"""Endings of files that no reader wants: most files of a tree are known by them at once."""
_RUN: Final = frozenset({"service", "workload", "unit", "job", "task"})
"""Sorts of holders that may be agents themselves."""
_APPROVES: Final = re.compile(
    r"permissionMode|allowed-tools|permission|[aA]pprov|[aA]llow|yes-always|[aA]utoRun|yolo|autonomy|turbo"
    r"|customizations|[cC]onfirm|isConsequential|\"hooks\"|--dangerously|--trust|--force|--full-auto|acceptEdits"
)
_SUITE: Final = re.compile(r"_test\.ya?ml$")
_ASSERTED: Final = frozenset({Kind.WILDCARD, Kind.ADMIN, Kind.UNPINNED})
"""What a suite of tests for a chart says of what the chart must make, and grants nobody."""
_KEPT: Final = 200_000
"""Characters of a file above which its documents are not kept for its next reader."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one file shows: its findings, and what means something only beside other files."""

    findings: tuple[Finding, ...]
    sights: tuple[Sight, ...]


def wants(path: str) -> bool:
    """Say by its path, written with slashes, whether a file has a reader."""
    if path[path.rfind(".") + 1 :] in OTHERS:
        return False
    return document.wants(path) or any(one.wants(path) for one in READERS)


def read(path: str, data: bytes) -> tuple[Finding, ...] | str:
    """Find what stands in a file that `wants` names, by itself; else the reason why it could not be read."""
    looked = look(path, data, b"")
    return looked if isinstance(looked, str) else looked.findings


def look(path: str, data: bytes, key: bytes) -> Looked | str:
    """Find what stands in a file that `wants` names, and what it shows; else the reason why it could not be read.

    `key` is what stands for secrets is made with. What lies in a folder of tests or examples is found with less
    confidence, and shows nothing.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "not UTF-8" if any(one.wants(path) for one in READERS) else Looked((), ())
    told = _told(path, text)
    if isinstance(told, str):
        return told
    if _SUITE.search(path) and "\ntests:" in text:
        told = [one for one in told if one.kind not in _ASSERTED]
    found = {(one.kind, one.evidence.line): one for one in reversed(told)}
    sights: list[Sight] = []
    for more in _more(path, text, key):
        if not isinstance(more, tuple):
            sights.append(more)
        elif more[:2] not in found:
            agentic = more[0] not in (Kind.INHERITED, Kind.MIXED) or inherited.is_agentic(path, text)
            sure = Confidence.HIGH if agentic else Confidence.MEDIUM
            found[more[:2]] = Finding(more[0], sure, Evidence(path, more[1], more[2]))
            told.append(found[more[:2]])
    if path.endswith(".py"):
        syntax.forget()
    elif len(text) > _KEPT:
        _forget()
    if _TRIALS.isdisjoint(path.lower().split("/")[:-1]):
        return Looked(tuple(told), tuple(dict.fromkeys(sights)))
    return Looked(tuple(replace(one, confidence=Confidence.MEDIUM) for one in told), ())


def _told(path: str, text: str) -> list[Finding] | str:
    found: dict[tuple[str, int, str], Finding] = {}
    for reader in READERS:
        if not reader.wants(path):
            continue
        told = reader.read(path, text)
        if told is None:
            return "not of its format, or nested too deep"
        for one in told:
            found.setdefault((one.kind, one.evidence.line, one.evidence.said), one)
    return list(found.values())


def _forget() -> None:
    """Keep no document of a large file in memory."""
    for kept in (document.read, yamldoc.read, jsonc.read, hcl.read, tomldoc.read, tsobject.objects, tsobject.built):
        kept.cache_clear()


def _more(path: str, text: str, key: bytes) -> Iterator[Told | Sight]:
    """What the credentials, scopes and tools of a file tell, whatever its format."""
    if path.endswith(".py"):
        yield from _code(path, text, key)
        return
    if script.wants(path):
        yield from script.faults(text)
        yield from script.sights(path, text, key)
        return
    if holder.wants(path) or lines.wants(path):
        holders = lines.read(path, text) if lines.wants(path) else holder.read(path, text)
        yield from held(path, (*holders, *holder.off(path, text)), key)
        yield from export.asked(path, holders)
        agentic = inherited.is_agentic(path, text)
        for one in holders:
            if one.sort == "server" or (
                agentic and one.sort in _RUN and inherited.AGENTIC.search(f"{one.name} {one.like}")
            ):
                yield Met(path, one.line, one.sort, one.name)
        yield from inherited.told(path, text, holders)
        yield from standing.told(holders)
        yield from toxic.told_of(holders)
        yield from mixed.told(holders)
        yield from asked.of_holders(holders)
        if agentic:
            yield from unowned.of_unit(path, text)
        if dotenv.wants(path):
            yield Envelope(
                path, sum(bool(pair.text) and is_credential(pair.name) for one in holders for pair in one.pairs)
            )
    elif path.endswith(".tf"):
        yield from inherited.told(path, text, ())
    yield from admin.in_script(text) if worded.wants(path) or unit.wants(path) else ()
    yield from toxic.of_lines(text)
    if document.wants(path):
        yield from mixed.in_document(path, text)
        yield from standing.in_document(path, text)
        yield from admin.told(path, text)
        yield from unowned.told(path, text)
        yield from toxic.told(path, text)
        yield from defined.told(path, text)
        yield from client.in_foreign(path, text)
        yield from settings.told(path, text)
        yield from _approved(path, text)
        yield from _inline(path, text) if "ZipFile" in text else ()
        yield from export.read(path, text)
        yield from export.policies(path, text)
        yield from sdk.granted(path, text)
        yield from sdk.started(path, text)
        yield from rights.told(path, text)
        yield from workload.in_json(path, text)


def _inline(path: str, text: str) -> Iterator[Told | Sight]:
    """What the code that a template holds itself calls."""
    for root in document.read(path, text):
        for part in root.inside():
            code_of = part["ZipFile"].text
            tree = syntax.parse(code_of) if "boto3" in code_of else None
            if tree is not None:
                yield from observed.sights(path, tree)
                syntax.forget()


def _approved(path: str, text: str) -> Iterator[Told]:
    """What an agent's head or an editor's folders let be done with nobody asked."""
    if not client.wants(path) and _APPROVES.search(text):
        for root in document.read(path, text):
            yield from consent.of_document(path, root)


_OTHERS: Final = re.compile("|".join(one.pattern for one in (asked.SIGNS, observed.HINT, unowned.REGISTERS)))


def _of_others(path: str, text: str, tree: ast.AST) -> Iterator[Told | Sight]:
    """What code shows that is no agent's: a sign-in that asks for all, calls of services, a register of agents."""
    try:
        if asked.SIGNS.search(text):
            yield from asked.in_code(text)
        if observed.HINT.search(text):
            yield from observed.sights(path, tree)
        if unowned.REGISTERS.search(text):
            yield from unowned.in_code(tree)
    except (RecursionError, MemoryError):
        return


def _code(path: str, text: str, key: bytes) -> Iterator[Told | Sight]:
    guard = code.wants(path) and hooked.is_script(text)
    agents = code.wants(path) and code.is_agents(text)
    others = not agents and code.wants(path)
    both = others and pymixed.may(text)
    more = others and hinted.may(text) and _OTHERS.search(text)
    tree = syntax.parse(text) if guard or agents or both or more else None
    if tree is None:
        return
    if guard:
        yield from hooked.in_python(tree)
    if both:
        yield from pymixed.in_code(tree)
    if not agents:
        yield from _of_others(path, text, tree) if others else ()
        return
    try:
        holders = spoken.holders(tree)
        yield from held(path, (*holders, *pysecret.holders(path, tree)), key, code=True)
        yield from surround.told(tree) if not tooling.is_place(path) else ()
        yield from login.told(tree)
        yield from standing.told(holders)
        yield from mixed.told(holders)
        yield from asked.in_code(text)
        yield from plan.told(path, text, tree)
        yield from unowned.in_code(tree)
        yield from owned.in_python(tree)
        yield from toolset.told(tree)
        yield from pymixed.in_code(tree)
        yield from observed.sights(path, tree)
        yield from export.policies(path, text)
    except (RecursionError, MemoryError):
        return
