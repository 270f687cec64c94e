"""`remit task flow`: an errand rebuilt at the desk, as table, JSON and picture; and a plan that waits for a yes."""

import json
from pathlib import Path

import pytest

from tests.cli.test_approvals import called
from tests.kit.shell import BRIEF, CEDAR, TESTS, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path).settle()
    made.write(
        "policy/common/base.cedar", CEDAR + 'permit(principal, action == Action::"mcp:notes/read_note", resource);'
    )
    made.write("policy/tests.json", json.dumps(json.loads(TESTS)[1:]))
    made.write("notes.toml", f'replan = "ask"\napprovers = ["ops"]\n{BRIEF}')
    made.ok("remit policy apply policy && remit brief apply notes.toml")
    return made


def test_a_task_is_rebuilt_and_drawn(shell: Shell) -> None:
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    called(shell, task, "/notes/a")
    called(shell, task, "/elsewhere")
    table = shell.ok(f"remit task flow {task} --svg flow.svg")
    assert "one trust path so far, risk normal" in table
    assert "argument_refused" in table
    assert "outcome unknown" in table
    assert (shell.folder / "flow.svg").read_text(encoding="utf-8").startswith("<svg")
    found = json.loads(shell.ok(f"remit task flow {task} -o json"))
    assert [one["what"] for one in found["acts"]] == ["open", "refused"]
    assert (found["risk"], len(found["lanes"])) == ("normal", 1)
    assert shell.run(f"remit task flow {task} --svg no/such/flow.svg").code == 2


def test_a_plan_that_is_wider_waits_and_says_for_whom(shell: Shell) -> None:
    shell.write("plan.toml", 'steps = [{ action = "mcp:notes/wipe", path = "own" }]')
    told = json.loads(shell.ok("remit task open notes scribe --plan plan.toml -o json"))
    assert [one["action"] for one in told["plan"]["steps"]] == ["mcp:notes/wipe"]
    assert (told["reach"]["systems"], told["reach"]["calls"]) == (["notes"], "unbounded")
    wide = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes"}]}}
    shell.write("wider.json", json.dumps({"steps": [wide]}))
    done = shell.run(f"remit task plan {told['id']} wider.json")
    assert (done.code, "waits for a yes of ops" in done.err) == (5, True)
    assert "plan_wider" in shell.ok(f"remit task show {told['id']}")
