"""Reading the settings: by place, with each value's kind. What is not known is refused where it stands."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Final

from remit.cli.settings import refused
from remit.cli.settings.fit import TABLES
from remit.cli.settings.tables import Hooked, Issuer, Polled, Received
from remit.cli.settings.whole import Settings
from remit.core.canonical import Json
from remit.core.errors import RemitError

FILE: Final = "remit.toml"
PREFIX: Final = "REMIT_"
DEMO: Final = "REMIT_DEMO_"
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


def load(environ: Mapping[str, str], flags: Mapping[str, Any], config: str | None = None) -> Settings:
    """Read the settings. Refuses, by place, unknown keys and wrong types (`setting_unknown`, `setting_invalid`)."""
    known = {one.name: one.type for one in fields(Settings)}
    values: dict[str, Any] = {}
    named = config or environ.get(f"{PREFIX}CONFIG")
    path = Path(named or FILE)
    if named or path.exists():
        for key, value in _file(path).items():
            values[key] = _typed(key, value, known, _place(path, key))
    for name, text in environ.items():
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG" and not name.startswith(DEMO):
            if key not in known and f"env:{name}" in _references(values, environ, flags):
                continue
            values[key] = _typed(key, _from_text(key, text, known), known, f"The environment variable {name}")
    for key, value in flags.items():
        if value is not None:
            values[key] = _typed(key, value, known, f"The flag --{key.replace('_', '-')}")
    settings = Settings(**values)
    refused.check(settings)
    return settings


def _references(*sources: Mapping[str, Any]) -> set[str]:
    """What the settings refer to: a variable that holds a key may be called as it likes."""
    names = ("root_key", "store", "bus", f"{PREFIX}ROOT_KEY", f"{PREFIX}STORE", f"{PREFIX}BUS")
    issuers = [one for source in sources for one in source.get("issuers") or () if isinstance(one, Issuer)]
    hooks = [one for source in sources for one in source.get("hooks") or () if isinstance(one, Hooked)]
    told = [one for source in sources for one in source.get("receivers") or () if isinstance(one, Received)]
    held = {one.client_secret for one in issuers} | {one.client_key for one in issuers} | {one.secret for one in hooks}
    polled = [one for source in sources for one in source.get("transmitters") or () if isinstance(one, Polled)]
    held |= {one.authorization for one in told} | {one.authorization for one in polled} | {one.secret for one in polled}
    return held | {str(source[name]) for source in sources for name in names if source.get(name)}


def _file(path: Path) -> dict[str, Json]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise RemitError(
            "settings_unreadable", f"{path} cannot be read: {fault.strerror}.", "Check the path."
        ) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RemitError(
            "settings_unreadable", f"{path} is not TOML: {fault}.", "Correct the line that is named."
        ) from fault


def _place(path: Path, key: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.lstrip("[ ").startswith(key)), 0)
    return f"{path}, line {line}" if line else str(path)


_KINDS: Final[Mapping[Any, str]] = {
    int: "a whole number", str: "a text in quotes", bool: "true or false", Path: "a path in quotes",
}  # fmt: skip


def _typed(key: str, value: Any, known: Mapping[str, Any], where: str) -> Any:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1, 0.5)
        raise RemitError(
            "setting_unknown",
            f"{where}: there is no setting {key!r}.",
            f"Did you mean {near[0]!r}?" if near else f"The settings are: {', '.join(sorted(known))}.",
        )
    if key in TABLES:
        return _tables(key, value, where)
    wanted = known[key]
    if wanted is Path and isinstance(value, str) and value:
        return Path(value)
    if (
        isinstance(wanted, type | UnionType)
        and isinstance(value, wanted)
        and not (wanted is int and isinstance(value, bool))
    ):
        return value
    raise RemitError(
        "setting_invalid",
        f"{where}: {key} does not take this value.",
        f"Give {_KINDS.get(wanted, 'another')}, as docs/guide/settings.md says.",
    )


def _tables(key: str, value: Any, where: str) -> tuple[Any, ...]:
    """Read a list of tables, each by its own rule."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RemitError(
            "setting_invalid", f"{where}: {key} is a list of tables.", f"Write one [[{key}]] table for each."
        )
    kind, fit = TABLES[key]
    known = {one.name: one.type for one in fields(kind)}
    found: list[Any] = []
    for one in value:
        held = {name: _typed(name, inner, known, where) for name, inner in one.items()}
        fit(held, where, found)
        found.append(kind(**held))
    return tuple(found)


def _from_text(key: str, text: str, known: Mapping[str, Any]) -> Any:
    wanted = known.get(key)
    if wanted is int and text.isascii() and text.isdecimal():
        return int(text)
    return _BOOLEANS.get(text.lower(), text) if wanted is bool else text
