"""A node that serves tools and a real database with leases, as `remit run` finds it: by the command line alone."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.cli.test_serve import served
from tests.kit.database import PASSWORD, database
from tests.kit.ports import free
from tests.kit.postgres import server
from tests.kit.shell import BIN, Shell

BRIEF = """
name = "shop"
purpose = "Read orders."
dispatchers = ["olga"]
agents = ["scribe"]
domains = ["office"]

[[steps]]
action = "sql:shop/select"
path = "own"
rows = { max = 50 }
arguments = { relation = [{ equals = "public.orders" }], columns = [{ any = true }], where = [{ any = true }] }

[[steps]]
action = "http:pay/ping"
path = "own"

[[steps]]
action = "http:far/ping"
path = "own"
"""
PATHS = {"/ping": {"get": {"operationId": "ping"}}}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "Pay", "version": "1"}, "paths": PATHS}
CEDAR = """@id("shop") permit(principal, action in Action::"sql:shop", resource);
@id("pay") permit(principal, action in Action::"http:pay", resource);"""

TESTS = """[
 {"name": "reads", "path": "own", "action": "sql:shop/select", "expect": "allow"},
 {"name": "nothing else", "path": "own", "action": "mcp:notes/wipe", "expect": "deny"},
 {"name": "reads for people", "path": "delegated", "action": "sql:shop/select", "expect": "allow"},
 {"name": "nothing else for people", "path": "delegated", "action": "mcp:notes/wipe", "expect": "deny"}
]"""


class Shop(Shell):
    """The folder of that node; `url` is the database as its owner, `api` a small API."""

    url = api = ""

    def run_words(self, program: str, *flags: str) -> list[str]:
        """The words of a run of this Python program."""
        words = [str(BIN / "remit"), "run", "--agent", "scribe", "--brief", "shop", *flags, "--"]
        return [*words, sys.executable, "-c", program]

    def start(self, program: str, *flags: str) -> "subprocess.Popen[bytes]":
        """Start a run."""
        return subprocess.Popen(
            self.run_words(program, *flags), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE
        )

    def leases(self) -> list[dict[str, str]]:
        """All leases, newest last."""
        found: list[dict[str, str]] = json.loads(self.ok("remit lease show --all -o json"))
        return found


@contextmanager
def shop_node(folder: Path, api: str, port: int = 0, brief: str = BRIEF, settings: str = "") -> Iterator[Shop]:
    """The node, serving, with the operator logged in; `settings` are tables of its settings file."""
    shell = Shop(folder)
    shell.url, shell.api = database(), api
    shell.write("openapi.json", json.dumps(DOCUMENT))
    shell.environment["XDG_CONFIG_HOME"] = str(folder / "config")
    port = port or free()
    shell.write("remit.toml", f"port = {port}\npostgres_port = {free()}\nforward_port = {free()}\n{settings}")
    link = re.search(r"^admin link +(\S+)$", shell.ok("remit up --no-serve"), re.MULTILINE)
    assert link
    shell.write("password", PASSWORD)
    shell.write("admin", shell.url)
    shell.write("shop.toml", brief)
    shell.write("policy/tests.json", TESTS)
    shell.write("policy/common/shop.cedar", CEDAR)
    place = f"postgresql://gate_role@127.0.0.1:{server().port}/{shell.url.rpartition('/')[2]}"
    for line in (
        "remit secret put shop-db --from file:password",
        "remit secret put shop-admin --from file:admin",
        f"remit resource add shop --database {place} --schema public --domain office --owner olga --secret shop-db",
        "remit lease mint shop postgres --secret shop-admin",
        f"remit resource add pay --api {shell.api} --openapi openapi.json --domain office --owner olga",
        "remit resource add far --api https://far.example --openapi openapi.json --domain office --owner olga",
        (
            "remit agent add scribe --owner olga --review 30d --purpose 'Reads.'"
            " --ceiling 'sql:shop/*' --ceiling 'http:pay/*' --ceiling 'http:far/*'"
        ),
        "remit policy apply policy",
        "remit brief apply shop.toml",
    ):
        shell.ok(line)
    with served(shell, port):
        shell.ok(f"remit login {link[1]}")
        yield shell


class Ping(BaseHTTPRequestHandler):
    """An API of one operation."""

    def do_GET(self) -> None:
        body = b'{"pong": true}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def pinging() -> Iterator[str]:
    """That API, served: its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ping) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(60)
