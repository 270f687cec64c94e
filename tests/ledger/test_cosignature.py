import base64
import json
import pathlib

import pytest

from remit.ledger import LedgerFault, cosignature, note
from tests.ledger.logs import ORIGIN, PUBLIC, VERIFIER
from tests.ledger.witnesses import AT, NAME, WITNESS, WITNESS_KEY, WITNESS_PUBLIC, cosigned, log

VECTOR = json.loads(
    (pathlib.Path(__file__).parent.parent / "vectors" / "witness" / "good.json").read_text(encoding="utf-8")
)


def test_a_cosigned_head_is_byte_for_byte_the_golden_one():
    assert cosigned(log(7)).decode() == VECTOR["cosigned"]
    assert cosignature.vkey(NAME, WITNESS_PUBLIC) == VECTOR["vkey"]
    signed = note.parse(VECTOR["cosigned"].encode())
    assert cosignature.message(signed.text, AT).decode() == VECTOR["message"]


def test_a_cosigned_head_is_still_the_log_s_and_tells_who_cosigned_it_when():
    signed = note.parse(cosigned(log(7)))
    assert note.verify(signed, [VERIFIER])
    found, wrong = cosignature.held(signed, [cosignature.parse_vkey(VECTOR["vkey"])])
    assert [(one.name, one.at) for one in found] == [(NAME, AT)]
    assert not wrong
    assert cosigned(log(7)).decode().endswith(found[0].line)


def test_a_line_by_a_witness_that_is_not_known_is_ignored():
    other = cosignature.Witness("other.example", bytes(WITNESS_KEY.public_key().public_bytes_raw()))
    assert cosignature.held(note.parse(cosigned(log(7))), [other]) == ([], "")


@pytest.mark.parametrize("place", [0, 7, 8, 40, 71])
def test_one_flipped_bit_of_time_or_signature_does_not_hold(place):
    signed = note.parse(cosigned(log(7)))
    log_line, line = signed.signatures
    value = bytearray(line.value)
    value[place] ^= 1
    bad = note.Note(signed.text, (log_line, note.Signature(line.name, line.key_id, bytes(value))))
    assert cosignature.held(bad, [WITNESS]) == ([], f"the cosignature by {NAME} does not hold")


def test_it_holds_for_its_own_head_only():
    other = note.parse(cosigned(log(8)))
    line = note.parse(cosigned(log(7))).signatures[1]
    assert WITNESS.time(other.text, line.value) is None


def test_the_latest_of_several_lines_counts():
    twice = cosigned(log(7)) + cosigned(log(7), AT + 9).split(b"\n\n")[1].split(b"\n", 1)[1]
    found, wrong = cosignature.held(note.parse(twice), [WITNESS])
    assert ([one.at for one in found], wrong) == ([AT + 9], "")


def test_a_time_of_zero_is_neither_given_nor_taken():
    with pytest.raises(LedgerFault) as caught:
        cosignature.sign("t\n", 0, NAME, WITNESS_KEY.sign, WITNESS_PUBLIC)
    assert caught.value.code == "cosignature_invalid"
    value = bytes(8) + WITNESS_KEY.sign(cosignature.message("t\n", 0))
    assert WITNESS.time("t\n", value) is None


def test_a_log_s_key_is_no_witness_s_key_and_the_other_way_round():
    for text, read in ((note.vkey(ORIGIN, PUBLIC), cosignature.parse_vkey), (VECTOR["vkey"], note.parse_vkey)):
        with pytest.raises(LedgerFault) as caught:
            read(text)
        assert caught.value.code == "vkey_invalid"


def test_a_key_whose_id_is_another_s_is_refused():
    name, _, encoded = VECTOR["vkey"].split("+", 2)
    for text in (f"{name}+00000000+{encoded}", name, f"{name}++", f"a b+00000000+{encoded}"):
        with pytest.raises(LedgerFault):
            cosignature.parse_vkey(text)
    assert base64.b64decode(encoded)[:1] == cosignature.TYPE
