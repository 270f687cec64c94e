"""`remit connect`: a person's account, sealed once and ended for good."""

import json

import pytest

from tests.kit.shell import Shell


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path).settle()


def test_a_person_connects_an_account_and_ends_it(shell):
    at = "http://127.0.0.1:1/token"
    shell.write("client", "client-secret")
    shell.ok("remit secret put idp --from file:client")
    mint = f"remit lease mint notes oauth --secret idp --set client=remit --set token={at} --set scope.read_note=r"
    assert "short-lived" in shell.ok(mint)
    shell.write("refresh", "refresh-token-of-olga")
    made = json.loads(shell.ok("remit connect notes --person olga --scope r --from file:refresh -o json"))
    assert made["scopes"] == ["r"]
    assert "refresh-token" not in shell.ok("remit ledger show -o json")
    assert "ended" in shell.ok("remit connect notes --person olga --end")
    assert "not_found" in shell.run("remit connect notes --person olga --end", together=True).out
