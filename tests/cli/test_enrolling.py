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


def test_owners_tools_and_drafts_stand_beside_what_was_met(told, capsys, tmp_path) -> None:
    site = tmp_path / "site"
    servers = {**CLIENT["mcpServers"], "notes": {"command": "notes-mcp", "alwaysAllow": ["read_note"]}}
    (site / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    (site / "CODEOWNERS").write_text("/.mcp.json @ann\n")
    told("person", "add", "ann", "--name", "Ann")
    compose = "services:\n  triage-agent:\n    image: acme/triage:1.0.0\n    labels: {owner: nobody-here}\n"
    (site / "compose.yaml").write_text(compose)
    shown = {
        one["owner"]: one for one in told("scan", "site", "--enroll", "--briefs", "drafts") if one["seen"] == "here"
    }
    assert set(shown) == {"@ann", "nobody-here"}
    assert shown["@ann"]["tools"] == ["mcp:notes/read_note"]
    name = shown["@ann"]["name"]
    draft = tmp_path / "drafts" / f"{name}.toml"
    assert 'action = "mcp:notes/read_note"' in draft.read_text()
    draft.write_text("mine")
    told("scan", "site", "--enroll", "--write", code=2)
    told("scan", "site", "--enroll", "--write", "--owner", "olga", "--briefs", "drafts")
    assert draft.read_text() == "mine"
    made = {one["name"]: one["owner"] for one in told("agent", "show")}
    people = {one["id"]: one["known_as"][0]["subject"] for one in told("person", "show") if one["known_as"]}
    assert (people[made[name]], people[made[shown["nobody-here"]["name"]]]) == ("ann", "olga")


def test_one_is_said_as_one_and_each_next_step_is_a_command(told, capsys, tmp_path) -> None:
    (tmp_path / "site" / "compose.yaml").unlink()
    capsys.readouterr()
    assert run(["scan", "site", "--enroll"]) == 0
    heard = capsys.readouterr()
    assert heard.err.startswith("1 agent would be proposed (--write does it).\n")
    assert "--next 90d --ceiling 'mcp:mail/*' --ceiling 'mcp:notes/*'\n" in heard.err
    assert run(["scan", "site", "--enroll", "--write", "--owner", "olga"]) == 0
    assert capsys.readouterr().err.startswith("1 agent was proposed.\n")
    assert run(["scan", "site", "--enroll"]) == 0
    assert "Every agent that was met is registered." in capsys.readouterr().err


def test_the_command_says_what_it_does() -> None:
    assert enrolling.enroll.__doc__
