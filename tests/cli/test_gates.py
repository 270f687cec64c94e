"""A node's gates: the one before databases listens where the settings say, and is not needed when they say nothing."""

import psycopg
import pytest

from remit.cli.gates import Gates, databases
from remit.cli.settings import Settings
from tests.cli.test_serve import a_port, get, served
from tests.kit.shell import Shell
from tests.kit.world import World


def test_a_server_with_a_port_for_databases_takes_credentials_there(tmp_path):
    shell, port, other = Shell(tmp_path).settle(), a_port(), a_port()
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
    assert databases(Settings(postgres_port=1), world.gate)._tls is None
    world.close()
