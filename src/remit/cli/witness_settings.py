"""Settings of the witness program: a flag goes before `WITNESS_*`, that before `witness.toml`, that before the default.

It is a program of its own, with a key and a file of its own, and shares no setting with a node.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from remit.cli.settings import loopback
from remit.core.errors import RemitError
from remit.store.witness import FILE as STORE

FILE: Final = "witness.toml"
PREFIX: Final = "WITNESS_"
_REFERENCES: Final = ("env:", "file:", "keyring:")


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Everything that can be set of a witness. `key` and the TLS files are references, never values."""

    data: Path = Path(".witness")
    key: str = ""
    host: str = "127.0.0.1"
    port: int = 8789
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def key_reference(self) -> str:
        """Where the key is; by default a file in the data folder."""
        return self.key or f"file:{self.data / 'witness.key'}"

    @property
    def store(self) -> Path:
        """The witness's file."""
        return self.data / STORE


def load(environ: Mapping[str, str], flags: Mapping[str, Any]) -> WitnessSettings:
    """Read the settings. Refuses unknown keys and wrong values by place (`setting_unknown`, `setting_invalid`)."""
    named = environ.get(f"{PREFIX}CONFIG")
    path = Path(named or FILE)
    values: dict[str, Any] = {}
    if named or path.exists():
        values |= {key: _typed(key, value, str(path)) for key, value in _file(path).items()}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG":
            key = name.removeprefix(PREFIX).lower()
            if key not in _KNOWN and f"env:{name}" in {
                values.get("key"),
                environ.get(f"{PREFIX}KEY"),
                flags.get("key"),
            }:
                continue
            number = key == "port" and text.isascii() and text.isdecimal()
            values[key] = _typed(key, int(text) if number else text, f"The environment variable {name}")
    values |= {key: _typed(key, value, f"The flag --{key}") for key, value in flags.items() if value is not None}
    settings = WitnessSettings(**values)
    _whole(settings)
    return settings


def check_bind(settings: WitnessSettings) -> None:
    """Refuse to listen beyond loopback without TLS (`bind_refused`)."""
    if not loopback(settings.host) and not settings.tls_cert:
        raise RemitError(
            "bind_refused",
            f"The witness does not listen on {settings.host} without TLS: its answers could be forged on the way.",
            "Set tls_cert and tls_key, or listen on 127.0.0.1 behind a proxy that ends TLS.",
        )


_KNOWN: Final = {one.name: one.type for one in fields(WitnessSettings)}


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RemitError(
            "settings_unreadable", f"{path} cannot be read as TOML: {fault}.", "Check the path, correct the line."
        ) from fault


def _typed(key: str, value: Any, where: str) -> Any:
    wanted = _KNOWN.get(key)
    if wanted is None:
        raise RemitError(
            "setting_unknown",
            f"{where}: there is no setting {key!r} of a witness.",
            f"The settings are: {', '.join(sorted(_KNOWN))}.",
        )
    if wanted is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    if isinstance(value, str if wanted is not int else int) and not isinstance(value, bool):
        return value
    raise RemitError(
        "setting_invalid", f"{where}: {key} does not take this value.", "See docs/guide/witness.md for what it takes."
    )


def _whole(settings: WitnessSettings) -> None:
    if not 0 < settings.port < 65536:
        raise RemitError("setting_invalid", "port is 1 to 65535.", "Correct it.")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise RemitError("setting_invalid", "tls_cert and tls_key go together.", "Set both, or neither.")
    for name in ("key", "tls_cert", "tls_key"):
        value = getattr(settings, name)
        if value and not value.startswith(_REFERENCES if name == "key" else _REFERENCES[1:2]):
            raise RemitError("setting_invalid", f"{name} takes a reference, never a value.", "Write file:PATH.")
