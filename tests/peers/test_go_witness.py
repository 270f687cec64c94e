"""Somebody else's code checks what a witness cosigned and what it was asked: Go's x/mod/sumdb, from Debian."""

import base64
import os
import pathlib
import shutil
import subprocess

import pytest

from remit.control import witness as watching
from remit.core.witness import WitnessRule
from remit.ledger import note, witness
from remit.store import cosignature, log
from tests.kit.hours import Hours
from tests.kit.watching import NAME, URL, VKEY, Direct, a_witness
from tests.kit.world import World
from tests.ledger.logs import ORIGIN, PUBLIC
from tests.ledger.witnesses import checked, submission
from tests.ledger.witnesses import log as entries

HERE = pathlib.Path(__file__).parent / "go_witness"
LOG = note.vkey(ORIGIN, PUBLIC)


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    go = shutil.which("go")
    assert go, "This peer needs Go: apt-get install golang-go golang-golang-x-mod-dev"
    built = tmp_path_factory.mktemp("go")
    env = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(built / "cache")}
    done = subprocess.run(
        [go, "build", "-o", built / "go_witness", "main.go"],
        cwd=HERE, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    def run(data, *words):
        place = built / "data"
        place.write_bytes(data)
        option, keys = (["-request"], words[1:]) if words[0] == "-request" else ([], words)
        done = subprocess.run(
            [built / "go_witness", *option, place, *keys], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.strip()

    return run


def test_go_accepts_a_served_head_that_our_witness_cosigned(check, tmp_path):
    hours = Hours()
    node = tmp_path / "node"
    node.mkdir(mode=0o700)
    world = World(node, hours.clock()).settle()
    key = world.authority.verifier()
    cosigner = a_witness(tmp_path, hours, key)
    world.act(lambda c: watching.ensure(c, {VKEY: URL}, WitnessRule(required=1), "operator"))
    took = Direct(world, cosigner).push()
    assert world.act(lambda c: watching.took(c, NAME, took.size, took.line))
    head = log.at_size(world.authority.view, took.size)
    signed = (head.note + cosignature.under(world.authority.view, took.size)).encode()
    assert check(signed, key, VKEY) == (0, f"ok {took.size}")
    newest = cosigner.newest(witness.digest(world.authority.name))
    assert check(newest, key, VKEY) == (0, f"ok {took.size}")
    assert check(head.note.encode(), key, VKEY) == (1, "bad: not signed by both")
    at = signed.rindex(b" ") + 12
    flipped = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    assert check(flipped, key, VKEY)[0] == 1
    world.close()


@pytest.mark.parametrize(("old", "new"), [(1, 2), (7, 13), (255, 256), (256, 515), (300, 300)])
def test_go_accepts_the_proof_that_we_send_and_no_other(check, old, new):
    asked = submission(entries(new), old)
    root = base64.b64encode(checked(entries(old)).root).decode()
    fork = base64.b64encode(checked(entries(old, 0)).root).decode()
    assert check(witness.encode(asked), "-request", LOG, root) == (0, f"ok {new}")
    assert check(witness.encode(asked), "-request", LOG, fork)[0] == 1
