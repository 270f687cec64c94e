"""A client of somebody else's that sends a person away and waits for where they come out."""

import json
import os
import subprocess
import tempfile
from typing import Any

from tests.kit import peers
from tests.kit.running import line_from
from tests.kit.wanderer import Wanderer

LIMIT = 60.0
CALLBACK = "http://127.0.0.1:51004/callback"
DRIVERS = {
    "py_mcp2": ("mcp2", "oauth_py_mcp2.py"),
    "ts_client2": ("client2", "oauth_ts_client2.mjs"),
    "py_mcp2_enterprise": ("mcp2", "oauth_py_enterprise.py"),
    "py_mcp1": ("mcp1", "oauth_py_mcp1.py"),
    "ts_sdk1": ("sdk1", "oauth_ts_sdk1.mjs"),
    "openid-client": ("oauth", "oauth_openid_client.mjs"),
    "oauth4webapi": ("oauth", "oauth4webapi.mjs"),
}


def converse(name: str, person: Wanderer, *words: str) -> dict[str, Any]:
    """Run one driver; wherever it sends the person they go, and say yes. What it says at last."""
    peer, driver = DRIVERS[name]
    arguments = [str(peers.KIT / "clients" / driver), *words]
    if peer in peers.NPM:
        command, extra = [str(peers.node()), *arguments], {"PEER_PREFIX": str(peers.npm_prefix(peer))}
        extra["NODE_NO_WARNINGS"] = "1"
    else:
        command, extra = [str(peers.python(peer)), *arguments], {"PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=os.environ | extra, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdout, process.stdin:
            try:
                while True:
                    line = line_from(process.stdout.fileno(), LIMIT)
                    if not line:
                        errors.seek(0)
                        raise AssertionError(f"{name} said nothing more: {errors.read().decode()[-3000:]}")
                    said: dict[str, Any] = json.loads(line)
                    if "open" not in said:
                        return said
                    came = person.go(said["open"], stop=CALLBACK)
                    assert came.url.startswith(CALLBACK), (came.status, came.body[-1500:])
                    process.stdin.write(f"{came.url}\n".encode())
                    process.stdin.flush()
            finally:
                process.kill()
                process.wait()
