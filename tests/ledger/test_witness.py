"""A witness's judgement against its slow twin, and the bytes of a request."""

import json
import pathlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from remit.ledger import LedgerFault, merkle, witness
from remit.ledger.witness import Submission
from tests.ledger.logs import ORIGIN, VERIFIER
from tests.ledger.witnesses import checked, log, submission
from tests.oracle import witness as oracle

LOGS = {ORIGIN: [VERIFIER]}
FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
QUICK = settings(max_examples=400, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
VECTOR = json.loads(
    (pathlib.Path(__file__).parent.parent / "vectors" / "witness" / "good.json").read_text(encoding="utf-8")
)
SIZES = st.integers(0, 20)


@QUICK
@given(SIZES, SIZES, st.one_of(st.none(), SIZES), st.one_of(st.none(), SIZES), st.booleans(), st.booleans())
def test_the_judgement_is_that_of_the_twin(was, shown, old, fork, known, trusted):
    """`old` is what the log believes; most often what the witness holds, so that the proof is what decides."""
    believed = was if old is None else old
    held, sent = log(was), log(shown, fork)
    signer = {} if trusted else {"key": FOREIGN, "public": FOREIGN.public_key().public_bytes_raw()}
    answer = witness.judge(submission(sent, believed, **signer), LOGS if known else {}, checked(held) if was else None)
    assert answer.status == oracle.verdict(known, trusted, believed, held, sent)
    assert (answer.keep is not None) == (answer.status == 200)
    assert (answer.size == was) == (answer.status == 409)


@pytest.mark.parametrize("drop", range(3))
def test_a_proof_with_a_hash_missing_or_too_many_or_flipped_is_refused(drop):
    asked = submission(log(13), 7)
    proofs = (asked.proof[1:], (*asked.proof, asked.proof[0]), (merkle.EMPTY_ROOT, *asked.proof[1:]))
    bad = Submission(7, proofs[drop], asked.head)
    assert witness.judge(bad, LOGS, checked(log(7))).status == 422
    assert witness.judge(asked, LOGS, checked(log(7))).status == 200


def test_from_size_0_nothing_is_proved_so_no_proof_is_taken():
    asked = submission(log(5), 0)
    assert witness.judge(asked, LOGS, None).status == 200
    assert witness.judge(Submission(0, (merkle.EMPTY_ROOT,), asked.head), LOGS, None).status == 422


def test_the_golden_request_is_written_and_read_alike():
    asked = submission(log(13), 7)
    assert witness.encode(asked).decode() == VECTOR["request"]
    assert witness.parse(VECTOR["request"].encode()) == asked
    assert witness.origin(asked) == ORIGIN


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("old 7", "old 07"),
        lambda text: text.replace("old 7", "Old 7"),
        lambda text: text.replace("old 7", "old  7"),
        lambda text: text.replace("old 7", "old -7"),
        lambda text: text.replace("old 7\n", "old 7\n!\n"),
        lambda text: text.replace("old 7\n", "old 7\nAAAA\n"),
        lambda text: text.replace("old 7\n", "old 7\n" + (text.split("\n")[1] + "\n") * 63),
        lambda text: text.replace("old 7\n", "old 7\r\n"),
        lambda text: text.split("\n\n", maxsplit=1)[0],
        lambda text: "ö" + text,
        lambda text: text + "x" * witness.LONGEST,
    ],
)
def test_a_request_of_another_form_is_refused(change):
    with pytest.raises(LedgerFault) as caught:
        witness.parse(change(VECTOR["request"]).encode())
    assert caught.value.code == "submission_invalid"


def test_a_head_that_is_no_checkpoint_faults():
    for head in (b"", b"x\n\n", b"a\nb\nc\n\n\xe2\x80\x94 a AAAAAAAA\n"):
        with pytest.raises(LedgerFault):
            witness.judge(Submission(0, (), head), LOGS, None)


@pytest.mark.parametrize(
    ("told", "size"), [(b"0\n", 0), (b"12\n", 12), (b"12", None), (b"012\n", None), (b"x\n", None)]
)
def test_the_size_of_a_conflict_has_one_spelling(told, size):
    assert witness.parse_size(told) == size
