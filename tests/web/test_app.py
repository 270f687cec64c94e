"""The application as a whole."""


def test_every_answer_carries_the_security_headers_and_the_gate_its_own(place):
    for path in ("/healthz", "/v1/status", "/nothing", "/oauth/jwks", "/log/checkpoint"):
        headers = place.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    gate = place.get("/mcp/notes")
    assert (gate.status, gate.body) == (418, b"the gate")
