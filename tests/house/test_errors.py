"""Every code has a row in docs/errors.md, and every row a code."""

import ast
import re

from tests.house import errors
from tests.house.tree import modules

OWN = {
    "src/remit/core/errors.py: RemitError": "the error root",
    "src/remit/core/schema.py: UnfitError": "never leaves core: the decision turns it into a denial",
    "src/remit/custody/jws.py: Refused": "never leaves custody: each public function turns it into its value",
    "src/remit/ledger/__init__.py: LedgerFault": "the ledger imports nothing of ours; it carries code and remedy",
}
"""Every exception that the source defines and a module shares with another, with the reason."""


def test_every_code_is_explained_and_every_explanation_is_of_a_code() -> None:
    used = {use.code: use.where for use in errors.uses()}
    assert {code: where for code, where in used.items() if code not in errors.rows()} == {}
    assert set(errors.rows()) - set(used) == set()


def test_every_row_says_a_cause_and_a_remedy() -> None:
    assert [code for code, (cause, remedy) in errors.rows().items() if not cause.strip() or not remedy.strip()] == []


def test_the_rows_stand_in_order() -> None:
    assert list(errors.rows()) == sorted(errors.rows())


def test_a_code_is_lower_case_words() -> None:
    assert [use for use in errors.uses() if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", use.code)] == []


def test_no_other_error_is_defined() -> None:
    found = {
        f"{where}: {node.name}"
        for where, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and any(re.search(r"(Error|Exception)$", ast.unparse(parent)) for parent in node.bases)
    }
    assert found == set(OWN)
