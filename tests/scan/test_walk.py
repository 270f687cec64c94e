"""The walk on a hostile tree: it ends, and names what it could not read."""

import json
import os
import socket
from pathlib import Path

import pytest

from remit.core.finding import Kind
from remit.scan.walk import LARGEST, scan


def test_a_hostile_tree_ends_with_each_unread_file_named(tmp_path: Path) -> None:
    for name in ("fifo", "sparse", "link", "bad", "good", "sock"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "fifo" / ".env")
    with (tmp_path / "sparse" / ".mcp.json").open("wb") as file:
        file.truncate(10 << 30)
    (tmp_path / "link" / ".env").symlink_to("/dev/zero")
    (tmp_path / "link" / "loop").symlink_to(tmp_path)
    (tmp_path / "bad" / ".env").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "good" / ".mcp.json").write_text(
        '{"mcpServers": {"a": {"command": "npx", "args": ["b"], "env": {"A_TOKEN": "$A"}}}}'
    )
    (tmp_path / "good" / "node_modules").mkdir()
    (tmp_path / "good" / "node_modules" / ".env").write_text("no")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "sock" / ".env"))
        found = scan((str(tmp_path),))
    assert [one.kind for one in found.findings] == [Kind.UNPINNED]
    reasons = {Path(one.file).parent.name: one.reason for one in found.unread}
    assert reasons.pop("sock")
    assert reasons == {
        "fifo": "no regular file",
        "sparse": f"larger than {LARGEST} bytes",
        "link": "a link, which is not followed",
        "bad": "not UTF-8",
    }
    assert found.read == 1


def test_a_path_that_is_gone_is_named() -> None:
    assert [one.file for one in scan(("nowhere/.env",)).unread] == ["nowhere/.env"]


def test_nothing_is_met_twice_however_places_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = '{"mcpServers": {"a": {"url": "http://a.example.com/mcp"}}}'
    for name in ("", "sub", "node_modules/kept"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / ".mcp.json").write_text(config)
    (tmp_path / "door").symlink_to(tmp_path / "sub")
    monkeypatch.chdir(tmp_path)
    once = scan((".",))
    assert (once.met, len(once.findings)) == (3, 2)
    for places in (
        (".", "./"),
        (".", "sub"),
        ("sub", "."),
        (".", str(tmp_path)),
        (".", "door"),
        (".", "sub/.mcp.json"),
    ):
        found = scan(places)
        assert (found.met, found.read, len(found.findings)) == (once.met, once.read, 2), places
    assert len(scan((".", "node_modules/kept")).findings) == 3, "what is passed over is read where it is named"


def test_places_that_are_spelt_apart_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        entry = {"command": name, "env": {"API_KEY": secret}}
        (tmp_path / name / ".mcp.json").write_text(json.dumps({"mcpServers": {name: entry}}))
    monkeypatch.chdir(tmp_path / "one")
    found = scan((".", str(tmp_path / "two")))
    assert Kind.SHARED in {one.kind for one in found.findings}
    assert all(one.evidence.file.startswith(str(tmp_path)) for one in found.findings)
