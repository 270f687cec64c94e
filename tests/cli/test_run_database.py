"""`remit run` before a real database with leases: killed outright, or left behind, nothing that was given works on."""

import contextlib
import json
import re
import signal
import socket
import time
from pathlib import Path

import psycopg
import pytest

from tests.kit.running_node import pinging, shop_node

ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s"
READS = (
    "import os, psycopg, sys, time\n"
    "def read(**more):\n"
    "    with psycopg.connect(connect_timeout=10, **more) as conn:\n"
    "        return conn.execute('SELECT id FROM orders LIMIT 2').fetchall()\n"
)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with pinging() as api, shop_node(tmp_path_factory.mktemp("shop"), api) as one:
        yield one


def roles(node, task):
    with psycopg.connect(node.url) as conn:
        return conn.execute(ROLES, (f"%{task}%",)).fetchall()


def named(node, identity):
    (found,) = [lease for lease in node.leases() if lease["id"] == identity]
    return found


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_a_database_is_reached_by_what_the_command_is_told_and_its_lease_is_proven_dead(node):
    words = READS + "print(read(), 'PGPASSWORD' in os.environ, os.stat(os.environ['PGPASSFILE']).st_mode & 0o777)"
    with node.start(words, "-o", "json") as process:
        out, _ = process.communicate(timeout=300)
    said, told = out.decode().splitlines()
    assert said == f"[(1,), (2,)] False {0o600}"
    found = json.loads(told)
    assert process.returncode == 0
    assert [(one["resource"], one["state"], one["proof"]) for one in found["leases"]] == [("shop", "dead", "gone")]
    assert (found["proven"], found["calls"]["done"]) == (True, 1)
    assert roles(node, found["task"]) == []


def test_no_other_database_is_reached_by_what_the_environment_said_of_one(node, monkeypatch):
    """PGHOSTADDR goes before PGHOST: left there, libpq would show the credential to whoever is at that address."""
    said = (node.folder / "remit.toml").read_text(encoding="utf-8")
    port = int(re.search(r"^postgres_port = (\d+)$", said, re.MULTILINE)[1])
    with socket.create_server(("127.0.0.9", port)) as elsewhere:
        elsewhere.settimeout(0.1)
        for name, value in (("PGHOSTADDR", "127.0.0.9"), ("PGOPTIONS", "-c search_path=x"), ("PGTZ", "UTC")):
            monkeypatch.setitem(node.environment, name, value)
        for name in ("ALL_PROXY", "wss_proxy"):
            monkeypatch.setitem(node.environment, name, "http://127.0.0.9:1")
        words = READS + "print(read(), sorted(one for one in os.environ if one.startswith('PG')))\n"
        words += "print(sorted(one for one in os.environ if one.lower().endswith('_proxy')))"
        with node.start(words) as process:
            out, _ = process.communicate(timeout=300)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    names = ["PGDATABASE", "PGHOST", "PGPASSFILE", "PGPORT", "PGSSLMODE", "PGTZ", "PGUSER"]
    proxies = ["HTTPS_PROXY", "HTTP_PROXY", "NODE_USE_ENV_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"]
    assert out.decode() == f"[(1,), (2,)] {names}\n{proxies}\n"


def test_killed_outright_its_lease_is_dropped_and_probed(node):
    words = READS + "conn = psycopg.connect(); conn.execute('SELECT id FROM orders LIMIT 1')\n"
    with node.start(words + "print('on', flush=True); time.sleep(600)") as process:
        assert process.stdout.readline() == b"on\n"
        (one,) = [lease for lease in node.leases() if lease["state"] == "active"]
        assert len(roles(node, one["task"])) == 1
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        assert until(lambda: roles(node, one["task"]) == [])
        assert until(lambda: named(node, one["id"])["state"] == "dead")
        died = named(node, one["id"])
        assert (died["proof"], died["because"]) == ("gone", "task")


def test_what_stays_behind_has_nothing_that_works(node, tmp_path):
    """A process that leaves the run's session keeps its file's text and its sockets, and is let in by neither."""
    place = tmp_path / "said"
    words = (
        READS + "import urllib.request\n"
        "held = open(os.environ['PGPASSFILE']).read().strip().rsplit(':', 1)[1]\n"
        "print(len(read(password=held)), flush=True)\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        f"while not os.path.exists('{tmp_path}/over'): time.sleep(0.05)\n"
        "found = []\n"
        "try: found.append(read(password=held))\n"
        "except psycopg.Error as fault: found.append('refused by the gate')\n"
        "try: found.append(urllib.request.urlopen(os.environ['REMIT_HTTP_URL'], timeout=5))\n"
        "except OSError as fault: found.append('nothing listens')\n"
        f"open('{place}', 'w').write(repr(found))\n"
    )
    process = node.start(words)
    assert process.stdout.readline() == b"2\n"
    assert process.wait(60) == 0
    (tmp_path / "over").touch()
    assert until(place.exists)
    assert until(lambda: place.read_text(encoding="utf-8")) == repr(["refused by the gate", "nothing listens"])
    process.stdout.close()


def test_an_api_is_reached_by_proxy_and_nothing_else_is(node):
    words = (
        "import base64, os, socket, urllib.parse, urllib.request\n"
        "proxy = os.environ['HTTP_PROXY']; at = urllib.parse.urlsplit(proxy)\n"
        "print('127.0.0.1' in os.environ.pop('NO_PROXY'), bool(os.environ.pop('no_proxy')))\n"
        "print(proxy == os.environ['https_proxy'])\n"
        "opener = urllib.request.build_opener(urllib.request.ProxyHandler({'http': proxy}))\n"
        f"print(opener.open('{node.api}/ping', timeout=20).read().decode())\n"
        "def connect(key):\n"
        "    with socket.create_connection((at.hostname, at.port)) as line:\n"
        "        shown = base64.b64encode(b'remit:' + key.encode()).decode()\n"
        "        head = f'CONNECT other.example:443 HTTP/1.1\\r\\nHost: other.example:443\\r\\n'\n"
        "        line.sendall(f'{head}Proxy-Authorization: Basic {shown}\\r\\n\\r\\n'.encode())\n"
        "        return line.recv(4096).split()[1].decode()\n"
        "print(connect(at.password), connect('x'))\n"
        "names = 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'\n"
        "import ssl; own = ssl.create_default_context(cafile=os.environ[names[0]]).get_ca_certs()\n"
        "print(len({os.environ[name] for name in names}), any('tsk_' in str(one['subject']) for one in own))\n"
    )
    with node.start(words, "-o", "json") as process:
        out, _ = process.communicate(timeout=300)
    *said, told = out.decode().splitlines()
    assert said == ["True True", "True", '{"pong": true}', "403 407", "1 True"], out
    assert json.loads(told)["calls"]["done"] == 1


def test_no_argument_of_any_process_holds_what_lets_in(node):
    """What `ps` shows to everybody: the words of the run, of its guard and of the command."""
    words = (
        READS + "read(); print(open(os.environ['PGPASSFILE']).read().rsplit(':', 1)[1].strip(), flush=True); input()"
    )
    process = node.start(words)
    held = process.stdout.readline().strip()
    key = (
        (node.folder / "config" / "remit").glob("*.header").__next__().read_text(encoding="ascii").split()[-1].encode()
    )
    assert len(held) > 100
    shown = b""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            shown += one.read_bytes()
    process.terminate()
    process.communicate(timeout=300)
    assert b"remit" in shown
    assert held not in shown
    assert key not in shown
