"""The root key: 32 bytes from a file, the environment or a keyring, under which everything else is sealed.

References, never values, stand in settings: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`. The value itself is 32
bytes as base64url or hexadecimal text; a file may also hold the 32 bytes as they are.
"""

import base64
import importlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.custody.secret import Secret

SIZE: Final = 32
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9_-]{43}=?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Root:
    """A root key and the name it goes by in sealed blobs. The name says nothing about the value."""

    key: Secret
    id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.key) != SIZE or self.key == Secret(bytes(SIZE)):
            raise RemitError(
                "key_invalid", "A root key is 32 random bytes.", "Make one with `remit up`, or from 32 random bytes."
            )
        object.__setattr__(self, "id", self.derive(b"remit/root-id/1", b"", 8))

    def derive(self, info: bytes, salt: bytes, size: int = SIZE) -> bytes:
        """HKDF-SHA256 (RFC 5869) of this root."""
        return HKDF(algorithm=SHA256(), length=size, salt=salt or None, info=info).derive(self.key.reveal())


def open_root(reference: str, environ: Mapping[str, str]) -> Root:
    """Fetch the root key that a reference names.

    Refuses an unknown kind of reference (`key_reference_invalid`), a name that leads nowhere (`key_missing`), a file
    that others can read or that is not a plain file (`key_file_open`), and a value that is not 32 bytes
    (`key_invalid`).
    """
    kind, _, name = reference.partition(":")
    if not name or kind not in ("env", "file", "keyring"):
        raise RemitError(
            "key_reference_invalid",
            "A key is named by reference, never by value.",
            "Write env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )
    if kind == "env":
        return Root(_parse(environ.get(name, "").encode(), f"The environment variable {name}"))
    if kind == "keyring":
        return Root(_parse(from_keyring(name), f"The keyring entry {name}"))
    return Root(_parse(_from_file(Path(name)), f"The key file {name}"))


def make_root_file(path: Path, random: Callable[[int], bytes]) -> Root:
    """Write a new root key to a file that only its owner can read. Refuses to replace a file (`key_file_exists`)."""
    root = Root(Secret(random(SIZE)))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError as fault:
        raise RemitError("key_file_exists", f"{path} is there already.", "Keep it: what it sealed needs it.") from fault
    except OSError as fault:
        raise RemitError(
            "key_file_unwritable", f"{path} cannot be written.", "Choose a folder that Remit may write."
        ) from fault
    with os.fdopen(handle, "wb") as file:
        file.write(b64(root.key.reveal()).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return root


def _from_file(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as fault:
        raise RemitError(
            "key_missing", f"The key file {path} cannot be read.", "Check the path and who owns the file."
        ) from fault
    # The very file that was opened is judged, not the path: a swap between the two would go unseen.
    try:
        found = os.fstat(handle)
        mode = stat.S_IMODE(found.st_mode)
        foreign = hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0)
        if not stat.S_ISREG(found.st_mode) or foreign or (os.name == "posix" and mode & 0o177):
            raise RemitError(
                "key_file_open",
                f"The key file {path} (mode {mode:04o}) is open to others, or is not a plain file of ours.",
                f"Own it and run: chmod 600 {path}",
            )
        return os.read(handle, 1024)
    except OSError as fault:
        raise RemitError("key_missing", f"The key file {path} cannot be read.", "Check the disk it is on.") from fault
    finally:
        os.close(handle)


def from_keyring(name: str) -> bytes:
    """The entry `SERVICE/NAME` of the system's keyring, empty when there is none (`keyring_unavailable`)."""
    service, _, entry = name.partition("/")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as fault:
        raise RemitError(
            "keyring_unavailable", "This value is in a keyring, and no keyring library is here.", "pip install keyring"
        ) from fault
    try:
        value = keyring.get_password(service, entry)
    except Exception as fault:
        raise RemitError(
            "keyring_unavailable", "The keyring did not answer.", "Unlock it, or use file: instead."
        ) from fault
    return (value or "").encode()


def _parse(raw: bytes, where: str) -> Secret:
    if len(raw) == SIZE:
        return Secret(raw)
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        text = "?"
    if not text:
        raise RemitError("key_missing", f"{where} is empty or absent.", "Set it to 32 random bytes as base64url.")
    if _HEX.fullmatch(text):
        return Secret(bytes.fromhex(text))
    if _BASE64.fullmatch(text):
        return Secret(base64.urlsafe_b64decode(text.rstrip("=") + "="))
    raise RemitError("key_invalid", f"{where} is not a key.", "Use 32 random bytes as base64url or hexadecimal.")
