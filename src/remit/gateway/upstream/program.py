"""What a stdio server's command stands for on this machine, so that an approval can pin it.

A registered command is a name; what runs is a file. Pinning the name lets whoever can write the file run what they like
under an old approval, so path and content are digested and compared before each start.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.core.errors import RemitError

SEARCH: Final = "/usr/local/bin:/usr/bin:/bin"
"""Where commands are looked up unless the registered environment has a PATH."""


@dataclass(frozen=True, slots=True)
class Program:
    """The command's full path, the file behind it, its SHA-256, and the same of files among the arguments.

    An interpreter's own libraries and what a server downloads when it starts are not covered.
    """

    command: str
    path: str
    sha256: bytes
    files: tuple[tuple[str, bytes], ...]

    @property
    def seal(self) -> bytes:
        """One SHA-256 over all of it, to pin at registration."""
        whole = hashlib.sha256()
        for path, digest in ((self.command, b""), (self.path, self.sha256), *self.files):
            whole.update(len(path.encode()).to_bytes(4, "big") + path.encode() + digest)
        return whole.digest()


def find(argv: Sequence[str], env: Mapping[str, str], cwd: str | None = None) -> Program:
    """Resolve and digest a command; reads whole files, so call it in a thread.

    Raises `server_unknown` if there is no such executable file.
    """
    base = Path(cwd or "/")
    name = argv[0] if argv else ""
    found = shutil.which(str(base / name) if "/" in name else name, path=env.get("PATH", SEARCH)) if name else None
    if found is None:
        raise _unknown()
    try:
        command = os.path.abspath(found)  # noqa: PTH100  # links are kept: an interpreter finds its own by them
        path = os.path.realpath(found)
        files = [os.path.realpath(base / text) for text in argv[1:] if os.path.isfile(base / text)]  # noqa: PTH113  # never raises
        return Program(command, path, _digest(path), tuple((file, _digest(file)) for file in files))
    except (OSError, ValueError):
        raise _unknown() from None


def _digest(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _unknown() -> RemitError:
    return RemitError(
        "server_unknown",
        "There is no such program to run as a server.",
        "Give the command's full path or set its PATH.",
    )
