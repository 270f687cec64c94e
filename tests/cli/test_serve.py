"""`remit up` and `remit serve` as a process: it answers, ends cleanly, and never serves a store that was put back."""

import json
import re
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from remit.cli.serve import bind, new_loop
from remit.cli.settings import Settings
from remit.core.errors import RemitError
from tests.kit.ports import free
from tests.kit.shell import BIN, Shell


def get(url: str, token: str = "") -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as fault:
        return fault.code, json.loads(fault.read() or b"{}")


@contextmanager
def served(shell: Shell, port: int, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with (shell.folder / "out.txt").open("wb") as out, (shell.folder / "err.txt").open("wb") as err:
        process = subprocess.Popen(
            [str(BIN / "remit"), *(words or ("serve",)), "--port", str(port)],
            cwd=shell.folder,
            env=shell.environment,
            stdout=out,
            stderr=err,
        )
    try:
        until = time.monotonic() + 120
        while process.poll() is None:
            try:
                get(f"http://127.0.0.1:{port}/healthz")
                break
            except OSError:
                assert time.monotonic() < until, "it does not answer"
                time.sleep(0.05)
        assert process.poll() is None, (shell.folder / "err.txt").read_text(encoding="utf-8")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_up_serves_prints_a_link_that_counts_once_and_ends_cleanly(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shell, port = Shell(tmp_path), free()
    with served(shell, port, "up") as process:
        out = (tmp_path / "out.txt").read_text(encoding="utf-8")
        link = re.search(r"^admin link +(\S+)$", out, re.MULTILINE)
        assert link
        kept = json.loads(shell.ok(f"remit login {link[1]} -o json"))["file"]
        token = re.fullmatch(r"Authorization: Bearer (\S+)\n", Path(kept).read_text(encoding="ascii"))
        assert token
        assert Path(kept).stat().st_mode & 0o777 == 0o600
        assert "[login_used]" in shell.run(f"remit login {link[1]}").err
        assert f"Remit answers at http://127.0.0.1:{port}" in (tmp_path / "err.txt").read_text(encoding="utf-8")
        base = f"http://127.0.0.1:{port}"
        assert get(f"{base}/healthz") == (200, {"status": "alive"})
        assert get(f"{base}/v1/status")[0] == 401
        assert get(f"{base}/v1/status", "x" * 43)[0] == 401
        assert get(f"{base}/v1/status", token[1])[0] == 200
        assert get(f"{base}/mcp/notes")[0] in {401, 405}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    held = b"".join(path.read_bytes() for path in (tmp_path / ".remit").iterdir())
    assert token[1].encode() not in held
    assert link[1].rpartition("/")[2].encode() not in held
    assert "admin link" not in shell.ok("remit up --no-serve")
    assert "admin link" in shell.ok("remit up --no-serve --admin")
    assert shell.ok("remit ledger verify").startswith("ok: ")


def test_a_command_and_a_server_work_on_one_store(tmp_path: Path) -> None:
    shell, port = Shell(tmp_path).settle(), free()
    name = shell.ok("remit ledger key").partition("+")[0]
    with served(shell, port):
        found = re.search(r"tsk_\w+", shell.ok("remit task open notes scribe --life 1s"))
        assert found
        until = time.monotonic() + 60
        while "ended (deadline)" not in shell.ok(f"remit task show {found[0]}") and time.monotonic() < until:
            time.sleep(0.2)
        assert "ended (deadline)" in shell.ok(f"remit task show {found[0]}")
        assert get(f"http://127.0.0.1:{port}/readyz")[0] == 200
        refused = shell.run(f"remit serve --port {port}")
        assert refused.code == 2
        assert "[address_refused]" in refused.err
    assert shell.ok("remit ledger verify").startswith("ok: ")
    assert shell.ok("remit ledger key").partition("+")[0] == name, "another port gives no other ledger"


def test_revoke_08_a_store_that_was_put_back_is_not_served_until_all_that_it_gave_out_has_ended(tmp_path: Path) -> None:
    shell = Shell(tmp_path).settle()
    found = re.search(r"tsk_\w+", shell.ok("remit task open notes scribe"))
    assert found
    shell.ok("mkdir backup; cp .remit/remit.db* backup/")
    shell.ok(f"remit revoke task {found[0]}")
    shell.ok("rm .remit/remit.db*; cp backup/* .remit/")
    for command in ("remit status", "remit task list", f"remit serve --port {free()}", "remit up --no-serve"):
        ran = shell.run(command)
        assert ran.code == 2
        assert "[store_restored]" in ran.err
    ran = shell.run("remit doctor")
    assert ran.code == 1
    assert "[store_restored]" in ran.out
    assert shell.run("remit doctor --accept-restore").code == 0
    assert "open" not in shell.ok("remit task list").lower().partition("\n")[2]
    ended = json.loads(shell.ok(f"remit task show {found[0]} -o json"))
    assert ended["state"] == "ended"
    assert shell.run('remit can scribe mcp:notes/read_note --args \'{"path": "/notes/a"}\'').code == 2
    assert shell.ok("remit ledger verify").startswith("ok: ")
    assert shell.ok("remit ledger replay")
    shell.ok("remit task open notes scribe")
    assert shell.ok('remit can scribe mcp:notes/read_note --args \'{"path": "/notes/a"}\'').startswith("yes")


def test_revoke_08_another_store_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.ok("remit up --no-serve; REMIT_DATA=other remit up --no-serve; cp other/remit.db other/root.key .remit/")
    ran = shell.run("remit status")
    assert ran.code == 2
    assert "[store_restored]" in ran.err
    shell.write(".remit/head", "nonsense")
    assert "[head_invalid]" in shell.run("remit status").err


def test_an_address_that_cannot_be_had_is_refused() -> None:
    with bind(Settings(port=free())) as taken, pytest.raises(RemitError, match="address_refused"):
        bind(Settings(port=taken.getsockname()[1]))
    with pytest.raises(RemitError, match="address_refused"):
        bind(Settings(host="203.0.113.7"))
    new_loop().close()


MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "clerk", "version": "1"},
}


def sent(url: str, data: bytes, **headers: str) -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
            if answer.headers["content-type"].startswith("text/event-stream"):
                body = re.findall(rb"^data: (.+)$", body, re.MULTILINE)[-1]
            return answer.status, json.loads(body)
    except urllib.error.HTTPError as fault:
        return fault.code, json.loads(fault.read() or b"{}")


def test_an_agent_is_governed_through_the_served_gate_and_dies_with_a_revocation_typed_beside_it(
    tmp_path: Path,
) -> None:
    shell, port = Shell(tmp_path).settle(), free()
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "k1"})
    shell.write("key.json", json.dumps(key.as_dict(private=False)))
    add = "remit agent add clerk --owner olga --review 30d --purpose p --ceiling 'mcp:notes/*' --key key.json -o json"
    agent = json.loads(shell.ok(add))["id"]
    shell.ok('sed -i \'s/"scribe"/"clerk"/\' notes.toml; remit brief apply notes.toml')
    with served(shell, port):
        base = f"http://127.0.0.1:{port}"
        # The origin follows from the address that is served, so the command beside it is told the same one.
        task = json.loads(shell.ok("remit task open notes clerk -o json"))["id"]
        now = int(time.time())
        claims = {"iss": agent, "sub": agent, "aud": base, "iat": now, "exp": now + 60, "jti": secrets.token_hex(16)}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "ES256", "kid": "k1"}, claims, key),
            "task": task,
            "resource": f"{base}/mcp/notes",
        }
        code, given = sent(f"{base}/oauth/token", urlencode(form).encode())
        assert code == 200, given
        token = str(given["access_token"])

        def call(path: str) -> str:
            params = {"name": "read_note", "arguments": {"path": path}, "_meta": META}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            code, told = sent(
                f"{base}/mcp/notes",
                json.dumps(message).encode(),
                content_type="application/json",
                accept="application/json, text/event-stream",
                authorization=f"Bearer {token}",
                mcp_protocol_version=MODERN,
                mcp_method="tools/call",
                mcp_name="read_note",
            )
            return f"{code} {json.dumps(told)}"

        assert "Note: /notes/a" in call("/notes/a")
        assert "argument_refused" in call("/etc/passwd")
        shell.ok("remit revoke agent clerk")
        ended = call("/notes/a")
        assert "Note:" not in ended
        assert "401" in ended or "ended" in ended
    said = [
        (one["receipt"].get("decision"), one["receipt"].get("code"), one["receipt"].get("result"))
        for one in json.loads(shell.ok(f"remit ledger show --task {task} -o json"))
        if one["receipt"]["kind"].startswith("call.")
    ]
    assert ("allow", None, None) in said
    assert (None, None, "ok") in said
    assert ("deny", "argument_refused", None) in said
    assert shell.ok("remit ledger verify").startswith("ok: ")
    assert shell.ok("remit ledger replay")
