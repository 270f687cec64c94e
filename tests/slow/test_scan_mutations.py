"""Ten thousand mutated files through `remit scan`: no crash, no hang."""

from pathlib import Path

import pytest

from tests.scan.test_hostile import hold


@pytest.mark.parametrize("seed", range(2, 12))
def test_a_thousand_mutated_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    hold(tmp_path, capsys, 1_000, seed)
