"""`remit key`: a change of key is recorded, and what was signed before still verifies."""

import json
from pathlib import Path

import pytest

from tests.kit.shell import Shell


@pytest.fixture
def settled(tmp_path: Path) -> Shell:
    return Shell(tmp_path).settle()


def test_a_ledger_whose_key_was_changed_verifies_with_both_and_not_with_one(settled: Shell) -> None:
    before = settled.ok("remit ledger key").strip()
    made = json.loads(settled.ok("remit key rotate ledger -o json"))
    after = settled.ok("remit ledger key").strip()
    assert before != after
    assert settled.ok("remit ledger key --all").split() == [after, before]
    assert settled.run("remit ledger verify").code == 0
    settled.ok("remit ledger export out")
    assert settled.run(f"remit-verify out --key {after} --key {before}").code == 0
    assert settled.run(f"remit-verify out --key {after}").code == 1
    assert settled.run(f"remit ledger verify out --key {before} --key {after}").code == 0
    assert settled.run("remit doctor").code == 0
    listed = {one["id"]: one for one in json.loads(settled.ok("remit key list -o json"))}
    assert listed[made["id"]]["state"] == "active"
    assert {one["state"] for one in listed.values() if one["purpose"] == "ledger"} == {"active", "retiring", "next"}


def test_a_purpose_that_is_none_is_a_usage_error(settled: Shell) -> None:
    assert settled.run("remit key rotate everything").code == 2
    assert settled.run("remit key rotate token:own").code == 0
