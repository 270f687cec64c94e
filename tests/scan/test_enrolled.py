"""What was met, as agents to propose: named by where it was met, with what each is given."""

from remit.scan.enrolled import proposed
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
