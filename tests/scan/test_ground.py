"""The folder in which a server's command runs: told where it tells which program is meant, and nowhere else."""

import json

import pytest

from remit.scan import ground
from remit.scan.target import HIDDEN, targets

FILE = "/site/.mcp.json"


def where(file, **entry):
    [one] = targets(file, json.dumps({"mcpServers": {"one": entry}}))
    return one


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ("python server.py", True),
        ("/usr/bin/python server.py", True),
        ("python -m server", True),
        ("python -mserver", True),
        ("./run", True),
        ("make", True),
        ("npm start", True),
        ("uv run --with mcp server", True),
        ("npx -y @acme/files .", True),
        ("npx ./notes", True),
        ("uvx --from . notes", True),
        ("node --require=./more.js /srv/server.js", True),
        ("python /srv/server.py --port 80 --at http://127.0.0.1:9/mcp", False),
        ("notes-mcp", False),
        ("notes-mcp --read-only", False),
        ("npx -y @acme/notes@1.2.3 stdio", False),
        ("uvx notes serve", False),
        ("docker run -i --rm mcp/notes", False),
    ],
)
def test_the_folder_is_part_of_what_a_command_is_where_it_tells_which_file_is_meant(words, counts):
    first, *rest = words.split()
    assert where(FILE, command=first, args=rest).folder == ("/site" if counts else "")


def test_a_client_runs_what_it_names_in_the_folder_above_its_own_or_where_it_says():
    python = {"command": "python", "args": ["server.py"]}
    assert (
        where("/site/.cursor/mcp.json", **python).folder
        == where("/site/.kiro/settings/mcp.json", **python).folder
        == "/site"
    )
    assert where("/home/.work/a/.mcp.json", **python).folder == "/home/.work/a"
    assert where(FILE, **python, cwd="tools").folder == "/site/tools"
    hidden = where(FILE, **python, cwd="${SOMEWHERE}")
    assert (hidden.folder, hidden.lacks.split()[:2]) == (HIDDEN, ["its", "folder"])


def test_words_that_may_be_files_are_told_by_their_places():
    assert ground.relative(("python", "-u", "server.py", "/srv/data")) == [2]
    assert ground.relative(()) == []
