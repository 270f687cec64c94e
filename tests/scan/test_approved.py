"""What is approved beforehand, run and called in clients' settings and in code, asked of each reader by itself."""

import ast
import json

import pytest

from remit.core.finding import Kind
from remit.scan import (
    calls,
    hooked,
    jsonc,
    owned,
    running,
    said,
    spelled,
    switched,
    tsagents,
    tsobject,
    tsrun,
    unasked,
    verbs,
)
from remit.scan.node import Node
from remit.scan.patch import patch
from tests.scan.test_fixed import mended

DRAWN = "q7ZtWm2Lx9RbVc4Hn8"


def _root(text: str) -> Node:
    root = jsonc.read(text)
    assert root is not None
    return root


@pytest.mark.parametrize(
    ("tool", "writes"),
    [
        ("get_issue", False),
        ("listFiles", False),
        ("create_issue", True),
        ("getter", True),
        ("mcp__git__git_push", True),
        ("get_commit", False),
        ("recommend", False),
        ("count_archived_cards", False),
        ("get_or_create_cart", True),
        ("pull_request_read", False),
        ("resolve_library_id", False),
        ("resolve_ticket", True),
        ("build_status", False),
        ("set_status", True),
        ("mark_read", True),
    ],
)
def test_what_a_tool_does_is_told_by_its_name(tool: str, writes: bool) -> None:
    assert verbs.writes(tool) is writes


@pytest.mark.parametrize(("command", "reads"), [("git status -s", True), ("git push", False), ("npm test", True)])
def test_what_a_command_does_is_told_by_how_it_begins(command: str, reads: bool) -> None:
    assert verbs.only_reads(command) is reads


def test_a_rule_with_a_secret_in_it_is_told_by_its_head_alone() -> None:
    assert said.short(f"Bash(curl -H {DRAWN})") == "Bash(…)"
    assert said.named([Node(1, "a"), Node(1, "b"), Node(1, "c"), Node(1, "d")]) == "a, b, c and more"


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (".cursor/hooks.json", '{"hooks": {"preToolUse": [{"command": "a"}]}}', 1),
        (".cursor/hooks.json", '{"hooks": {"preToolUse": [{"command": "a", "failClosed": true}]}}', 0),
        (".claude/settings.json", '{"hooks": {"PreToolUse": [{"hooks": [{"command": "a"}]}]}}', 0),
        (".claude/settings.json", '{"hooks": {"PreToolUse": [{"type": "http", "url": "https://a.example"}]}}', 1),
    ],
)
def test_a_hook_that_lets_pass_when_it_fails_is_told(path: str, text: str, told: int) -> None:
    assert len(list(hooked.told(path, _root(text)))) == told


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (".gemini/settings.json", '{"tools": {"autoAccept": true}}', 0),
        (".gemini/settings.json", '{"tools": {"allowed": ["write_file"]}}', 1),
        (".cursor/cli.json", '{"permissions": {"allow": ["Shell(rm)"]}}', 1),
        (".cursor/cli.json", '{"permissions": {"allow": ["Shell(ls)"]}}', 0),
    ],
)
def test_what_a_client_lets_be_done_unasked_is_told(path: str, text: str, told: int) -> None:
    assert len(list(switched.told(path, _root(text)))) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tool((a) => exec(a))", 1),
        ("tool((a) => /b/.exec(a))", 0),
        ("tool((a) => { if (!ALLOWED.has(a)) return; exec(a); })", 0),
        ("tool((a) => exec(b))", 0),
    ],
)
def test_a_tool_that_runs_what_it_is_told_is_found(text: str, told: int) -> None:
    assert len([kind for kind, _, _ in tsrun.told(text) if kind is Kind.BROAD_TOOL]) == told


@pytest.mark.parametrize(
    ("body", "runs"),
    [
        ("os.system(a)", 1),
        ("os.system(f'cd /x && {a}')", 1),
        ("os.system(f'ls {a}')", 0),
        ("subprocess.run(['git', 'log', a])", 0),
        ("subprocess.run(['bash', '-lc', a])", 1),
        ("ssh.exec_command(a)", 1),
    ],
)
def test_a_call_that_runs_what_a_function_is_told_is_found(body: str, runs: int) -> None:
    function = ast.parse(f"def f(a):\n    {body}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert len(list(running.calls(function))) == runs


def test_code_that_asks_nobody_is_told() -> None:
    always = 'const o = { canUseTool: async (_n, i) => ({ behavior: "allow", updatedInput: i }) };'
    chooses = always.replace('"allow"', 'ok(i) ? "allow" : "deny"')
    assert [line for _, line, _ in unasked.told(always)] == [1]
    assert list(unasked.told(chooses)) == []
    (one,) = tsobject.objects('start({ sandboxMode: "workspace-write", approvalPolicy: "never" })')
    assert [kind for kind, _, _ in unasked.of_object(one)] == [Kind.UNASKED]


def test_addresses_that_code_calls_without_tls_are_told() -> None:
    tree = ast.parse('API_URL = "http://a.acme.example"\nNS = "http://www.w3.org/2005/Atom"\n')
    assert [line for _, line, _ in calls.in_python(tree)] == [1]
    assert len(list(calls.in_typescript('fetch("http://a.acme.example"); fetch("http://localhost:1");'))) == 1


def test_a_home_in_code_is_a_home_and_a_short_member_is_its_name() -> None:
    (one,) = tsobject.objects(
        'f({ a: process.env.HOME!, b: path.join(os.homedir(), ".ssh"), c, d: new URL("https://x") })'
    )
    assert {name: node.text for name, node in one.members.items()} == {
        "a": "~", "b": "~/.ssh", "c": "${c}", "d": "https://x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("Path.home()", "~"),
        ("f'{Path.home()}/.kube:/k'", "~/.kube:/k"),
        ("Path.home() / '.aws'", "~/.aws"),
        ("os.path.join(os.path.expanduser('~'), '.ssh')", "~/.ssh"),
        ("f'{x}/a'", "${x}/a"),
    ],
)
def test_a_place_in_a_home_is_read_as_one(code: str, text: str) -> None:
    assert spelled.read(ast.parse(code, mode="eval").body).text == text


def test_an_agent_is_told_by_what_its_names_stand_for_and_a_list_of_itself_ends() -> None:
    code = (
        "const web = tool({ name: 'web_search' }); const db = tool({ name: 'query_database' });\n"
        "const mail = tool({ name: 'send_mail' }); const all = [web, db, mail, ...all];\n"
        "const agent = new Agent({ name: 'a', tools: all });\n"
    )
    assert [kind for kind, _, _ in tsagents.told(code)] == [Kind.TOXIC]
    assert list(tsagents.told(code.replace("web, db", "db"))) == []


def test_what_code_makes_with_an_owner_that_is_nobody_is_told() -> None:
    made = 'new aws.iam.Role("agent", { tags: { owner: "TBD" } })'
    assert [kind for kind, _, _ in owned.told(made)] == [Kind.UNOWNED]
    assert list(owned.told(made.replace("TBD", "payments"))) == []
    tree = ast.parse('Tags.of(agent).add("owner", "TBD")')
    assert [kind for kind, _, _ in owned.in_python(tree)] == [Kind.UNOWNED]


@pytest.mark.parametrize(
    "rule", ["mysql -u root -phunter2:*", "PGPASSWORD=hunter2 psql", "curl -H 'Authorization: Bearer hunter2pass':*",
             "curl -u me:hunter2 x", "x --token hunter2:*"],
)  # fmt: skip
def test_a_short_secret_in_a_rule_is_not_told(rule):
    text = f"Bash({rule})"
    assert said.short(text) == "Bash(…)"
    settings = json.dumps({"permissions": {"allow": ["Read", text]}}, indent=1)
    assert "hunter2" not in patch(mended(".claude/settings.json", settings))


def test_a_rule_with_no_secret_stands():
    for text in ("Bash(npm run token:*)", "Bash(git push:*)", "mcp__git__push", "Bash(gh auth status)"):
        assert said.short(text) == text
