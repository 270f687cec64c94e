"""Other people's programs ask Remit before they forward: Envoy, nginx, and an AuthZEN client."""

import http.client
import json
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.kit import peers
from tests.kit.door import door
from tests.kit.planes import envoy, nginx
from tests.kit.ports import free
from tests.kit.site import ask


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with door(folder) as one:
        yield one


def raw(url, path, credential, method="GET", body=None, **headers):
    """One request with its path exactly as written: its status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    head = {"authorization": f"Bearer {credential}"} if credential else {}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, head)
        return connection.getresponse().status
    finally:
        connection.close()


ODD = ("/orders/../orders/o-1", "/orders/%2e%2e/o-1", "//orders/o-1", "/orders/a%2Fb", "/find?q=a&q=b", "/orders/o-1/")


def test_envoy_forwards_what_remit_allows_and_nothing_else(place, tmp_path):
    with envoy(place, tmp_path) as (url, target):
        assert raw(url, "/orders/o-1", place.credential) == 200
        method, path, _, headers = target.seen.pop()
        assert (method, path) == ("GET", "/orders/o-1")
        assert "authorization" not in headers
        assert "x-remit-service" not in headers
        assert place.told(headers["x-remit-permit"], status=200).status == 200
        assert place.told(headers["x-remit-permit"]).status == 409
        assert raw(url, "/orders/secret", place.credential) == 403
        assert raw(url, "/orders/o-1", "") == 401
        assert raw(url, "/orders/o-1", place.credential, x_remit_service="forged") == 200
        assert [raw(url, path, place.credential) for path in ODD] == [400] * len(ODD)
        assert raw(url, "/orders/o-1", place.credential, x_original_url="/admin") == 400
        assert [path for _, path, _, _ in target.seen] == ["/orders/o-1"]


def test_envoy_shows_bodies_and_they_are_decided(place, tmp_path):
    with envoy(place, tmp_path) as (url, target):
        for amount, status in ((3, 200), (51, 403)):
            body = json.dumps({"amount": amount}).encode()
            found = raw(url, "/orders/o-1", place.credential, "PUT", body, content_type="application/json")
            assert found == status
        big = b'{"amount":3,"pad":"' + b"a" * 70_000 + b'"}'
        assert raw(url, "/orders/o-1", place.credential, "PUT", big, content_type="application/json") == 413
        assert raw(url, "/orders/o-1", place.credential, "GET", b"{}", content_type="application/json") == 400
        assert [body for _, _, body, _ in target.seen] == [b'{"amount": 3}']


def test_after_revoke_has_returned_envoy_forwards_nothing(place, tmp_path):
    with envoy(place, tmp_path) as (url, target):
        assert raw(url, "/orders/o-1", place.credential) == 200
        place.site.send("/v1/revocations", {"kind": "task", "target": place.task, "because": "enough"})
        assert {raw(url, "/orders/o-1", place.credential) for _ in range(20)} == {403}
        assert len(target.seen) == 1


def test_envoy_refuses_when_remit_is_not_there(place, tmp_path):
    with envoy(place, tmp_path, f"http://127.0.0.1:{free()}") as (url, target):
        assert raw(url, "/orders/o-1", place.credential) == 403
        assert target.seen == []


def test_nginx_forwards_what_remit_allows_and_nothing_else(place, tmp_path):
    with nginx(place, tmp_path) as (url, target):
        assert raw(url, "/orders/o-1", place.credential) == 200
        assert raw(url, "/orders/secret", place.credential) == 403
        assert raw(url, "/orders/o-1", "") == 401
        assert all(raw(url, path, place.credential) >= 400 for path in ODD)
        body = b'{"amount":3}'
        assert raw(url, "/orders/o-1", place.credential, "GET", body) == 200
        assert target.seen.pop()[2] == b"", "a body was passed on that nobody decided"
        refused = raw(url, "/orders/o-1", place.credential, "PUT", body, content_type="application/json")
        forged = {"content_type": "application/json", "x_envoy_auth_partial_body": "false"}
        assert refused >= 400
        assert raw(url, "/orders/o-1", place.credential, "PUT", body, **forged) >= 400
        assert [(path, "authorization" in headers) for _, path, _, headers in target.seen] == [("/orders/o-1", False)]
        place.site.send("/v1/revocations", {"kind": "task", "target": place.task, "because": "enough"})
        assert raw(url, "/orders/o-1", place.credential) == 403
        assert len(target.seen) == 1


def test_an_independent_authzen_client_understands_every_answer(place):
    ok = place.evaluation()
    script = [
        ok,
        place.evaluation(resource={"type": "tool", "id": "notes/wipe"}, context={"credential": place.credential}),
        place.evaluation(context={}),
        place.evaluation(action={"name": "anything"}),
    ]
    told = _decern(place.site.url, place.token, script)
    assert told == [{"allowed": True}, {"allowed": False}, {"allowed": False}, {"allowed": False}]
    stranger = _decern(place.site.url, "wrong", [ok])
    assert "401" in stranger[0]["fault"]
    place.site.send("/v1/revocations", {"kind": "task", "target": place.task, "because": "enough"})
    assert _decern(place.site.url, place.token, [ok]) == [{"allowed": False}]
    assert ask(f"{place.site.url}/.well-known/authzen-configuration").status == 200


def _decern(url, token, script):
    command = [str(peers.python("decern")), str(peers.KIT / "clients" / "py_decern.py"), url, token]
    done = subprocess.run([*command, json.dumps(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
