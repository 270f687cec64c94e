"""`remit run` for a person: from a server that a scan met to the command that they consented to, and its ends."""

import json
import signal
import socket
import sys

import pytest

from tests.cli.test_run import open_tasks, task, until
from tests.kit.running_person import BRIEFS, READS, WAITS, node_for_people, port_of

MEMO = '@id("memo") permit(principal, action in Action::"mcp:memo", resource);\n'
PROGRAM = "from call import call; print(call('/notes/a', 'memo'))"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with node_for_people(tmp_path_factory.mktemp("person"), *BRIEFS) as one:
        yield one


def test_a_brief_that_a_scan_proposed_and_a_person_approved_is_run(node):
    server = {"command": sys.executable, "args": [str(node.folder / "notes.py")], "alwaysAllow": ["read_note"]}
    node.write("site/.mcp.json", json.dumps({"mcpServers": {"memo": server}}))
    owner = f"--owner '{node.idp}#pia'"
    rows = json.loads(node.ok(f"remit scan site --enroll --write {owner} -o json"))
    (name,) = [one["name"] for one in rows if (one["noun"], one["seen"]) == ("brief", "here")]
    (review,) = json.loads(node.ok("remit review list -o json"))
    asked = node.run(f"remit run --agent {name} --brief {name} -- true")
    assert (asked.code, "[task_refused]" in asked.err) == (4, True), asked
    shown = json.loads(node.ok(f"remit review show {review['id']} -o json"))["shown"]
    node.ok(f"remit review approve {review['id']} --shown {shown}")
    node.ok("remit resource repin memo --yes")
    node.write("policy/common/memo.cedar", MEMO)
    node.ok("remit policy apply policy")
    steps = json.loads(node.ok(f"remit brief show {name} -o json"))["steps"]
    assert {one["path"] for one in steps} == {"delegated"}
    with node.start(PROGRAM, "-o", "json", brief=name, agent=name) as process:
        node.person.go(process.asks())
        code, lines, said = process.ends()
    assert (code, len(lines)) == (0, 2), said
    assert "Note: /notes/a" in lines[0]
    told = json.loads(lines[1])
    assert (told["ended"], told["calls"]["done"]) == (True, 1)
    assert f"Let {name} act for you?" in node.person.seen[-2].body


def test_killed_outright_while_it_waits_nobody_listens_and_no_task_was_opened(node):
    before = open_tasks(node)
    with node.start("print('ran')") as process:
        place = port_of(process.asks())
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", place), 5)
    assert open_tasks(node) == before


def test_a_person_who_takes_it_back_ends_the_command(node):
    before = open_tasks(node)
    with node.start(WAITS, brief="brisk") as process:
        node.person.go(process.asks())
        process.stdout.readline()
        (mine,) = open_tasks(node) - before
        node.ok(f"remit revoke consent {task(node, mine)['consent']}")
        code, _, said = process.ends()
    assert code == 128 + signal.SIGTERM
    assert "The task of this command has ended" in said


def test_of_a_brief_with_both_paths_a_command_has_one_and_is_told_of_the_other(node):
    ran = node.run("remit run --agent scribe --brief both -o json -- true")
    assert (ran.code, "not given: mcp:notes/read_note. With --path delegated" in ran.err) == (0, True), ran
    assert "consent" not in task(node, json.loads(ran.out)["task"])
    with node.start(READS, "-o", "json", "--path", "delegated", brief="both") as process:
        node.person.go(process.asks())
        code, lines, said = process.ends()
    assert (code, "Note: /notes/a" in lines[0]) == (0, True), said
    assert {one["path"] for one in node.decided(json.loads(lines[1])["task"])} == {"delegated"}


def test_a_browser_is_opened_when_it_is_asked_for_and_not_else(node, monkeypatch):
    seen = node.folder / "opened"
    browser = node.write("browser", f'#!/bin/sh\nprintf %s "$1" > {seen}.part; mv {seen}.part {seen}\n')
    browser.chmod(0o755)
    monkeypatch.setitem(node.environment, "BROWSER", str(browser))
    for flags, opened in (((), False), (("--browse",), True)):
        with node.start("print('ran')", *flags) as process:
            address = process.asks()
            assert until(seen.exists) if opened else not seen.exists()
            assert not opened or seen.read_text(encoding="utf-8") == address
            node.person.go(address)
            assert process.ends()[:2] == (0, ["ran"])


def test_a_no_and_no_answer_are_told_and_leave_nothing(node):
    before = open_tasks(node)
    with node.start("print('ran')") as process:
        assert node.person.go(process.asks(), answer="no").status == 200
        code, lines, said = process.ends()
    assert (code, lines, "The person said no." in said, "[consent_denied]" in said) == (4, [], True, True), said
    with node.start("print('ran')", "--wait", "1s") as process:
        place = port_of(process.asks())
        with socket.create_connection(("127.0.0.1", place)):
            code, lines, said = process.ends()
    assert (code, lines, "[consent_unanswered]" in said) == (4, [], True), said
    assert open_tasks(node) == before


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ("--brief errand --path own", 4, "run_delegated"),
        ("--brief notes --path delegated", 4, "run_own"),
        ("--brief errand --as olga --request x", 2, "consent_fixed"),
    ],
)
def test_what_no_person_could_consent_to_asks_nobody(node, flags, code, told):
    ran = node.run(f"remit run --agent scribe {flags} -- true")
    assert (ran.code, f"[{told}]" in ran.err, "http" in ran.err) == (code, True, False), ran
