"""Approvals taken back: lists keep what only reads, switches are turned off, hooks refuse when they fail."""

import json
from typing import Any

import pytest

from remit.scan.fix import edited
from remit.scan.placed import placed
from remit.scan.withdraw import approvals, hooks


def after(path: str, text: str, said: str) -> Any:
    document = placed(text)
    assert document is not None
    lines = dict.fromkeys(range(1, text.count("\n") + 2), said)
    return json.loads(edited(text, [*approvals(path, document, lines), *hooks(path, document, lines)]))


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        (["get_a", "drop_b"], ["get_a"]), (["drop_b", "get_a"], ["get_a"]), (["drop_b", "push_c"], []),
        (["drop_b", "get_a", "push_c", "list_d", "wipe_e"], ["get_a", "list_d"]), (["get_a"], ["get_a"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_keeps_what_only_reads(listed: list[str], left: list[str], indent: int | None) -> None:
    text = json.dumps({"mcpServers": {"a": {"command": "x", "alwaysAllow": listed}}}, indent=indent)
    assert after(".mcp.json", text, "alwaysAllow")["mcpServers"]["a"]["alwaysAllow"] == left


def test_a_list_with_a_comment_in_it_is_left_to_people() -> None:
    text = '{"permissions": {"allow": ["Read", // why\n"Bash"]}}'
    document = placed(text)
    assert document is not None
    assert list(approvals(".claude/settings.json", document, {1: "Bash", 2: "Bash"})) == []


@pytest.mark.parametrize(
    ("path", "member", "value", "left"),
    [
        (".claude/settings.json", "defaultMode", "bypassPermissions", "default"),
        (".claude/settings.json", "defaultMode", "plan", "plan"),
        (".gemini/settings.json", "approvalMode", "yolo", "default"),
        ("opencode.json", "bash", "allow", "ask"),
        (".claude/settings.json", "bash", "allow", "allow"),
        (".mcp.json", "trust", True, False),
        (".cursor/hooks.json", "failClosed", False, True),
        (".mcp.json", "disabled", False, False),
    ],
)
def test_a_switch_is_turned_to_what_asks(path: str, member: str, value: object, left: object) -> None:
    assert after(path, json.dumps({member: value}), member) == {member: left}


@pytest.mark.parametrize(
    ("path", "command", "left"),
    [
        (".claude/settings.json", "./a || true", "./a || exit 2"),
        (".cursor/hooks.json", "./a; exit 0", "./a || exit 2"),
        (".claude/settings.json", "./a || true && ./b", "./a || true && ./b"),
        (".github/hooks.json", "./a || true", "./a || true"),
    ],
)
def test_a_hook_refuses_when_it_fails_where_two_means_no(path: str, command: str, left: str) -> None:
    text = json.dumps({"hooks": {"PreToolUse": [{"command": command}]}})
    assert after(path, text, "a hook of PreToolUse")["hooks"]["PreToolUse"][0]["command"] == left
