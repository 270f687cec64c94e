"""`remit scan --fix`: a patch first, with no secret in it; with --write done, whole or not at all."""

import json
import os
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from remit.cli import mending
from remit.cli.main import run

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
CONFIG = (
    '\ufeff{\r\n  "mcpServers": {\r\n'
    '    "notes": {"command": "npx", "args": ["-y", "@org/notes"], "env": {"NOTES_TOKEN": "%s"},\r\n'
    '      "autoApprove": ["get_note", "delete_note"]},\r\n'
    '    "mail": {"url": "https://mail.example.com/mcp", "headers": {"Authorization": "Bearer %s"}}\r\n  }\r\n}'
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "site"
    made.mkdir()
    (made / ".mcp.json").write_bytes((CONFIG % (KEY, KEY + "x")).encode())
    (made / ".mcp.json").chmod(0o640)
    (made / "package-lock.json").write_text('{"packages": {"node_modules/@org/notes": {"version": "2.3.4"}}}')
    (made / ".env").write_text(f"API_KEY={KEY}\n")
    (made / ".env").chmod(0o644)
    for name in ("NOTES_TOKEN", "MAIL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_a_patch_is_shown_first_and_nothing_is_written(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {one: (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_mode) for one in tree.iterdir()}
    assert run(["scan", str(tree), "--fix"]) == 0
    heard = capsys.readouterr()
    assert '-    "notes": {"command": "npx", "args": ["***", "@org/notes"], "env": {"NOTES_TOKEN": "***"},' in heard.out
    assert '"@org/notes@2.3.4"], "env": {"NOTES_TOKEN": "${NOTES_TOKEN}"},' in heard.out
    assert '+      "autoApprove": ["get_note"]},' in heard.out
    assert "old mode 100644\nnew mode 100640\n" in heard.out
    assert "5 changes can be made with no risk" in heard.err
    assert f"AG101 {tree / '.env'}: its mode is 640, closed to all but owner and group" in heard.err
    assert not any(KEY[at : at + 4] in heard.out + heard.err for at in range(len(KEY) - 3))
    assert {one: (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_mode) for one in tree.iterdir()} == before


def test_what_was_shown_is_written_and_found_no_more(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = tree.parent / "taken.env"
    assert run(["scan", str(tree), "--fix", "--write"]) == 2
    assert "--values FILE" in capsys.readouterr().err
    assert KEY in (tree / ".mcp.json").read_text(), "nothing is taken out that has no place to go"
    assert run(["scan", str(tree), "--fix", "--write", "--values", str(tree / "in.env")]) == 2
    found = told(tree, capsys)
    assert run(["scan", str(tree), "--fix", "--write", "--values", str(values)]) == 0
    wanted = CONFIG % ("${NOTES_TOKEN}", "${MAIL_TOKEN}")
    wanted = wanted.replace('"@org/notes"', '"@org/notes@2.3.4"').replace(', "delete_note"', "")
    assert (tree / ".mcp.json").read_bytes() == wanted.encode(), "every other byte stays: mark, line ends, order"
    assert stat.S_IMODE((tree / ".mcp.json").stat().st_mode) == 0o640
    assert stat.S_IMODE((tree / ".env").stat().st_mode) == 0o640
    assert stat.S_IMODE(values.stat().st_mode) == 0o600
    kept = dict(line.split("=", 1) for line in values.read_text().splitlines())
    assert {name: shlex.split(value)[0] for name, value in kept.items()} == {
        "NOTES_TOKEN": KEY, "MAIL_TOKEN": KEY + "x",
    }  # fmt: skip
    left = told(tree, capsys)
    assert left < found
    mended = [code for code, *_ in left if code in ("AG101", "AG120", "AG131")]
    assert mended == ["AG101"], "the .env holds its secret still, for fewer eyes"
    assert [one.name for one in tree.iterdir() if ".part" in one.name] == []
    assert run(["scan", str(tree), "--fix"]) == 0
    assert capsys.readouterr().out == ""


def told(tree: Path, capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str, str]]:
    capsys.readouterr()
    assert run(["scan", str(tree), "-o", "json"]) == 0
    return {(one["code"], one["file"], one["evidence"]) for one in json.loads(capsys.readouterr().out)["findings"]}


def test_a_value_that_the_environment_has_needs_no_other_place(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTES_TOKEN", KEY)
    monkeypatch.setenv("MAIL_TOKEN", KEY + "x")
    assert run(["scan", str(tree), "--fix", "--write", "-o", "json"]) == 0
    said: Any = json.loads(capsys.readouterr().out)
    assert (said["version"], said["written"], said["refused"]) == (1, True, [])
    assert [one["to"] for one in said["modes"]] == ["0640"]
    [file] = said["files"]
    assert [(one["code"], one["takes"]) for one in file["fixes"]] == [
        ("AG101", ["NOTES_TOKEN"]), ("AG101", ["MAIL_TOKEN"]), ("AG131", []), ("AG120", []),
    ]  # fmt: skip
    assert KEY not in json.dumps(said)


def test_what_could_not_be_written_is_said_and_the_rest_is(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "more").mkdir()
    (tree / "more" / ".mcp.json").write_text('{"mcpServers": {"a": {"command": "node", "trust": true}}}')
    os.link(tree / "more" / ".mcp.json", tree / "other.bin")
    values = str(tree.parent / "taken.env")
    assert run(["scan", str(tree), "--fix", "--write", "--values", values]) == 1
    heard = capsys.readouterr().err
    assert "fix_refused" in heard
    assert "${NOTES_TOKEN}" in (tree / ".mcp.json").read_text()
    assert "true" in (tree / "more" / ".mcp.json").read_text()
    (tree / "more" / ".mcp.json").unlink()
    monkeypatch.setattr(mending.rewrite, "rewrite", None)
    assert run(["scan", str(tree), "--fix", "--write", "--values", values]) == 0, "there is nothing more to write"


def test_what_is_kept_goes_into_a_new_file_only(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = tree.parent / "taken.env"
    values.write_text("mine")
    assert run(["scan", str(tree), "--fix", "--write", "--values", str(values)]) == 2
    assert "fix_refused" in capsys.readouterr().err
    assert values.read_text() == "mine"
    assert KEY in (tree / ".mcp.json").read_text()


def test_git_applies_what_is_written_for_it_and_values_are_put_away_first(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "compose.yaml").write_text(f"services:\n  a:\n    image: x\n    environment:\n      A_KEY: {KEY}y # n\n")
    (tree / "claude_desktop_config.json").write_text(json.dumps({"mcpServers": {"b": {"env": {"B_KEY": f"{KEY}z"}}}}))
    subprocess.run(["git", "init", "-q", "."], cwd=tree, check=True, timeout=60)
    monkeypatch.chdir(tree)
    values, into = tree.parent / "taken.env", tree.parent / "fix.patch"
    assert run(["scan", ".", "--fix", "--patch", str(into)]) == 2
    assert run(["scan", ".", "--fix", "--patch", "in.patch", "--values", str(values)]) == 2
    assert not into.exists()
    assert not values.exists()
    values.write_text("mine")
    assert run(["scan", ".", "--fix", "--patch", str(into), "--values", str(values)]) == 2
    assert "fix_refused" in capsys.readouterr().err
    assert not into.exists(), "both are written, or neither"
    values.unlink()
    before = {one: one.read_bytes() for one in tree.iterdir() if one.is_file()}
    assert run(["scan", ".", "--fix", "--patch", str(into), "--values", str(values)]) == 0
    heard = capsys.readouterr()
    assert "claude_desktop_config.json:1 stays: no word is known here" in heard.err
    assert not any(KEY[at : at + 4] in heard.out + heard.err for at in range(len(KEY) - 3))
    assert {one: one.read_bytes() for one in tree.iterdir() if one.is_file()} == before, "nothing is changed yet"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (values, into)] == [0o600, 0o600]
    done = subprocess.run(["git", "apply", str(into)], cwd=tree, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    wanted = CONFIG % ("${NOTES_TOKEN}", "${MAIL_TOKEN}")
    wanted = wanted.replace('"@org/notes"', '"@org/notes@2.3.4"').replace(', "delete_note"', "")
    assert (tree / ".mcp.json").read_bytes() == wanted.encode()
    assert "A_KEY: ${A_KEY:?} # n\n" in (tree / "compose.yaml").read_text()
    gone = tree.parent / "more.patch"
    assert run(["scan", ".", "--fix", "--patch", str(gone)]) == 0
    assert not gone.exists(), "there is nothing more to write"
    assert {line.partition("=")[0] for line in values.read_text().splitlines()} == {
        "NOTES_TOKEN",
        "MAIL_TOKEN",
        "A_KEY",
    }


def test_what_is_left_decides_how_it_ends(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values, known = tree.parent / "taken.env", str(tree.parent / "known.json")

    def ends(*words: str) -> int:
        values.unlink(missing_ok=True)
        return run(["scan", str(tree), *words])

    (tree / ".mcp.json").write_text(json.dumps({"mcpServers": {"a": {"command": "node", "env": {"A_KEY": KEY}}}}))
    write, patch = ["--fix", "--write", "--values", str(values)], ["--patch", str(tree.parent / "fix.patch")]
    assert ends("--fail-on", "high") == 1
    assert ends("--fix", "--fail-on", "high") == 1, "what is only shown is found still"
    assert ends("--fix", "--fail-on", "critical") == 0
    assert ends("--fix", *patch, "--values", str(values), "--fail-on", "high") == 1
    assert ends("--write-baseline", known) == 0
    assert ends("--fix", "--baseline", known, "--fail-on", "low") == 0, "what is known does not fail"
    assert ends(*write, "--fail-on", "high") == 1, "the .env holds its secret still"
    (tree / ".env").unlink()
    assert ends("--fix", "--fail-on", "low") == 0
    (tree / ".mcp.json").write_text(json.dumps({"mcpServers": {"a": {"command": "node", "env": {"A_KEY": KEY}}}}))
    assert ends(*write, "--fail-on", "low") == 0, "it is mended"
    (tree / ".mcp.json").write_text("{")
    assert ends("--fix", "--fail-on", "critical") == 1, "it could not be read"


def test_what_no_patch_can_hold_is_said_with_how_to_do_it(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into, values = tree.parent / "fix.patch", tree.parent / "taken.env"
    assert run(["scan", str(tree), "--fix", "--patch", str(into), "--values", str(values)]) == 0
    assert ".env" not in into.read_text()
    heard = capsys.readouterr().err
    assert "1 mode to change is not in a patch" in heard
    assert f"  chmod 640 {tree / '.env'}\n" in heard
    (tree / ".mcp.json").unlink()
    into.unlink()
    assert run(["scan", str(tree), "--fix", "--patch", str(into)]) == 0
    assert not into.exists()
    assert f"  chmod 640 {tree / '.env'}\n" in capsys.readouterr().err


def test_the_last_line_says_how_many_findings_have_no_fix_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    servers = {
        "a": {"command": "npx", "args": ["-y", "left"], "env": {"A_KEY": KEY}},
        "b": {"url": "http://b.example/mcp"},
        "c": {"url": f"https://c.example/mcp?token={KEY[::-1]}"},
    }
    (site / ".mcp.json").write_text(json.dumps({"mcpServers": servers}, indent=1))
    assert run(["scan", str(site), "-o", "json"]) == 0
    found = [(one["code"], one["evidence"]) for one in json.loads(capsys.readouterr().out)["findings"]]
    assert run(["scan", str(site), "--fix", "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in said["left"]] == ["AG120"]
    named = sum(len(one["takes"]) for one in said["files"][0]["fixes"])
    assert named == 2
    rest = [one for one in found if one[0] not in ("AG101", "AG120") and "token" not in one[1]]
    assert said["rest"] == len(rest) == 1, "http is not made https here"
    assert run(["scan", str(site), "--fix"]) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"1 of {len(found)} findings has no fix here: remit scan says what to do."
    (site / ".mcp.json").write_text(json.dumps({"mcpServers": {"a": {"command": "node", "env": {"A_KEY": KEY}}}}))
    assert run(["scan", str(site), "--fix"]) == 0
    assert "no fix here" not in capsys.readouterr().err


@pytest.mark.parametrize("where", ["", "other", "site/sub dir"])
def test_a_patch_is_applied_by_the_command_that_is_said_from_wherever_it_was_written(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    root = tree.parent / "site"
    (root / "sub dir").mkdir()
    (root / "sub dir" / ".mcp.json").write_bytes((root / ".mcp.json").read_bytes())
    (tree.parent / "other").mkdir()
    into, values = tree.parent / "a fix.patch", tree.parent / "taken.env"
    words = ["scan", str(root), "--fix", "--patch", os.path.relpath(into, tree.parent / where), "--values", str(values)]
    monkeypatch.chdir(tree.parent / where)
    if where:
        subprocess.run(["git", "init", "-q", "."], cwd=root, check=True, timeout=60)
    assert run([*words, "-o", "json"]) == 0
    apply = json.loads(capsys.readouterr().out)["apply"]
    assert apply.startswith(f"git -C {root if where else tree.parent} apply ")
    assert ("--- a/.mcp.json" in into.read_text()) == bool(where)
    for name in (into, values):
        name.unlink()
    assert run(words) == 0
    assert f"for: {apply}\n" in capsys.readouterr().err
    done = subprocess.run(shlex.split(apply), cwd="/", capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(KEY not in (root / name / ".mcp.json").read_text() for name in ("", "sub dir"))


def test_a_patch_of_two_repositories_is_applied_from_the_root(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = tree / "inner"
    inner.mkdir()
    (inner / ".mcp.json").write_bytes((tree / ".mcp.json").read_bytes())
    for each in (tree, inner):
        subprocess.run(["git", "init", "-q", "."], cwd=each, check=True, timeout=60)
    monkeypatch.chdir(inner)
    into, values = tree.parent / "fix.patch", tree.parent / "taken.env"
    words = ["scan", str(tree), "--fix", "--patch", str(into), "--values", str(values), "-o", "json"]
    assert run(words) == 0
    apply = json.loads(capsys.readouterr().out)["apply"]
    assert apply == f"git -C / apply {into}"
    done = subprocess.run(shlex.split(apply), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(KEY not in (each / ".mcp.json").read_text() for each in (tree, inner))


@pytest.mark.parametrize(
    "words",
    [
        ["--patch", "x"],
        ["--fix", "--write", "--patch", "x"],
        ["--fix", "--enroll"],
        ["--write"],
        ["--values", "x"],
        ["--fix", "--values", "x"],
        ["--fix", "-o", "sarif"],
        ["--fix", "--write-baseline", "x"],
    ],
)
def test_options_that_make_no_sense_together_are_refused(tree: Path, words: list[str]) -> None:
    assert run(["scan", str(tree), *words]) == 2
