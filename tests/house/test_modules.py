"""What a linter cannot say about a module: its name, its size, its first words, its test."""

import ast
import re
from functools import cache

from tests.house.tree import ROOT, modules

ALONE = ("base", "common", "handler", "helper", "manager", "misc", "service", "util")
SAYS_NOTHING = {*ALONE, *(f"{name}s" for name in ALONE)}

LONG: dict[str, str] = {
    "tests/laws/test_law_1_decide.py": "each wrong stands beside the facts that it spoils, all for one law",
    "tests/laws/test_law_3_narrowing.py": "each law stands beside the faults that break it and the values they share",
}
"""Files of more than 400 lines, each with the reason why it is still one file."""

TESTED_ELSEWHERE: dict[str, str] = {
    "src/remit/core/hook.py": "tests/cli/test_hooking.py",
    "src/remit/store/hook.py": "tests/cli/test_hooking.py",
    "src/remit/control/held.py": "tests/control/test_reachable.py",
    "src/remit/control/minted.py": "tests/control/test_reachable.py",
    "src/remit/cli/looking.py": "tests/cli/test_reach.py",
    "src/remit/custody/surveyor_aws.py": "tests/peers/test_aws_survey.py",
    "src/remit/core/reach/aws/account.py": "tests/core/test_reach_aws_become.py",
    "src/remit/core/audit.py": "tests/control/test_evidence.py",
    "src/remit/core/scope.py": "tests/control/test_evidence.py",
    "src/remit/web/console/owed.py": "tests/web/console/test_connections.py",
    "src/remit/web/console/inert.py": "tests/web/console/test_asks.py",
    "src/remit/web/console/view.py": "tests/web/console/test_asks.py",
    "src/remit/web/console/report.py": "tests/cli/test_evidence.py",
    "src/remit/core/policy_text.py": "tests/core/test_policy.py",
    "src/remit/core/policy_tree.py": "tests/core/test_policy.py",
    "src/remit/custody/sources/maria_sql.py": "tests/peers/test_mariadb.py",
    "src/remit/custody/sources/mariadb.py": "tests/peers/test_mariadb.py",
    "src/remit/gateway/authority.py": "tests/control/test_gate.py",
    "src/remit/scan/moved.py": "tests/scan/test_fixed.py",
    "src/remit/scan/placed_toml.py": "tests/scan/test_fixed.py",
    "src/remit/scan/placed_yaml.py": "tests/scan/test_fixed.py",
    "src/remit/gateway/upstream/oauth/client.py": "tests/gateway/test_upstream_oauth.py",
    "src/remit/gateway/upstream/oauth/enterprise.py": "tests/peers/test_upstream_oauth.py",
    "src/remit/gateway/upstream/oauth/fetch.py": "tests/gateway/test_upstream_oauth.py",
    "src/remit/gateway/upstream/guard.py": "tests/gateway/test_upstream_pool_dial.py",
    "src/remit/gateway/upstream/request.py": "tests/gateway/test_upstream_pool.py",
    "src/remit/web/console/person.py": "tests/web/console/test_signin.py",
    "src/remit/web/console/consents.py": "tests/web/test_oauth_authorize.py",
    "src/remit/web/idp.py": "tests/web/console/test_signin.py",
    "src/remit/web/kept.py": "tests/web/test_oauth_register.py",
}
"""Modules without a test file of their own name, each with the place that tests it."""


def lines(where: str) -> int:
    return len((ROOT / where).read_text(encoding="utf-8").splitlines())


def everything() -> dict[str, ast.Module]:
    return {**modules(), **modules("tests"), **modules("bench")}


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {where: set(where.removesuffix(".py").split("/")) for where in everything()}
    assert {where: names & SAYS_NOTHING for where, names in parts.items() if names & SAYS_NOTHING} == {}


def test_no_file_has_more_than_600_lines() -> None:
    assert {where: lines(where) for where in everything() if lines(where) > 600} == {}


def test_a_file_of_more_than_400_lines_has_a_reason() -> None:
    assert {where for where in everything() if lines(where) > 400} == set(LONG)
    assert all(LONG.values())


def test_every_module_says_what_it_is() -> None:
    assert [where for where, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_every_module_has_its_test() -> None:
    """A test file of its name, a test on its floor that asks it directly, or a transcript; else the list says where."""
    tests = set(modules("tests"))
    bare = {w for w, tree in modules().items() if has_code(tree) and not mirrors(w) & tests and not asked(w)}
    assert sorted(bare - set(TESTED_ELSEWHERE)) == []
    assert set(TESTED_ELSEWHERE) <= bare, "a module that has its test needs no excuse"
    assert all((ROOT / where).exists() for where in TESTED_ELSEWHERE.values())


def asked(where: str) -> bool:
    """Say whether it is asked directly, or is a command that a transcript runs."""
    *_, floor, name = where.removesuffix(".py").split("/")
    return asked_directly(where) or (floor == "cli" and name in commands())


@cache
def commands() -> frozenset[str]:
    """The commands that the transcripts run, each in an empty folder, for real."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "cli").glob("*.txt")]
    return frozenset(found for text in texts for found in re.findall(r"^\$ remit ([a-z]+)", text, re.MULTILINE))


def asked_directly(where: str) -> bool:
    """Say whether a test of the same floor, or a law, imports this very module."""
    floor = where.split("/")[2]
    name = where.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return any(
        name in imported(tree)
        for test, tree in modules("tests").items()
        if test.startswith((f"tests/{floor}/test_", "tests/laws/test_"))
    )


@cache
def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {one.name for one in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module, *(f"{module}.{one.name}" for one in names)}
    return found


def has_code(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def mirrors(where: str) -> set[str]:
    """Where the test of a/b/c.py may stand: a/b/test_c.py, a/test_b_c.py, or the test of its package, a/test_b.py."""
    *folders, name = where.removeprefix("src/remit/").removesuffix(".py").split("/")
    if name == "__init__":
        if not folders:
            return {"tests/test_remit.py"}
        *folders, name = folders
    found = {"/".join(["tests", *folders, f"test_{name}.py"])}
    if len(folders) > 1:
        *above, package = folders
        found |= {
            "/".join(["tests", *above, f"test_{package}_{name}.py"]),
            "/".join(["tests", *above, f"test_{package}.py"]),
        }
    return found
