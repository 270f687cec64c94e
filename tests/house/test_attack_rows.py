"""The attacks that Remit is held against: tests/attacks.csv, one row each, with the test that tries it.

A row whose `test` is empty waits for the part of Remit that it attacks. Several tests are separated by spaces.
"""

import csv
import re

from tests.house.tree import ROOT, names_test

COLUMNS = ["id", "case", "expect", "must", "test"]
EXPECTED = {"allow", "clear_error", "contain", "deny", "detect", "nothing_lost"}


def rows() -> list[dict[str, str]]:
    with (ROOT / "tests" / "attacks.csv").open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def test_every_row_is_whole_and_has_an_id_of_its_own() -> None:
    ids = [row["id"] for row in rows()]
    assert len(set(ids)) == len(ids) >= 101
    assert [name for name in ids if not re.fullmatch(r"[A-Z]+-\d\d", name)] == []
    assert [row["id"] for row in rows() if row["expect"] not in EXPECTED or not row["case"] or not row["must"]] == []


def test_every_test_that_a_row_names_exists() -> None:
    named = [(row["id"], test) for row in rows() for test in row["test"].split()]
    assert [(name, test) for name, test in named if not names_test(test)] == []


def test_a_name_without_its_test_is_seen() -> None:
    here = "tests/house/test_attack_rows.py"
    assert names_test(f"{here}::test_a_name_without_its_test_is_seen")
    assert not names_test(f"{here}::test_that_nobody_wrote")
    assert not names_test(f"{here}::rows")
    assert not names_test(here)
