"""Signed notes, checkpoints and proofs: one spelling each, and nothing that was not signed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.ledger import LedgerFault, checkpoint, merkle, note, proof
from remit.ledger.checkpoint import Checkpoint
from tests.ledger.logs import KEY, ORIGIN, PUBLIC, VERIFIER, entry, head

OTHER = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()
SIGNED = head(5, b"\x01" * 32)


def code(function, *given):
    with pytest.raises(LedgerFault) as caught:
        function(*given)
    assert caught.value.message
    assert caught.value.remedy
    assert caught.value.code in str(caught.value)
    return caught.value.code


def test_a_published_key_reads_as_published():
    # The example key and note of the Go package golang.org/x/mod/sumdb/note.
    peter = note.parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    signed = note.parse(f"{text}\n{line}".encode())
    assert signed.text == text
    assert note.verify(signed, [peter])
    assert note.vkey(peter.name, peter.public) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_unknown_lines_are_ignored_and_known_ones_must_hold():
    other = note.Verifier("witness.example", OTHER_PUBLIC)
    both = note.add_signature(SIGNED, other.name, OTHER.sign, OTHER_PUBLIC)
    assert note.verify(note.parse(both), [VERIFIER])
    assert note.verify(note.parse(both), [other])
    assert note.verify(note.parse(both), [VERIFIER, other])
    assert not note.verify(note.parse(SIGNED), [other])
    assert not note.verify(note.parse(SIGNED), [])
    forged = note.add_signature(SIGNED, other.name, lambda _: bytes(64), OTHER_PUBLIC)
    assert note.verify(note.parse(forged), [VERIFIER])
    assert not note.verify(note.parse(forged), [VERIFIER, other])
    renamed = note.sign(note.parse(SIGNED).text, ORIGIN, OTHER.sign, OTHER_PUBLIC)
    assert not note.verify(note.parse(renamed), [VERIFIER])


def test_a_note_has_one_spelling():
    assert note.parse(SIGNED).text.endswith("\n")
    for bad in (
        b"",
        b"\xff" + SIGNED,
        SIGNED[:-1],
        SIGNED + b"\n",
        SIGNED.replace(b"\n\n", b"\n"),
        SIGNED.replace("— ".encode(), b"- "),
        SIGNED.replace(b"\n", b"\r\n"),
        SIGNED[:-2] + b"!\n",
        SIGNED.replace(ORIGIN.encode() + b" ", b"a+b "),
        b"text\n\n" + "— name AAAA\n".encode(),
        b"text\n\n" + "— name AAAAAAB=\n".encode(),
        SIGNED + SIGNED.split(b"\n\n")[1] * 64,
    ):
        assert code(note.parse, bad) == "note_invalid"
    assert code(note.sign, "no newline", ORIGIN, KEY.sign, PUBLIC) == "note_invalid"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_a_key_name_without_spaces_or_plus(name):
    assert code(note.vkey, name, PUBLIC) == "vkey_invalid"


def test_a_vkey_that_is_not_one_is_refused():
    good = note.vkey(ORIGIN, PUBLIC)
    assert note.parse_vkey(good) == VERIFIER
    for bad in ("", ORIGIN, good[:-4], good.replace("+", "+0", 1), good.replace("+AQ", "+AB"), good + "\n"):
        assert code(note.parse_vkey, bad) == "vkey_invalid"


def test_a_checkpoint_has_one_spelling():
    good = Checkpoint(ORIGIN, 5, b"\x01" * 32)
    assert checkpoint.parse(good.text()) == good
    for bad in (
        "",
        good.text()[:-1],
        good.text() + "extension\n",
        good.text().replace("\n5\n", "\n05\n"),
        good.text().replace("\n5\n", "\n+5\n"),
        good.text().replace("\n5\n", "\n-5\n"),
        good.text().replace("\n5\n", "\n9223372036854775808\n"),
        good.text().replace("\n5\n", "\n\u0665\n"),
        good.text().replace(ORIGIN, ""),
        good.text().replace("=", ""),
        f"{ORIGIN}\n5\nAAAA\n",
    ):
        assert code(checkpoint.parse, bad) == "checkpoint_invalid"


def test_a_head_of_another_log_is_not_ours():
    assert checkpoint.open_signed(SIGNED, ORIGIN, [VERIFIER])[1]
    assert not checkpoint.open_signed(SIGNED, "ledger.example/other", [VERIFIER])[1]


LEAVES = [merkle.leaf_hash(entry(index)) for index in range(9)]


def bundle(index, **more):
    path = merkle.inclusion_proof(index, 9, lambda height, at: merkle.root(LEAVES[at << height : (at + 1) << height]))
    return proof.encode(proof.Bundle(index, tuple(path), head(9, merkle.root(LEAVES)), **more))


def test_a_proof_binds_the_record_the_index_and_the_log():
    for index in range(9):
        verdict = proof.verify(bundle(index), entry(index), ORIGIN, [VERIFIER])
        assert verdict
        assert verdict.index == index
        assert not proof.verify(bundle(index), entry(index ^ 1), ORIGIN, [VERIFIER])
        assert not proof.verify(bundle(index), b"", ORIGIN, [VERIFIER])
        assert not proof.verify(bundle(index), entry(index), "ledger.example/other", [VERIFIER])
        assert not proof.verify(bundle(index), entry(index), ORIGIN, [note.Verifier(ORIGIN, OTHER_PUBLIC)])
    moved = bundle(3).replace(b"index 3\n", b"index 2\n")
    assert not proof.verify(moved, entry(3), ORIGIN, [VERIFIER])
    assert proof.parse(bundle(3, extra=b"salt")).extra == b"salt"
    assert proof.verify(bundle(3, extra=b"salt"), entry(3), ORIGIN, [VERIFIER])


def test_every_changed_byte_of_a_proof_is_refused():
    good = bundle(6)
    for at in range(len(good)):
        try:
            verdict = proof.verify(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], entry(6), ORIGIN, [VERIFIER])
        except LedgerFault:
            continue
        assert not verdict, at


def test_a_proof_has_one_spelling():
    good = bundle(6)
    for bad in (
        b"",
        b"x" + good,
        good.replace(b"@v1", b"@v2"),
        good.replace(b"index 6", b"index 06"),
        good.replace(b"index 6\n", b""),
        good.replace(b"index 6\n", b"extra !\nindex 6\n"),
        good.replace(b"index 6\n", b"index 6\nAAAA\n"),
        good.replace(b"index 6\n", "index ٦\n".encode()),
        good.split(b"\n\n")[0],
    ):
        assert code(proof.parse, bad) == "proof_invalid"
