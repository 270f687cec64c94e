"""What was met, as agents to propose: named by where it was met, with what each is given."""

import tomllib

from remit.scan.enrolled import Proposed, draft, proposed
from remit.scan.sight import Met


def test_a_client_is_one_agent_and_is_named_by_its_place() -> None:
    servers = [Met("/a/.mcp.json", line, "server", name) for line, name in ((4, "Mail Box"), (2, "notes"))]
    [one] = proposed(servers)
    assert (one.file, one.line, one.resources) == ("/a/.mcp.json", 2, ("mail-box", "notes"))
    [other] = proposed([Met("/b/.mcp.json", 2, "server", "notes")])
    assert one.name != other.name
    assert proposed(reversed(servers)) == (one,)


def test_a_service_is_an_agent_of_its_own() -> None:
    found = proposed([Met("/a/compose.yaml", 2, "service", "triage"), Met("/a/compose.yaml", 5, "service", "TRIAGE!")])
    assert len({one.name for one in found}) == 2
    assert all(one.name.startswith("triage-") and len(one.name) == len("triage-") + 8 for one in found)


def test_a_draft_names_the_tools_that_were_seen_and_no_other() -> None:
    tools = (("Mail Box", "send"), ("notes", "read_note"))
    one = Proposed("desk-1", "/a/.mcp.json", 1, 'Met as "it" \\', ("mail-box", "notes"), tools=tools)
    read = tomllib.loads(draft(one, "olga"))
    assert [step["action"] for step in read["steps"]] == ["mcp:mail-box/send", "mcp:notes/read_note"]
    assert (read["agents"], read["dispatchers"], read["domains"]) == (["desk-1"], ["olga"], ["mail-box", "notes"])
    assert read["purpose"] == one.purpose
    bare = tomllib.loads(draft(Proposed("desk-1", "/a\n[[steps]]", 1, "p", ("notes",)), ""))
    assert "steps" not in bare, "nothing is given that was not seen"
