import hashlib
import json

import pytest

from remit.core.canonical import b64, canon
from remit.core.receipt import LARGEST, TAGS, Auditor, change, decode, digests, encode, faulty, outcome, record_of
from remit.store.record import noun
from tests.house.tree import ROOT
from tests.kit.nouns import CALL, NOON, PERSON, code, every, person

VECTORS = ROOT / "tests" / "vectors" / "receipt"
GOOD = json.loads((VECTORS / "good.json").read_text(encoding="utf-8"))
BAD = sorted(VECTORS.glob("bad_*.json"))


def audited(entries):
    auditor = Auditor()
    found = [(n, said) for n, text in enumerate(entries) if (said := auditor(n, text.encode()))]
    return auditor, found


def test_the_golden_entries_hold_every_kind_and_are_read_and_written_alike():
    assert {decode(text.encode())["kind"] for text in GOOD["entries"]} == TAGS
    for text in GOOD["entries"]:
        assert encode(decode(text.encode())) == text.encode() == canon(json.loads(text))


def test_the_golden_entries_are_sound_and_one_outcome_is_unknown():
    auditor, found = audited(GOOD["entries"])
    assert found == []
    assert list(auditor.open) == [GOOD["unknown"]]
    assert auditor.counts["call.decided"] == 3


def test_every_change_carries_a_record_that_can_be_built():
    changes = [json.loads(text) for text in GOOD["entries"] if "record" in json.loads(text)]
    assert {noun(type(record_of(one))) for one in changes} == {noun(type(one)) for one in every()}
    for one in changes:
        again = change(one["kind"], record_of(one), one["at"], one["by"], one.get("because", ""))
        assert encode(again) == encode(one)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_entry_is_named(path):
    vector = json.loads(path.read_text(encoding="utf-8"))
    assert audited(vector["entries"])[1][0] == (vector["index"], vector["says"])


def test_there_is_a_vector_for_each_fault():
    said = {json.loads(path.read_text(encoding="utf-8"))["says"] for path in BAD}
    assert len(said) == len(BAD) == 8


def test_a_salted_digest_is_what_the_page_says():
    one = GOOD["digest"]
    salt, name = bytes.fromhex(one["salt"]), one["name"].encode()
    text = salt + len(name).to_bytes(4, "big") + name + one["value"].encode()
    assert one["found"] == b64(hashlib.sha256(text).digest())
    assert digests({one["name"]: json.loads(one["value"])}, salt) == {one["name"]: one["found"]}


def test_a_long_name_stands_as_its_digest_and_another_salt_gives_another_digest():
    name = "n" * 65
    assert list(digests({name: 1}, b"s" * 16)) == [b64(hashlib.sha256(name.encode()).digest())]
    assert digests({"a": 1}, b"s" * 16) != digests({"a": 1}, b"t" * 16)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"v":2}', b'{"kind":"x","v":1}', b'{"v":1,"kind":"call.denials"}', b'{"v":1,"v":1}', b"\xff"]
)
def test_what_is_no_receipt_is_refused(data):
    assert faulty(data)
    assert code(decode, data) == "receipt_invalid"


def test_an_unknown_tag_or_a_receipt_beyond_a_leaf_is_refused():
    assert code(change, "person.cloned", person(), NOON, PERSON) == "receipt_invalid"
    assert code(encode, outcome(CALL, 0, NOON, {"result": "ok", "said": "x" * LARGEST})) == "receipt_too_large"
    assert code(record_of, {"record": {"noun": "ghost"}}) == "receipt_invalid"


def test_denials_without_a_task_stand_alone():
    deny = {"v": 1, "kind": "call.decided", "at": NOON, "call": CALL, "prev": -1, "decision": "deny", "code": "x"}
    assert audited([encode(deny).decode()] * 2)[1] == []
