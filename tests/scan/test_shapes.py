"""The library's detectors: what they add, that nothing is asked of anybody, and that a hostile text costs no time."""

import socket
import sys
import time
from pathlib import Path

import pytest

from remit.cli.main import run
from remit.scan import secret, shapes
from tests.kit import corpus

ALNUM = "Zt7qWm2Lx9RbVc4Hn8Ds5Kf3Jg6Ty1PuXw0e"
KNOWN = {
    "Discord": "MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs",
    "Mailchimp": "3b2f9c1d7e8a4056b1c2d3e4f5a69788" + "-us12",
    "Square": "sq0" + "csp-" + (ALNUM + ALNUM)[:43],
    "Telegram": "7482913056" + ":" + (ALNUM + "-_")[:35],
    "GitLab deploy": "gld" + "t-" + ALNUM[:20],
    "Azure storage": "AccountKey=" + (ALNUM * 3)[:86] + "==",
}


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No socket may be opened and no name looked up, and no detector may try what it found."""
    tried: list[str] = []

    def refuse(what: str) -> object:
        def refused(*_: object, **__: object) -> object:
            tried.append(what)
            raise AssertionError(what)

        return refused

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse(name))
    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    assert shapes.source().startswith("detect-secrets ")
    for name, module in list(sys.modules.items()):
        if name.startswith("detect_secrets.plugins."):
            for one in vars(module).values():
                if isinstance(one, type) and hasattr(one, "verify"):
                    monkeypatch.setattr(one, "verify", refuse("verify"))
    return tried


def test_what_the_library_knows_is_found_whatever_it_is_called(nobody: list[str]) -> None:
    assert [name for name, text in KNOWN.items() if not secret.is_known(f"x {text} y")] == []
    assert [name for name, text in KNOWN.items() if secret.is_known(f"x {text[:-20]} y")] == []
    assert nobody == []


def test_a_scan_asks_nobody_whether_a_secret_works(
    nobody: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = ("github_pat", "slack_bot", "slack_hook", "stripe", "aws_access_key", "npm", "gitlab_pat", "sendgrid")
    (tmp_path / ".env").write_text("\n".join(f"A{n}={corpus.secret(kind, 'x')}" for n, kind in enumerate(kinds)))
    run(["scan", str(tmp_path), "-o", "json"])
    assert capsys.readouterr().out.count('"AG101"') == len(kinds)
    assert nobody == []


def test_a_hostile_text_costs_no_time() -> None:
    for piece in (
        "sk-",
        "//registry/",
        "xoxb-1-",
        "AccountKey=",
        "ghp_",
        "M" * 24 + ".",
        "1" * 10 + ":",
        "a" * 32 + "-u",
        "a://b:",
        "a:",
    ):
        began = time.process_time()
        secret.is_known(piece * (150_000 // len(piece)))
        assert time.process_time() - began < 5


def test_without_the_library_the_scan_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "detect_secrets.plugins.slack", None)
    shapes._shapes.cache_clear()
    shapes.source.cache_clear()
    try:
        (tmp_path / ".env").write_text(f"A={corpus.secret('github_pat', 'x')}")
        run(["scan", str(tmp_path)])
        told = capsys.readouterr()
        assert "remit[scan]" in told.err
        assert "AG101" in told.out
        assert not secret.is_known(KNOWN["Telegram"])
    finally:
        shapes._shapes.cache_clear()
        shapes.source.cache_clear()
