"""What is told fits the terminal and loses nothing: in cells of several lines, or each long cell below its row."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from remit.cli import wide

HEAD = ("code", "severity", "where", "what", "fix")
PATH = "services/agents/support/.mcp.json:12"
ROWS = [
    ("AG101", "high", PATH, "server notes: env API_KEY holds a literal value", "Replace the value at its issuer. " * 4),
    ("AG120", "medium", ".mcp.json:3", "npx runs a package with no exact version", "Name one exact version."),
]


def words(lines):
    return sorted(word for line in lines for word in line.split())


@pytest.mark.parametrize("most", [40, 60, 80, 100, 140, 1000])
def test_no_line_is_too_long_and_no_word_is_lost_or_cut(most):
    lines = wide.table(HEAD, ROWS, most)
    assert max(map(len, lines)) <= most
    whole = words(wide.table(HEAD, ROWS, 0))
    labels = sum(line.split()[:1] in ([name], [name.upper()]) for line in lines for name in HEAD)
    assert set(whole) - {name.upper() for name in HEAD} <= set(words(lines))
    assert len(words(lines)) <= len(whole) + labels


def test_what_is_wide_enough_is_one_line_each_and_so_is_what_nobody_looks_at():
    whole = wide.table(HEAD, ROWS, 0)
    assert len(whole) == 3
    assert wide.table(HEAD, ROWS, max(map(len, whole))) == whole


def test_a_word_that_is_longer_than_the_line_stays_whole():
    path = "a/" * 60 + "x.json:1"
    assert any(path in line for line in wide.table(("where", "what"), [(path, "it is long")], 80))
    assert path in wide.wrapped(f"name  {path}", 40)[-1]


def test_a_cell_is_broken_where_few_lines_do_and_put_below_where_they_would_not():
    text = "some words that take more than a line of theirs"
    assert len(wide.table(("id", "what"), [("agt_1", text)], 40)) == 3
    below = wide.table(("id", "what"), [("agt_1", text * 4)], 40)
    assert below[:2] == ["ID", "agt_1"]
    assert below[2].startswith("    what  some")


def test_a_way_is_broken_between_its_steps_alone():
    steps = ["agent:a", "[may plan] grant:b/0 (mcp:c/d)", "[uses (writes)] tool:mcp:c/d"]
    assert wide.joined(steps, " > ", 0) == [" > ".join(steps)]
    assert wide.joined(steps, " > ", 1000) == [" > ".join(steps)]
    assert wide.joined(steps, " > ", 50) == [
        "agent:a > [may plan] grant:b/0 (mcp:c/d) >", "    [uses (writes)] tool:mcp:c/d",
    ]  # fmt: skip
    assert wide.joined(["x"], " > ", 40) == ["x"]


def shown(command: list[str], place: Path, environment: dict[str, str]) -> str:
    """What a command shows on a terminal of 72 columns."""
    above, below = pty.openpty()
    parts = []
    try:
        subprocess.run(["stty", "cols", "72"], stdin=below, check=True)
        process = subprocess.Popen(command, cwd=place, stdout=below, stderr=subprocess.DEVNULL, env=environment)
        # Our own end stays open until the command is over, so that nothing that it wrote goes with it.
        while (ended := process.poll()) is None or select.select([above], [], [], 0)[0]:
            if select.select([above], [], [], 0.1)[0]:
                parts.append(os.read(above, 65_536))
    finally:
        os.close(above)
        os.close(below)
    assert ended == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_a_scan_fits_the_terminal_that_it_is_shown_in(tmp_path: Path) -> None:
    deep = tmp_path / "services" / "support"
    deep.mkdir(parents=True)
    (deep / ".mcp.json").write_text('{"mcpServers": {"a": {"url": "http://a.example.com/mcp"}}}')
    command = [sys.executable, "-m", "remit.cli.main", "scan", "."]
    bare = {name: text for name, text in os.environ.items() if name != "COLUMNS"}
    for environment, most in ((bare, 72), ({**bare, "COLUMNS": "50"}, 50)):
        told = shown(command, tmp_path, environment)
        assert max(map(len, told.splitlines())) <= most
        assert "services/support/.mcp.json:1" in told
        assert "AG130" in told
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=bare).stdout
    assert len(piped.splitlines()) == 2, "one line each, for whatever reads it"
