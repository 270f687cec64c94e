"""What the origin says of itself."""

from tests.kit.world import ISSUER


def test_what_is_said_of_ourselves_agrees_with_what_we_do(place):
    said = place.get("/.well-known/oauth-authorization-server", token="").json
    assert said["issuer"] == ISSUER
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert place.form(said[name].removeprefix(ISSUER), {}).status in (400, 401)
    keys = place.get("/oauth/jwks", token="").json["keys"]
    assert len(keys) == 4
    assert not any("d" in key for key in keys)
    found = place.get("/.well-known/oauth-protected-resource/mcp/notes", token="").json
    assert found["resource"] == f"{ISSUER}/mcp/notes"
    assert found["authorization_servers"] == [ISSUER]
    assert place.get("/.well-known/oauth-protected-resource/mcp/none", token="").status == 404


def test_one_document_answers_at_both_addresses_and_promises_what_is_there(place):
    one, two = (
        place.get(f"/.well-known/{name}", token="").json
        for name in ("oauth-authorization-server", "openid-configuration")
    )
    assert one == two
    assert one["response_types_supported"] == ["code"]
    assert one["code_challenge_methods_supported"] == ["S256"]
    assert place.get("/oauth/authorize", token="").status == 400
    assert place.form("/oauth/par", {}).status == 401
