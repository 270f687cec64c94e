"""A code that is bound to the key which its request named (RFC 9449 section 10): nobody else's proof redeems it."""

from urllib.parse import quote

import pytest

from tests.kit.asking_people import BACK, CHALLENGE, GATE, VERIFIER, company, error_of
from tests.kit.proving import Holder
from tests.kit.signin import query
from tests.kit.world import ISSUER

PAR, TOKEN = f"{ISSUER}/oauth/par", f"{ISSUER}/oauth/token"


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        yield one


def redeemed(firm, code, holder=None):
    asked = {"grant_type": "authorization_code", "client_id": firm.client, "redirect_uri": BACK, "code": code}
    heads = {"dpop": holder.proof(TOKEN)} if holder else {}
    return firm.site.form("/oauth/token", asked | {"code_verifier": VERIFIER}, **heads)


def test_what_dpop_jkt_names_is_what_redeems_the_code(firm):
    mine, thief = Holder(), Holder()
    for other in (None, thief):
        answer = redeemed(firm, firm.code(dpop_jkt=mine.thumb), other)
        assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert redeemed(firm, firm.code(dpop_jkt=mine.thumb), mine).json["token_type"] == "DPoP"
    assert error_of(firm.page(dpop_jkt="x")) == "invalid_request"


def pushed(firm, proof="", **changes):
    said = {"response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "resource": GATE}
    said |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"} | changes
    return firm.site.form("/oauth/par", said, **({"dpop": proof} if proof else {}))


def code_of(firm, made):
    assert made.status == 201, made.body
    uri = quote(made.json["request_uri"])
    page = firm.browser().get(f"/oauth/authorize?client_id={firm.client}&request_uri={uri}")
    return query(firm.answer(page).headers["location"])["code"]


def test_a_proof_with_a_pushed_request_binds_its_code_as_dpop_jkt_does(firm):
    mine, thief = Holder(), Holder()
    for said in ({"proof": True}, {"dpop_jkt": mine.thumb}, {"proof": True, "dpop_jkt": mine.thumb}):
        changes = {name: value for name, value in said.items() if name != "proof"}

        def made(said=said, changes=changes):
            return pushed(firm, mine.proof(PAR) if "proof" in said else "", **changes)

        for other in (None, thief):
            assert redeemed(firm, code_of(firm, made()), other).json["error"] == "invalid_grant"
        assert redeemed(firm, code_of(firm, made()), mine).json["token_type"] == "DPoP"


def test_a_proof_with_a_pushed_request_is_checked_and_counts_once(firm):
    mine = Holder()
    good = mine.proof(PAR)
    assert pushed(firm, good).status == 201
    for proof, changes in (
        (good, {}),
        (mine.proof(TOKEN), {}),
        (mine.proof(PAR, method="GET"), {}),
        ("x", {}),
        (mine.proof(PAR), {"dpop_jkt": Holder().thumb}),
    ):
        answer = pushed(firm, proof, **changes)
        assert (answer.status, answer.json["error"]) == (400, "invalid_dpop_proof")
    assert pushed(firm, dpop_jkt="x").json["error"] == "invalid_request"
