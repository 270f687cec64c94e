"""The demo's MCP servers: pinned packages of other people, each in an environment of its own, installed once.

The folder is `.demo` beside the `.venv` that runs us, else the user's cache. An environment is named by the digest of
its pins and of the interpreter, so that a change of either makes a new one; one that is whole holds the file `ready`.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from remit.core.errors import RemitError

NAMES: Final = ("sqlite", "fetch", "git")
PATIENCE: Final = 300.0
"""Seconds that one installation may take."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where each server's program is, and the seconds that were spent on installing (0 when all were there)."""

    programs: dict[str, Path]
    seconds: float


def cache() -> Path:
    """The folder of the environments."""
    home = Path(sys.prefix)
    if home.name == ".venv" and os.access(home.parent, os.W_OK):
        return home.parent / ".demo"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "remit" / "demo"


def install(names: tuple[str, ...], folder: Path, say: Callable[[str], object]) -> Servers:
    """Install the servers that are not there yet, side by side. Refuses with `demo_install` when one cannot be."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not (_home(folder, name) / "ready").is_file()]
    if missing:
        say(f"Installing the demo's MCP servers from the package index, once: {', '.join(missing)}.")
        with _locked(folder), ThreadPoolExecutor(len(missing)) as pool:
            list(pool.map(lambda name: _install(_home(folder, name), name), missing))
    programs = {name: _home(folder, name) / "bin" / f"mcp-server-{name}" for name in names}
    return Servers(programs, time.monotonic() - began if missing else 0.0)


def pins(name: str) -> str:
    """The pinned packages of one server, as a requirements file."""
    return (resources.files("remit.cli") / "demo_servers" / f"{name}.txt").read_text("utf-8")


def _home(folder: Path, name: str) -> Path:
    what = f"{sys.version_info.major}.{sys.version_info.minor}\n{sys.base_prefix}\n{pins(name)}"
    return folder / f"{name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def _install(home: Path, name: str) -> None:
    if (home / "ready").is_file():
        return
    shutil.rmtree(home, ignore_errors=True)
    python = str(home / "bin" / "python")
    listed = home.with_suffix(".txt")
    listed.write_text(pins(name), "utf-8")
    fast = shutil.which("uv")
    _run([sys.executable, "-m", "venv", *(["--without-pip"] if fast else []), str(home)], name)
    if fast:
        _run([fast, "pip", "install", "--quiet", "--no-deps", "--python", python, "-r", str(listed)], name)
    else:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        _run([python, "-m", "pip", "install", *quiet, "--no-deps", "-r", str(listed)], name)
    listed.unlink()
    (home / "ready").touch()


def _run(argv: list[str], name: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=PATIENCE, check=False, text=True)  # noqa: S603 - ours
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise _failed(name, type(fault).__name__) from fault
    if done.returncode:
        told = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise _failed(name, told[-1][:200] if told else f"exit code {done.returncode}")


def _failed(name: str, why: str) -> RemitError:
    return RemitError(
        "demo_install",
        f"The demo's {name} server could not be installed from the package index: {why}",
        "Make the index reachable for pip, or uv where it is on PATH, and run the demo again.",
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process install at a time; the others find it done."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
