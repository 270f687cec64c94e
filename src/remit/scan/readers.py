"""Which reader a file has, and what it finds: bytes to findings. Pure."""

from dataclasses import replace
from typing import Final

from remit.core.finding import Confidence, Finding
from remit.scan import client, dotenv

_TRIALS: Final = frozenset(
    {"test", "tests", "testdata", "__tests__", "fixture", "fixtures", "example", "examples", "sample", "samples"}
)


def wants(path: str) -> bool:
    """Say by its path, written with slashes, whether a file has a reader."""
    return client.wants(path) or dotenv.wants(path)


def read(path: str, data: bytes) -> tuple[Finding, ...] | str:
    """Find what stands in a file that `wants` names; else the reason why it could not be read.

    What lies in a folder of tests or examples is found with less confidence.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "not UTF-8"
    found = client.read(path, text) if client.wants(path) else dotenv.read(path, text)
    if found is None:
        return "not JSON, or nested too deep"
    if _TRIALS.isdisjoint(path.lower().split("/")[:-1]):
        return found
    return tuple(replace(one, confidence=Confidence.MEDIUM) for one in found)
