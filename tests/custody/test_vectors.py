"""The golden vectors of docs/spec/credential.md, exact to the byte."""

import json
from pathlib import Path

import pytest

from remit.core.trust import TrustPath
from remit.custody import nonce
from remit.custody.proof import Parsed, Proof, verify_proof
from remit.custody.token import Memory, issue, verify
from tests.kit.tokens import GIT, ISSUER, NOW, claims, payload, signer

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/credential/tokens.json").read_bytes())


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda v: v["name"])
def test_a_golden_credential_is_issued_and_read(vector):
    ours, made = signer(), claims(TrustPath(vector["path"]), **vector["more"])
    assert VECTORS["jwks"] == ours.jwks(NOW)
    assert payload(made).items() <= vector["payload"].items()
    assert issue(made, ours) == vector["token"]
    assert verify(vector["token"], issuer=ISSUER, audience=GIT, now=NOW, keys=ours, memory=Memory()) == made


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda v: v["name"])
def test_a_golden_proof_is_read(vector):
    token = next(one["token"] for one in VECTORS["tokens"] if one["name"] == "own, bound by DPoP")
    ours = signer()
    assert nonce.give(ours, NOW) == VECTORS["nonce"]
    found = verify_proof(vector["proof"], method="POST", url=GIT, now=NOW, token=token, nonces=ours, parsed=Parsed())
    said = vector["payload"]
    assert found == Proof(vector["thumb"], said["jti"], vector["until"], said.get("nonce", ""))
