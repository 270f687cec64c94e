import hashlib

from remit.core.canonical import b64
from remit.core.evidence import leaves, part
from tests.kit.nouns import code, evidence, named


def test_digests_are_of_the_canonical_form():
    assert leaves([3, 4, 10]) == b64(hashlib.sha256(b"[3,4,10]").digest())
    assert part({"b": 1, "a": {}}) == b64(hashlib.sha256(b'{"a":{},"b":1}').digest())


def test_what_cannot_be_evidence_is_refused():
    assert evidence().count == 3
    assert code(evidence, tasks=(named("tsk", "b"),)) == "evidence_invalid"
    assert code(evidence, count=0) == "evidence_invalid"
    assert code(evidence, beside={"calls": "x"}) == "evidence_invalid"
    assert code(evidence, keys=()) == "evidence_invalid"
    assert code(evidence, id=named("tsk")) == "id_invalid"
