"""MCP client configuration: what is found, where, and what looks alike and is right."""

import json

import pytest

from remit.core.finding import Confidence, Kind
from remit.scan import client, dotenv, readers, secret
from remit.scan.jsonc import read
from remit.scan.node import DEEPEST

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"


def kinds(server: object, path: str = ".mcp.json") -> list[Kind]:
    found = client.read(path, json.dumps({"mcpServers": {"one": server}}))
    assert found is not None
    assert KEY not in repr(found)
    return [one.kind for one in found]


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        ({"command": "srv", "env": {"GITHUB_TOKEN": KEY}}, Kind.LITERAL_SECRET),
        ({"url": "https://a.example", "headers": {"Authorization": f"Bearer {KEY}"}}, Kind.LITERAL_SECRET),
        ({"command": "srv", "args": ["--api-key", KEY]}, Kind.LITERAL_SECRET),
        ({"command": "srv", "args": [f"--token={KEY}"]}, Kind.LITERAL_SECRET),
        ({"command": "npx", "args": ["-y", "@a/b"], "env": {"A_TOKEN": "$A_TOKEN"}}, Kind.UNPINNED),
        ({"command": "cmd", "args": ["/c", "npx", "-y", "b@latest", "--api-key", "$KEY"]}, Kind.UNPINNED),
        ({"command": "uvx", "args": ["--from", "git+https://a.example/b", "b"], "envFile": ".env"}, Kind.UNPINNED),
        ({"command": "node", "args": ["server-filesystem/index.js", "/home/ann"]}, Kind.BROAD_TOOL),
        ({"command": "docker", "args": ["run", "-v", "/root:/data:ro", "a"]}, Kind.HOST_MOUNT),
        (
            {"command": "docker", "args": ["run", "--mount", "type=bind,src=~/.ssh,dst=/k", "a"]},
            Kind.HOST_MOUNT,
        ),
        ({"url": "http://10.0.0.7/mcp"}, Kind.OPEN_REMOTE),
    ],
)
def test_what_is_wrong_is_found(server: object, kind: Kind) -> None:
    assert kinds(server) == [kind]


def test_a_token_in_an_address_stands_there_in_full_and_goes_wherever_that_is_sent() -> None:
    assert sorted(kinds({"url": f"https://a.example/mcp?api_key={KEY}"})) == [Kind.LITERAL_SECRET, Kind.OPEN_REMOTE]
    assert kinds({"url": "https://a.example/mcp?api_key=${KEY}"}) == [Kind.OPEN_REMOTE]


@pytest.mark.parametrize(
    "server",
    [
        {"command": "srv", "env": {"GITHUB_TOKEN": "${GITHUB_TOKEN}", "API_KEY": "YOUR_API_KEY_HERE", "MODE": KEY}},
        {"url": "https://a.example", "headers": {"Authorization": "Bearer ${input:key}"}},
        {"command": "srv", "args": ["--token", "--verbose", "--api-key=$KEY"]},
        {"command": "npx", "args": ["-y", "@a/b@1.2.3"], "env": {"A_TOKEN": "$A_TOKEN"}},
        {"command": "npx", "args": ["-y", "@a/b"], "env": {"MODE": "fast"}},
        {"command": "npx", "args": ["./local/server.js"]},
        {"command": "uvx", "args": ["--python", "3.12", "b==1.2.3"]},
        {"command": "uvx", "args": ["--from", "git+https://a.example/b@" + "0a" * 20, "b"]},
        {"command": "node", "args": ["server-filesystem/index.js", "~/work"]},
        {"command": "docker", "args": ["run", "-v", "~/work:/root:ro", "-v", "cache:/home/ann", "a"]},
        {"url": "http://localhost:8080/mcp"},
    ],
)
def test_what_is_right_is_left_alone(server: object) -> None:
    assert kinds(server) == []


def test_the_line_is_that_of_the_value_behind_comments() -> None:
    text = '// a\n{"servers": {\n  /* b\n */ "one": {"env": {\n "API_KEY":\n "' + KEY + '",},},}}'
    found = client.read(".vscode/mcp.json", text)
    assert found is not None
    assert [one.evidence.line for one in found] == [6]


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', '{"a": 1} x', "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "[1 2]"])
def test_what_is_no_json_is_refused(text: str) -> None:
    assert read(text) is None
    assert readers.read(".mcp.json", text.encode()) == "not of its format, or nested too deep"


def test_an_env_file_is_read_and_its_template_is_not() -> None:
    text = f"# keys\nexport API_KEY='{KEY}'\nDB_PASSWORD=changeme-please\nTOKEN=${{OTHER}}\nNAME={KEY}\n"
    assert [one.evidence.line for one in dotenv.read(".env", text)] == [2]
    assert dotenv.wants("a/.env.production")
    assert not dotenv.wants("a/.env.example")


def test_a_folder_of_tests_is_believed_less() -> None:
    data = f"API_KEY={KEY}".encode()
    sure, less = readers.read("a/.env", data), readers.read("tests/.env", data)
    assert not isinstance(sure, str)
    assert not isinstance(less, str)
    assert [one.confidence for one in (*sure, *less)] == [Confidence.HIGH, Confidence.MEDIUM]
    assert readers.read(".env", b"\xff") == "not UTF-8"


@pytest.mark.parametrize(
    "value", ["short", "aaaaaaaaaaaaaaaa", "<your key>", "/run/secrets/api_key", "vault:kv/data/api"]
)
def test_a_reference_or_a_placeholder_is_no_secret(value: str) -> None:
    assert not secret.is_literal(value)
    assert secret.is_literal(KEY)
