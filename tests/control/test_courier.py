"""A node and its witness, for real but for the wire; and two copies of one store that go on apart."""

import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from remit.control import witness
from remit.control.authority import FILE
from remit.control.courier import Courier, Missed, Refused, Took
from remit.core.answer import Deny
from remit.core.permit import Permit
from remit.core.witness import Witness, WitnessRule
from remit.store.log import newest
from tests.kit import stores
from tests.kit.dripping import ENDLESS, dripping
from tests.kit.hours import Hours
from tests.kit.watching import NAME, URL, VKEY, Direct, a_witness
from tests.kit.world import World, read_call


@pytest.fixture
def hours():
    return Hours()


@pytest.fixture
def made(tmp_path, hours):
    world = World(folder(tmp_path / "node"), hours.clock()).settle()
    cosigner = a_witness(tmp_path, hours, world.authority.verifier())
    world.act(lambda c: witness.ensure(c, {VKEY: URL}, WitnessRule(required=1, stop=True, max_age=60_000), "operator"))
    yield world, cosigner
    world.close()


def folder(path):
    path.mkdir(mode=0o700)
    return path


def brought(world, outcome):
    """Put what a courier brought back into the store."""
    if isinstance(outcome, Took):
        return world.act(lambda c: witness.took(c, outcome.name, outcome.size, outcome.line))
    return world.act(lambda c: witness.refused(c, outcome.name, outcome.size, outcome.what))


def called(world):
    return world.decide(read_call(), world.enter(world.a_credential(world.a_task().id).text))


def state(world):
    return world.act(lambda c: c.need(Witness, NAME)).state


def test_each_head_is_cosigned_and_calls_go_on(made):
    world, cosigner = made
    courier = Direct(world, cosigner)
    for _ in range(4):
        outcome = courier.push()
        assert isinstance(outcome, Took), outcome
        assert brought(world, outcome)
        assert isinstance(called(world), Permit)
    assert [reply.status for reply in courier.replies] == [200] * 4
    courier.close()


def test_a_new_courier_learns_what_was_cosigned_last(made):
    world, cosigner = made
    Direct(world, cosigner).push()
    called(world)
    later = Direct(world, cosigner)
    assert isinstance(later.push(), Took)
    assert [reply.status for reply in later.replies] == [409, 200]


def test_before_the_first_cosignature_and_after_a_late_one_calls_are_refused(made, hours):
    world, cosigner = made
    assert called(world).code == "witness_late"
    brought(world, Direct(world, cosigner).push())
    hours.pass_by(59_000)
    assert isinstance(called(world), Permit)
    hours.pass_by(1_000)
    assert called(world).code == "witness_late"
    brought(world, Direct(world, cosigner).push())
    assert isinstance(called(world), Permit)


def test_of_two_copies_that_go_on_apart_the_second_is_refused_and_allows_nothing(made, tmp_path, hours):
    world, cosigner = made
    courier = Direct(world, cosigner)
    brought(world, courier.push())
    shutil.copytree(tmp_path / "node", tmp_path / "copy")
    copy = World(tmp_path / "copy", hours.clock())
    copy.owner, copy.agent = world.owner, world.agent
    assert isinstance(called(world), Permit)
    assert isinstance(called(copy), Permit)
    assert isinstance(courier.push(), Took)
    for _ in range(3):
        outcome = Direct(copy, cosigner).push()
        assert isinstance(outcome, Refused), outcome
        brought(copy, outcome)
        assert called(copy).code == "witness_refused"
    assert state(copy) == "refused"
    assert isinstance(called(world), Permit), "the first goes on"
    assert isinstance(courier.push(), Took)
    assert cosigner._kept.refused(world.authority.name), "the log's own word against itself was kept"
    copy.close()


def test_a_store_that_was_put_back_is_refused_for_what_it_has_lost(made, tmp_path, hours):
    world, cosigner = made
    courier = Direct(world, cosigner)
    brought(world, courier.push())
    shutil.copytree(tmp_path / "node", tmp_path / "backup")
    called(world)
    brought(world, courier.push())
    old = World(tmp_path / "backup", hours.clock())
    outcome = Direct(old, cosigner).push()
    assert isinstance(outcome, Refused)
    assert "cosigned" in outcome.what
    old.close()


def test_a_refusal_is_one_receipt_and_an_operator_can_let_calls_go_on(made):
    world, cosigner = made
    brought(world, Direct(world, cosigner).push())
    size = newest(world.authority.view).size
    brought(world, Refused(NAME, size, "it holds another tree"))
    after = newest(world.authority.view).size
    brought(world, Refused(NAME, size, "it holds another tree"))
    assert (after, newest(world.authority.view).size) == (size + 1, size + 1)
    assert called(world).code == "witness_refused"
    world.act(lambda c: witness.acknowledge(c, NAME, "operator", "its disk was put back"))
    assert isinstance(called(world), Permit)
    brought(world, Refused(NAME, size, "it holds another tree"))
    assert state(world) == "acknowledged"
    brought(world, Direct(world, cosigner).push())
    assert state(world) == "in_order"


def test_a_line_that_does_not_hold_is_not_kept(made):
    world, cosigner = made
    outcome = Direct(world, cosigner).push()
    size = outcome.size
    called(world)
    other = Direct(world, cosigner).push()
    assert not world.act(lambda c: witness.took(c, NAME, size, other.line))
    assert not world.act(lambda c: witness.took(c, NAME, size + 10_000, outcome.line))
    assert not world.act(lambda c: witness.took(c, "nobody", size, outcome.line))
    assert not world.act(lambda c: witness.took(c, NAME, size, "not a line\n"))
    assert called(world).code == "witness_late"


def test_an_old_answer_never_makes_a_witness_look_fresh(made, hours):
    world, cosigner = made
    outcome = Direct(world, cosigner).push()
    hours.pass_by(60_000)
    brought(world, outcome)
    assert called(world).code == "witness_late"


def test_a_witness_that_is_not_asked_any_more_no_longer_stops_calls(made):
    world, _ = made
    assert isinstance(called(world), Deny)
    world.act(lambda c: witness.remove(c, NAME, "operator", "it was retired"))
    assert isinstance(called(world), Permit)


def test_the_rule_of_the_settings_is_written_once_and_silent_settings_leave_it(made):
    world, _ = made
    size = newest(world.authority.view).size
    rule = WitnessRule(required=1, stop=True, max_age=60_000)
    world.act(lambda c: witness.ensure(c, {VKEY: URL}, rule, "operator"))
    world.act(lambda c: witness.ensure(c, {}, WitnessRule(), "operator"))
    assert newest(world.authority.view).size == size
    world.act(lambda c: witness.ensure(c, {VKEY: "https://elsewhere.example"}, rule, "operator"))
    assert world.act(lambda c: c.need(Witness, NAME)).url == "https://elsewhere.example"


class Answers(BaseHTTPRequestHandler):
    status, body, kind = 200, b"", "text/plain"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.status)
        self.send_header("content-type", self.kind)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "kind", "body", "found"),
    [
        (200, "text/plain", b"", Missed),
        (200, "text/plain", b"\xff", Missed),
        (200, "text/plain", "— witness.example/w1 AAAAAAAAAAAA\n".encode(), Missed),
        (200, "text/plain", b"x" * 70_000, Missed),
        (301, "text/plain", b"", Missed),
        (403, "text/plain", b"", Missed),
        (404, "text/plain", b"", Missed),
        (409, "text/plain", b"9\n", Missed),
        (409, "text/x.tlog.size", b"nine\n", Missed),
        (409, "text/x.tlog.size", b"999999\n", Refused),
        (409, "text/x.tlog.size", b"0\n", Refused),
        (422, "text/plain", b"", Refused),
        (500, "text/plain", b"", Missed),
    ],
)
def test_what_a_witness_may_answer(made, status, kind, body, found):
    world, _ = made
    handler = type("Handler", (Answers,), {"status": status, "kind": kind, "body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        courier = Courier(world.folder / FILE, VKEY, f"http://127.0.0.1:{server.server_port}/w/")
        outcome = courier.push()
        courier.close()
        server.shutdown()
        thread.join()
    assert type(outcome) is found, outcome


def test_one_that_is_not_there_is_missed(made):
    world, _ = made
    courier = Courier(world.folder / FILE, VKEY, "http://127.0.0.1:9")
    assert isinstance(courier.push(), Missed)
    courier.close()


def test_on_the_shared_store_each_node_meets_the_refusal_that_another_heard(tmp_path):
    hours = Hours()
    place = stores.place("postgresql", tmp_path / "store")
    world, other = World(place, hours.clock()).settle(), World(place, hours.clock())
    cosigner = a_witness(tmp_path, hours, world.authority.verifier())
    rule = WitnessRule(required=1, stop=True)
    world.act(lambda c: witness.ensure(c, {VKEY: URL}, rule, "operator"))
    other.owner, other.agent = world.owner, world.agent
    assert called(other).code == "witness_late"
    courier = Direct(world, cosigner)
    brought(world, courier.push())
    assert isinstance(called(other), Permit)
    brought(world, Refused(NAME, newest(world.authority.view).size, "it holds another tree"))
    assert called(other).code == "witness_refused"
    brought(other, courier.push())
    assert isinstance(called(world), Permit)
    courier.close()
    world.close()
    other.close()


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_witness_that_says_a_little_for_ever_is_let_go(made, kind):
    world, _ = made
    with dripping(kind) as port:
        url = f"{'https' if kind == 'tls' else 'http'}://127.0.0.1:{port}"
        one, began = Courier(world.folder / FILE, VKEY, url, patience=0.2), time.monotonic()
        found = one.push()
        one.close()
    assert isinstance(found, Missed)
    assert "cannot be reached" in found.what
    assert time.monotonic() - began < 60, "each wait was bounded, and not the whole"
