"""`remit scan --enroll` on a real store: shown first, proposed once, and nothing wider than a review allows."""

import json
from pathlib import Path

import pytest

from remit.cli import enrolling
from remit.cli.main import run

CLIENT = {"mcpServers": {"notes": {"command": "notes-mcp"}, "mail": {"url": "https://mail.example.com/mcp"}}}


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "olga")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def say(*words, code=0):
        capsys.readouterr()
        assert run([*words, "-o", "json"]) == code, capsys.readouterr()
        out = capsys.readouterr().out
        return json.loads(out) if out else None

    say("up", "--no-serve")
    site = tmp_path / "site"
    site.mkdir()
    (site / ".mcp.json").write_text(json.dumps(CLIENT))
    (site / "compose.yaml").write_text("services:\n  triage-agent:\n    image: acme/triage:1.0.0\n")
    return say


def test_what_is_met_is_shown_then_proposed_once_and_may_do_nothing(told) -> None:
    before = told("agent", "show")
    shown = [one for one in told("scan", "site", "--enroll") if one["seen"] == "here"]
    assert [one["state"] for one in shown] == ["not registered", "not registered"]
    assert told("agent", "show") == before, "showing writes nothing"
    told("scan", "site", "--enroll", "--write", code=2)
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    made = [one for one in told("agent", "show") if one not in before]
    assert {one["name"] for one in made} == {one["name"] for one in shown}
    assert {(one["state"], tuple(one["ceiling"])) for one in made} == {("proposed", ())}
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    assert len(told("agent", "show")) == len(before) + 2, "the next scan knows them again"
    (Path("site") / "compose.yaml").unlink()
    again = {one["name"]: one for one in told("scan", "site", "--enroll")}
    [gone] = [one for name, one in again.items() if name.startswith("triage-agent")]
    assert gone["seen"] == "never here"
    [kept] = [one for one in again.values() if one["seen"] == "here"]
    assert (kept["state"], kept["resources"]) == ("proposed", ["mail", "notes"])
    assert told("agent", "review", kept["name"], "--next", "90d", "--ceiling", "mcp:notes/*")["state"] == "active"


def test_the_command_says_what_it_does() -> None:
    assert enrolling.enroll.__doc__
