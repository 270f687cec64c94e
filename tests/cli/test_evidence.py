"""`remit evidence` and `remit-verify`: one file, checked without a store, and a page that shows hostile text inert."""

import json
from pathlib import Path

import pytest

from tests.cli.test_approvals import ASK, TRAP, called
from tests.house.tree import ROOT
from tests.kit.shell import BRIEF, CEDAR, TESTS, Shell

VECTORS = ROOT / "tests" / "vectors" / "evidence"
KEY = (VECTORS / "key").read_text(encoding="utf-8").strip()
WRONG = json.loads((VECTORS / "wrong.json").read_text(encoding="utf-8"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path).settle()
    made.write("policy/common/base.cedar", CEDAR + ASK)
    made.write("policy/tests.json", json.dumps(json.loads(TESTS)[1:]))
    made.write("notes.toml", BRIEF.replace('{ subpath = "/notes" }', "{ max_length = 200 }"))
    made.ok("remit policy apply policy && remit brief apply notes.toml")
    made.ok("remit person add ann --name '<b>Ann</b>' --group ops")
    return made


def test_a_task_is_written_into_one_file_and_one_page_and_checked_without_the_store(shell: Shell) -> None:
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    waits = called(shell, task, TRAP).approval
    shown = json.loads(shell.run(f"remit approvals {waits} -o json").out)["card_digest"]
    shell.ok("remit ledger key -o json > key.json")
    head = shell.write("head", json.loads(shell.ok("remit ledger key -o json"))["head"])
    shell.ok(f"remit approve {waits} --as ann --shown {shown}")
    called(shell, task, TRAP)
    said = json.loads(shell.ok(f"remit evidence {task} --html page.html --since {head} -o json"))
    assert (said["file"], said["html"]) == (f"{task}.json", "page.html")
    shell.ok("rm -r .remit")
    ran = shell.run(f"remit-verify {task}.json --key '{said['key']}' --expect head")
    assert (ran.code, ran.out) == (0, f"ok: {said['entries']} entries, 1 signed heads; every one holds\n")
    data = (shell.folder / said["file"]).read_bytes()
    shell.write("other.json", data.decode().replace("Keeps notes.", "Keeps nodes."))
    ran = shell.run(f"remit-verify other.json --key '{said['key']}'")
    assert ran.code == 1
    assert "it is not what the signed head holds at this number" in ran.out
    page = (shell.folder / "page.html").read_text(encoding="utf-8")
    ui_01(page)


def ui_01(page: str) -> None:
    """Nothing in the page runs, and nothing hides; it asks nobody for anything."""
    assert "<script" not in page
    assert "<b>Ann" not in page
    assert "&lt;b&gt;Ann&lt;/b&gt;" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202egpj.exe" in page
    assert "http" not in page.replace("http-equiv", "").split("<main>")[0]
    assert "<svg" in page
    assert "default-src 'none'" in page
    assert "outcome unknown" in page, "the call that was allowed has none"
    for word in ("Who asked", "What was planned", "in order", "What people were asked", "approval_pending", "Gaps"):
        assert word in page


@pytest.mark.parametrize("name", sorted(one.stem for one in VECTORS.glob("*.json") if one.stem != "wrong"))
def test_the_golden_file_holds_and_each_that_is_not_it_does_not(name: str, tmp_path: Path) -> None:
    ran = Shell(tmp_path).run(f"remit-verify {VECTORS / name}.json --key '{KEY}' --json")
    found = json.loads(ran.out)
    assert [found["bad_entry"], found["what"]] == WRONG.get(name, [None, ""])
    assert ran.code == (1 if name in WRONG else 0)
