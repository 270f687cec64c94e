"""Lineage by the command line: from a tool list to a proposal, a connector, a brief, and people's accounts."""

import json

import pytest

from tests.kit.shell import Shell

TOOLS = [
    {"name": "read_note", "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}}},
    {"name": "wipe", "inputSchema": {"type": "object"}},
]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("lineage")).settle()
    made.write("tools.json", json.dumps(TOOLS))
    return made


def test_a_proposal_is_edited_and_then_governs(shell: Shell) -> None:
    found = json.loads(
        shell.ok("remit brief suggest notes tools.json --domain office --request 'Read a note.' -o json")
    )
    assert [one["action"] for one in found["brief"]["steps"]] == ["mcp:notes/read_note"], "nothing else is meant"
    found["connector"]["tools"]["read_note"]["results"] = {"/id": {"by": "service", "kind": "id", "of": "note"}}
    shell.write("connector.json", json.dumps(found["connector"]))
    again = "remit resource add again --stdio --domain office --owner olga --reads read_note"
    shell.ok(f"{again} --connector connector.json -- $(command -v python3) notes.py")
    told = json.loads(shell.ok("remit resource show again -o json"))
    assert next(one for one in told["tools"] if one["name"] == "read_note")["shape"]["results"]["/id"]["of"] == "note"
    found["brief"] |= {"name": "reading", "agents": ["scribe"], "dispatchers": ["olga"], "approvers": ["operators"]}
    found["brief"]["lineage"] |= {"groups": ["operators"]}
    del found["brief"]["version"]
    shell.write("reading.json", json.dumps(found["brief"]))
    shell.ok("remit brief apply reading.json")
    opened = json.loads(shell.ok("remit task open reading scribe --request 'Read a note.' -o json"))
    can = f'remit can scribe mcp:notes/read_note --args \'{{"path": "/notes/a"}}\' --task {opened["id"]}'
    assert shell.ok(can).startswith("yes")


def test_what_a_connector_or_a_proposal_cannot_be_is_said(shell: Shell) -> None:
    shell.write("wrong.json", '{"tools": {"read_note": {"arguments": {"/path": {"of": "Not A Sort"}}}}}')
    add = "remit resource add wrong --stdio --domain office --owner olga"
    assert "[connector_invalid]" in shell.run(f"{add} --connector wrong.json -- $(command -v python3) notes.py").err
    assert "[file_failed]" in shell.run("remit brief suggest notes nothing.json").err
    shell.write("no.json", "{")
    assert shell.run("remit brief suggest notes no.json").code == 2


def test_an_account_is_one_persons(shell: Shell) -> None:
    shell.ok("remit person add ann && remit person add bob")
    shell.ok("remit person account ann notes Ann@Example.org")
    shell.ok("remit person account ann notes ann@example.org")
    assert "[account_taken]" in shell.run("remit person account bob notes ANN@example.org").err
    assert "[not_found]" in shell.run("remit person account bob nowhere bob").err
