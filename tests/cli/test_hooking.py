"""Hooks are told of each ask and answer, signed, in order, until they have heard; what they answer is never read."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from remit.cli import settings as rules
from remit.cli.hooking import Hooking
from remit.control.messenger import Due, Hook, Messenger, resolved
from remit.core.approval import Approval
from remit.core.hook import again, key, signature
from remit.store import hook as store
from tests.kit import stores
from tests.kit.approving import Approving
from tests.kit.nouns import code
from tests.kit.told import ByHand, Time
from tests.kit.world import ISSUER, World

SECRET = b"a-secret-of-these-tests-of-32-octets"
DUE = Due(1, "msg_x_1", b"{}", 1)
YES = json.dumps({"answer": "yes", "decision": "approved", "by": "ann"}).encode()


class Ear:
    """An HTTP server that hears notices; `answers` are the statuses that it gives, 200 once they are used up."""

    def __init__(self):
        self.heard, self.answers = [], []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status = ear.answers.pop(0) if ear.answers else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"{ear.url}elsewhere")
                self.send_header("content-length", str(len(YES)))
                self.end_headers()
                self.wfile.write(YES)

            def log_message(self, *_):
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join(60)
        self.server.server_close()


@pytest.fixture
def ear():
    made = Ear()
    yield made
    made.close()


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    time = Time()
    made = World(stores.place(request.param, tmp_path / "store"), ByHand(time))
    made.time = time
    made.settle()
    yield made
    made.close()


class Running:
    """A node's hooking, driven by hand on a loop of its own."""

    def __init__(self, world, hooks, more=()):
        self.world, self.loop = world, asyncio.new_event_loop()
        self.hooking = Hooking(world.authority, world.batch, stores.where(world.folder), hooks, self.loop, more)

    def go(self, until):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.hooking.tick()
            self.loop.run_until_complete(asyncio.sleep(0.005))
            if until():
                return
        raise AssertionError("it never came to it")

    def settle(self):
        """Go on until nothing is under way."""
        self.go(lambda: not self.hooking._out)

    def close(self):
        self.hooking.close()
        self.loop.close()


@pytest.fixture
def running(world, ear):
    made = Running(world, (Hook(ear.url, SECRET),))
    made.go(lambda: store.every(world.authority.view))
    yield made
    made.close()


def told(world):
    return next(iter(store.every(world.authority.view).values()))


def test_an_ask_and_its_answer_are_told_once_each_signed_and_without_a_value(world, ear, running):
    place = Approving(world)
    waits = place.ask("/notes/secret-plan")
    running.go(lambda: len(ear.heard) == 1)
    place.answer(waits, place.ann)
    running.go(lambda: len(ear.heard) == 2)
    running.settle()
    bodies = [json.loads(body) for _, _, body in ear.heard]
    assert [one["type"] for one in bodies] == ["approval.asked", "approval.approved"]
    assert {one["approval"] for one in bodies} == {waits}
    assert bodies[0]["url"] == f"{ISSUER}/console/approvals/{waits}"
    path, headers, body = ear.heard[0]
    assert path == "/hook"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert int(headers["webhook-timestamp"]) == world.authority.clock.now() // 1000
    everything = b"".join(body for _, _, body in ear.heard)
    assert b"secret-plan" not in everything
    assert b"Ann" not in everything
    assert SECRET not in everything
    assert len({headers["webhook-id"] for _, headers, _ in ear.heard}) == 2


def test_appr_07_nothing_that_a_hook_answers_is_an_answer(world, ear, running):
    waits = Approving(world).ask()
    running.go(lambda: ear.heard)
    running.settle()
    assert world.act(lambda c: c.need(Approval, waits)).state == "pending", "its body said yes"


def test_it_is_told_again_until_it_has_heard_and_a_restart_forgets_nothing(world, ear, running):
    ear.answers = [500, 302, 503]
    place = Approving(world)
    place.ask("/notes/a")
    place.ask("/notes/b")
    running.go(lambda: len(ear.heard) == 1)
    running.settle()
    assert (told(world).tries, told(world).trouble) == (1, "It answered 500.")
    running.hooking.tick()
    running.settle()
    assert len(ear.heard) == 1, "it waits before it tells again"
    world.time.on(again(1))
    running.go(lambda: len(ear.heard) == 2)
    running.settle()
    assert told(world).trouble == "It answered 302.", "a redirect is not followed"
    other = Running(world, (Hook(ear.url, SECRET),))
    world.time.on(again(2))
    other.go(lambda: len(ear.heard) == 3)
    other.settle()
    world.time.on(again(3))
    other.go(lambda: told(world).tries == 0 and len(ear.heard) == 5)
    other.settle()
    other.close()
    identities = [headers["webhook-id"] for _, headers, _ in ear.heard]
    assert len(set(identities[:4])) == 1, "the same notice each time"
    assert len(set(identities)) == 2
    assert again(50) == 3_600_000


def test_a_dead_hook_is_pending_and_another_is_not_held_up(world, ear):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        dead = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    running = Running(world, (Hook(dead, SECRET), Hook(ear.url, SECRET)))
    running.go(lambda: len(store.every(world.authority.view)) == 2)
    Approving(world).ask()
    running.go(lambda: ear.heard and any(one.tries for one in store.every(world.authority.view).values()))
    running.settle()
    running.close()
    assert sorted(one.tries for one in store.every(world.authority.view).values()) == [0, 1]


def test_what_another_node_tells_is_not_told_twice(world, ear, running):
    Approving(world).ask()
    name = Hook(ear.url, SECRET).name
    leaf = told(world).leaf
    now = world.authority.clock.now()
    assert world.act(lambda c: (store.claim(c.db, name, leaf, now, now + 30_000), c.keep()))[0]
    assert not world.act(lambda c: (store.claim(c.db, name, leaf, now, now + 30_000), c.keep()))[0]
    for _ in range(5):
        running.hooking.tick()
        running.settle()
    assert not ear.heard
    world.time.on(30_001)
    running.go(lambda: ear.heard)
    running.settle()


def test_an_address_that_is_private_or_changes_its_mind_is_refused(monkeypatch):
    assert resolved("127.0.0.1", 80, private=False) == "127.0.0.1"
    for place in (
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
    ):
        assert code(resolved, place, 80, private=False) == "hook_private", place
    assert resolved("10.0.0.1", 80, private=True) == "10.0.0.1"
    rebound = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rebound)
    assert code(resolved, "hooks.example", 443, private=False) == "hook_private"
    assert "private" in Messenger("", Hook("https://hooks.example/", SECRET), ISSUER).tell(DUE, 1)


def test_only_the_settings_file_names_a_hook_and_its_secret_is_a_reference(tmp_path):
    file = tmp_path / "remit.toml"

    def loaded(text):
        file.write_text(text, encoding="utf-8")
        return rules.load({}, {}, str(file)).hooks

    (one,) = loaded('[[hooks]]\nurl = "https://hooks.example/remit"\nsecret = "env:HOOK"\n')
    assert (one.url, one.secret, one.private) == ("https://hooks.example/remit", "env:HOOK", False)
    for wrong in (
        'url = "http://hooks.example/"\nsecret = "env:HOOK"',
        'url = "https://u:p@hooks.example/"\nsecret = "env:HOOK"',
        'url = "https://hooks.example/"\nsecret = "plain"',
        'url = "file:///etc/passwd"\nsecret = "env:HOOK"',
        'url = "https://hooks.example/"',
        'url = "https://hooks.example/"\nsecret = "env:HOOK"\nmore = 1',
    ):
        assert code(loaded, f"[[hooks]]\n{wrong}\n").startswith("setting_"), wrong
    assert code(rules.load, {"REMIT_HOOKS": "https://evil.example"}, {}, None) == "setting_invalid"


def test_a_secret_that_is_short_is_none():
    raw = bytes(range(32))
    assert key(b"whsec_" + base64.b64encode(raw)) == raw
    assert key(b"  " + SECRET + b"\n") == SECRET
    assert {code(key, one) for one in (b"", b"short", b"whsec_%%%", b"whsec_" + base64.b64encode(b"x"))} == {
        "hook_weak"
    }


def test_the_signature_is_that_of_standard_webhooks():
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
