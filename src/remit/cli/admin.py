"""The operator's tokens for the API: only their digests are kept, in a file that only their owner can read."""

import base64
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from remit.core.errors import RemitError
from remit.web.settings import admin_digest

NAME: Final = "admins"


def issue(folder: Path) -> str:
    """Draw a token, keep its digest, and return it: it is shown once and can never be shown again."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{admin_digest(token).hex()}\n")
    return token


def digests(folder: Path) -> tuple[bytes, ...]:
    """The digests that count. Refuses a file that others can write (`admins_exposed`) or that holds anything else."""
    path = folder / NAME
    if not path.exists():
        return ()
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o022:
        raise RemitError("admins_exposed", f"Others can write to {path}.", f"Run: chmod 600 {path}")
    try:
        found = tuple(bytes.fromhex(line) for line in path.read_text(encoding="ascii").split())
    except ValueError:
        found = (b"",)
    if any(len(one) != 32 for one in found):
        raise RemitError("admins_invalid", f"{path} holds what is no digest.", "Remove it, and run remit up --admin.")
    return found
