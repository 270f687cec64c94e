"""Where async, a clock, chance and a permit may be: the rules of the floors that import contracts cannot see."""

import ast
import tomllib
from collections.abc import Iterator

import pytest

from tests.house.tree import ROOT, modules, texts

FACES = (
    "src/remit/web/",
    "src/remit/gateway/serve",
    "src/remit/gateway/upstream/",
    "src/remit/scan/kept",
    "src/remit/scan/walk",
    "src/remit/sdk/",
)
"""The only asynchronous code."""

CLOCKED = (*FACES, "src/remit/cli/", "src/remit/control/authority.py")
"""The only code that may read a clock or draw randomness; everything else is given the instant and the bytes."""

PURE = (
    "remit.core",
    "remit.ledger",
    "remit.gateway.enforce",
    "remit.gateway.mcp",
    "remit.gateway.postgres",
    "remit.gateway.api",
)
"""What does no I/O, reads no clock and draws no randomness."""

PERMIT_BORN_IN = {"src/remit/control/decision.py", "src/remit/control/batch.py"}

CLOCKS = {"random", "secrets", "time", "uuid"}
READS = {
    *(("datetime", read) for read in ("now", "today", "utcnow")),
    *(("os", draw) for draw in ("getrandom", "urandom")),
    ("date", "today"),
}
SQL_CLOCKS = ("'now'", "current_timestamp", "current_time", "current_date", "unixepoch(", "randomblob(", "random()")


def colours(tree: ast.Module) -> Iterator[int]:
    kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    yield from (node.lineno for node in ast.walk(tree) if isinstance(node, kinds))


def clocks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name) for name in names if name.name.split(".")[0] in CLOCKS)
            case ast.ImportFrom(module=str(module), names=names):
                if module in CLOCKS:
                    yield node.lineno, module
                yield from ((node.lineno, name.name) for name in names if (module, name.name) in READS)
            case ast.Attribute(value=ast.Name(id=left) | ast.Attribute(attr=left), attr=right) if (
                left,
                right,
            ) in READS:
                yield node.lineno, f"{left}.{right}"


def permits(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Permit") | ast.Attribute(attr="Permit")):
                yield node.lineno


def test_only_the_faces_are_asynchronous() -> None:
    found = {where: list(colours(tree)) for where, tree in modules().items() if not where.startswith(FACES)}
    assert {where: lines for where, lines in found.items() if lines} == {}


def test_only_the_authority_and_the_faces_read_a_clock_or_draw_randomness() -> None:
    found = {where: list(clocks(tree)) for where, tree in modules().items() if not where.startswith(CLOCKED)}
    assert {where: reads for where, reads in found.items() if reads} == {}


def test_the_store_keeps_no_clock_of_its_own() -> None:
    texts_of_the_store = [(where, text.lower()) for where, text in texts() if where.startswith("src/remit/store/")]
    assert [(where, word) for where, text in texts_of_the_store for word in SQL_CLOCKS if word in text] == []


def test_the_contract_of_purity_names_every_pure_part() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    named = {source for contract in contracts if contract["id"] == "pure" for source in contract["source_modules"]}
    stems = [ROOT / "src" / part.replace(".", "/") for part in PURE]
    there = {part for part, stem in zip(PURE, stems, strict=True) if stem.is_dir() or stem.with_suffix(".py").is_file()}
    assert there - named == set()


def test_a_permit_is_built_in_one_place() -> None:
    built = [where for where, tree in modules().items() for _ in permits(tree)]
    assert len(built) == 1, f"Permit( stands in {built}"
    assert set(built) <= PERMIT_BORN_IN


@pytest.mark.parametrize(
    "fault",
    [
        "import time",
        "import time as t",
        "from time import monotonic",
        "from os import urandom",
        "import os\nos.urandom(16)",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now(None)",
        "import random",
        "from secrets import token_bytes",
    ],
)
def test_a_planted_clock_is_seen(fault: str) -> None:
    assert list(clocks(ast.parse(fault)))


@pytest.mark.parametrize("fault", ["async def f(): ...", "async def f():\n    await g()"])
def test_planted_asynchronous_code_is_seen(fault: str) -> None:
    assert list(colours(ast.parse(fault)))


@pytest.mark.parametrize("fault", ["Permit(1)", "decision.Permit(1)", "f(x, decision.Permit())"])
def test_a_planted_permit_is_seen(fault: str) -> None:
    assert list(permits(ast.parse(fault)))
