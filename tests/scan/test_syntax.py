"""A tree that is walked once says the same as one that is walked anew, and costs as little as it should."""

import ast
import random
import re
import sys
from types import FrameType

import pytest

from remit.scan import pymixed, readers, syntax
from tests.kit import corpus

CODE = sorted(
    {
        corpus.expand(text, case.name)
        for folder in corpus.FOLDERS
        for code in corpus.codes(folder)
        for case in corpus.cases(code, folder)
        for path, text in case.files
        if path.endswith(".py")
    }
)
ODD = """
import a.b as c
from d import e
global f
def g(h: "i", /, j=1, *k, l: int = 2, **m) -> n:
    nonlocal o
    match p:
        case Q(r=s): pass
        case {"t": u, **v}: pass
        case [w, *x]: pass
        case y as z: pass
    try: pass
    except A as B: pass
async def C(): return f"{D!r:>{E}} {{F}}" "G\\tH" 'I"J'
class K(L, metaclass=M):
    N = (lambda O: (yield O))(1 .real)
    P: Q = [R for S in T if U][V:W]
"""
SAME = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)


@pytest.mark.parametrize("text", [ODD, *random.Random(1).sample(CODE, 40)])
def test_it_walks_and_writes_as_the_library_does(text: str) -> None:
    tree = ast.parse(text)
    assert list(syntax.walk(tree)) == [one for one in ast.walk(tree) if not isinstance(one, SAME)]
    for kind in (ast.Call, ast.Dict, ast.Assign, ast.Constant, ast.Return):
        assert syntax.every(tree, kind) == [one for one in ast.walk(tree) if isinstance(one, kind)]
    assert list(syntax.functions(tree)) == [one for one in ast.walk(tree) if isinstance(one, syntax.Function)]
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            assert syntax.said(node) == ast.unparse(node)
            assert syntax.last(node) == ast.unparse(node).rpartition(".")[2]
            began = re.match(r"\w*", ast.unparse(node).lstrip("("))
            assert syntax.first(node) in ("", began and began[0])
            assert syntax.first(node) or not re.match(r"(?:os|environ|getenv|dict|copy|Path|str)\b", ast.unparse(node))


@pytest.mark.parametrize("text", [ODD, *random.Random(2).sample(CODE, 40)])
def test_every_word_of_the_code_is_among_its_words(text: str) -> None:
    tree = ast.parse(text)
    words = syntax.words(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            assert node.id in words
        for name in ("attr", "name", "arg", "asname", "module", "rest"):
            assert str(getattr(node, name, None) or "") in words
        for name in getattr(node, "names", []) if isinstance(node, ast.Global | ast.Nonlocal) else []:
            assert name in words


def test_where_a_credential_is_seen_the_quick_look_lets_it_be_looked_for() -> None:
    seen = 0
    for text in CODE:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call | ast.Subscript | ast.Attribute | ast.Name | ast.Constant):
                written, words = ast.unparse(node), syntax.words(node).lower()
                if pymixed._PERSON_CODE.search(written):
                    assert pymixed._MAY_PERSON.search(words), written
                    seen += 1
                if pymixed._SERVICE_CODE.search(written) or pymixed._own(written):
                    assert pymixed._MAY_SERVE.search(words), written
                    seen += 1
        syntax.forget()
    assert seen > 100


def test_a_large_module_costs_few_calls_for_each_byte() -> None:
    """The calls of Python functions are counted, not seconds: they are the same on every machine."""
    part = '''
@tool
def find_{0}(query: str, limit: int = 10) -> list[dict[str, str]]:
    """Find what is asked for."""
    rows = client_{0}.get(f"https://api.example.net/v1/{0}", params={{"q": query, "limit": limit}}).json()
    return [{{"title": row["title"], "text": row["body"]["text"][:300]}} for row in rows if row.get("ok")]
'''
    text = "from langchain.tools import tool\n" + "".join(part.format(one) for one in range(200))
    made = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    try:
        readers.look("agent.py", text.encode(), b"k")
    finally:
        sys.setprofile(None)
    assert made < 4 * len(text)
