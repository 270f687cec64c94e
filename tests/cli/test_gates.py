"""A node's gates: those with a port of their own listen where the settings say, and are not there when they do not."""

import http.client
import json

import psycopg
import pytest

from remit.cli.gates import Gates
from remit.cli.settings import Settings
from tests.cli.test_serve import get, served
from tests.kit.ports import free
from tests.kit.shell import BRIEF, Shell
from tests.kit.shopapi import DOCUMENT
from tests.kit.tls import certificates, names
from tests.kit.world import World


def test_a_server_with_a_port_for_databases_takes_credentials_there(tmp_path):
    shell, port, other = Shell(tmp_path).settle(), free(), free()
    shell.environment["REMIT_POSTGRES_PORT"] = str(other)
    with served(shell, port):
        with pytest.raises(psycopg.OperationalError, match="invalid_token"):
            psycopg.connect(f"host=127.0.0.1 port={other} user=remit dbname=notes password=x connect_timeout=10")
        assert get(f"http://127.0.0.1:{port}/readyz")[0] == 200
    shell.environment["REMIT_POSTGRES_PORT"] = str(port)
    assert "[setting_invalid]" in shell.run(f"remit serve --port {port}").err


def test_without_a_port_there_is_none(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    assert Gates(Settings(), world.gate)._postgres is None
    assert Gates(Settings(postgres_port=1), world.gate)._postgres._tls is None
    world.close()


def test_a_server_with_a_port_for_a_proxy_listens_there_and_each_task_has_its_authority(tmp_path):
    shell, port, other = Shell(tmp_path).settle(), free(), free()
    shell.write("openapi.json", json.dumps(DOCUMENT))
    add = "remit resource add pay --api https://api.pay.example/v1 --domain office --owner olga"
    shell.ok(f"{add} --openapi openapi.json")
    shell.ok("remit agent add payer --owner olga --review 30d --purpose 'Pays.' --ceiling 'http:pay/*'")
    pays = BRIEF.replace("scribe", "payer").replace('"notes"', '"pays"').split("[[steps]]")[0]
    shell.write("pays.toml", f'{pays}[[steps]]\naction = "http:pay/list_orders"\npath = "own"\n')
    shell.ok("remit brief apply pays.toml")
    made = json.loads(shell.ok("remit task open pays payer -o json"))
    assert names(shell.ok(f"remit task ca {made['id']}").encode()) == ["api.pay.example"]
    assert "[not_found]" in shell.run("remit task ca tsk_nobody").err
    shell.environment["REMIT_FORWARD_PORT"] = str(other)
    with served(shell, port):
        conn = http.client.HTTPConnection("127.0.0.1", other, timeout=10)
        conn.request("GET", "http://api.pay.example/v1/orders", headers={"proxy-authorization": "Bearer x.y.z"})
        answer = conn.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (407, "token_encoding")
        conn.close()
    shell.environment["REMIT_FORWARD_PORT"] = str(port)
    assert "[setting_invalid]" in shell.run(f"remit serve --port {port}").err


def test_with_a_certificate_the_proxy_is_spoken_to_under_tls(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    place = f"file:{certificates(tmp_path)[1]}"
    secure = Settings(forward_port=1, tls_cert=place, tls_key=place)
    assert Gates(secure, world.gate)._forward._entrance._tls is not None
    assert Gates(Settings(forward_port=1), world.gate)._forward._entrance._tls is None
    assert Gates(Settings(), world.gate)._forward is None
    world.close()
