"""`remit scan`: what it prints, how it ends, and that no secret is in it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remit.cli.main import run
from remit.scan import shapes

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"


@pytest.mark.parametrize("form", ["table", "json"])
def test_no_part_of_a_secret_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    (tmp_path / ".env").write_text(f"API_KEY={KEY}\n")
    server = {"url": f"http://a.example/{KEY}?token={KEY}", "headers": {"Authorization": f"Bearer {KEY}"}}
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"one": server}}))
    assert run(["scan", str(tmp_path), "-o", form]) == 0
    told = capsys.readouterr()
    assert "AG101" in told.out
    assert "AG130" in told.out
    assert not any(KEY[at : at + 4] in told.out + told.err for at in range(len(KEY) - 3))


def test_the_exit_code_follows_severity_and_what_was_not_read(tmp_path: Path) -> None:
    config = tmp_path / ".mcp.json"
    config.write_text('{"mcpServers": {"a": {"command": "npx", "args": ["b", "--key", "$A_KEY"]}}}')
    assert run(["scan", str(tmp_path)]) == 0
    assert run(["scan", str(tmp_path), "--fail-on", "medium"]) == 1
    assert run(["scan", str(tmp_path), "--fail-on", "high"]) == 0
    config.write_text("{")
    assert run(["scan", str(tmp_path), "--fail-on", "high"]) == 1


def test_the_json_says_what_the_specification_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text(f"\nAPI_KEY={KEY}\n")
    run(["scan", str(tmp_path), "-o", "json"])
    told = json.loads(capsys.readouterr().out)
    [finding] = told.pop("findings")
    assert told == {"version": 1, "unread": [], "read": 1, "met": 1, "shapes": shapes.source()}
    assert (finding["code"], finding["line"], finding["severity"]) == ("AG101", 2, "high")
    assert finding["file"].endswith("/.env")


def test_what_a_baseline_knows_or_somebody_answers_for_does_not_fail_and_what_is_new_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".env").write_text(f"API_KEY={KEY}\n")
    known, answers = tmp_path / "known.json", tmp_path / "answers.toml"
    assert run(["scan", str(tree), "--fail-on", "low", "--write-baseline", str(known)]) == 1
    capsys.readouterr()
    assert run(["scan", str(tree), "--fail-on", "low", "--baseline", str(known)]) == 0
    heard = capsys.readouterr()
    assert (heard.out, "1 finding (1 known) in" in heard.err) == ("", True), "why nothing is shown is said"
    (tree / ".env").write_text(f"# moved\nAPI_KEY={KEY}\nOTHER_TOKEN={KEY}x\n")
    assert run(["scan", str(tree), "--fail-on", "low", "--baseline", str(known)]) == 1
    day = f"{datetime.now(UTC).date()}"
    given = f'code = "AG101"\nfile = "*/.env"\nowner = "olga"\nbecause = "a lab"\nuntil = {day}\n'
    answers.write_text(f"[[suppress]]\n{given}")
    capsys.readouterr()
    assert run(["scan", str(tree), "--fail-on", "low", "--suppress", str(answers)]) == 0
    assert "2 findings (2 answered for) in" in capsys.readouterr().err
    answers.write_text(f"[[suppress]]\n{given.replace(day, '2020-01-01')}")
    assert run(["scan", str(tree), "--fail-on", "low", "--suppress", str(answers)]) == 1
    assert "over since 2020-01-01: olga" in capsys.readouterr().err
    answers.write_text("[[suppress]]\n")
    assert run(["scan", str(tree), "--suppress", str(answers)]) == 2
    assert "suppression_invalid" in capsys.readouterr().err


@pytest.mark.parametrize("kept_by", ["git", "nothing"])
def test_a_baseline_and_an_answer_hold_however_the_place_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept_by: str
) -> None:
    tree = tmp_path / "tree"
    for name in ("", "sub"):
        (tree / name).mkdir(parents=True, exist_ok=True)
        entry = {"command": name or "top", "env": {"API_KEY": KEY}}
        (tree / name / ".mcp.json").write_text(json.dumps({"mcpServers": {name or "top": entry}}))
    if kept_by == "git":
        (tree / ".git").mkdir()
    (tmp_path / "door").symlink_to(tree)
    known, answers = tmp_path / "known.json", tmp_path / "answers.toml"
    words = f'owner = "olga"\nbecause = "a lab"\nuntil = {datetime.now(UTC).date() + timedelta(days=1)}\n'
    codes = [f'[[suppress]]\ncode = "{code}"\nfile = "{{}}"\n{words}' for code in ("AG101", "AG103", "AG104")]
    answers.write_text("".join(one.format(file) for one in codes for file in ("sub/*", ".mcp.json")))
    monkeypatch.chdir(tree)
    assert run(["scan", ".", "--fail-on", "low", "--write-baseline", str(known)]) == 1
    assert "AG103" in capsys.readouterr().out
    spelt = [(tree, "./"), (tree, str(tree)), (tmp_path, "tree"), (tmp_path, "tree/sub/.."), (tree / "sub", "..")]
    for folder, place in (*spelt, (tmp_path, "door")):
        monkeypatch.chdir(folder)
        assert run(["scan", place, "--fail-on", "low", "--baseline", str(known)]) == 0, place
        assert run(["scan", place, "--fail-on", "low", "--suppress", str(answers)]) == 0, place
    if kept_by == "git":
        monkeypatch.chdir(tmp_path)
        (tree / ".mcp.json").write_text("{}")
        assert run(["scan", "tree/sub", "--fail-on", "low", "--suppress", str(answers)]) == 0, "a part of the tree"


def test_the_tree_itself_never_says_what_to_leave_out(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"API_KEY={KEY}\n")
    for name in (".remit-scan.toml", ".remit-baseline.json", "remit.toml"):
        (tmp_path / name).write_text('[[suppress]]\ncode = "AG101"\nfile = "*"\n')
    assert run(["scan", str(tmp_path), "--fail-on", "high"]) == 1


@pytest.mark.parametrize("form", ["sarif", "html"])
def test_no_part_of_a_secret_is_in_any_form(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    (tmp_path / ".env").write_text(f"API_KEY={KEY}\n")
    assert run(["scan", str(tmp_path), "-o", form]) == 0
    told = capsys.readouterr().out
    assert "AG101" in told
    assert not any(KEY[at : at + 4] in told for at in range(len(KEY) - 3))


def test_home_is_looked_through_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").write_text(f"API_KEY={KEY}\n")
    assert run(["scan", "--home", "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1
    assert run(["scan"]) == 2


def test_a_baseline_is_written_through_no_link_that_lies_in_a_tree(tmp_path: Path) -> None:
    """The guide's own line, in a tree whose author put a link to a file of the reader's where the baseline goes."""
    kept = tmp_path / "profile"
    kept.write_text("kept")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "known.json").symlink_to(kept)
    assert run(["scan", str(tree), "--write-baseline", str(tree / "known.json")]) == 2
    assert kept.read_text() == "kept"
    (tree / "known.json").unlink()
    for _ in range(2):
        assert run(["scan", str(tree), "--write-baseline", str(tree / "known.json")]) == 0
    assert json.loads((tree / "known.json").read_text())["version"] == 1
    assert [one.name for one in tree.iterdir()] == ["known.json"]
