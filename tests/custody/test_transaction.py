"""Transaction tokens: the golden vectors of docs/spec/transaction.md, read by joserfc; a key for each path alone."""

import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from remit.core.trust import TrustPath
from remit.custody import transaction
from remit.custody.jws import TokenRefusal
from remit.custody.signer import TOKEN_PURPOSES, TRANSACTION_PURPOSES, Purpose
from remit.custody.token import Memory, verify
from remit.custody.transaction import Transaction
from tests.kit.tokens import GIT, ISSUER, NOW, signer

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/transaction/tokens.json").read_bytes())


def said(vector):
    return Transaction(**{**vector["said"], "path": TrustPath(vector["said"]["path"])})


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda v: v["name"])
def test_a_golden_token_is_issued_and_read_by_others(vector):
    ours = signer("transaction")
    assert ours.jwks(NOW, TRANSACTION_PURPOSES) == VECTORS["jwks"]
    token = transaction.issue(said(vector), ours, NOW)
    assert token == vector["token"]
    found = jwt.decode(token, KeySet.import_key_set(VECTORS["jwks"]), algorithms=["ES256"])
    assert found.header["typ"] == "txntoken+jwt"
    assert found.claims == vector["payload"]
    assert found.claims["exp"] - found.claims["iat"] == 60


def test_no_key_of_another_purpose_or_path_reads_one():
    ours = signer("transaction")
    own, delegated = (transaction.issue(said(one), ours, NOW) for one in VECTORS["tokens"])
    sets = {path: ours.jwks(NOW, {path: TRANSACTION_PURPOSES[path]}) for path in TrustPath}
    for token, path in ((own, TrustPath.DELEGATED), (delegated, TrustPath.OWN)):
        with pytest.raises(JoseError):
            jwt.decode(token, KeySet.import_key_set(sets[path]), algorithms=["ES256"])
    kids = {key["kid"] for key in ours.jwks(NOW)["keys"]} & {key["kid"] for key in VECTORS["jwks"]["keys"]}
    assert kids == set(), "the keys of credentials are others"
    assert len({*TOKEN_PURPOSES.values(), *TRANSACTION_PURPOSES.values(), Purpose.LEDGER, Purpose.STATE}) == 6


def test_it_is_no_credential_and_what_is_hidden_is_its_signature():
    ours = signer("transaction")
    token = transaction.issue(said(VECTORS["tokens"][0]), ours, NOW)
    found = verify(token, issuer=ISSUER, audience=GIT, now=NOW, keys=ours, memory=Memory())
    assert isinstance(found, TokenRefusal)
    assert found.code == "token_type"
    assert transaction.hidden(token).decode() == token.split(".")[2][:20]


def test_a_rotation_publishes_both_keys():
    ours = signer("rotated")
    one = said(VECTORS["tokens"][0])
    before = transaction.issue(one, ours, NOW)
    ours.rotate(TRANSACTION_PURPOSES[one.path], NOW, keep=60_000)
    after = transaction.issue(one, ours, NOW)
    keys = KeySet.import_key_set(ours.jwks(NOW, TRANSACTION_PURPOSES))
    assert [jwt.decode(each, keys, algorithms=["ES256"]).claims["txn"] for each in (before, after)] == [one.call] * 2
