"""Which variable stands for which secret that is taken out of files."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

_USED: Final = re.compile(r"\$\{(?:env:|input:)?([A-Za-z_][\w-]*)|\{env:(\w+)\}|\$([A-Za-z_]\w*)")


class Names:
    """Which variable stands for which secret: one name never means two values. Owned by one `--fix`.

    `known` is the environment that references will be read from, as far as it is known now.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._of: dict[str, str | None] = {}

    def reserve(self, text: str) -> None:
        """Leave the names alone that a file refers to already: what they stand for is not known here."""
        for found in _USED.finditer(text):
            self._of.setdefault(plain(next(one for one in found.groups() if one)), None)

    def learn(self, known: Iterable[tuple[str, str]]) -> None:
        """Leave the names alone that a file beside gives another value: a reference might be read from there."""
        for name, value in known:
            if self._known.setdefault(name, value) != value:
                self._of[name] = None

    def take(self, wanted: Iterable[str], value: str) -> str:
        """The first of these names that means nothing else, or the last of them with a number."""
        name = ""
        for name in map(plain, wanted):
            if self._free(name, value):
                break
        else:
            name = next(one for one in (f"{name}_{number}" for number in range(2, 10_000)) if self._free(one, value))
        self._of[name] = value
        return name

    def keep(self, name: str, value: str) -> bool:
        """Take just this name, as it is written; False when it means something else."""
        free = self._free(name, value)
        if free:
            self._of[name] = value
        return free

    def _free(self, name: str, value: str) -> bool:
        return self._of.get(name, value) == value and self._known.get(name, value) == value


def plain(text: str) -> str:
    """A name that a shell can set, made of any text."""
    bare = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper() or "SECRET"
    return f"_{bare}" if bare[0].isdigit() else bare
