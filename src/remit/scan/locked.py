"""Which exact versions the locks and installed packages of a scanned tree name. It reads only below the places."""

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from remit.scan.rewrite import below
from remit.scan.walk import contents

_NAME = re.compile(r"(?:@[\w.-]+/)?\w[\w.-]*")
_NODE = ("package-lock.json", "pnpm-lock.yaml", "yarn.lock")
_PYTHON = ("uv.lock", "poetry.lock", "pdm.lock")
_PNPM = re.compile(
    r"(?m)^  ['\"]?/?((?:@[\w.-]+/)?[\w.-]+)@(\d[\w.+-]*)(?:\([^\n]*\))?['\"]?:[ \t]*(?:\{\}[ \t]*)?\r?$"
)
_YARN = re.compile(r"(?m)^\"?((?:@[\w.-]+/)?[\w.-]+)@[^\n]*:\r?\n(?:  [^\n]*\r?\n)*?  version:? \"?(\d[\w.+-]*)\"?\r?$")


def locked(places: Sequence[str]) -> Callable[[str, str, str], str]:
    """What says, for a file and a package of `npm` or `pypi`, which version its tree has; empty when none does."""

    @cache
    def lock(folder: Path, kind: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in _NODE if kind == "npm" else _PYTHON:
            found = {**_LOCKS[name](folder / name), **found}
        return found

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
    return _only((_same(str(one.get("name", ""))), str(one.get("version", ""))) for one in rows)


def _pnpm(file: Path) -> dict[str, str]:
    return _only(_PNPM.findall(_text(file)))


def _yarn(file: Path) -> dict[str, str]:
    return _only(_YARN.findall(_text(file)))


def _only(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The packages that are there in one version only: of two nobody can say which is meant."""
    versions: dict[str, set[str]] = defaultdict(set)
    for name, version in rows:
        versions[name].add(version)
    return {name: next(iter(seen)) for name, seen in versions.items() if len(seen) == 1}


def _text(file: Path) -> str:
    read = contents(str(file))
    return "" if isinstance(read, str) else read[0].decode("utf-8", "replace")


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


_LOCKS = {
    "package-lock.json": _npm, "pnpm-lock.yaml": _pnpm, "yarn.lock": _yarn,
    "uv.lock": _python, "poetry.lock": _python, "pdm.lock": _python,
}  # fmt: skip
