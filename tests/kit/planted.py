"""Plant a fault in a copy of the source and run a law against it: a law that no fault can break is not a test.

A law is a function that takes an empty folder and asserts. A fault is an exact replacement of text that must be there
once. Each law runs in a process of its own on the patched copy, and must go red by its own assertion, in its own words.
"""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


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
    """Copy the source, but what is left out by name, and plant the fault in it; return the copy."""
    shutil.copytree(ROOT / "src" / "remit", copy / "remit", ignore=shutil.ignore_patterns("__pycache__", *left_out))
    place = copy / "remit" / fault.where
    text = place.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.name}: {fault.where} no longer holds once: {fault.old}"
    place.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return copy


def red(fault: Planted, folder: Path) -> None:
    """Run the law on the patched source; raise AssertionError unless it goes red for the reason that it names."""
    copy = patched(fault, folder / "src", *(() if fault.web else ("web",)))
    work = folder / "work"
    work.mkdir(mode=0o700)
    law = f"{fault.law.__module__}:{fault.law.__name__}"
    ran = subprocess.run(
        [sys.executable, "-B", str(Path(__file__)), str(copy), law, str(work)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(copy), str(ROOT)])},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, (
        f"{fault.name}: the law held, or broke otherwise\n{ran.stdout[-800:]}{ran.stderr[-800:]}"
    )
    assert fault.says in ran.stdout, f"{fault.name}: it went red for another reason: {ran.stdout[-800:]}"


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
