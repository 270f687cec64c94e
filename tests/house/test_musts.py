"""What docs/spec/oauth.md says of each standard's MUSTs: every row names the tests that show it, and they exist."""

import re

from tests.house.tree import ROOT, names_test

PAGE = ROOT / "docs" / "spec" / "oauth.md"


def rows(text: str) -> list[tuple[str, list[str]]]:
    """The rows of the tables of MUSTs: what must be, and the tests that are named for it."""
    found, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith("| MUST |"):
            inside = True
        elif inside and not set(line) <= set("|-: "):
            what, shown = (cell.strip() for cell in line.strip("|").split(" | ", 1))
            found.append((what, re.findall(r"`(tests/[^`]+)`", shown)))
    return found


def test_every_must_names_a_test_that_exists() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))
    assert len(found) >= 35
    assert [what for what, tests in found if not tests] == []
    assert [(what, test) for what, tests in found for test in tests if not names_test(test)] == []


def test_a_must_without_its_test_is_seen() -> None:
    text = "| MUST | shown by |\n|---|---|\n| this | nobody |\n| that | `tests/x.py::test_y` |\n"
    assert rows(text) == [("this", []), ("that", ["tests/x.py::test_y"])]
    assert not names_test("tests/x.py::test_y")
