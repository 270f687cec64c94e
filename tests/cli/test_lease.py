"""`remit lease` and what other commands say of leases, on a real store and a real database."""

import json
from urllib.parse import urlsplit

import psycopg
import pytest

from remit.cli import settings as rules
from remit.cli.desk import close, open_desk
from remit.control import credential
from remit.control.gate import Gate
from remit.control.lessor import Lessor
from remit.control.target import Inline
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit import postgres
from tests.kit.shell import Shell

READ = Call("mcp:notes/read_note", {"path": "/notes/a"})


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path).settle()


def lent(shell, task):
    """Decide one call of the task, and mint what it borrows."""
    desk = open_desk(rules.load({}, {"data": str(shell.folder / ".remit")}, None))
    inline = Inline()
    lessor = Lessor(desk.authority, desk.batch, inline.post)
    try:
        gate = Gate(desk.authority, desk.batch, lessor)
        given = {"task_id": task, "agent_id": desk.agent("scribe").id, "path": TrustPath.OWN}
        entry = gate.enter(desk.act(lambda c: credential.give(c, **given)).text, "notes")
        found = []
        gate.decide(READ, entry, "", found.append)
        inline.settle(lessor, 100)
        assert isinstance(found[0], Permit), found
    finally:
        lessor.close()
        close(desk.authority)


def test_a_target_is_asked_before_it_is_registered_and_a_revocation_is_carried_out_there(shell):
    url = postgres.fresh()
    assert "Nothing is lent anywhere" in shell.run("remit lease ladder").err
    shell.write("admin", url)
    shell.ok("remit secret put shop-admin --from file:admin")
    made = json.loads(shell.ok("remit lease mint notes postgres --secret shop-admin --set connections=2 -o json"))
    assert made["minting"]["settings"] == {"connections": "2"}
    assert "per-task" in shell.ok("remit lease mint notes postgres --secret shop-admin --life 60")
    shell.write("away", "postgresql://remit@127.0.0.1:1/none")
    shell.ok("remit secret put away --from file:away")
    assert "target_unavailable" in shell.run("remit lease mint notes postgres --secret away", together=True).out
    assert json.loads(shell.ok("remit resource show notes -o json"))["minting"]["secret"] == "shop-admin"
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    lent(shell, task)
    (one,) = json.loads(shell.ok(f"remit lease show --task {task} -o json"))
    assert one["state"] == "active"
    assert (one["rung"], one["takes_back"]) == ("per-task", True)
    assert one["name"] in shell.ok("remit lease show --agent scribe --state active")
    assert json.loads(shell.ok("remit lease show --state pending -o json")) == []
    assert [each["rung"] for each in json.loads(shell.ok("remit lease ladder -o json"))] == ["per-task"]
    assert "Dropped with its sessions" in shell.ok("remit lease ladder")
    assert json.loads(shell.ok("remit status -o json"))["leases"] == ["1 active"]
    with psycopg.connect(url) as conn:
        known = "SELECT count(*) FROM pg_roles WHERE rolname = %s"
        assert conn.execute(known, (one["name"],)).fetchone() == (1,)
        told = shell.run(f"remit revoke lease {one['id']}", together=True)
        assert "1 leases were ended at their targets and proven dead." in told.out
        assert conn.execute(known, (one["name"],)).fetchone() == (0,)
    assert "proof" in shell.ok(f"remit lease show {one['id']}")
    assert json.loads(shell.ok("remit lease show -o json")) == []
    assert len(json.loads(shell.ok("remit lease show --all -o json"))) == 1


def test_an_end_that_the_target_does_not_answer_is_said_and_shown(shell):
    url = postgres.fresh()
    shell.write("admin", url)
    shell.ok("remit secret put shop-admin --from file:admin && remit lease mint notes postgres --secret shop-admin")
    task = json.loads(shell.ok("remit task open notes scribe -o json"))["id"]
    lent(shell, task)
    shell.write("admin", "postgresql://remit@127.0.0.1:1/none")
    assert "lease_live" in shell.run("remit secret put shop-admin --from file:admin", together=True).out
    shell.write("admin", urlsplit(url)._replace(netloc=f"nobody@{urlsplit(url).netloc.rpartition('@')[2]}").geturl())
    shell.ok("remit secret put shop-admin --from file:admin")
    assert "1 are not yet: remit status." in shell.run(f"remit revoke task {task}", together=True).out
    assert "cannot be reached" in json.loads(shell.run("remit status -o json").out)["leases_unproven"][0]


def test_a_log_with_what_nobody_decided_is_a_negative_answer(shell):
    row = ["2026-11-30 01:02:03.456 UTC", "ann", "x", "1", "h", "s", "1", "SELECT", "", "", "0", "LOG", "0"]
    lines = [[*row, "statement: SELECT 1", *[""] * 12]]
    shell.write("log.csv", "\n".join(",".join(line) for line in lines))
    found = json.loads(shell.ok("remit ledger join log.csv -o json"))
    assert (found["kind"], found["others"], found["gaps"]) == ("postgres-csv", 1, [])
    lines.append([row[0], f"remit_tsk_{'a' * 26}_own_{'a' * 8}", *lines[0][2:]])
    shell.write("log.csv", "\n".join(",".join(line) for line in lines))
    ran = shell.run("remit ledger join log.csv")
    assert (ran.code, "no lease of this ledger has this name" in ran.out) == (1, True)
    assert "Not one act" not in ran.err
    shell.write("cut.json", '{"Records": [{"eventTime": "2026-11-30T01')
    cut = shell.run("remit ledger join cut.json")
    assert (cut.code, "[log_unknown]" in cut.err) == (2, True)
    shell.write("idle.json", '{"Records": []}')
    assert "Not one act was read in idle.json" in shell.run("remit ledger join idle.json").err
