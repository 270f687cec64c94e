"""Which exact versions the locks and installed packages of a scanned tree name. It reads only below the places."""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from remit.scan.rewrite import below
from remit.scan.walk import contents

_NAME = re.compile(r"(?:@[\w.-]+/)?\w[\w.-]*")


def locked(places: Sequence[str]) -> Callable[[str, str, str], str]:
    """What says, for a file and a package of `npm` or `pypi`, which version its tree has; empty when none does."""

    @cache
    def lock(folder: Path, kind: str) -> dict[str, str]:
        return _npm(folder / "package-lock.json") if kind == "npm" else _python(folder / "uv.lock")

    def version(path: str, kind: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            return ""
        for folder in Path(path).absolute().parents:
            if not any(below(str(folder / "x"), place) for place in places):
                return ""
            found = lock(folder, kind).get(name if kind == "npm" else _same(name), "")
            if not found and kind == "npm":
                found = _installed(folder / "node_modules" / name / "package.json")
            if found:
                return found
        return ""

    return version


def _npm(file: Path) -> dict[str, str]:
    packages = _table(_json(file).get("packages"))
    start = "node_modules/"
    return {
        name.removeprefix(start): str(_table(one).get("version", ""))
        for name, one in packages.items()
        if name.startswith(start) and name.count(start) == 1
    }


def _installed(file: Path) -> str:
    return str(_json(file).get("version", ""))


def _python(file: Path) -> dict[str, str]:
    read = contents(str(file))
    try:
        found = {} if isinstance(read, str) else tomllib.loads(read[0].decode())
    except (ValueError, RecursionError):
        return {}
    listed = found.get("package", [])
    rows = [_table(one) for one in listed] if isinstance(listed, list) else []
    versions: dict[str, set[str]] = {}
    for one in rows:
        versions.setdefault(_same(str(one.get("name", ""))), set()).add(str(one.get("version", "")))
    return {name: next(iter(seen)) for name, seen in versions.items() if len(seen) == 1}


def _json(file: Path) -> dict[str, Any]:
    read = contents(str(file))
    try:
        return {} if isinstance(read, str) else _table(json.loads(read[0]))
    except (ValueError, RecursionError):
        return {}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _same(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
