"""The public command on mutated files and on a hostile tree: it ends, soon, with what it could not read named."""

import json
import os
import time
from pathlib import Path

import pytest

from remit.cli.main import run
from tests.kit import hostile


def scanned(root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, str]]]:
    assert run(["scan", str(root), "-o", "json"]) in {0, 1}
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def hold(root: Path, capsys: pytest.CaptureFixture[str], count: int, seed: int) -> None:
    """Scan so many mutated files, a hundred to a tree, each tree within 30 s."""
    drawn = list(hostile.mutated(count, seed))
    for start in range(0, count, 100):
        place = root / str(start)
        for at, (path, data) in enumerate(drawn[start : start + 100]):
            target = place / str(at) / path
            target.parent.mkdir(parents=True)
            target.write_bytes(data)
        began = time.monotonic()
        told = scanned(place, capsys)
        assert time.monotonic() - began < 30
        assert told["version"] == 1


def test_mutated_files_neither_stop_nor_break_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hold(tmp_path, capsys, 300, seed=1)


def test_a_hostile_tree_ends_with_what_was_not_read_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    with hostile.tree(Path("t")) as odd:
        told = scanned(Path("t"), capsys)
    assert time.monotonic() - began < 30
    unread = {os.path.normpath(one["file"]) for one in told["unread"]}
    assert {str(path) for path in odd.values()} <= unread
    assert {os.path.normpath(one["file"]) for one in told["unread"]} >= {"t/deep/.mcp.json"}
