"""What comes in malformed, and what it comes to."""

import socket
import urllib.parse

import pytest

from tests.kit.asking import code


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"brief":NaN}', b"[" * 100, b"\xff", b"\xef\xbb\xbf{}"]
)
def test_malformed_json_is_refused(place, body):
    assert code(place.send("/v1/tasks", body), 400) in ("json_invalid", "member_invalid")


def test_bad_input_gets_a_code_and_a_remedy(place):
    assert code(place.send("/v1/tasks", {"brief": "notes"}), 400) == "member_invalid"
    assert code(place.send("/v1/revocations", {"kind": "task", "target": "x", "more": 1}), 400) == "member_invalid"
    assert code(place.send("/v1/tasks", {}, kind="text/plain"), 415) == "media_type"
    assert code(place.send("/v1/tasks", b'"' + b"x" * 1_100_000 + b'"'), 413) == "body_too_large"
    assert code(place.get("/v1/tasks/nonsense"), 400) == "id_invalid"
    assert code(place.get("/v1/agents?limit=1&limit=2"), 400) == "query_invalid"
    assert code(place.get("/v1/agents?colour=red"), 400) == "query_invalid"
    assert code(place.get("/v1/receipts/99999"), 404) == "not_found"
    assert code(place.get("/v1/receipts/-1"), 404) == "not_found"
    assert code(place.get("/v1/nothing"), 404) == "not_found"
    assert code(place.send("/v1/status", {}), 405) == "method_refused"
    wrong = {"name": "a", "owner": place.pia, "purpose": "P", "ceiling": [], "keys": [{"kty": "oct", "k": "AAAA"}]}
    assert code(place.send("/v1/agents", wrong | {"review_due": 9_000_000_000_000}), 400) == "jwk_invalid"
    assert place.get("/healthz").status == 200, "the process lives"


@pytest.mark.parametrize("asked", ["0", "-1", "1e3", "10000", "9223372036854775808", "٣", ""])
def test_pdp_04_a_page_size_out_of_range_is_refused(place, asked):
    assert code(place.get(f"/v1/agents?limit={urllib.parse.quote(asked)}"), 400) == "query_invalid"


def test_a_client_that_goes_away_in_the_middle_harms_nothing(place):
    host, port = place.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(
                b"POST /v1/tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\ncontent-type: application/json\r\n\r\n{"
            )
    assert place.get("/readyz").json["status"] == "ready"
