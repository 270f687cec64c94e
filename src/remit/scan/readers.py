"""Which readers a file has, and what they find: bytes to findings. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from remit.core.finding import Confidence, Finding
from remit.scan import client, cloud, code, dotenv, profile, unit, workflow, workload

_TRIALS: Final = frozenset(
    {"test", "tests", "testdata", "__tests__", "fixture", "fixtures", "example", "examples", "sample", "samples"}
)


class Reader(Protocol):
    """A reader of one kind of file: whether it reads a file of this path, and what it finds; None when it cannot."""

    @property
    def wants(self) -> Callable[[str], bool]:
        """Say by its path whether a file is, or may be, of this kind."""

    @property
    def read(self) -> Callable[[str, str], tuple[Finding, ...] | None]:
        """Find what stands in the text of a file of this path."""


READERS: Final[tuple[Reader, ...]] = (client, dotenv, profile, unit, workflow, workload, code, cloud)


def wants(path: str) -> bool:
    """Say by its path, written with slashes, whether a file has a reader."""
    return any(one.wants(path) for one in READERS)


def read(path: str, data: bytes) -> tuple[Finding, ...] | str:
    """Find what stands in a file that `wants` names; else the reason why it could not be read.

    What lies in a folder of tests or examples is found with less confidence.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "not UTF-8"
    found: dict[tuple[str, int, str], Finding] = {}
    for reader in READERS:
        if not reader.wants(path):
            continue
        told = reader.read(path, text)
        if told is None:
            return "not of its format, or nested too deep"
        for one in told:
            found.setdefault((one.kind, one.evidence.line, one.evidence.said), one)
    if _TRIALS.isdisjoint(path.lower().split("/")[:-1]):
        return tuple(found.values())
    return tuple(replace(one, confidence=Confidence.MEDIUM) for one in found.values())
