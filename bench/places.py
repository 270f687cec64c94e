"""Where a measurement keeps its stores: a folder of its own on a real disk, gone afterwards."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A private folder beside the code, so that it is on the same disk and not in memory."""
    place = Path(tempfile.mkdtemp(prefix=".bench-", dir=ROOT))
    place.chmod(0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
