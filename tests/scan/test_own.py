"""What each reader is for, and what looks alike and is right: written with the readers, so no measure."""

import shutil
import tempfile
from pathlib import Path

import pytest

from remit.scan.walk import scan
from tests.kit import corpus

OWN = corpus.FOLDER / "own"


@pytest.mark.parametrize("code", corpus.codes(OWN))
def test_every_case_of_the_readers_author_holds(code: str) -> None:
    off = []
    for case in corpus.cases(code, OWN):
        root = Path(tempfile.mkdtemp(prefix="site")).resolve()
        try:
            case.write(root)
            place = f"{root.as_posix()}/"
            told = [
                (one.kind.value, one.evidence.file.removeprefix(place), one.evidence.line)
                for one in scan((str(root),)).findings
            ]
        finally:
            shutil.rmtree(root)
        score = corpus.judge(case, told)
        if score.wrong or score.missed or case.near == bool(case.expect):
            off.append(f"{case.name}, {case.about}: {score}")
    assert off == []
