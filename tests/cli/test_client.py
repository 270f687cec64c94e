"""`remit client`, and the review of an agent that was only proposed, on a real store."""

import json

import pytest

from remit.cli import client
from remit.cli.main import run

BACK = "http://127.0.0.1/callback"


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "olga")

    def say(*words, code=0):
        capsys.readouterr()
        assert run([*words, "-o", "json"]) == code, capsys.readouterr()
        out = capsys.readouterr().out
        return json.loads(out) if out else None

    say("up", "--no-serve")
    say("agent", "add", "bot", "--owner", "olga", "--review", "90d", "--purpose", "Tests.", "--ceiling", "mcp:notes/*")
    return say


def test_a_client_is_added_listed_and_ended(told):
    made = told("client", "add", "Desk", "--agent", "bot", "--redirect", BACK)
    assert (made["name"], made["redirects"], made["id"][:4]) == ("Desk", [BACK], "cli_")
    assert [one["id"] for one in told("client", "show")] == [made["id"]]
    assert told("client", "end", made["id"])["state"] == "ended"
    told("client", "end", made["id"], code=4)
    assert client.client.name == "client"


def test_what_cannot_be_a_client_is_refused(told):
    told("client", "add", "Desk", "--agent", "bot", "--redirect", "http://evil.test/cb", code=2)
    told("client", "add", "Desk", "--agent", "bot", "--redirect", BACK, "--confidential", code=2)
    told("client", "add", "Desk", "--agent", "nobody", "--redirect", BACK, code=2)


def test_only_a_proposed_agent_is_given_a_ceiling_at_its_review(told):
    told("agent", "review", "bot", "--next", "90d", "--ceiling", "mcp:notes/*", code=2)
    told("agent", "review", "bot", "--next", "90d")
