"""The codes that the source uses, and docs/errors.md, the page that explains them.

`python -m tests.house.errors --write` brings the page up to date: a row that stands is kept, a code that is gone
loses its row, and a new code gets a row from the words that stand beside it in the source, to be made better by hand.
Files of `code | cause | remedy` lines given after --write replace what the page says of those codes.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.tree import ROOT, modules

PAGE = ROOT / "docs" / "errors.md"
HEAD = ("| code | cause | remedy |", "|---|---|---|")


@dataclass(frozen=True)
class Use:
    """A code where the source says it, with the words beside it."""

    where: str
    code: str
    words: tuple[str, ...]


def carriers() -> dict[str, set[int]]:
    """What takes a parameter or field called `code`: function or class name to the places of that parameter."""
    found: dict[str, set[int]] = defaultdict(set)
    for tree in modules().values():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    names, called = _parameters(node), node.name
                case ast.ClassDef(body=body):
                    made = [one for one in body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
                    fields = [
                        f.target.id for f in body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)
                    ]
                    names, called = (_parameters(made[0]) if made else fields), node.name
                case _:
                    continue
            if "code" in names and called != "__init__":
                found[called].add(names.index("code"))
    return found


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def uses() -> list[Use]:
    """Every code that is written out in the source."""
    known = carriers()
    found = [use for where, tree in modules().items() for use in _in(where, tree, known)]
    return found + [use for where, tree in modules().items() for use in _listed(where, tree)]


def _listed(where: str, tree: ast.Module) -> Iterator[Use]:
    """The members of each enumeration that is the type of a field called `code`."""
    types = {
        node.annotation.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) == "code"
        and isinstance(node.annotation, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in types:
            yield from (Use(where, code, ()) for _, code in _constants(node))


def _in(where: str, tree: ast.Module, known: dict[str, set[int]]) -> Iterator[Use]:
    fixed = dict(_constants(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in known:
                for index in known[name]:
                    given = [k.value for k in node.keywords if k.arg == "code"]
                    given += node.args[index : index + 1]
                    words = tuple(t for a in node.args[index + 1 : index + 3] if (t := _said(a)))
                    for value in given:
                        yield from (Use(where, code, words) for code in _codes(value, fixed))


def _constants(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
                yield name, text
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _codes(value: ast.expr, fixed: dict[str, str]) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(code)) if code:
            yield code
        case ast.Name(id=name) if name in fixed:
            yield fixed[name]
        case ast.IfExp(body=one, orelse=other):
            yield from _codes(one, fixed)
            yield from _codes(other, fixed)


def _said(value: ast.expr) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(p.value if isinstance(p, ast.Constant) else "…" for p in parts)
    return ""


def rows() -> dict[str, tuple[str, str]]:
    """What the page says: code to cause and remedy. A code in two rows is an error."""
    found: dict[str, tuple[str, str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            code, cause, remedy = (cell.strip() for cell in line.strip("|").split("|"))
            if code.strip("`") in found:
                raise ValueError(f"{code} has two rows")
            found[code.strip("`")] = (cause, remedy)
    return found


def write(extra: list[Path]) -> None:
    """Bring the page up to date."""
    kept = rows()
    for path in extra:
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if len(cells) == 3 and cells[0] != "code":
                kept[cells[0]] = (cells[1], cells[2])
    used: dict[str, list[Use]] = defaultdict(list)
    for use in uses():
        used[use.code].append(use)
    table = []
    for code in sorted(used):
        cause, remedy = kept.get(code) or _suggested(used[code])
        table.append(f"| `{code}` | {cause} | {remedy} |")
    text = PAGE.read_text(encoding="utf-8")
    above = text[: text.index(HEAD[0])]
    PAGE.write_text(above + "\n".join((*HEAD, *table)) + "\n", encoding="utf-8")


def _suggested(places: list[Use]) -> tuple[str, str]:
    best = max((use.words for use in places), key=len)
    cause, remedy = (*best, "", "")[:2]
    return cause.replace("|", "/"), remedy.replace("|", "/")


if __name__ == "__main__" and sys.argv[1:2] == ["--write"]:
    write([Path(name) for name in sys.argv[2:]])
