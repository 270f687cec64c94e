"""What a setting leads to: a value by reference, a file, an address. Secrets are given by reference only."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from remit.core.errors import RemitError
from remit.custody.root import from_keyring

REFERENCES: Final = ("env:", "file:", "keyring:")


def loopback(host: str) -> bool:
    """Say whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reachable(url: str) -> bool:
    """Say whether heads may be sent there: https, or http on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        clean = bool(host) and not (parts.username or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return False
    return clean and (parts.scheme == "https" or (parts.scheme == "http" and loopback(host)))


def read_reference(reference: str, environ: Mapping[str, str]) -> bytes:
    """Read a value by reference: `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`.

    `reference_invalid` when it leads nowhere, `keyring_unavailable` when the keyring does not answer.
    """
    kind, _, name = reference.partition(":")
    try:
        if kind == "env" and name in environ:
            return environ[name].encode()
        if kind == "file" and name:
            return Path(name).read_bytes()
        if kind == "keyring" and (found := from_keyring(name)):
            return found
    except OSError:
        pass
    raise RemitError(
        "reference_invalid",
        "A value given by reference could not be read.",
        "Write env:NAME, file:PATH or keyring:SERVICE/NAME of something that is there.",
    )


def tls_path(reference: str) -> str | None:
    """The file that a reference names; None for none (`reference_invalid`)."""
    if not reference:
        return None
    path = reference.removeprefix("file:")
    if not Path(path).is_file():
        raise RemitError("reference_invalid", f"There is no file {path}.", "Correct tls_cert and tls_key.")
    return path


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
