"""`remit attestor`, `remit agent bind` and what is weak, as an operator types them."""

import json
from pathlib import Path

import pytest

from tests.kit.shell import Shell


@pytest.fixture
def settled(tmp_path: Path) -> Shell:
    return Shell(tmp_path).settle()


def test_a_platform_is_registered_an_agent_bound_and_both_taken_back(settled: Shell) -> None:
    settled.ok("remit attestor add cluster --kind kubernetes --issuer https://cluster.example")
    claims = "--claim kubernetes.io>namespace=agents --claim kubernetes.io>serviceaccount>name=scribe"
    made = json.loads(settled.ok(f"remit agent bind scribe --attestor cluster {claims} -o json".replace(">", "\\>")))
    assert made["claims"] == {"kubernetes.io>namespace": "agents", "kubernetes.io>serviceaccount>name": "scribe"}
    assert settled.run("remit agent bind scribe --attestor cluster --claim sub").code == 2
    shown = json.loads(settled.ok("remit attestor show -o json"))
    assert ([one["name"] for one in shown["attestors"]], len(shown["bindings"])) == (["cluster"], 1)
    assert "by discovery" in settled.ok("remit attestor show")
    settled.ok(f"remit agent unbind {made['id']} --because moved")
    settled.ok("remit attestor remove cluster --because moved")
    assert settled.run("remit doctor").code == 0


def test_a_shared_secret_is_shown_once_and_as_weak_ever_after(settled: Shell) -> None:
    made = settled.run("remit agent secret scribe -o json")
    assert "weak" in made.err
    text = json.loads(made.out)["secret"]
    told = settled.run("remit doctor")
    assert told.code == 1
    assert "secrets_weak" in told.out
    assert "scribe" in settled.ok("remit status")
    assert text not in settled.ok("remit attestor show") + told.out


def test_people_are_limited_and_confirmed(settled: Shell) -> None:
    assert json.loads(settled.ok("remit person limit olga --right mcp:notes/* -o json".replace("*", "\\*")))["rights"]
    assert json.loads(settled.ok("remit person limit olga --lift -o json")).get("rights") is None
    assert settled.run("remit person limit olga --lift --none").code == 2
    assert json.loads(settled.ok("remit person confirm olga -o json"))["confirmed"] > 0
