"""`remit scan --enroll` on a real store: shown first, proposed once, and approved or refused in one review."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from remit.cli import enrolling, met, review
from remit.cli.main import run

SECRET = "tok_9fK2mQ7xZr4LwB8sVd3N"
CLIENT = {
    "mcpServers": {
        "notes": {"command": "notes-mcp", "alwaysAllow": ["read_note"], "env": {"NOTES_TOKEN": "${NOTES_TOKEN}"}},
        "mail": {"url": "https://mail.example.com/mcp", "headers": {"X-Token": SECRET}},
    }
}
COMPOSE = "services:\n  triage-agent:\n    image: acme/triage:1.0.0\n"


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
    (site / "compose.yaml").write_text(COMPOSE)
    return say


def here(rows, noun):
    return {one["name"]: one for one in rows if (one["noun"], one["seen"]) == (noun, "here")}


def test_what_is_met_is_shown_then_proposed_once_and_may_do_nothing(told, tmp_path) -> None:
    before = told("agent", "show"), told("resource", "show"), told("brief", "show")
    shown = told("scan", "site", "--enroll")
    assert [len(here(shown, noun)) for noun in ("agent", "resource", "brief")] == [2, 2, 1]
    assert {one["state"] for one in shown if one["seen"] == "here"} == {"not registered"}
    assert (told("agent", "show"), told("resource", "show"), told("brief", "show")) == before, "showing writes nothing"
    assert told("scan", "site", "--enroll", "--fail-on", "high", code=1) == shown
    assert told("scan", "site", "--enroll", "--fail-on", "critical") == shown
    told("scan", "site", "--enroll", "--write", code=2)
    made = told("scan", "site", "--enroll", "--write", "--owner", "olga")
    assert {one["state"] for one in made if one["seen"] == "here"} == {"proposed"}
    assert {one["owner"] for one in made if one["seen"] == "here"} == {"olga"}
    [name] = here(made, "brief")
    assert told("brief", "show", name)["steps"] == [
        {"action": "mcp:notes/read_note", "path": "delegated", "allow_unknown": True}
    ]
    assert told("resource", "show", "mail")["upstream"] == {"url": "https://mail.example.com/mcp"}
    assert {name: one["environment"] for name, one in here(made, "resource").items()} == {
        "notes": ["NOTES_TOKEN"], "mail": [],
    }, "names, and no value"  # fmt: skip
    assert told("task", "open", name, name, code=4) is None
    [one] = told("review", "list")
    assert told("scan", "site", "--enroll", "--write", "--owner", "olga") == made
    assert [each["id"] for each in told("review", "list")] == [one["id"]], "the next scan knows it all again"
    kept = b"".join(each.read_bytes() for each in (tmp_path / ".remit").rglob("*") if each.is_file())
    assert SECRET.encode() not in kept, "a secret was written down"


def test_no_shape_of_a_secret_is_written_down(told, tmp_path) -> None:
    canary = "Tr0ub4dor3"
    rows = {
        "a": {"command": "env", "args": [f"DB_PASSWORD={canary}", "npx", "x"]},
        "b": {"command": "sh", "args": ["-c", f"PGPASSWORD='{canary}' npx x"]},
        "c": {"command": "mysql", "args": [f"-p{canary}", "${MAIL_TOKEN}"]},
        "d": {"command": "npx", "args": ["x", "--token", f"${{MAIL_TOKEN:-{canary}}}"]},
        "e": {"url": f"https://mail.example.com/s/{canary}/mcp"},
        "f": {"command": "npx", "args": ["x"], "env": {"A_TOKEN": f"vault://u:{canary}@h/x"}},
    }
    (tmp_path / "site" / ".mcp.json").write_text(json.dumps({"mcpServers": rows}))
    made = told("scan", "site", "--enroll", "--write", "--owner", "olga")
    assert len(here(made, "resource")) == len(rows)
    [one] = told("review", "list")
    assert canary not in json.dumps([made, told("review", "show", one["id"])])
    kept = b"".join(each.read_bytes() for each in (tmp_path / ".remit").rglob("*") if each.is_file())
    assert canary.encode() not in kept, "a secret was written down"


def test_one_review_shows_where_and_which_credentials_and_puts_it_in_force(told, capsys) -> None:
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    [one] = told("review", "list")
    seen = told("review", "show", one["id"])
    said = {f"{each['noun']}/{each['name']}": each for each in seen["body"]["items"]}
    [mail] = said["resource/mail"]["credentials"]
    assert (mail["name"], "refers" in mail, Path(mail["file"]).name) == ("X-Token", False, ".mcp.json")
    assert said["resource/notes"]["credentials"][0]["refers"] == "$NOTES_TOKEN"
    [agent] = [each for each in said.values() if each["noun"] == "agent" and each["ceiling"]]
    assert agent["ceiling"] == ["mcp:mail/*", "mcp:notes/*"]
    capsys.readouterr()
    assert run(["review", "show", one["id"]]) == 0
    out = capsys.readouterr().out
    assert "X-Token: stands there in full at" in out
    assert "notes-mcp" in out
    assert SECRET not in out
    done = told("review", "approve", one["id"], "--shown", seen["shown"], "--refuse", "mail")
    assert (done["state"], list(done["left"])) == ("open", [f"agent/{name_of(said, 'triage')}"])
    assert told("resource", "show", "mail")["state"] == "refused"
    assert (told("resource", "show", "notes")["state"], told("brief", "show", agent["name"])["state"]) == (
        "active", "live",
    )  # fmt: skip
    assert told("agent", "show", agent["name"])["ceiling"] == ["mcp:notes/*"]
    assert told("review", "refuse", one["id"], "--shown", seen["shown"])["state"] == "closed"
    assert told("review", "list") == []
    again = told("scan", "site", "--enroll", "--write", "--owner", "olga")
    assert told("review", "list") == [], "what was refused stays refused"
    assert here(again, "resource")["mail"]["state"] == "refused"
    told("review", "approve", one["id"], "--shown", seen["shown"], code=4)


def test_what_stays_proposed_is_named_once_with_why(told, capsys) -> None:
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    [one] = told("review", "list")
    agent = next(each["name"] for each in one["items"] if each["name"].startswith("triage"))
    assert run(["review", "approve", one["id"], "--shown", one["shown"]]) == 0
    said = capsys.readouterr().err
    assert f"The agent {agent} cannot act: nothing tells what it could ever use (remit agent review {agent} " in said
    assert (said.count(f"gent {agent} "), f"agent/{agent}" in said) == (1, False)
    assert review._stays("resource/a", "This owner is no longer here.") == (
        "The resource a: This owner is no longer here. It stays proposed."
    )


def test_so_many_of_each_are_counted_in_words() -> None:
    assert enrolling._counted({"agent": 2, "resource": 1, "brief": 3}) == "2 agents, 1 resource and 3 briefs"
    assert enrolling._counted({"agent": 1, "brief": 1, "resource": 0}) == "1 agent and 1 brief"
    assert enrolling._counted({"agent": 0}) == ""


def name_of(said, word):
    return next(one["name"] for one in said.values() if one["name"].startswith(word))


@pytest.mark.parametrize("answer", ["", "refuse"])
def test_what_nobody_put_in_force_is_not_run_to_see_what_it_offers(told, tmp_path, monkeypatch, answer) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "evil-mcp"
    program.write_text(f"#!/bin/sh\n: > {tmp_path / 'ran'}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "site" / ".mcp.json").write_text(json.dumps({"mcpServers": {"evil": {"command": "evil-mcp"}}}))
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    [one] = told("review", "list")
    if answer:
        told("review", answer, one["id"], "--shown", told("review", "show", one["id"])["shown"])
    for words in ((), ("--yes",)):
        told("resource", "repin", "evil", *words, code=2)
    assert not (tmp_path / "ran").exists(), "its program was run"
    [state] = [each["state"] for each in told("resource", "show") if each["name"] == "evil"]
    assert state == ("refused" if answer else "proposed")


def test_a_changed_tree_proposes_only_the_difference(told) -> None:
    told("scan", "site", "--enroll", "--write", "--owner", "olga")
    site = Path("site")
    servers = {**CLIENT["mcpServers"], "wiki": {"command": "wiki-mcp", "args": ["--token", SECRET]}}
    (site / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    (site / "compose.yaml").unlink()
    other = site / "other"
    other.mkdir()
    twin = {"notes": {"command": "notes-mcp"}, "mail": {"url": "https://evil.example.net/mcp"}}
    (other / ".mcp.json").write_text(json.dumps({"mcpServers": twin}))
    rows = told("scan", "site", "--enroll", "--write", "--owner", "olga")
    newer = told("review", "list")[-1]
    nouns = sorted((one["noun"], one["name"]) for one in newer["items"])
    marked = [name for noun, name in nouns if noun == "resource"]
    assert len(marked) == 2
    assert marked[1] == "wiki"
    assert marked[0].startswith("mail-"), "another address under the same name is another resource"
    assert [noun for noun, _ in nouns].count("agent") == 2, "the new one, and the one that is given more"
    assert here(rows, "resource")["wiki"]["reached"] == "wiki-mcp --token ***"
    gone = [one for one in rows if one["name"].startswith("triage")]
    assert [one["seen"] for one in gone] == ["never here"]
    told("review", "approve", newer["id"], "resource/wiki", "--shown", newer["shown"], code=4)
    (site / ".mcp.json").unlink()
    (other / ".mcp.json").unlink()
    rows = told("scan", "site", "--enroll")
    assert {one["name"] for one in rows if one["noun"] == "resource" and one["seen"] == "never here"} >= {
        "notes",
        "wiki",
    }


def tree(name, *argv, tool="tool"):
    Path(name).mkdir()
    entry = {"command": argv[0], "args": argv[1:], "alwaysAllow": ["read_note"]}
    (Path(name) / ".mcp.json").write_text(json.dumps({"mcpServers": {tool: entry}}))


def enrolled(told, name):
    """The items of the review that one tree's scan made, or none."""
    told("scan", name, "--enroll", "--write", "--owner", "olga")
    found = told("review", "list", "--all")
    return told("review", "show", found[-1]["id"])


def answered(told, one, word="approve"):
    told("review", word, one["id"], "--shown", one["shown"])


def agent_of(told, name):
    [one] = [each for each in told("agent", "show") if each["name"].startswith(name)]
    return one


@pytest.mark.parametrize(("first", "second"), [("tc", "te"), ("te", "tc")])
@pytest.mark.parametrize("evil", ["/evil/python", "python"])
def test_a_strangers_tree_takes_no_name_of_another(told, first, second, evil) -> None:
    commands = {"tc": ["python", "server.py"], "te": [evil, "server.py"]}
    for name, argv in commands.items():
        tree(name, *argv)
    one, two = enrolled(told, first), enrolled(told, second)
    names = [next(item["name"] for item in each["items"] if item["noun"] == "resource") for each in (one, two)]
    assert names[0] == "tool"
    assert names[1].startswith("tool-")
    assert len(names[1]) == len("tool-") + 8
    answered(told, two)
    answered(told, one)
    for each, name in zip((first, second), names, strict=True):
        assert agent_of(told, each)["ceiling"] == [f"mcp:{name}/*"]
        there = told("resource", "show", name)["upstream"]
        assert (there["argv"], there["directory"]) == (commands[each], str(Path(each).absolute()))
        again = told("scan", each, "--enroll", "--write", "--owner", "olga")
        assert {
            (row["name"], row["state"]) for row in again if row["noun"] == "resource" and row["seen"] == "here"
        } == {(name, "active")}
    assert len(told("review", "list", "--all")) == 2, "each is known again"


@pytest.mark.parametrize("word", ["approve", "refuse"])
def test_what_is_in_force_or_refused_is_not_what_a_strangers_tree_calls_so(told, word) -> None:
    tree("tc", "python", "server.py")
    answered(told, enrolled(told, "tc"), word)
    was = told("resource", "show", "tool")
    tree("te", "/evil/python", "server.py")
    two = enrolled(told, "te")
    assert told("resource", "show", "tool") == was
    [name] = [item["name"] for item in two["items"] if item["noun"] == "resource"]
    assert name.startswith("tool-")
    answered(told, two)
    assert agent_of(told, "te")["ceiling"] == [f"mcp:{name}/*"]


def test_a_name_that_was_made_to_be_anothers_is_not_taken_for_it(told) -> None:
    tree("tc", "python", "server.py")
    tree("t0", "python", "server.py")
    enrolled(told, "t0")
    [name] = [row["name"] for row in told("scan", "tc", "--enroll") if row["noun"] == "resource" and row["where"]]
    tree("te", "/evil/python", tool=name)
    answered(told, enrolled(told, "te"))
    assert told("resource", "show", name)["upstream"]["argv"] == ["/evil/python"]
    one = enrolled(told, "tc")
    [mine] = [item["name"] for item in one["items"] if item["noun"] == "resource"]
    assert mine.startswith(name)
    assert len(mine) == len(name) + 8


def test_owners_tools_and_drafts_stand_beside_what_was_met(told, capsys, tmp_path) -> None:
    site = tmp_path / "site"
    (site / "CODEOWNERS").write_text("/.mcp.json @ann\n")
    told("person", "add", "ann", "--name", "Ann")
    (site / "compose.yaml").write_text(COMPOSE + "    labels: {owner: nobody-here}\n")
    shown = {
        one["owner"]: one for one in here(told("scan", "site", "--enroll", "--briefs", "drafts"), "agent").values()
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
    assert people[told("resource", "show", "notes")["owner"]] == "ann"


def test_tools_that_claude_codes_settings_name_are_steps_and_a_draft_gives_as_much(told, tmp_path) -> None:
    folder = tmp_path / "site" / ".claude"
    folder.mkdir()
    for name, tool in (("settings.json", "find"), ("settings.local.json", "read_note"), ("settings.json.old", "wipe")):
        (folder / name).write_text(json.dumps({"permissions": {"allow": [f"mcp__notes__{tool}"]}}))
    rows = told("scan", "site", "--enroll", "--write", "--owner", "olga", "--briefs", "drafts")
    [name] = here(rows, "brief")
    steps = told("brief", "show", name)["steps"]
    assert sorted(one["action"] for one in steps) == ["mcp:notes/find", "mcp:notes/read_note"]
    drafted = tomllib.loads((tmp_path / "drafts" / f"{name}.toml").read_text())["steps"]
    assert drafted == steps


def test_one_is_said_as_one_and_each_next_step_is_a_command(told, capsys, tmp_path) -> None:
    (tmp_path / "site" / ".mcp.json").unlink()
    capsys.readouterr()
    assert run(["scan", "site", "--enroll"]) == 0
    heard = capsys.readouterr()
    assert heard.err.startswith("1 agent would be proposed (--write does it).\n")
    assert run(["scan", "site", "--enroll", "--write", "--owner", "olga"]) == 0
    heard = capsys.readouterr()
    assert heard.err.startswith("1 agent was proposed. Nothing can use what is proposed.\n")
    assert "remit review show rvw_" in heard.err
    [row] = [line.split() for line in heard.out.splitlines() if "triage-agent" in line]
    assert row[4] == "olga", "the table says who owns it"
    assert run(["scan", "site", "--enroll"]) == 0
    assert "All that was met is registered." in capsys.readouterr().err
    assert run(["review", "list"]) == 0
    [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("rvw_")]
    assert run(["review", "refuse", line.split()[0], "--shown", "other"]) == 2
    assert "review_moved" in capsys.readouterr().err


def test_the_commands_say_what_they_do() -> None:
    assert enrolling.enroll.__doc__
    assert met.met.__doc__
    assert review.review.help


def test_a_file_that_names_more_than_a_record_holds_keeps_nothing_else_from_being_put_forward(told) -> None:
    """One tree of a stranger's below a home would else hold up the enrolment of every agent there."""
    bad = Path("bad")
    (bad / ".claude").mkdir(parents=True)
    servers = {f"{'long' * 13}-{n}": {"command": f"c{n}"} for n in range(402)} | {"bulk": {"command": "bulk-mcp"}}
    (bad / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    rules = [f"mcp__bulk__t{n}" for n in range(1200)]
    (bad / ".claude" / "settings.json").write_text(json.dumps({"permissions": {"allow": rules}}))
    told("scan", "bad", "site", "--enroll", "--write", "--owner", "olga")
    items = [one for review in told("review", "list") for one in review["items"]]
    agents = [one["name"] for one in items if one["noun"] == "agent"]
    assert any(one.startswith("site-") for one in agents)
    (mine,) = [one for one in agents if one.startswith("bad-")]
    whole = [told("review", "show", review["id"]) for review in told("review", "list")]
    said = {f"{each['noun']}/{each['name']}": each for one in whole for each in one["body"]["items"]}
    assert said[f"brief/{mine}"]["record"]["steps"] == []
    assert said[f"brief/{mine}"]["lacks"].startswith("its file names ")
    assert len(said[f"agent/{mine}"]["ceiling"]) == 400
    assert said[f"agent/{mine}"]["lacks"] == "3 more servers than it can have"
    assert told("scan", "bad", "site", "--enroll", "--write", "--owner", "olga")
    assert len(told("review", "list")) == len(whole), "the same tree puts nothing more forward"
    (review,) = [one for one in whole if any(each["name"] == mine for each in one["body"]["items"])]
    told("review", "approve", review["id"], f"agent/{mine}", "--next", "30d", "--shown", review["shown"])
