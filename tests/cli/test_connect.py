"""`remit connect`: a person's account, sealed once and ended for good."""

import json

import pytest

from tests.kit.provider import CLIENT, provided
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


def test_people_are_told_where_they_connect_and_the_operator_can_end_all_at_the_provider(shell):
    with provided() as provider:
        shell.write("client", CLIENT.decode())
        shell.ok("remit secret put idp --from file:client")
        mint = "remit lease mint notes oauth --secret idp --set client=remit --set scope.read_note=notes.read"
        assert "connection_refused" in shell.run("remit connect notes", together=True).out
        assert "target_unavailable" in shell.run(f"{mint} --set issuer=http://127.0.0.1:1", together=True).out
        assert "per-task" in shell.ok(f"{mint} --set issuer={provider['issuer']} --set also=offline_access")
        minting = json.loads(shell.ok("remit resource show notes -o json"))["minting"]["settings"]
        assert minting["authorize"] == f"{provider['issuer']}/auth"
        assert minting["names"] == "yes"
        assert "/console/connections" in shell.ok("remit connect notes")
        for who in ("ann", "bob"):
            shell.write(who, provider["people"][who])
            shell.ok(f"remit person add {who} --name {who}")
            shell.ok(f"remit connect notes --person {who} --scope notes.read --from file:{who}")
        assert "connection_live" in shell.run("remit lease mint notes none", together=True).out
        assert shell.ok("remit connect notes --end").count("ended") == 2
        said = json.loads(shell.ok("remit ledger show --last 20 -o json"))
        assert str(said).count("connection.gone") == 2
        assert json.loads(shell.ok("remit status -o json"))["connections_unproven"] == []
        shell.ok("remit lease mint notes none")
