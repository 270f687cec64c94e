"""Tools that a client's settings name: in lists of a server, and in rules on tools of servers."""

import json

from remit.scan.trusted import tools


def test_tools_that_may_be_used_are_named_by_lists_and_by_rules() -> None:
    servers = {
        "notes": {"command": "x", "autoApprove": ["read_note", "no tool"], "tools": {"wipe": {}}},
        "mail": {"url": "https://a.example", "enabledTools": ["list"], "disabledTools": ["send"]},
    }
    rules = {
        "allow": ["mcp__notes__read_note", "mcp__my-mail__list.all", "mcp__notes__*", "Bash(ls)"],
        "deny": ["mcp__notes__drop"],
    }
    found = tools(".mcp.json", json.dumps({"mcpServers": servers, "permissions": rules}))
    assert found == (("mail", "list"), ("my-mail", "list.all"), ("notes", "read_note"), ("notes", "wipe"))
    assert tools(".mcp.json", "{") == ()
