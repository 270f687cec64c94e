"""Plant a fault in a copy of the source and run a law against it: a law that no fault can break is not a test.

A law is a function that takes an empty folder and asserts. A fault is an exact replacement of text that must be there
once. Each law runs in a process of its own on the patched copy, and must go red by its own assertion, in its own words.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kit.postgres import lent

ROOT = Path(__file__).resolve().parents[2]
CACHE = "__pycache__"
PATIENCE = 600


Swap = tuple[Callable[[], None], Any, str, Any]
"""A law, and what stands for the attribute of this name, in a module or class, while the law is tried."""


@dataclass(frozen=True, slots=True)
class Planted:
    """`new` stands where `old` stood, in `where` below src/remit; `says` is what the law must complain of.

    A law of the web face says `web`; all others run without one.
    """

    name: str
    where: str
    old: str
    new: str
    law: Callable[[Path], None]
    says: str
    web: bool = False

    def __str__(self) -> str:
        return self.name


def patched(fault: Planted, copy: Path, *left_out: str) -> Path:
    """Lay out the source, but what is left out by name, with the fault planted in it; return the folder.

    Only the patched file is new. All else leads to the source itself, and to what Python has compiled of it.
    """
    real, here, (*folders, file) = ROOT / "src" / "remit", copy / "remit", Path(fault.where).parts
    text = (real / fault.where).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.name}: {fault.where} no longer holds once: {fault.old}"
    for folder in folders:
        (real / CACHE).mkdir(exist_ok=True)
        _lead(real, here, folder, *left_out)
        real, here = real / folder, here / folder
    (real / CACHE).mkdir(exist_ok=True)
    _lead(real, here, file, CACHE)
    _lead(real / CACHE, here / CACHE, *(one.name for one in (real / CACHE).glob(f"{Path(file).stem}.*")))
    (here / file).write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return copy


def _lead(real: Path, here: Path, *but: str) -> None:
    """Make a folder in which all that is in the real one is found, but what is named."""
    here.mkdir(parents=True)
    for one in real.iterdir():
        if one.name not in but:
            (here / one.name).symlink_to(one)


def red(fault: Planted, folder: Path) -> None:
    """Run the law on the patched source; raise AssertionError unless it goes red for the reason that it names."""
    copy = patched(fault, folder / "src", *(() if fault.web else ("web",)))
    work = folder / "work"
    work.mkdir(mode=0o700)
    law = f"{fault.law.__module__}:{fault.law.__name__}"
    ran = subprocess.run(
        [sys.executable, str(Path(__file__)), str(copy), law, str(work)],
        env=os.environ | lent() | {"PYTHONPATH": f"{copy}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, (
        f"{fault.name}: the law held, or broke otherwise ({ran.returncode})\n{ran.stdout[-800:]}{ran.stderr[-800:]}"
    )
    assert fault.says in ran.stdout, f"{fault.name}: it went red for another reason: {ran.stdout[-800:]}"


def each_goes_red(faults: Sequence[Planted]) -> Callable[..., None]:
    """Make the test of a law's faults: each of them, by its name, must turn its law red."""

    @pytest.mark.parametrize("fault", faults, ids=str)
    def each(fault: Planted, tmp_path: Path) -> None:
        red(fault, tmp_path)

    return each


def each_swap_goes_red(swaps: Mapping[str, Swap]) -> Callable[..., None]:
    """The same for faults that are swapped in within this process: fast, and for laws of pure functions alone."""

    @pytest.mark.parametrize("fault", swaps)
    def each(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
        law, where, name, planted = swaps[fault]
        monkeypatch.setattr(where, name, planted)
        with pytest.raises(AssertionError):
            law()

    return each


def main(source: str, law: str, work: str) -> int:
    """Run one law: 0 when it holds, 1 when its own assertion fails, 2 when it breaks in any other way."""
    import remit

    if not str(remit.__file__).startswith(source):
        sys.stdout.write(f"the patched source was not used, but {remit.__file__}")
        return 2
    module, _, name = law.partition(":")
    try:
        getattr(importlib.import_module(module), name)(Path(work))
    except AssertionError as fault:
        sys.stdout.write(f"red: {fault}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
