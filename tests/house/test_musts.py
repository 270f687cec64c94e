"""What docs/spec/oauth.md says of each standard's MUSTs: every row names the tests that show it, and they exist."""

import re

from tests.house.tree import ROOT, names_test

PAGE = ROOT / "docs" / "spec" / "oauth.md"


def named(text: str) -> list[str]:
    """The tests that a page names, as files or as one test of a file."""
    return re.findall(r"`(tests/[^`\s]+\.py(?:::[^`\s]+)?)`", text)


def exists(test: str) -> bool:
    """Say whether a page's name of a test leads to one: a file that holds tests, that very test, or a twin or a kit."""
    path = ROOT / test
    if "::" in test or not path.is_file():
        return names_test(test)
    return not path.name.startswith("test_") or "def test_" in path.read_text(encoding="utf-8")


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


def test_every_test_that_a_page_of_the_specification_names_exists() -> None:
    pages = {path.name: named(path.read_text(encoding="utf-8")) for path in PAGE.parent.glob("*.md")}
    assert all(pages[name] for name in ("agent-auth.md", "oauth.md", "connection.md", "lease.md", "signals.md"))
    assert [(name, test) for name, tests in pages.items() for test in tests if not exists(test)] == []


def test_every_row_of_the_agent_profile_names_a_test() -> None:
    """What draft-klrc-aiagent-auth says, what we do, and what shows it."""
    text = (PAGE.parent / "agent-auth.md").read_text(encoding="utf-8")
    bare = [row for row in claims(text) if not any("/test_" in one for one in named(row))]
    assert len(claims(text)) >= 13
    assert bare == []


def claims(text: str) -> list[str]:
    """The rows of the tables whose last column is what shows it."""
    found, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif re.search(r"\| (tests?|shown by) \|$", line):
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found.append(line)
    return found


def test_a_page_whose_test_is_gone_is_seen() -> None:
    text = "| a | b | tests |\n|---|---|---|\n| x | y | `tests/web/test_none.py` |\n| x | y | nobody |\n"
    assert [bool(named(row)) for row in claims(text)] == [True, False]
    assert not any(exists(one) for one in (*named(text), "tests/kit/gone.py", "tests/house/test_musts.py::test_gone"))
    assert exists("tests/house/test_musts.py")
