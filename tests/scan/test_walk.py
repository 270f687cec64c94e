"""The walk on a hostile tree: it ends, and names what it could not read."""

import os
import socket
from pathlib import Path

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
    (tmp_path / "good" / ".mcp.json").write_text('{"mcpServers": {"a": {"command": "npx", "args": ["b"]}}}')
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
