"""Programs that nobody changed, behind the forward gate: told of a proxy and an authority, and of nothing else."""

import json
import subprocess
import sys

import pytest

from tests.kit import peers
from tests.kit.peers import KIT
from tests.kit.proxying import authority, trusting
from tests.kit.shopapi import KEY, pay


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with trusting(tmp_path_factory.mktemp("tls")) as leaf, pay(leaf=leaf) as made:
        yield made


def environment(made, folder):
    """What an operator gives a program: where the proxy is, with its credential, and whom to trust."""
    (folder / "ca.pem").write_bytes(authority(made))
    proxy, trusted = f"http://remit:{made.token}@127.0.0.1:{made.proxy}", str(folder / "ca.pem")
    return {
        "HTTPS_PROXY": proxy, "https_proxy": proxy, "HTTP_PROXY": proxy, "http_proxy": proxy,
        "SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted, "CURL_CA_BUNDLE": trusted,
        "NODE_EXTRA_CA_CERTS": trusted, "NODE_USE_ENV_PROXY": "1", "NODE_NO_WARNINGS": "1", "PATH": "/usr/bin:/bin",
    }  # fmt: skip


def ran(made, folder, command):
    """Let the program run; what it printed, and what the API was sent meanwhile."""
    made.upstream.seen.clear()
    before = len(made.calls())
    base = f"https://localhost:{made.behind}/v1"
    done = subprocess.run(
        [*command, base], env=environment(made, folder), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), made.calls()[before:]


@pytest.mark.parametrize("library", ["urllib", "requests", "httpx", "aiohttp", "fetch"])
def test_an_unchanged_program_works_and_each_of_its_requests_is_decided(target, tmp_path, library):
    python = sys.executable if library == "urllib" else str(peers.python("web"))
    command = [python, str(KIT / "clients" / "proxied.py"), library]
    if library == "fetch":
        command = [str(peers.node()), str(KIT / "clients" / "proxied.mjs")]
    (read, wrote, other), calls = ran(target, tmp_path, command)
    assert (read, wrote) == (200, 200)
    assert isinstance(other, str)
    done = [one for one in calls if not one[0].endswith("@session")]
    assert done == [("http:pay/read_order", "allow"), ("http:pay/refund", "allow")]
    assert ("http:pay/@session", "host_refused") in calls
    assert [dict(fields)["x-api-key"] for _, _, _, fields in target.upstream.seen] == [KEY, KEY]
    assert json.loads(target.upstream.seen[1][2]) == {"order": "o-1", "amount": 5}


@pytest.mark.parametrize("way", ["forward", "reverse"])
def test_undici_and_ws_work_through_either_gate(target, tmp_path, way):
    """Pooled and pipelined connections, a chunked body, twelve requests at once, compression offered by ws."""
    words = [str(peers.node()), str(KIT / "clients" / "wild.mjs")]
    base = f"https://localhost:{target.behind}/v1"
    if way == "reverse":
        base = f"http://127.0.0.1:{target.port}/http/pay"
    said = environment(target, tmp_path) | {"PEER_PREFIX": str(peers.npm_prefix("wild"))}
    done = subprocess.run(
        [*words, base, *([target.token] if way == "reverse" else [])],
        env=said, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["read"], told["chunked"], told["refused"]) == (200, 200, 403)
    assert told["waited"] in (200, "UND_ERR_NOT_SUPPORTED")
    assert told["many"] == [200] * 12
    assert told["ws"] == ["your key is [redacted by Remit]", "heard hello", 4001]
    assert told["other"] == ["Unexpected server response: 403", 1006]
