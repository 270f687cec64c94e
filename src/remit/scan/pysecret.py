"""Secrets that Python holds where no name stands beside them: in any text, a default, a login (AG101). Pure.

The code is parsed, never run.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import project, secret, syntax
from remit.scan.launch import Told
from remit.scan.sight import FOLDER, Holder, Pair

_LOGINS: Final = re.compile(
    r"(?:Bearer|Basic|Digest|Token|APIKey|ApiKey)Auth$|^(?:HTTPBasicAuth|HTTPDigestAuth|SecretStr|AzureKeyCredential|ClientSecretCredential|UsernamePasswordCredential)$"
)
"""What is built of a secret that is given by its place."""


def told(text: str, tree: ast.AST, known: Iterable[Told]) -> Iterator[Told]:
    """Secrets on lines of which none was told yet."""
    lines = {line for kind, line, _ in known if kind is Kind.LITERAL_SECRET}
    for line, said in _found(text, tree):
        if line not in lines:
            lines.add(line)
            yield Kind.LITERAL_SECRET, line, said


def _found(text: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for function in syntax.functions(tree):
        yield from _defaults(function.args)
    for call in syntax.every(tree, ast.Call):
        yield from _logins(call)
        yield from _options(call)
        yield from (found for word in call.keywords for found in _many(word.arg or "", word.value))
    for target, value in _assigned(tree):
        yield from _many(target, value)
        if isinstance(value, ast.Call):
            yield from _field(target, value)
    if secret.may_hold(text):
        for one in syntax.every(tree, ast.Constant):
            if isinstance(one.value, str) and len(one.value) >= secret.SHORTEST and secret.is_known(one.value):
                yield _line(one), "a text holds a literal secret"


def _assigned(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for one in syntax.every(tree, ast.Assign):
        yield from ((target.id, one.value) for target in one.targets if isinstance(target, ast.Name))
    for note in syntax.every(tree, ast.AnnAssign):
        if isinstance(note.target, ast.Name) and note.value is not None:
            yield note.target.id, note.value


def _field(name: str, call: ast.Call) -> Iterator[tuple[int, str]]:
    """A field of settings, with what stands for it where nothing is set."""
    if syntax.last(call.func) not in ("Field", "field", "Option", "Setting", "config"):
        return
    for one in (*call.args[:1], *(word.value for word in call.keywords if word.arg == "default")):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and secret.is_written(name, one.value):
            yield one.lineno, f"{name} has a literal value where it is not set"


def _options(call: ast.Call) -> Iterator[tuple[int, str]]:
    """An option of a command line, with what stands for it where it is not given."""
    flags = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    given = [word.value for word in call.keywords if word.arg == "default"]
    for one in given if any(flag.startswith("--") for flag in flags) else ():
        text = one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else ""
        if any(secret.is_written(flag, text) for flag in flags if flag.startswith("--")):
            yield one.lineno, "an option has a literal value where it is not given"


def _many(name: str, value: ast.expr) -> Iterator[tuple[int, str]]:
    """Secrets that a list holds or a table is keyed by, as its name tells."""
    if not isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict) or not secret.is_many(name):
        return
    for one in value.keys if isinstance(value, ast.Dict) else value.elts:
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and secret.is_random(one.value):
            yield one.lineno, f"{name} holds a literal value"


def _line(one: ast.Constant) -> int:
    """The line of the secret in a text that may have lines of its own."""
    lines = str(one.value).split("\n")
    if one.end_lineno != one.lineno + len(lines) - 1:
        return one.lineno
    return one.lineno + next((at for at, part in enumerate(lines) if secret.is_known(part)), 0)


def _defaults(given: ast.arguments) -> Iterator[tuple[int, str]]:
    every = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(every[::-1], given.defaults[::-1], strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    for name, value in pairs:
        if (
            isinstance(value, ast.Constant)
            and isinstance(value.value, str)
            and secret.is_written(name.arg, value.value)
        ):
            yield value.lineno, f"{name.arg} has a literal value where it is not given"


def _logins(call: ast.Call) -> Iterator[tuple[int, str]]:
    texts = [one for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if texts and isinstance(call.func, ast.Name | ast.Attribute) and _LOGINS.search(syntax.last(call.func)):
        yield from (
            (one.lineno, "a login holds a literal value") for one in texts[-1:] if secret.is_literal(str(one.value))
        )
    for word in call.keywords:
        if (
            word.arg in ("auth", "basic_auth", "http_auth")
            and isinstance(word.value, ast.Tuple)
            and len(word.value.elts) == 2
        ):
            one = word.value.elts[1]
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and secret.is_literal(one.value):
                yield one.lineno, f"{word.arg} holds a literal value"


def holders(path: str, tree: ast.AST) -> tuple[Holder, ...]:
    """What the code of one agent among others holds in full."""
    folder = project.of_file(path)
    if not folder:
        return ()
    found = tuple(one for one in _pairs(tree) if secret.is_written(one.name, one.text))
    return (Holder("code", FOLDER, 1, folder, found),) if found else ()


def _pairs(tree: ast.AST) -> Iterator[Pair]:
    given: list[tuple[str, ast.expr | None]] = []
    for one in syntax.every(tree, ast.Assign):
        given += [
            (syntax.last(target), one.value) for target in one.targets if isinstance(target, ast.Name | ast.Attribute)
        ]
        given += [
            (str(target.slice.value), one.value)
            for target in one.targets
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)
        ]
    given += [(word.arg or "", word.value) for word in syntax.every(tree, ast.keyword)]
    for part in syntax.every(tree, ast.Dict):
        given += [
            (str(key.value), value)
            for key, value in zip(part.keys, part.values, strict=True)
            if isinstance(key, ast.Constant)
        ]
    for name, value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield Pair(name, value.value, value.lineno)


_SHAPES: Final = (
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "AIza",
    "AKIA",
    "_live_",
    "npm_",
    "lin_",
    "ntn_",
    "hf_",
)
"""What code that has nothing to do with agents is looked through for: the commonest beginnings, quickly."""


def alone(path: str, text: str) -> tuple[Finding, ...]:
    """Issuers' tokens in code of any kind: settings that an agent's code reads from another file stand there."""
    if len(text) > 200_000 or not any(one in text for one in _SHAPES):
        return ()
    return tuple(
        Finding(Kind.LITERAL_SECRET, Confidence.MEDIUM, Evidence(path, at, "a line holds a literal secret"))
        for at, one in enumerate(text.split("\n"), 1)
        if secret.is_shaped(one)
    )
