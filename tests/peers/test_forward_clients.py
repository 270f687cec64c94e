"""curl, unchanged, behind the forward gate: over https and http, with its proxy under TLS, and after the task's end."""

import os
import shutil
import subprocess

import pytest

from tests.kit.proxying import authority, trusting
from tests.kit.shopapi import KEY, pay
from tests.kit.tls import server_side

CURL = shutil.which("curl")


@pytest.fixture(scope="module")
def leaf(tmp_path_factory):
    assert CURL, "this test runs curl: install Debian's curl"
    with trusting(tmp_path_factory.mktemp("tls")) as made:
        yield made


def curl(made, folder, *words, scheme="http", **environment):
    """Run it as somebody would who was given a proxy and an authority; its status codes and what it said."""
    (folder / "ca.pem").write_bytes(authority(made)) if made.task else None
    proxy = f"{scheme}://remit:{made.token}@localhost:{made.proxy}"
    told = {"https_proxy": proxy, "http_proxy": proxy, "CURL_CA_BUNDLE": str(folder / "ca.pem"), **environment}
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [CURL, "-sS", "-w", "%{http_connect} %{http_code}", "-o", "/dev/null", *words],
        env=clean | told, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip(), done.stderr


def test_curl_works_unchanged_and_its_redirects_stay_at_the_api(leaf, tmp_path):
    with pay(leaf=leaf) as made:
        base = f"https://localhost:{made.behind}/v1"
        post = ("-H", "content-type: application/json", "-d", '{"order":"o-1","amount":5}')
        assert curl(made, tmp_path, f"{base}/orders/o-1")[0] == "200 200"
        assert curl(made, tmp_path, f"{base}/refunds", *post)[0] == "200 200"
        assert curl(made, tmp_path, "-L", f"{base}/away?status=307&to=https%3A%2F%2Fevil.test%2F")[0] == "200 307"
        assert curl(made, tmp_path, "-L", f"{base}/away?status=307&to=%2Fv1%2Forders%2Fo-2")[0] == "200 200"
        assert curl(made, tmp_path, f"{base}/admin")[0] == "200 403"
        assert curl(made, tmp_path, "https://evil.test/")[0] == "403 000"
        assert curl(made, tmp_path, "--proxy-anyauth", f"{base}/orders/o-1")[0] == "200 200"
        assert curl(made, tmp_path, "--http2", f"{base}/orders/o-1")[0] == "200 200"
        big = tmp_path / "big.json"
        big.write_text('{"order":"o-1","amount":5,"note":"' + "a" * 2_000_000 + '"}')
        assert curl(made, tmp_path, f"{base}/refunds", *post[:2], "-d", f"@{big}")[0] == "200 403"
        assert all(dict(fields)["x-api-key"] == KEY for _, _, _, fields in made.upstream.seen)
        made.revoke()
        made.task = None
        said, why = curl(made, tmp_path, f"{base}/orders/o-1")
        assert said == "403 000"
        assert "403" in why


def test_curl_speaks_to_the_proxy_under_tls(leaf, tmp_path):
    with pay(leaf=leaf, proxy_tls=server_side(leaf)) as made:
        outer = ("--proxy-cacert", str(leaf.parent / "ca.pem"))
        said, why = curl(made, tmp_path, *outer, f"https://localhost:{made.behind}/v1/orders/o-1", scheme="https")
        assert (said, why) == ("200 200", "")


def test_curl_over_plain_http(tmp_path):
    with pay() as made:
        (tmp_path / "ca.pem").write_text("")
        made.task = None
        base = f"http://127.0.0.1:{made.behind}/v1"
        assert curl(made, tmp_path, f"{base}/orders/o-1")[0] == "000 200"
        assert curl(made, tmp_path, f"{base}/admin")[0] == "000 403"
