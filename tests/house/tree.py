"""The tree as the house tests read it: files as text, modules as syntax."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "remit"
VENDORED = "src/remit/web/static/vendor/"
TEXTS = {
    "",
    ".cedar",
    ".cfg",
    ".css",
    ".csv",
    ".html",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}


def place(path: Path) -> str:
    """The path as people write it: from the root of the tree, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def files() -> tuple[Path, ...]:
    """Every file of ours: no hidden folder but .ci, nothing that was built, nothing vendored."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                hidden = entry.name.startswith(".") and entry.name != ".ci"
                if not hidden and entry.name not in ("__pycache__", "build", "dist"):
                    yield from _walk(path)
            elif (
                not place(path).startswith(VENDORED) and entry.name != ".git" and not entry.name.startswith(".coverage")
            ):
                yield path


def texts() -> Iterator[tuple[str, str]]:
    """Each text file: its place and what it says."""
    for path in files():
        if path.suffix in TEXTS:
            yield place(path), path.read_text(encoding="utf-8")


@cache
def modules(top: str = "src/remit") -> dict[str, ast.Module]:
    """Every Python file below `top`, parsed, by its place."""
    return {place(p): parse(place(p)) for p in files() if p.suffix == ".py" and place(p).startswith(f"{top}/")}


@cache
def parse(where: str) -> ast.Module:
    """The syntax of one Python file."""
    return ast.parse((ROOT / where).read_text(encoding="utf-8"), filename=where)


def names_test(node_id: str) -> bool:
    """Say whether a pytest node id such as `tests/core/test_ids.py::test_parse` names a test that exists."""
    where, *inner = node_id.split("[", 1)[0].split("::")
    path = ROOT / where
    if not inner or not where.startswith("tests/") or path.suffix != ".py" or not path.is_file():
        return False
    body: list[ast.stmt] = parse(where).body
    for name in inner:
        found = [
            n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and n.name == name
        ]
        if not found:
            return name == inner[-1] and f"{name} = " in path.read_text(encoding="utf-8")
        body = found[0].body
    return inner[-1].startswith("test")
