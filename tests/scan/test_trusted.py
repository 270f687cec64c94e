"""Tools that a client's settings name: in lists of a server, and in rules on tools of servers."""

import json

from remit.scan.trusted import tools


def test_tools_are_named_by_lists_and_by_rules() -> None:
    servers = {
        "notes": {"command": "x", "autoApprove": ["read_note", "no tool"], "tools": {"wipe": {}}},
        "mail": {"url": "https://a.example", "disabledTools": ["send"]},
    }
    rules = {"allow": ["mcp__notes__read_note", "mcp__my-mail__list.all", "mcp__notes__*", "Bash(ls)"]}
    found = tools(".mcp.json", json.dumps({"mcpServers": servers, "permissions": rules}))
    assert found == (("mail", "send"), ("my-mail", "list.all"), ("notes", "read_note"), ("notes", "wipe"))
    assert tools(".mcp.json", "{") == ()
