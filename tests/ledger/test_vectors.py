"""Golden vectors: the same log is the same bytes for ever, and each bad file keeps its finding."""

import base64
import json
import pathlib

import pytest

from remit.ledger import merkle, note, proof, verify
from remit.ledger.checkpoint import Checkpoint
from tests.ledger.logs import ORIGIN, VERIFIER, entry, files

VECTORS = pathlib.Path(__file__).parent.parent / "vectors" / "ledger"
BAD = sorted(path.name for path in VECTORS.glob("bad_*.json"))


def load(name):
    told = json.loads((VECTORS / name).read_text())
    return told, {path: base64.b64decode(data) for path, data in told["files"].items()}


def audit(told, export):
    expect = told.get("expect")
    known = expect and Checkpoint(told["origin"], expect["size"], base64.b64decode(expect["root"]))
    return verify.audit(export.get, told["origin"], [note.parse_vkey(told["vkey"])], expect=known)


def test_the_good_log_is_byte_for_byte_what_we_export():
    told, export = load("good.json")
    assert export == files(7, [0, 2, 5, 7])
    assert audit(told, export)


def test_there_are_bad_files():
    assert len(BAD) == 13


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_keeps_its_finding(name):
    told, export = load(name)
    found = audit(told, export)
    assert (found.ok, found.index, found.what) == (False, told["index"], told["what"])


def test_the_golden_proof_holds_for_its_record_only():
    data = (VECTORS / "entry-4.tlog-proof").read_bytes()
    assert proof.verify(data, entry(4), ORIGIN, [VERIFIER])
    assert not proof.verify(data, entry(5), ORIGIN, [VERIFIER])
    assert proof.encode(proof.parse(data)) == data


def test_golden_roots():
    for size, root in json.loads((VECTORS / "roots.json").read_text()).items():
        assert base64.b64encode(merkle.root([merkle.leaf_hash(entry(at)) for at in range(int(size))])).decode() == root
