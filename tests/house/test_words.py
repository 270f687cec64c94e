"""What no file of the tree may say: a machine's paths, a registry's hosts, work that was left undone."""

import ast
import re

import pytest

from tests.house.tree import modules, texts

HERE = "tests/house/test_words.py"
ELSEWHERE = (HERE, "tests/vectors/scan/")
"""What is scanned is other people's configuration: it names their folders."""

ANYWHERE = {
    "a machine's path": r"(?<![\w.])/(?:work|home/\w+|Users/\w+)/[a-z]",
    "a registry's host": r"\b(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)\b|\b(?:proxy\.golang\.org|crates\.io)\b",
    "an index": r"--(?:extra-)?index-url|--find-links|\bindex-url\s*=",
    "work left undone": r"\b(?:TODO|FIXME|XXX)\b|NotImplementedError",
}
OUTSIDE_TESTS = {"a machine's path": r"(?<![\w.])/(?:root|tmp)/[a-z]"}
IDLE: dict[str, str] = {}
"""Files with one listener that has nothing to do, each with the reason."""
SKIPS = {"skip", "skipif", "skipIf", "skipUnless", "xfail", "importorskip", "SkipTest", "expectedFailure"}


def said(where: str, text: str) -> list[str]:
    rules = [*ANYWHERE.items(), *(() if where.startswith("tests/") else OUTSIDE_TESTS.items())]
    return [f"{where}: {what}: {found.group()}" for what, rule in rules for found in re.finditer(rule, text)]


def skips(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in SKIPS
            and ast.unparse(node.value).startswith(("pytest", "unittest"))
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.module in ("pytest", "unittest")
            and SKIPS & {n.name for n in node.names}
        )
    ]


def stubs(tree: ast.AST) -> list[int]:
    """Functions that do nothing at all; a protocol's methods and a group of commands are not meant to."""
    protocols = {
        id(m)
        for c in ast.walk(tree)
        if isinstance(c, ast.ClassDef) and "Protocol" in map(_name, c.bases)
        for m in c.body
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in protocols:
            rest = node.body[1:] if ast.get_docstring(node) else node.body
            overload = any(_name(one) in ("overload", "abstractmethod", "group") for one in node.decorator_list)
            if not overload and all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in rest):
                found.append(node.lineno)
    return found


def _name(node: ast.expr) -> str:
    return re.split(r"[\[(]", ast.unparse(node))[0].rsplit(".", 1)[-1]


def test_no_file_says_what_only_one_machine_knows_or_what_is_left_to_do() -> None:
    assert [line for where, text in texts() if not where.startswith(ELSEWHERE) for line in said(where, text)] == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    assert {where: skips(tree) for where, tree in modules("tests").items() if skips(tree)} == {}


def test_no_function_is_a_stub() -> None:
    found = {where: len(stubs(tree)) for where, tree in modules().items() if stubs(tree)}
    assert found == dict.fromkeys(IDLE, 1)


@pytest.mark.parametrize("fault", ["see /work/main/x", "/home/me/x", "/root/x", "pip --index-url x", "# TODO: later"])
def test_a_planted_word_is_seen(fault: str) -> None:
    assert said("docs/x.md", fault)


@pytest.mark.parametrize(
    "fault", ["pytest.skip()", "@pytest.mark.xfail\ndef test(): ...", "from unittest import SkipTest"]
)
def test_a_planted_skip_is_seen(fault: str) -> None:
    assert skips(ast.parse(fault))


def test_a_planted_stub_is_seen() -> None:
    assert stubs(ast.parse('def f():\n    "Says what it would do."\n    ...'))
    assert not stubs(ast.parse("class P(Protocol):\n    def f(self): ..."))
    assert not stubs(ast.parse('@click.group("f")\ndef f():\n    "Says what its commands do."'))
