"""`remit rightsize`: proposed from what was used, shown, replayed, approved, applied, watched and taken back."""

import json
from pathlib import Path

import pytest

from tests.cli.test_approvals import called
from tests.kit.shell import BRIEF, Shell

FEW = "--calls 4 --tasks 2 --days 1"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path).settle()
    made.write("notes.toml", BRIEF + "\nuses = 5\n")
    made.ok("remit brief apply notes.toml")
    for number in range(2):
        task = json.loads(made.ok("remit task open notes scribe -o json"))["id"]
        for name in ("a/x", "a/y", "a/deep/z"):
            called(made, task, f"/notes/{name}{number}")
    return made


def test_where_nobody_is_asked_nobody_is_shown_a_card(shell: Shell) -> None:
    one = proposed(shell)
    ran = shell.run(f"yes | remit rightsize approve {one} --as olga")
    assert ran.code == 4
    assert "The brief notes names no approvers, so nobody is asked." in ran.err
    assert f"remit rightsize apply {one}" in ran.err
    assert "Say yes" not in ran.err


def proposed(shell: Shell) -> str:
    found = json.loads(shell.ok(f"remit rightsize --agent scribe {FEW} -o json"))["briefs"]
    return str(found[0]["proposal"])


def test_a_brief_is_narrowed_to_what_was_used_watched_and_put_back(shell: Shell) -> None:
    seen = shell.ok(f"remit rightsize --brief notes {FEW} --look")
    assert "notes: 1 of 2 steps were used" in seen
    assert "path: subpath, from 6 values" in seen
    assert "0 of 6 allowed calls would fail, 0 refused stay refused" in seen
    assert shell.ok("remit rightsize list").splitlines()[1:] == []
    ran = shell.run("remit rightsize show rsz_none")
    assert ran.code == 2
    assert "There is no proposal rsz_none.\n  List what there is: remit rightsize list." in ran.err
    one = proposed(shell)
    text = shell.ok(f"remit rightsize show {one}")
    assert "dropped: nobody used it" in text
    assert 'forbid (principal, action in [Action::\\"mcp:notes/wipe\\"], resource)' in text
    assert shell.ok(f"remit rightsize replay {one}").startswith("0 of 6 allowed calls would fail")
    applied = json.loads(shell.ok(f"remit rightsize apply {one} -o json"))
    assert (applied["state"], applied["brief"]) == ("applied", "notes")
    assert "mcp:notes/wipe" not in shell.ok("remit brief show notes")
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    called(shell, task, "/notes/b")
    ran = shell.run(f"remit rightsize watch {one}")
    assert ran.code == 1
    assert ran.out.startswith("1 call was refused since")
    assert "mcp:notes/read_note" in ran.out
    assert json.loads(shell.ok(f"remit rightsize rollback {one} -o json"))["state"] == "undone"
    assert "mcp:notes/wipe" in shell.ok("remit brief show notes")
    assert shell.run(f"remit rightsize rollback {one}").code == 4


def test_a_call_that_was_allowed_since_it_was_proposed_holds_it_back(shell: Shell) -> None:
    """Calls go on while people are asked: what was proven of the proposal is not what is so of it by now."""
    one = proposed(shell)
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    called(shell, task, "/notes/b")
    ran = shell.run(f"remit rightsize apply {one}")
    assert (ran.code, "rightsize_fails" in ran.err) == (4, True)
    assert "mcp:notes/read_note" in shell.run(f"remit rightsize replay {one}").out
    assert json.loads(shell.ok(f"remit rightsize apply {one} --anyway -o json"))["state"] == "applied"


def test_approvers_say_yes_to_what_they_were_shown_and_a_dropped_proposal_is_erased(shell: Shell) -> None:
    shell.write("notes.toml", 'approvers = ["ops"]\n' + BRIEF)
    shell.ok("remit brief apply notes.toml && remit person add ann --name Ann --group ops")
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    called(shell, task, "/notes/a/q")
    one = proposed(shell)
    ran = shell.run(f"remit rightsize apply {one}")
    assert (ran.code, "rightsize_unapproved" in ran.err) == (4, True)
    ran = shell.run(f"remit rightsize approve {one} --as ann --shown other")
    assert "rightsize_moved" in ran.err
    shell.ok("remit person add bob --name Bob --group staff")
    ran = shell.run(f"remit rightsize approve {one} --as bob")
    assert (ran.code, "It takes somebody of ops" in ran.err) == (4, True)
    assert "What changes" not in ran.err, "who may not answer is not asked"
    ran = shell.run(f"yes | remit rightsize approve {one} --as ann -o json")
    assert (ran.code, json.loads(ran.out)["state"]) == (0, "approved")
    card = " ".join(ran.err.split())
    assert "0 mcp:notes/read_note own argument path an absolute path in /notes" in card
    assert "1 mcp:notes/wipe own the step given gone" in card
    assert "0 of 7 allowed calls would fail" in card
    assert "It takes 1 of ops, who may be: Ann." in card
    assert "offered it, and does not answer it. Say yes to exactly this, as Ann?" in card
    assert "{" not in card, "people are not shown JSON"
    shell.ok(f"remit rightsize drop {one}")
    assert "erased" in shell.ok(f"remit rightsize show {one}")
    assert shell.run("remit rightsize --brief none").code == 2
