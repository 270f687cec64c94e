"""A scanned file written anew: whole or not at all, and only where and as it was read."""

import os
from pathlib import Path

import pytest

from remit.core.errors import RemitError
from remit.scan import rewrite


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    made.mkdir()
    (made / ".mcp.json").write_text('{"mcpServers": {}}')
    return made


def test_a_link_a_second_name_another_place_and_a_change_are_refused(tree: Path) -> None:
    config, places = tree / ".mcp.json", [str(tree)]
    data = config.read_bytes()

    def refused(path: Path, before: bytes = data, within: list[str] = places) -> str:
        with pytest.raises(RemitError) as told:
            rewrite.rewrite(str(path), before, b"{}", within)
        assert told.value.code == "fix_refused"
        assert config.read_bytes() == data
        return told.value.message

    assert "has changed" in refused(config, data + b" ")
    assert "has changed" in refused(config, data[:-1])
    (tree / "link.json").symlink_to(config)
    assert "it is a link" in refused(tree / "link.json")
    (tree.parent / "folder").symlink_to(tree)
    assert "outside" in refused(config, within=[str(tree / "below"), str(tree.parent / "sit")])
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / ".mcp.json").write_bytes(data)
    (tree / "away").symlink_to(outside)
    assert "outside" in refused(tree / "away" / ".mcp.json")
    assert (outside / ".mcp.json").read_bytes() == data
    os.link(config, tree / "again.json")
    assert "another name" in refused(config)
    with pytest.raises(RemitError):
        rewrite.shut(str(tree / "link.json"), places)


def test_a_change_at_the_last_moment_is_kept_and_leaves_no_part(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tree / ".mcp.json"
    data, real = config.read_bytes(), os.fchmod

    def late(handle: int, mode: int) -> None:
        config.write_bytes(b"mine")
        real(handle, mode)

    monkeypatch.setattr(rewrite.os, "fchmod", late)
    with pytest.raises(RemitError):
        rewrite.rewrite(str(config), data, b"{}", [str(tree)])
    assert config.read_bytes() == b"mine"
    assert sorted(one.name for one in tree.iterdir()) == [".mcp.json"]
