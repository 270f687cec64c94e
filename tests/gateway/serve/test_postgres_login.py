"""Coming in to the PostgreSQL gate: under TLS, by OAUTHBEARER with stock libpq, in newer protocols, by lease."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from remit.cli.door import ask_for_certificates
from remit.control import credential
from remit.core.trust import TrustPath
from remit.custody import certificate
from tests.cli.test_certificates import ALONE, AUTHORITY, ISSUED, STRANGER, held, pem
from tests.kit.database import STEPS, shop
from tests.kit.pgwire import Client, codes, frame, hello
from tests.kit.tls import certificates, server_side


@pytest.fixture(scope="module")
def target():
    with shop() as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(authority):
    with shop(tls=server_side(authority[1])) as made:
        yield made


def test_under_tls_the_name_is_checked_and_a_password_of_libpq_is_taken(secure, authority):
    with psycopg.connect(f"{secure.dsn()} sslmode=verify-full sslrootcert={authority[0]}") as conn:
        assert conn.execute("select count(*) from orders").fetchone() == (20,)
        assert conn.pgconn.ssl_in_use


def test_pg_10_octets_slipped_in_before_tls_are_refused(secure):
    client = Client(secure.port).send(hello(80877103), hello(user="remit", database="shop"))
    assert codes(client.until())[-2:] in (["frame_invalid", ""], ["S", "frame_invalid"])
    client.close()


def test_a_credential_is_taken_under_tls_only_beyond_this_machine(secure, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.postgres.wire.Wire.peer", "192.0.2.7")
    client = Client(secure.port).send(hello(user="remit", database="shop"))
    assert codes(client.until()) == ["tls_required", ""]
    client.close()


def test_who_does_not_log_in_is_let_go_and_keeps_nobody_out(secure, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.seats.FIRST_S", 0.5)
    began = time.monotonic()
    silent, asked = Client(secure.port), Client(secure.port).send(hello(user="remit", database="shop"))
    assert silent.exactly(1) == b""
    assert [asked.frame()[0], asked.exactly(1)] == [b"R", b""]
    assert time.monotonic() - began < 8
    silent.close()
    asked.close()
    monkeypatch.setattr("remit.gateway.serve.seats.FIRST_S", 60)
    monkeypatch.setattr("remit.gateway.serve.seats.EACH", 2)
    crowd = [Client(secure.port) for _ in range(3)]
    assert crowd[0].exactly(1) == b""
    with psycopg.connect(f"{secure.dsn()} sslmode=require") as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    for one in crowd:
        one.close()


def bearer(made, token):
    script = str(Path(__file__).parents[2] / "kit" / "clients" / "libpq_bearer.py")
    dsn = made.dsn(user="oauth").replace(f"password={made.token}", "") + (
        " oauth_issuer=http://127.0.0.1:8787/.well-known/oauth-authorization-server oauth_client_id=driver"
    )
    environment = os.environ | {"REMIT_TEST_TOKEN": token, "PGOAUTHDEBUG": "UNSAFE"}
    return subprocess.run(
        [sys.executable, script, dsn], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def bound(authority, tmp_path_factory):
    """A gate that asks for certificates, and a credential bound to the one of ISSUED; how each of two shows its own."""
    folder, context = tmp_path_factory.mktemp("bound"), server_side(authority[1])
    (folder / "trusted.pem").write_bytes(pem(AUTHORITY, ALONE))
    ask_for_certificates(context, str(folder / "trusted.pem"))
    with shop(tls=context) as made:
        given = made.act(
            lambda c: credential.give(
                c, task_id=made.task.id, agent_id=made.world.agent.id, path=TrustPath.OWN,
                thumb=credential.BY_CERTIFICATE + certificate.digest(ISSUED.der),
            )
        )  # fmt: skip

        def connect(token, shown=None):
            files = [held(folder, shown)] * 2 if shown else ["", ""]
            for file in filter(None, files):
                Path(file).chmod(0o600)
            return psycopg.connect(
                made.dsn(token), sslmode="verify-full", sslrootcert=authority[0], sslcert=files[0], sslkey=files[1]
            )

        yield made, given.text, connect


def test_a_credential_that_is_bound_to_a_certificate_is_taken_with_it_and_from_nobody_else(bound):
    made, token, connect = bound
    with connect(token, ISSUED) as conn:
        assert conn.execute("select count(*) from orders").fetchone() == (20,)
    for other in (None, ALONE):
        with pytest.raises(psycopg.OperationalError, match="possession_missing") as refused:
            connect(token, other)
        assert "sslcert" in str(refused.value)
    with pytest.raises(psycopg.OperationalError):
        connect(token, STRANGER)
    with connect(made.token, ALONE) as conn:
        assert conn.execute("select 1").fetchone() == (1,), "one that is bound to nothing is taken as ever"


def test_a_credential_that_is_bound_to_a_dpop_key_is_not_taken_where_no_proof_can_come(bound):
    made, _, connect = bound
    given = made.act(
        lambda c: credential.give(
            c, task_id=made.task.id, agent_id=made.world.agent.id, path=TrustPath.OWN, thumb="k" * 43
        )
    )
    with pytest.raises(psycopg.OperationalError, match="possession_missing"):
        connect(given.text, ISSUED)


def test_libpq_18_logs_in_by_oauthbearer(target):
    ran = bearer(target, target.token)
    assert ran.returncode == 0, ran.stderr[-500:]
    assert ran.stdout.split() == ["6.0", "http://127.0.0.1:8787/.well-known/oauth-authorization-server"]
    refused = bearer(target, "x.y.z")
    assert refused.returncode == 1
    assert "code invalid_token" in refused.stderr


def test_who_has_no_token_yet_is_told_where_to_get_one(target):
    client = Client(target.port).send(hello(user="oauth", database="shop"))
    assert client.frame() == (b"R", b"\0\0\0\x0aOAUTHBEARER\0\0")
    said = b"n,,\x01auth=\x01\x01"
    client.send(frame(b"p", b"OAUTHBEARER\0" + len(said).to_bytes(4) + said))
    kind, body = client.frame()
    assert kind == b"R"
    assert json.loads(body[4:])["openid-configuration"].endswith("/.well-known/oauth-authorization-server")
    client.send(frame(b"p", b"\x01"))
    assert codes(client.until()) == ["credential_missing", ""]
    client.close()
    twice = b"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01"
    for strange in (b"n,,\x01auth=Basic x\x01\x01", b"n,,auth=Bearer x\x01\x01", twice):
        client = Client(target.port).send(hello(user="oauth", database="shop"))
        client.frame()
        client.send(frame(b"p", b"OAUTHBEARER\0" + len(strange).to_bytes(4) + strange))
        assert codes(client.until()) == ["credential_missing", ""]
        client.close()


def test_protocol_3_2_is_spoken_and_newer_ones_are_negotiated_down(target):
    client = Client(target.port).send(hello(196608 + 2, user="remit", database="shop"))
    assert client.frame() == (b"R", b"\0\0\0\x03")
    client.send(frame(b"p", target.token.encode() + b"\0"))
    told = client.until()
    assert len(next(body for kind, body in told if kind == b"K")) == 4 + 32
    client.close()
    client = Client(target.port).send(hello(196608 + 9, user="remit", database="shop"))
    assert client.frame() == (b"v", (196608 + 2).to_bytes(4) + bytes(4))
    client.close()


def test_with_leases_a_session_runs_under_a_role_of_its_task_that_is_gone_after_it():
    roles = "select rolname from pg_roles where rolname like 'remit\\_%' and rolname like '%own%'"
    with shop(STEPS, leases=True) as made:
        named = f"{roles} and rolname like 'remit\\_{made.task.id}%'"
        assert made.direct(named) == []
        with made.connect(autocommit=True) as conn:
            assert conn.execute("select total::float from orders where id = 4").fetchone() == (6.0,)
            ((role,),) = made.direct(named)
            assert conn.execute("select current_user").fetchone() == (role,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select pay from hr.pay")
            # The second wall: the role itself has no right that the plan does not hold.
            assert made.direct(f"select has_table_privilege('{role}', 'hr.pay', 'select')") == [(False,)]
            assert made.direct(f"select has_table_privilege('{role}', 'orders', 'delete')") == [(False,)]
            made.revoke()
            end = time.monotonic() + 60
            while made.direct(named):
                assert time.monotonic() < end, "the role outlived its task"
                time.sleep(0.02)
            with pytest.raises(psycopg.OperationalError):
                conn.execute("select 1")
        while not (proven := [one for one in made.entries() if one["kind"] == "lease.dead"]):
            assert time.monotonic() < end, "the end of the role was not proven"
            time.sleep(0.02)
        assert [one["record"]["proof"] for one in proven] == ["gone"]
