"""How servers are reached, as that is written down: no secret, and known again."""

import json

import pytest

from remit.scan.target import HIDDEN, Target, same, targets

TOKEN = "tok_9fK2mQ7xZr4LwB8sVd3N"
FILE = "/site/.mcp.json"


def target(**entry):
    [one] = targets(FILE, json.dumps({"mcpServers": {"one": entry}}))
    return one


@pytest.mark.parametrize(
    ("entry", "url", "argv", "lacks"),
    [
        ({"url": "https://mail.example.com:8443/mcp"}, "https://mail.example.com:8443/mcp", (), ""),
        ({"url": "https://[::1]:9/mcp"}, "https://[::1]:9/mcp", (), ""),
        ({"url": f"https://mail.example.com/s/{TOKEN}/mcp"}, f"https://mail.example.com/{HIDDEN}", (), "token"),
        ({"url": f"https://mail.example.com/mcp?key={TOKEN}"}, "https://mail.example.com/mcp", (), "more than a path"),
        ({"url": f"https://u:{TOKEN}@mail.example.com/mcp"}, "https://mail.example.com/", (), "token"),
        ({"url": "${MAIL_URL}"}, HIDDEN, (), "no"),
        ({"url": "https://${HOST}/mcp"}, HIDDEN, (), "not an http"),
        ({"url": "https://mail.example.com/${ENV}/mcp"}, f"https://mail.example.com/{HIDDEN}", (), "variable"),
        ({"url": "wss://mail.example.com/mcp"}, HIDDEN, (), "not an http"),
        ({"url": "https://[mail/mcp"}, HIDDEN, (), "not an http"),
        ({"command": "npx", "args": ["-y", "@acme/notes@1.2.3"]}, "", ("npx", "-y", "@acme/notes@1.2.3"), ""),
        ({"command": "notes", "args": ["--api-key", "short"]}, "", ("notes", "--api-key", HIDDEN), "secret"),
        ({"command": "notes", "args": [f"--token={TOKEN}"]}, "", ("notes", None), "secret"),
        ({"command": "notes", "args": [TOKEN]}, "", ("notes", HIDDEN), "secret"),
        ({"command": "notes", "args": ["--password=hunter2"]}, "", ("notes", f"--password={HIDDEN}"), "secret"),
        (
            {"command": "pg-mcp", "args": ["postgresql://app:pw@db/app"]},
            "", ("pg-mcp", HIDDEN), "secret",
        ),
        ({"command": "notes", "args": ["--root", "${HOME}"]}, "", ("notes", "--root", "${HOME}"), "variable"),
        ({"command": "notes", "args": ["x"] * 99}, "", None, "too long"),
        ({"command": "notes", "args": ["y" * 999]}, "", ("notes", HIDDEN), "secret"),
    ],
)  # fmt: skip
def test_nothing_that_may_be_a_secret_is_told(entry, url, argv, lacks):
    one = target(**entry)
    if argv is not None and None not in argv:
        assert one.argv == argv
    assert HIDDEN in one.url if url.endswith("/") else one.url == url
    assert lacks in one.lacks if lacks else not one.lacks
    assert TOKEN not in repr(one)


CANARY = "Tr0ub4dor&3"


@pytest.mark.parametrize(
    "words",
    [
        ["env", f"DB_PASSWORD={CANARY}", f"GITHUB_TOKEN={CANARY}", "npx", "x"],
        ["env", f"PGPASSWORD={CANARY}", "npx", "x"],
        ["sh", "-c", f"DB_PASSWORD='{CANARY}' npx x"],
        ["bash", "-lc", f"PGPASSWORD={CANARY} npx x"],
        ["cmd", "/c", f"npx x {CANARY}"],
        ["powershell", "-Command", f"npx x {CANARY}"],
        [f"sh -c \"A='one {CANARY}' npx x\""],
        [f'notes --password "one {CANARY}" x'],
        ["npx", "x", "--header", f"Authorization:Bearer {CANARY}"],
        ["npx", "x", "--header", f"Authorization: Bearer {CANARY}"],
        ["npx", "x", "--header", f"Cookie: session={CANARY}"],
        ["npx", "x", f"--header=Cookie: a={CANARY}"],
        ["npx", "x", "--config", json.dumps({"apiKey": CANARY})],
        ["npx", "x", "--config", json.dumps({"any": CANARY})],
        ["npx", "x", f"host=a password={CANARY}"],
        ["npx", "x", f"Server=a;Password={CANARY};"],
        ["npx", "x", "--token", f"${{TOKEN:-{CANARY}}}"],
        ["npx", "x", f"--token=${{TOKEN:-{CANARY}}}"],
        ["npx", "x", f"${{ANY-{CANARY}}}"],
        ["npx", "x", f"--token=$PART{CANARY}"],
        ["mysql", f"-p{CANARY}"],
        ["curl", "-u", f"user:{CANARY}"],
        ["curl", f"--user=user:{CANARY}"],
        ["redis-cli", "-a", CANARY],
        ["pg", f"postgresql://u:a/{CANARY}@h/db"],
        ["pg", f"postgresql://u:{CANARY}@h/db"],
        ["npx", "x", f"https://h.example/p#token={CANARY}"],
        ["npx", "x", f"https://h.example/p?q={CANARY}"],
        ["npx", "x", f"https://h.example/key/{CANARY}"],
        ["npx", "x", f"https://h.example/key%3D{CANARY}/mcp"],
    ],
)
def test_no_word_of_a_command_holds_a_secret_of_any_shape(words):
    one = target(command=words[0], args=words[1:])
    assert CANARY not in repr(one)
    assert "secret" in one.lacks
    assert not any("4dor" in word for word in one.argv)


@pytest.mark.parametrize(
    "url",
    [
        "https://mcp.zapier.com/api/mcp/s/Tr0ub4dorYzE4/mcp",
        "https://h.example/key=Tr0ub4dor/mcp",
        "https://h.example/key%3DTr0ub4dor/mcp",
        "https://h.example/token/troub4dor/mcp",
        "https://h.example/p#token=Tr0ub4dor",
        "https://u:12/Tr0ub4dor@h.example/mcp",
        "https://Tr0ub4dor/x@h.example/mcp",
        "https://h.example/mcp;key=Tr0ub4dor",
    ],
)
def test_no_address_holds_a_secret_of_any_shape(url):
    one = target(url=url)
    assert "roub4dor" not in repr(one).lower()
    assert one.lacks


@pytest.mark.parametrize(
    "words",
    [
        ["npx", "-y", "@acme/mcp-token@1.2.3"],
        ["cmd", "/c", "npx", "-y", "@acme/notes"],
        ["docker", "run", "-i", "--rm", "-p", "8080:80", "-v", "/srv/key:/key:ro", "acme/mcp-token:1.2.3"],
        ["docker", "run", "-p8080:80", "-u", "1000:1000", "-e", "NOTES_TOKEN", "acme/notes"],
        ["uvx", "--from", "git+https://github.com/acme/notes@v1.2.3", "notes"],
        ["npx", "mcp-remote", "https://mail.example.com:8443/api/v1/mcp"],
        ["notes", "--port", "8080", "--max-tokens=100", "--auth=none", "--root", "/srv/My Documents"],
        ["node", "C:\\acme\\server.js", "--project", "notes-2"],
    ],
)
def test_what_holds_no_secret_stands_as_it_is(words):
    one = target(command=words[0], args=words[1:])
    assert (list(one.argv), one.lacks) == (words, "")


def test_every_server_that_is_switched_on_is_told_of():
    text = json.dumps(
        {"mcpServers": {"a": {"command": "a"}, "b": {"command": "b", "disabled": True}, "c": {"env": {}}}}
    )
    assert [one.server for one in targets(FILE, text)] == ["a"]
    assert [one.server for one in targets("/site/any.json", text)] == ["a"]
    assert targets("/site/notes.md", text) == ()


@pytest.mark.parametrize(
    ("entry", "url", "argv", "is_it"),
    [
        ({"url": "https://a.example/mcp"}, "https://a.example/mcp/", (), True),
        ({"url": "https://a.example/mcp"}, "https://a.example/other", (), False),
        ({"url": "https://a.example/mcp"}, "http://a.example/mcp", (), False),
        ({"url": f"https://a.example/{TOKEN}"}, "https://a.example/real", (), True),
        ({"url": f"https://a.example/{TOKEN}"}, "https://b.example/real", (), False),
        ({"url": "https://a.example/mcp"}, "", ("a",), False),
        (
            {"command": "npx", "args": ["-y", "@acme/notes@1.2.3"]},
            "",
            ("/usr/bin/npx", "-y", "@acme/notes@2.0.0"),
            True,
        ),
        ({"command": "npx", "args": ["-y", "@acme/notes"]}, "", ("uvx", "-y", "@acme/notes"), False),
        ({"command": "npx", "args": ["fs", "/srv"]}, "", ("npx", "fs", "/"), False),
        ({"command": "node", "args": ["server.js"]}, "", ("/usr/bin/node", "/site/server.js"), True),
        ({"command": "node", "args": ["server.js"]}, "", ("/usr/bin/node", "/other/server.js"), False),
        ({"command": "npx", "args": ["@acme/notes", "--key", TOKEN]}, "", ("npx", "@acme/notes"), True),
        ({"command": "npx", "args": ["@acme/notes", "--key", TOKEN]}, "", ("npx", "@acme/other"), False),
        ({"command": "a"}, "", (), False),
        ({"command": "/evil/python", "args": ["/srv/server.py"]}, "", ("python", "/srv/server.py"), False),
        ({"command": "python", "args": ["/srv/server.py"]}, "", ("/evil/python", "/srv/server.py"), False),
        ({"command": "python", "args": ["/srv/server.py"]}, "", ("/usr/bin/python", "/srv/server.py"), True),
        ({"command": "env", "args": ["PYTHONPATH=/evil", "a"]}, "", ("a",), False),
        ({"command": "python", "args": ["server.py"]}, "", ("python", "server.py"), False),
        ({"command": "python", "args": ["-m", "evil", "--key", TOKEN]}, "", ("python", "-m", "good"), False),
        ({"command": "./run"}, "", ("/site/run",), True),
    ],
)
def test_a_server_is_known_again(entry, url, argv, is_it):
    one = target(**entry)
    found = f"/usr/bin/{one.argv[0]}" if one.argv and "/" not in one.argv[0] else ""
    assert same(one, url, argv, found=found) is is_it


def test_a_server_is_known_again_in_its_folder_only():
    one = target(command="python", args=["server.py"])
    assert same(one, "", one.argv, "/site")
    assert not same(one, "", one.argv, "/other")
    assert not same(one, "", one.argv)


def test_a_mark_is_the_same_for_what_is_reached_alike():
    assert Target("a", 1, "https://a.example/mcp").mark == Target("b", 9, "https://a.example/mcp").mark
    assert Target("a", 1, argv=("a",)).mark != Target("a", 1, argv=("b",)).mark
