"""The pages keep to the words, the links and the vectors that exist."""

import re

from tests.house.tree import ROOT, files, names_test, place

DOCS = ROOT / "docs"
VECTORS = ROOT / "tests" / "vectors"

WORDS = (
    *("Person", "Service", "Agent", "Brief", "Dispatcher", "Task", "Plan", "Grant", "Limit", "Credential", "Lease"),
    *("Secret", "Call", "Gate", "Facts", "Policy", "Decision", "Permit", "Approval", "Revocation", "Review", "Lineage"),
    *("Receipt", "Ledger", "Head", "Proof", "Evidence", "Reach", "Finding"),
)
"""One word per thing: the class, the file, the table, the URL, the command and the heading."""


def rows(page: str) -> list[list[str]]:
    """The body rows of the tables of a page, as cells."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    heads = [n for n, row in enumerate(cells) if n and set("".join(row)) <= set("-: ")]
    return [row for n, row in enumerate(cells) if n not in heads and n + 1 not in heads]


def test_the_glossary_has_every_word_once_and_no_other() -> None:
    assert [row[0].strip("*") for row in rows("glossary.md")] == list(WORDS)


def test_the_glossary_says_each_word_in_one_sentence() -> None:
    assert [row[0] for row in rows("glossary.md") if not re.fullmatch(r"[A-Z][^.]*\.", row[1])] == []


def test_every_link_leads_somewhere() -> None:
    pages = [path for path in files() if path.suffix == ".md"]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))]
    inner = [(page, link) for page, link in links if "://" not in link and not link.startswith("mailto:")]
    assert [(place(page), link) for page, link in inner if not (page.parent / link).exists()] == []


def test_every_published_form_has_a_page_and_every_vector_is_named_by_one() -> None:
    pages = {
        path.name: path.read_text(encoding="utf-8") for path in (DOCS / "spec").glob("*.md") if path.name != "README.md"
    }
    named = {found for text in pages.values() for found in re.findall(r"tests/vectors/[\w./-]*\w", text)}
    assert [name for name, text in pages.items() if "tests/" not in text] == []
    assert [name for name in named if not (ROOT / name).exists()] == []
    vectors = [place(path) for path in files() if path.is_relative_to(VECTORS) and path.suffix != ".py"]
    assert vectors
    assert [path for path in vectors if not any(path == name or path.startswith(f"{name}/") for name in named)] == []


def test_every_test_that_the_threats_name_exists() -> None:
    named = [test for row in rows("threats.md") for test in re.findall(r"`(tests/[^`]+)`", row[-1])]
    assert [test for test in named if not names_test(test)] == []
