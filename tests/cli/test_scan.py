"""`remit scan`: what it prints, how it ends, and that no secret is in it."""

import json
from pathlib import Path

import pytest

from remit.cli.main import run

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
    config.write_text('{"mcpServers": {"a": {"command": "npx", "args": ["b"]}}}')
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
    assert told == {"version": 1, "unread": [], "read": 1, "met": 1}
    assert (finding["code"], finding["line"], finding["severity"]) == ("AG101", 2, "high")
    assert finding["file"].endswith("/.env")
