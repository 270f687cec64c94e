"""The golden vectors of docs/spec/credential.md, exact to the byte."""

import json
from pathlib import Path

import pytest

from remit.core.trust import TrustPath
from remit.custody.token import Memory, issue, verify
from tests.kit.tokens import GIT, ISSUER, NOW, claims, payload, signer

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/credential/tokens.json").read_bytes())


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda v: v["name"])
def test_a_golden_credential_is_issued_and_read(vector):
    ours, made = signer(), claims(TrustPath(vector["name"]))
    assert VECTORS["jwks"] == ours.jwks(NOW)
    assert payload(made) == vector["payload"]
    assert issue(made, ours) == vector["token"]
    assert verify(vector["token"], issuer=ISSUER, audience=GIT, now=NOW, keys=ours, memory=Memory()) == made
