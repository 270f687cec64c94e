"""Each command in its JSON form, in one process, on a real store."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from remit.cli import agent, brief, can, desk, doctor, ledger, memory, person, policy, revoke, secret, status, task, up
from remit.cli.main import COMMANDS, run
from remit.cli.settings import Settings
from remit.control.principal import token_digest
from remit.core.answer import Allow, Ask, Deny
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.store import log
from tests.kit.shell import Shell


class Told:
    """Runs commands in this process and reads what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> Any:
        self.capsys.readouterr()
        assert run([*words, "-o", "json"]) == code, self.capsys.readouterr()
        return json.loads(self.capsys.readouterr().out)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    Shell(tmp_path).files()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "olga")
    found = Told(capsys)
    found("up", "--no-serve")
    return found


@pytest.fixture
def settled(told: Told) -> Told:
    told("agent", "add", "scribe", "--owner", "olga", "--review", "30d", "--purpose", "p", "--ceiling", "mcp:notes/*")
    # What follows a double dash is the server's: the form has to stand before it.
    assert (
        run(
            [
                "resource",
                "add",
                "notes",
                "--stdio",
                "--domain",
                "office",
                "--owner",
                "olga",
                "--",
                sys.executable,
                "notes.py",
            ]
        )
        == 0
    )
    told("policy", "apply", "policy")
    told("brief", "apply", "notes.toml")
    return told


def test_every_command_is_the_one_of_its_module() -> None:
    for module, name in ((agent, "agent"), (brief, "brief"), (can, "can"), (doctor, "doctor"), (ledger, "ledger"),
                         (person, "person"), (policy, "policy"), (revoke, "revoke"), (secret, "secret"),
                         (status, "status"), (task, "task"), (up, "up")):  # fmt: skip
        assert getattr(module, name).name == name
        assert COMMANDS[name][0] == f"{name}:{name}"


def test_setting_up_again_changes_nothing(told: Told) -> None:
    first = told("ledger", "key")
    assert "admin_token" not in told("up", "--no-serve")
    assert told("ledger", "key") == first


def test_a_person_is_added_grouped_and_erased(told: Told) -> None:
    one = told(
        "person", "add", "pia", "--name", "Pia Person", "--group", "ops", "--issuer", "https://login.example.com"
    )
    assert told("person", "add", "pia", "--group", "hr", "--issuer", "https://login.example.com")["groups"] == ["hr"]
    (shown,) = [p for p in told("person", "show") if p["id"] == one["id"]]
    assert shown["known_as"] == [{"issuer": "https://login.example.com", "subject": "pia", "name": "Pia Person"}]
    assert told("person", "show", "https://login.example.com#pia")["id"] == one["id"]
    before = told("ledger", "key")["size"]
    assert told("person", "erase", one["id"]) == {"person": one["id"], "erased": 1}
    assert told("person", "show", one["id"])["known_as"] == []
    assert told("ledger", "key")["size"] == before, "who a person is never stood in the ledger"
    assert told("ledger", "verify")["ok"]
    told("revoke", "person", one["id"])
    assert told("person", "show", one["id"])["state"] == "gone"


def test_an_agent_lives_from_its_owner_to_its_end(told: Told) -> None:
    pia = told("person", "add", "pia")["id"]
    made = told(
        "agent", "add", "scribe", "--owner", "olga", "--review", "30d", "--purpose", "p", "--ceiling", "mcp:x/*"
    )
    assert made["state"] == "active"
    assert told("agent", "transfer", "scribe", "--to", "pia")["owner"] == pia
    assert told("agent", "suspend", "scribe", "--because", "odd")["state"] == "suspended"
    assert told("agent", "review", made["id"], "--next", "60d")["state"] == "active"
    assert told("agent", "retire", "scribe")["state"] == "retired"
    assert run(["agent", "review", "scribe", "--next", "60d"]) == 4
    assert [one["state"] for one in told("agent", "show")] == ["retired"]
    kinds = [one["receipt"]["kind"] for one in told("ledger", "show")]
    assert kinds[-7:] == [
        "agent.transferred", "revocation.made", "agent.suspended", "agent.reviewed",
        "revocation.made", "agent.suspended", "agent.retired",
    ]  # fmt: skip


def test_an_agent_that_may_do_nothing_is_told_as_such_with_what_helps(settled: Told) -> None:
    settled("agent", "suspend", "scribe")
    said = settled("can", "scribe", "mcp:notes/read_note", code=1)
    assert (said["answer"], said["code"]) == ("no", "agent_not_active")
    assert said["what"] == (
        "The agent scribe is suspended. When it is right again, wake it: remit agent review scribe --next 90d"
    )
    for words in (["can", "scribe", "mcp:notes/read_note"], ["task", "open", "notes", "scribe"]):
        settled.capsys.readouterr()
        assert run(words) == (1 if words[0] == "can" else 4)
        heard = settled.capsys.readouterr()
        assert "The agent scribe is suspended." in heard.out + heard.err
        assert "remit agent review scribe --next 90d" in heard.out + heard.err
    settled("agent", "review", "scribe", "--next", "60d")
    task = settled("task", "open", "notes", "scribe")["id"]
    settled("agent", "suspend", "scribe")
    settled.capsys.readouterr()
    assert run(["can", "scribe", "mcp:notes/read_note", "--task", task]) == 1
    assert "wake it: remit agent review scribe" in settled.capsys.readouterr().out


def test_what_is_shown_without_a_name_is_listed(settled: Told) -> None:
    for noun in ("agent", "resource", "brief", "person", "service", "attestor", "client", "signal", "lease"):
        assert settled(noun, "list") == settled(noun, "show"), noun
    assert [one["name"] for one in settled("resource", "list")] == ["notes"]
    settled.capsys.readouterr()
    assert run(["resource", "--help"]) == 0
    assert "List all." in settled.capsys.readouterr().out


def test_a_service_may_dispatch_and_is_no_agent(told: Told) -> None:
    made = told("service", "add", "ticketing", "--owner", "olga")
    assert made["id"].startswith("svc_")
    assert [one["name"] for one in told("service", "show")] == ["ticketing"]
    assert run(["service", "add", "ticketing", "--owner", "olga"]) == 2


def test_a_service_is_given_a_token_that_is_shown_once_and_kept_as_its_digest(told: Told) -> None:
    made = told("service", "add", "edge", "--owner", "olga")
    first, second = (told("service", "token", "edge") for _ in range(2))
    assert first["service"] == second["service"] == made["id"]
    assert first["token"].startswith("rsv_")
    assert first["token"] != second["token"]
    assert told("service", "show")[0]["token"] == token_digest(second["token"])
    assert run(["service", "token", "nobody"]) == 2
    told("revoke", "service", made["id"])
    assert run(["service", "token", "edge"]) != 0


def test_a_task_is_planned_narrower_and_closed(settled: Told, tmp_path: Path) -> None:
    one = settled("task", "open", "notes", "scribe", "--label", "ticket=T-1", "--life", "5m")
    assert one["labels"] == {"ticket": "T-1"}
    assert one["deadline"] - one["opened"] == 300_000
    assert one["plan"]["version"] == 1
    (tmp_path / "plan.json").write_text('{"steps": [{"action": "mcp:notes/wipe", "path": "own"}]}', encoding="utf-8")
    assert settled("task", "plan", one["id"], "plan.json")["plan"]["version"] == 2
    asked = ("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/notes/a"}', "--task", one["id"])
    assert settled(*asked, code=1)["code"] == "plan_outside"
    assert settled("task", "close", one["id"]) == {"ended": [one["id"]]}
    assert settled("task", "close", one["id"]) == {"ended": []}
    assert settled("task", "list") == []
    assert [gone["because"] for gone in settled("task", "list", "--all", "--agent", "scribe")] == ["complete"]


def test_a_question_leaves_nothing_behind_and_is_answered_step_by_step(settled: Told) -> None:
    settled("task", "open", "notes", "scribe")
    before = settled("ledger", "key")
    yes = settled("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/notes/a"}')
    assert yes["answer"] == "yes"
    assert {one["verdict"] for one in yes["steps"]} == {"holds"}
    no = settled("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/etc"}', code=1)
    assert (no["code"], no["steps"][-1]["looked_at"]) == ("argument_refused", "limits")
    no = settled("can", "scribe", "mcp:notes/wipe", code=1)
    assert (no["code"], no["grounds"], no["steps"][-1]["looked_at"]) == ("policy_forbids", ["common/no-wipe"], "policy")
    no = settled("can", "scribe", "mcp:notes/print", code=1)
    assert [one["looked_at"] for one in no["steps"] if one["verdict"] == "refuses"] == ["tool", "plan"]
    assert run(["can", "scribe", "mcp:notes/wipe", "--path", "delegated"]) == 4
    assert settled("ledger", "key") == before
    assert settled("status")["credentials_live"] == 0


def test_the_answer_to_a_question_ends_with_0_1_or_5(settled: Told, tmp_path: Path) -> None:
    asks = '@ask("leads") permit(principal, action == Action::"mcp:notes/read_note", resource);'
    (tmp_path / "policy" / "common" / "base.cedar").write_text(asks, encoding="utf-8")
    (tmp_path / "policy" / "tests.json").write_text(
        '[{"name": "o", "path": "own", "action": "mcp:notes/read_note", "args": {"path": "a"}, "expect": "ask:leads"},'
        ' {"name": "d", "path": "delegated", "action": "mcp:notes/wipe", "expect": "deny"}]',
        encoding="utf-8",
    )
    rows = settled("policy", "diff", "policy", code=1)
    assert {"path": "own", "what": "removed", "name": "common/notes", "answer": "-"} in rows
    settled("policy", "apply", "policy")
    settled("task", "open", "notes", "scribe")
    asked = settled("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/notes/a"}', code=5)
    assert asked["answer"] == "ask"
    assert "leads" in asked["what"]


def test_the_steps_say_what_is_missing() -> None:
    call = Call("mcp:notes/read_note", {})
    lines = can.steps(call, Facts(now=0), Deny("credential_ended", "w"))  # type: ignore[arg-type]
    assert {verdict for _, _, verdict in lines} == {"refuses"}
    assert can.steps(call, Facts(now=0), Allow(0, grounds=("p",)))[-1] == ("policy", "p", "holds")  # type: ignore[arg-type]
    assert can.steps(call, Facts(now=0), Ask(("g",), ("p",)))[-1] == ("policy", "p", "asks")  # type: ignore[arg-type]


def test_failing_policy_tests_end_with_1(settled: Told, tmp_path: Path) -> None:
    (tmp_path / "policy" / "own").mkdir()
    (tmp_path / "policy" / "own" / "x.test.json").write_text(
        '[{"name": "bad", "path": "own", "action": "mcp:notes/wipe", "expect": "allow"}]', encoding="utf-8"
    )
    found = settled("policy", "test", "policy", code=1)
    assert [(one["name"], one["expected"]) for one in found["failures"]] == [("bad", "allow")]
    assert policy.layers("policy")["common"]
    assert len(policy.tests_of("policy")) == 4


def test_a_trust_path_is_closed_and_opened_again(settled: Told) -> None:
    settled("task", "open", "notes", "scribe")
    asked = ("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/notes/a"}')
    assert settled("revoke", "--path", "own")["revocation"]["kind"] == "path"
    assert settled("status", code=1)["wrong"] == ["the own path is closed"]
    assert settled(*asked, code=1)["code"] == "path_revoked"
    assert settled("revoke", "--path", "own", "--reopen")["state"] == "open"
    assert settled("status")["ready"]
    assert settled(*asked)["answer"] == "yes"


def test_a_brief_is_applied_shown_and_withdrawn(settled: Told) -> None:
    opened = settled("task", "open", "notes", "scribe")["id"]
    assert settled("brief", "apply", "notes.toml")["version"] == 1
    assert [one["name"] for one in settled("brief", "show")] == ["notes"]
    assert settled("brief", "withdraw", "notes")["tasks"] == [opened]
    assert settled("brief", "show", "notes")["state"] == "withdrawn"
    assert run(["brief", "apply", "notes.toml"]) == 4
    assert brief.limits({"action": "a", "path": "own", "uses": 3}) == '{"uses":3}'


def test_a_resource_that_is_revoked_is_gone(settled: Told) -> None:
    settled("task", "open", "notes", "scribe")
    settled("revoke", "resource", "notes")
    asked = ("can", "scribe", "mcp:notes/read_note", "--args", '{"path": "/notes/a"}')
    assert settled(*asked, code=1)["code"] == "resource_unknown"


def test_a_tasks_entries_are_shown_with_their_payload(settled: Told) -> None:
    one = settled("task", "open", "notes", "scribe")["id"]
    settled("task", "close", one)
    assert [e["receipt"]["kind"] for e in settled("ledger", "show", "--task", one)] == [
        "task.opened", "plan.made", "task.ended",
    ]  # fmt: skip


def test_a_doctor_names_what_is_wrong(settled: Told, tmp_path: Path) -> None:
    assert settled("doctor", "--replay") | {"sqlite": ""} == {
        "ok": True,
        "findings": [],
        "sqlite": "",
        "looked_at": [
            "store",
            "migrations",
            "clock",
            "restore",
            "keys",
            "secrets",
            "files",
            "bind",
            "programs",
            "weakness",
            "ledger",
            "replay",
        ],
    }
    (tmp_path / ".remit" / "left").touch(0o644)
    (tmp_path / "notes.py").write_text("changed", encoding="utf-8")
    (tmp_path / ".remit" / "head").unlink()
    found = settled("doctor", code=1)["findings"]
    assert [one["at"] for one in found] == ["files", "programs"]
    assert all(one["code"] and one["what"] and one["remedy"] for one in found)


def test_a_head_is_remembered_only_when_it_is_newer(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / ".remit"
    opened = desk.opened(Settings(data=folder))
    try:
        size = memory.seen_size(folder)
        assert size == log.newest(opened.view).size
        memory.forget(folder)
        assert memory.seen_size(folder) == 0
        memory.check(folder, opened)
        memory.remember(folder, opened)
        assert memory.seen_size(folder) == size
        assert desk.Desk(Settings(data=folder), opened).dispatcher("").startswith("per_")
    finally:
        desk.close(opened)
    (folder / "head").write_bytes(b"\xff")
    with pytest.raises(RemitError, match="head_invalid"):
        memory.seen_size(folder)


def test_a_secret_has_versions_and_no_way_out(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_OURS", "hunter2hunter2\n")
    assert told("secret", "put", "k", "--from", "env:KEY_OF_OURS") == {"name": "k", "version": 1}
    assert told("secret", "put", "k", "--from", "env:KEY_OF_OURS") == {"name": "k", "version": 2}
    assert list(secret.secret.commands) == ["put"]
    assert run(["secret", "put", "Not A Name", "--from", "env:KEY_OF_OURS"]) == 2


def test_status_says_how_to_mend_what_is_wrong(settled: Told) -> None:
    assert settled("status")["mend"] == []
    settled("revoke", "--path", "own")
    assert settled("status", code=1)["mend"] == ["remit revoke --path own --reopen"]
    settled.capsys.readouterr()
    assert run(["status"]) == 1
    assert settled.capsys.readouterr().out.endswith("\n\nTo mend it:\n  remit revoke --path own --reopen\n")
