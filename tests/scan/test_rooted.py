"""What a file is called by: a path from a root that no spelling changes."""

import os
import secrets
from datetime import date
from pathlib import Path

import pytest

from remit.scan.accepted import mark
from remit.scan.rooted import Rooted
from remit.scan.walk import scan


def test_the_root_is_that_of_git_else_the_place_and_of_several_what_holds_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "sub").mkdir()
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Rooted(["repo/sub"])("repo/sub/x")[0] == "sub/x"
    assert Rooted(["repo"])("repo/sub/x")[0] == "sub/x"
    assert Rooted(["bare"])("bare/x")[0] == "x"
    assert Rooted(["bare/x"])("bare/x")[0] == "x"
    assert Rooted(["bare", "repo/sub"])("repo/sub/x")[0] == "repo/sub/x"


def test_what_lies_in_a_place_cannot_move_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    before = Rooted(["repo/sub"])("repo/sub/.mcp.json")
    (tmp_path / "repo" / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    assert Rooted(["repo/sub"])("repo/sub/.mcp.json") == before == Rooted(["repo"])("repo/sub/.mcp.json")


def test_a_name_is_whole_without_links_and_may_be_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "door").symlink_to(tmp_path / "tree")
    odd = os.fsdecode(b"\xff.env")
    monkeypatch.chdir(tmp_path)
    assert Rooted(["door"])(f"door/{odd}") == (odd, f"{tmp_path}/tree/{odd}")
    assert Rooted(["/"])("/x") == ("x", "/x")


def test_what_is_joined_does_not_hang_on_how_a_place_is_spelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secrets.token_urlsafe(24)
    (tmp_path / ".env").write_text(f"HUB_TOKEN={secret}\n", encoding="utf-8")
    text = f"services:\n  agent:\n    image: acme/agent:1.0.0\n    environment:\n      HUB_TOKEN: {secret}\n"
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    kinds = [[one.kind for one in scan((place,)).findings] for place in (".", str(tmp_path))]
    assert kinds[0] == kinds[1] == ["AG101", "AG101"], "a folder's variables are those of its service"


def test_what_is_told_of_folders_keeps_its_fingerprint_in_every_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secrets.token_urlsafe(24)
    for name in ("scout", "writer"):
        (tmp_path / "agents" / name).mkdir(parents=True)
        text = f"HUB_TOKEN={secret}\nAWS_SECRET_ACCESS_KEY=${{KEY}}\nMY_USER_TOKEN=${{T}}\nBOT_TOKEN=${{B}}\n"
        (tmp_path / "agents" / name / ".env").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    marked = [
        mark(scan((place,)).findings, frozenset(), (), date(2030, 1, 1), Rooted([place]))
        for place in (".", str(tmp_path), "../" + tmp_path.name)
    ]
    assert {one.finding.kind.value for one in marked[0]} == {"AG101", "AG103", "AG104", "AG151"}
    assert len({tuple(sorted(one.fingerprint for one in each)) for each in marked}) == 1
