"""Keys per purpose and path, and their lives."""

from dataclasses import replace

import pytest
from joserfc.jwk import KeySet

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.root import Root
from remit.custody.secret import Secret
from remit.custody.signer import ASKED, EVENT_PURPOSES, KeyState, Purpose, Signer
from tests.kit.rows import MemoryKeyRows
from tests.kit.tokens import NOW, dice, signer

ROOT = Root(Secret(dice("root/signer")(32)))


def code(act, *args):
    with pytest.raises(RemitError) as caught:
        act(*args)
    return caught.value.code


def test_no_two_purposes_share_a_key_and_none_verifies_for_another():
    ours = signer()
    ours.ensure(NOW, ASKED)
    assert len({ours.active(p).kid for p in Purpose}) == len(Purpose)
    for made in Purpose:
        signature = ours.sign(made, b"said")
        for asked in Purpose:
            right = asked is made
            assert ours.verify(asked, signature.kid, b"said", signature.value, NOW) is right
        assert not ours.verify(made, signature.kid, b"other", signature.value, NOW)
        assert not ours.verify(made, "absent", b"said", signature.value, NOW)


def test_the_public_set_is_what_joserfc_reads_and_holds_nothing_private():
    ours = signer()
    published = ours.jwks(NOW)
    assert len(published["keys"]) == 4, "active and next of each path"
    for key, said in zip(KeySet.import_key_set(published).keys, published["keys"], strict=True):
        assert said.keys() == {"kty", "crv", "x", "y", "alg", "use", "kid"}
        assert key.thumbprint()[:16] == said["kid"]


def test_rotation_moves_each_state_once():
    ours = signer()
    first = ours.active(Purpose.LEDGER).kid
    signature = ours.sign(Purpose.LEDGER, b"said")
    second = ours.rotate(Purpose.LEDGER, NOW, keep=1000)
    assert ours.active(Purpose.LEDGER).kid == second != first
    later = Instant(NOW + 1000)
    assert ours.verify(Purpose.LEDGER, first, b"said", signature.value, NOW)
    assert not ours.verify(Purpose.LEDGER, first, b"said", signature.value, later)
    assert ours.sweep(NOW) == ()
    assert ours.sweep(later) == (first,)
    assert ours.find(first) is None
    assert ours._rows.rows[first].sealed == b""
    assert ours._rows.rows[first].state is KeyState.RETIRED
    assert code(ours.retire, first, later) == "key_unknown"
    assert ours.ensure(later) == ()


def test_a_slow_kind_of_key_is_made_where_it_is_asked_for_and_can_be_found_ahead(monkeypatch):
    ours = signer()
    assert code(ours.active, Purpose.EVENT_RSA) == "key_missing"
    assert len(ours.jwks(NOW, EVENT_PURPOSES)["keys"]) == 2
    ours.draw(Purpose.EVENT_RSA)
    with monkeypatch.context() as quick:
        quick.setattr("remit.custody.signer.rsa.generate_private_key", None)
        first, _ = ours.ensure(NOW, ASKED)
    ours.draw(Purpose.EVENT_RSA, more=1)
    with monkeypatch.context() as quick:
        quick.setattr("remit.custody.signer.rsa.generate_private_key", None)
        second = ours.rotate(Purpose.EVENT_RSA, NOW, keep=1000)
    assert ours.active(Purpose.EVENT_RSA).kid == second != first
    published = [one for one in ours.jwks(NOW, EVENT_PURPOSES)["keys"] if one["kty"] == "RSA"]
    assert len(published) == 3, "the one that signs, the one before and the one to come"
    for key, said in zip(KeySet.import_key_set({"keys": published}).keys, published, strict=True):
        assert said.keys() == {"kty", "n", "e", "alg", "use", "kid"}
        assert key.thumbprint()[:16] == said["kid"]


def test_an_ended_token_key_leaves_the_public_set():
    ours = signer()
    first = ours.active(Purpose.TOKEN_OWN).kid
    ours.rotate(Purpose.TOKEN_OWN, NOW, keep=1000)
    listed = [k["kid"] for k in ours.jwks(NOW)["keys"]]
    assert first in listed
    assert first not in [k["kid"] for k in ours.jwks(Instant(NOW + 1000))["keys"]]


def test_without_an_active_key_nothing_is_signed():
    ours = signer()
    ours.retire(ours.active(Purpose.STATE).kid, NOW)
    assert code(ours.sign, Purpose.STATE, b"x") == "key_missing"
    assert code(Signer, MemoryKeyRows(), [], dice("x")) == "key_missing"


def test_whoever_can_only_write_rows_cannot_plant_a_key():
    rows = MemoryKeyRows()
    signer("signer", rows)
    theirs = MemoryKeyRows()
    signer("attacker", theirs)
    planted = next(iter(theirs.list()))
    rows.put(planted)
    assert code(Signer, rows, [ROOT], dice("y")) == "secret_root_unknown"
    del rows.rows[planted.kid]
    delegated, own = (
        next(r for r in rows.list() if r.purpose is p) for p in (Purpose.TOKEN_DELEGATED, Purpose.TOKEN_OWN)
    )
    rows.put(replace(own, purpose=Purpose.TOKEN_DELEGATED))
    assert code(Signer, rows, [ROOT], dice("y")) == "secret_sealed_wrong"
    rows.put(replace(own, sealed=delegated.sealed))
    assert code(Signer, rows, [ROOT], dice("y")) == "secret_sealed_wrong"


def test_keys_survive_a_new_root_key():
    rows = MemoryKeyRows()
    before = signer("signer", rows)
    before.ensure(NOW, ASKED)
    kids = {p: before.active(p).kid for p in Purpose}
    newer = Root(Secret(dice("newer")(32)))
    assert Signer(rows, [newer, ROOT], dice("z")).reseal() == len(rows.list())
    after = Signer(rows, [newer], dice("z"))
    assert {p: after.active(p).kid for p in Purpose} == kids


def test_a_broken_source_of_randomness_is_noticed():
    assert code(Signer(MemoryKeyRows(), [ROOT], lambda n: b"\xff" * n).ensure, NOW) == "random_broken"
