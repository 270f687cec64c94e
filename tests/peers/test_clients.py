"""Unmodified third-party clients of both eras through a gate: what is allowed, what is denied, what has ended."""

import json

import pytest

from tests.kit import peers
from tests.kit.driving import drive
from tests.kit.gate import gate_for
from tests.kit.running import everything

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ERAS = {"py_mcp2": MODERN, "py_mcp1": LEGACY, "py_fastmcp": MODERN, "ts_sdk1": LEGACY, "ts_client2": MODERN}


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "calls"


def called(journal):
    """The tools that really ran at the target."""
    return [json.loads(line)["tool"] for line in journal.read_text().splitlines()] if journal.exists() else []


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_allowed_denied_revoked(name, journal):
    with (
        everything(journal=journal) as upstream,
        gate_for(upstream, denied=("test_simple_text",)) as gate,
    ):
        told = drive(
            name,
            gate.url,
            gate.token,
            allowed=("echo", {"text": "hello"}),
            denied=("test_simple_text", {}),
            revoke=gate.revoke,
        )
    assert (told["connect"].ok, told["connect"].text) == (True, ERAS[name])
    assert "echo" in json.loads(told["list"].text)
    assert "test_simple_text" not in json.loads(told["list"].text)
    assert (told["allowed"].ok, told["allowed"].text) == (True, "hello")
    assert not told["denied"].ok
    assert told["denied"].text
    assert not told["revoked"].ok
    assert called(journal) == ["echo"]


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_a_stranger_gets_nothing(name, journal):
    with everything(journal=journal) as upstream, gate_for(upstream) as gate:
        told = drive(
            name,
            gate.url,
            "not-a-credential",
            allowed=("echo", {"text": "hello"}),
            denied=("test_simple_text", {}),
            revoke=gate.revoke,
        )
    assert not any(step.ok for step in told.values())
    assert called(journal) == []


@pytest.mark.parametrize("name", peers.CLIENTS)
def test_the_target_sees_its_own_credential_only(name, journal, tmp_path):
    own = tmp_path / "target-token"
    own.write_text("the-target's-own")
    with everything(token=own, journal=journal) as upstream, gate_for(upstream, lends="the-target's-own") as gate:
        assert gate.token != "the-target's-own"
        told = drive(
            name,
            gate.url,
            gate.token,
            allowed=("echo", {"text": "hello"}),
            denied=("no_such_tool", {}),
            revoke=gate.revoke,
        )
    assert (told["allowed"].ok, told["allowed"].text) == (True, "hello")
    assert not told["denied"].ok
    assert not told["revoked"].ok
    assert called(journal) == ["echo"]
