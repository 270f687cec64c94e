"""How a file is called whatever the spelling of the places: by its path from a root. It only asks where things lie."""

import os
from collections.abc import Iterable
from pathlib import Path


class Rooted:
    """The names of files below some places.

    The root is that of the outermost work tree of git that the places lie in, else the one place, else the folder that
    holds all. What lies in a place therefore cannot move it, and take the name of what was accepted elsewhere.
    """

    def __init__(self, places: Iterable[str]) -> None:
        self._real: dict[str, str] = {}
        roots = {_root(_folder(place)) for place in places}
        self._root = os.path.commonpath(roots) if roots else os.sep

    def __call__(self, file: str) -> tuple[str, str]:
        """The path of a file from the root, and its whole path: both with slashes, and no link above it in them."""
        folder, _, name = file.rpartition("/")
        real = self._real.get(folder)
        if real is None:
            real = self._real[folder] = os.path.realpath(folder or (os.sep if file.startswith("/") else os.curdir))
        whole = os.path.join(real, name)  # noqa: PTH118 - a name may be no text
        return _slashes(os.path.relpath(whole, self._root)), _slashes(whole)


def _folder(place: str) -> Path:
    real = Path(os.path.realpath(place))
    return real if real.is_dir() else Path(os.path.realpath(Path(place).parent))


def _root(folder: Path) -> str:
    return str(next((one for one in reversed((folder, *folder.parents)) if (one / ".git").exists()), folder))


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
