"""`remit approvals`, `approve`, `deny`: what waits is shown inert and exact, and answered by a person."""

import json
from pathlib import Path

import pytest

from remit.cli import settings as rules
from remit.cli.desk import close, open_desk
from remit.control import credential
from remit.control.gate import Gate
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit.shell import BRIEF, CEDAR, TESTS, Shell

ASK = '@ask("ops") permit(principal, action == Action::"mcp:notes/read_note", resource);\n'
TRAP = "/notes/\u202egpj.exe\u001b[2J<script>"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path).settle()
    made.write("policy/common/base.cedar", CEDAR + ASK)
    made.write("policy/tests.json", json.dumps(json.loads(TESTS)[1:]))
    made.write("notes.toml", BRIEF.replace('{ subpath = "/notes" }', "{ max_length = 200 }"))
    made.ok("remit policy apply policy && remit brief apply notes.toml")
    made.ok("remit person add ann --name Ann --group ops")
    return made


def called(shell: Shell, task: str, path: str) -> object:
    """Decide one call of the task's agent in this store."""
    desk = open_desk(rules.load({}, {"data": str(shell.folder / ".remit")}, None))
    try:
        gate = Gate(desk.authority, desk.batch)
        agent = desk.agent("scribe").id
        given = {"task_id": task, "agent_id": agent, "path": TrustPath.OWN, "person_id": ""}
        entry = gate.enter(desk.act(lambda c: credential.give(c, **given)).text, "notes")
        found: list[object] = []
        gate.decide(Call("mcp:notes/read_note", {"path": path}), entry, "", found.append)
        return found[0]
    finally:
        close(desk.authority)


def test_what_waits_is_shown_exactly_and_a_yes_lets_that_call_through(shell: Shell) -> None:
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    assert shell.run("remit approvals").code == 0
    waits = called(shell, task, "/notes/a").approval
    assert json.loads(shell.ok("remit status -o json"))["approvals_waiting"] == 1
    listed = shell.run("remit approvals -o json")
    assert (listed.code, json.loads(listed.out)[0]["id"]) == (5, waits)
    one = shell.run(f"remit approvals {waits} -o json")
    digest = json.loads(one.out)["card_digest"]
    assert json.loads(one.out)["card"]["arguments"] == {"path": "/notes/a"}
    assert shell.run(f"remit approve {waits} --as ann --shown other").code == 2
    assert shell.run(f"remit approve {waits} --as olga --shown {digest}").code == 4, "olga requested it"
    assert shell.run(f"remit approve {waits} --as ann").code == 2, "nobody was there to confirm it"
    assert shell.run(f"echo y | remit approve {waits} --as ann").code == 0
    assert isinstance(called(shell, task, "/notes/a"), Permit)
    told = json.loads(shell.ok("remit approvals --stats -o json"))
    assert [(one["answers"], one["yes"]) for one in told] == [(1, 1)]
    assert shell.run("remit approvals").code == 0


def test_a_no_is_told_and_hostile_text_reaches_no_terminal(shell: Shell) -> None:
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    waits = called(shell, task, TRAP).approval
    for command in (f"remit approvals {waits}", "remit approvals", f"remit approvals {waits} -o json"):
        ran = shell.run(command)
        assert "\u202e" not in ran.out
        assert "\x1b" not in ran.out
    assert "\\u202egpj.exe\\u001b[2J<script>" in shell.run(f"remit approvals {waits}").out
    assert shell.run(f"remit deny {waits} --as ann --because no").code == 0
    assert called(shell, task, TRAP).code == "approval_denied"
