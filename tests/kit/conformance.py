"""The MCP conformance suite's verdict on one server."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kit import peers

LIMIT = 240.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite said: its exit code, and for each scenario that the revision requires its checks by outcome."""

    exit: int
    required: tuple[str, ...]
    passed: dict[str, int]
    failed: dict[str, tuple[str, ...]]
    output: str

    @property
    def full(self) -> bool:
        """Whether each required scenario ran, passed at least one check and failed none."""
        return self.exit == 0 and not self.failed and all(self.passed.get(name) for name in self.required)


def server(url: str, revision: str) -> Verdict:
    """Run what this protocol revision requires of a server against the one at this URL."""
    package = peers.npm_prefix("conformance") / "node_modules" / "@modelcontextprotocol" / "conformance"
    required = _required(package / "requirements" / f"{revision}.yaml")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(peers.node()), str(package / "dist" / "index.js"), "server", "--url", url]
        done = subprocess.run(
            [*command, "--requirements", revision, "-o", folder],
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        passed: dict[str, int] = {}
        failed: dict[str, tuple[str, ...]] = {}
        for name in required:
            checks = _checks(Path(folder), name)
            passed[name] = sum(check["status"] == "SUCCESS" for check in checks)
            bad = tuple(
                f"{check['id']}: {check.get('errorMessage', '')}"
                for check in checks
                if check["status"] in {"FAILURE", "WARNING"}
            )
            if bad:
                failed[name] = bad
    return Verdict(done.returncode, required, passed, failed, done.stdout + done.stderr)


def client(command: str, scenario: str, revision: str) -> Verdict:
    """Let one scenario drive a client: the command gets the server's URL, and the rest in its environment.

    An extension is on no revision's list, and runs without one when `revision` is empty.
    """
    package = peers.npm_prefix("conformance") / "node_modules" / "@modelcontextprotocol" / "conformance"
    with tempfile.TemporaryDirectory() as folder:
        program = [str(peers.node()), str(package / "dist" / "index.js"), "client", "--command", command]
        done = subprocess.run(
            [*program, "--scenario", scenario, *(["--spec-version", revision] if revision else []), "-o", folder],
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        checks = [check for file in Path(folder).rglob("checks.json") for check in json.loads(file.read_text())]
    bad = tuple(
        f"{one['id']}: {one.get('errorMessage', '')}" for one in checks if one["status"] in {"FAILURE", "WARNING"}
    )
    good = sum(one["status"] == "SUCCESS" for one in checks)
    failed = {scenario: bad} if bad else {}
    return Verdict(done.returncode, (scenario,), {scenario: good}, failed, done.stdout + done.stderr)


def asked_of_clients(revision: str) -> tuple[str, ...]:
    """The scenarios about authorization that this revision requires of a client."""
    package = peers.npm_prefix("conformance") / "node_modules" / "@modelcontextprotocol" / "conformance"
    listed = _required(package / "requirements" / f"{revision}.yaml", "client:")
    return tuple(name for name in listed if name.startswith("auth/"))


def _required(file: Path, part: str = "server:") -> tuple[str, ...]:
    """The scenarios listed under a part; the file is plain enough to be read without a YAML parser."""
    lines = iter(file.read_text().splitlines())
    for line in lines:
        if line == part:
            break
    names = []
    for line in lines:
        if line.startswith("  - "):
            names.append(line.removeprefix("  - ").strip())
        elif line and not line.startswith((" ", "#")):
            break
    return tuple(names)


def _checks(folder: Path, name: str) -> list[dict[str, str]]:
    found = [
        file
        for file in folder.glob(f"server-{name}-*/checks.json")
        if file.parent.name[len(f"server-{name}-") :][:2] == "20"
    ]
    return [check for file in found for check in json.loads(file.read_text())]


def authorization(issuer: str, client: str, resource: str, browse: Callable[[str, str], None]) -> tuple[int, str]:
    """Run what the suite asks of an authorization server; `browse` takes a person from its link back to it."""
    package = peers.npm_prefix("conformance") / "node_modules" / "@modelcontextprotocol" / "conformance"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(peers.node()), str(package / "dist" / "index.js"), "authorization", "--url", issuer]
    command += ["--client-id", client, "--resource", resource, "--port", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"NO_COLOR": "1"}
    )
    assert process.stdout is not None
    said = ""
    with process.stdout:
        try:
            for line in process.stdout:
                said += line
                if line.startswith(f"{issuer}/oauth/authorize"):
                    browse(line.strip(), f"http://127.0.0.1:{port}/")
            return process.wait(LIMIT), said
        finally:
            process.kill()
            process.wait()
