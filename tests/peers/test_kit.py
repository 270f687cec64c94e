"""The kit itself, with nothing between: what passes here and fails through a gate, the gate broke."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.kit import conformance, peers
from tests.kit.driving import drive
from tests.kit.running import everything, everything_stdio, line_from, shim

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ERAS = {"py_mcp2": MODERN, "py_mcp1": LEGACY, "py_fastmcp": MODERN, "ts_sdk1": LEGACY, "ts_client2": MODERN}
WANTED = {MODERN: 37, LEGACY: 30}


@pytest.fixture
def own_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("t0ken")
    return file


@pytest.mark.parametrize("revision", WANTED)
def test_the_fixture_server_has_the_full_score(revision):
    with everything() as url:
        verdict = conformance.server(url, revision)
    assert len(verdict.required) == WANTED[revision]
    assert not verdict.failed
    assert verdict.full, verdict.output[-2000:]


@pytest.mark.parametrize("revision", WANTED)
def test_the_shim_costs_nothing_of_the_score(revision, own_token):
    with everything(token=own_token) as url, shim(url, "t0ken") as own:
        verdict = conformance.server(own, revision)
    assert not verdict.failed
    assert verdict.full, verdict.output[-2000:]


def test_a_server_that_refuses_everybody_has_no_score(own_token):
    with everything(token=own_token) as url, shim(url, "another") as own:
        verdict = conformance.server(own, MODERN)
    assert not verdict.full
    assert len(verdict.failed) > 30


def test_the_shim_replaces_whatever_authorization_came(own_token):
    with everything(token=own_token) as url, shim(url, "t0ken") as own:
        request = urllib.request.Request(
            own,
            data=b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
            headers={"Authorization": "Bearer forged", "Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        with refused.value as answer:
            assert answer.code != 401
        straight = urllib.request.Request(url, data=request.data, headers=dict(request.header_items()))
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(straight, timeout=5)
        with refused.value as answer:
            assert answer.code == 401


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_a_client_speaks_its_era_and_tells_its_steps(name, tmp_path, own_token):
    journal = tmp_path / "calls"
    with everything(token=own_token, journal=journal) as url:
        told = drive(
            name,
            url,
            "t0ken",
            allowed=("echo", {"text": "hello"}),
            denied=("test_error_handling", {}),
            revoke=lambda: None,
        )
    assert told["connect"].text == ERAS[name]
    assert "echo" in json.loads(told["list"].text)
    assert (told["allowed"].ok, told["allowed"].text) == (True, "hello")
    assert (told["denied"].ok, told["denied"].is_error) == (False, True)
    assert "intentionally" in told["denied"].text
    assert told["revoked"].ok
    ran = [json.loads(line)["tool"] for line in journal.read_text().splitlines()]
    assert ran == ["echo", "test_error_handling", "echo"]


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_a_client_survives_a_protocol_error_and_says_its_code(name):
    with everything() as url:
        told = drive(
            name,
            url,
            "any",
            allowed=("echo", {"text": "hello"}),
            denied=("no_such_tool", {}),
            revoke=lambda: None,
        )
    assert (told["denied"].ok, told["denied"].is_error, told["denied"].code) == (False, False, -32602)
    assert told["revoked"].ok


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_a_client_that_is_turned_away_says_so_at_every_step(name, tmp_path, own_token):
    journal = tmp_path / "calls"
    with everything(token=own_token, journal=journal) as url:
        told = drive(
            name,
            url,
            "wrong",
            allowed=("echo", {"text": "hello"}),
            denied=("echo", {"text": "hello"}),
            revoke=lambda: None,
        )
    assert not any(step.ok for step in told.values())
    assert not journal.exists()


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_a_client_whose_token_ends_says_so_and_ends(name, tmp_path, own_token):
    journal = tmp_path / "calls"
    with everything(token=own_token, journal=journal) as url:
        told = drive(
            name,
            url,
            "t0ken",
            allowed=("echo", {"text": "hello"}),
            denied=("no_such_tool", {}),
            revoke=lambda: own_token.write_text("another"),
        )
    assert told["allowed"].ok
    assert not told["revoked"].ok
    assert len(journal.read_text().splitlines()) == 1


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_the_fixture_server_serves_stdio(era):
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    more = {"_meta": meta} if era == MODERN else {}
    client = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages = [
        {"id": 1, "method": "server/discover", "params": more}
        if era == MODERN
        else {"id": 1, "method": "initialize", "params": client},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "hello"}, **more}},
    ]
    process = subprocess.Popen(everything_stdio(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ))
    assert process.stdin is not None
    assert process.stdout is not None
    answers = {}
    with process.stdin, process.stdout:
        for message in messages[:1] + messages[1 if era == LEGACY else 2 :]:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            process.stdin.flush()
            if "id" in message:
                answers[message["id"]] = json.loads(line_from(process.stdout.fileno(), 20))["result"]
    assert process.wait(10) == 0
    assert MODERN in answers[1].get("supportedVersions", []) or answers[1]["protocolVersion"] == LEGACY
    assert answers[2]["content"][0]["text"] == "hello"


def test_a_registry_out_of_reach_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "PEERS", tmp_path / ".peers")
    monkeypatch.setitem(peers.PYPI, "absent", ("mcp==2.3.0",))
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(peers.PeerMissingError, match=r"(?s)'absent'.*registry must be within reach"):
        peers.python("absent")
    assert not (tmp_path / ".peers" / "absent" / "ready.json").exists()
