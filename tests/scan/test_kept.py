"""A second scan: what has not changed is not read again, and nothing that somebody else left is believed."""

import os
import shutil
import time
from pathlib import Path

import pytest

from remit.scan import kept, readers
from remit.scan.walk import Scan, scan

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
OPEN = '{"mcpServers": {"a": {"url": "http://a.example.com/mcp"}}}'
MUTE = '{"mcpServers": {"a": {"url": "https://a.example.co/mcp"}}}'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "FEWEST", 1)
    site = tmp_path / "site"
    for name, text in {"a/.mcp.json": OPEN, "b/.mcp.json": MUTE, "c/.env": f"API_KEY={KEY}\n"}.items():
        (site / name).parent.mkdir(parents=True)
        (site / name).write_text(text)
    return site


def look(site: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Scan, list[str]]:
    """One scan a minute from now, and the files that it read."""
    read: list[str] = []
    plain = readers.look

    def seen(path: str, data: bytes, key: bytes) -> readers.Looked | str:
        read.append(path)
        return plain(path, data, key)

    with monkeypatch.context() as patch:
        patch.setattr(readers, "look", seen)
        places = (str(site),)
        found = scan(places, kept.Kept(cache, places, time.time_ns() + 60_000_000_000))
    return found, sorted(one.removeprefix(f"{site}/") for one in read)


def test_what_has_not_changed_is_not_read_and_is_told_all_the_same(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, read = look(tree, tmp_path / "k", monkeypatch)
    assert read == ["a/.mcp.json", "b/.mcp.json", "c/.env"]
    second, read = look(tree, tmp_path / "k", monkeypatch)
    assert second == first == scan((str(tree),))
    assert read == ["c/.env"], "what holds a secret is read each time, and nothing of it is kept"
    assert not any(KEY.encode() in one.read_bytes() for one in (tmp_path / "k").iterdir())
    stamp = (tree / "b/.mcp.json").stat()
    (tree / "b/.mcp.json").write_text(OPEN)
    os.utime(tree / "b/.mcp.json", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    third, read = look(tree, tmp_path / "k", monkeypatch)
    assert "b/.mcp.json" in read, "the same size and time of change, and yet another file"
    assert len(third.findings) == len(first.findings) + 1


@pytest.mark.parametrize("fault", ["turned", "open", "link", "cut", "rules", "key", "folder"])
def test_what_is_not_whole_or_not_the_user_s_own_is_not_believed(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    cache = tmp_path / "k"
    first, _ = look(tree, cache, monkeypatch)
    [held] = [one for one in cache.iterdir() if one.name != "key"]
    data = held.read_bytes()
    if fault == "turned":
        held.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif fault == "cut":
        held.write_bytes(data[:40])
    elif fault == "open":
        held.chmod(0o644)
    elif fault == "link":
        shutil.move(held, tmp_path / "elsewhere")
        held.symlink_to(tmp_path / "elsewhere")
    elif fault == "rules":
        monkeypatch.setattr(kept, "_rules", lambda: "others")
    elif fault == "key":
        (cache / "key").write_bytes(bytes(32))
    else:
        cache.chmod(0o755)
    second, read = look(tree, cache, monkeypatch)
    assert read == ["a/.mcp.json", "b/.mcp.json", "c/.env"]
    assert second == first


def test_a_file_that_changed_only_now_is_not_kept(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (str(tree),)
    scan(places, kept.Kept(tmp_path / "k", places, time.time_ns()))
    assert [one.name for one in (tmp_path / "k").iterdir()] == ["key"]


def test_nothing_in_a_scanned_tree_says_what_was_seen(tmp_path: Path) -> None:
    home, site = tmp_path / "home", tmp_path / "site"
    (site / ".cache").mkdir(parents=True)
    assert kept.folder({"HOME": str(home)}, (str(site),)) == home / ".cache" / "remit" / "scan"
    assert kept.folder({"HOME": str(home)}, (str(home),)) is not None
    assert kept.folder({"HOME": str(home), "XDG_CACHE_HOME": str(site / ".cache")}, (str(site),)) is None
    assert kept.folder({"HOME": str(home), "XDG_CACHE_HOME": ".cache"}, (str(site),)) is None
