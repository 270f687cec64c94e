"""Every reader: what it finds, on which line, and what looks alike and is right."""

import pytest

from remit.core.finding import Kind
from remit.scan import cloud, code, consent, launch, profile, readers, server, unit, workflow, workload
from remit.scan.node import Node

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"


def found(path: str, text: str) -> list[tuple[str, int]]:
    """Codes and lines, in the order of the file; no reader ever tells the secret."""
    told = readers.read(path, text.encode())
    assert not isinstance(told, str), told
    assert KEY not in repr(told)
    return sorted((one.kind.value, one.evidence.line) for one in told)


COMPOSE = f"""services:
  a:
    image: acme/a
    environment: ["API_KEY={KEY}"]
    volumes: ["~/.ssh:/k:ro", "data:/root", "./src:/src"]
  b:
    image: acme/b:1.2.3
    environment: {{MCP_URL: "http://tools:8080/mcp"}}
    command: ["codex", "--yolo"]
"""
POD = """apiVersion: v1
kind: Pod
spec:
  volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]
  containers:
    - image: acme/a:latest
      env: [{name: T, valueFrom: {secretKeyRef: {name: s, key: t}}}]
"""
WORKFLOW = """on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
        with: {token: "${{ secrets.A }}"}
      - uses: other/step@main
        with: {token: "${{ secrets.A }}"}
      - run: |
          echo hello
          claude -p go --dangerously-skip-permissions
"""
UNIT = f"""[Service]
# Environment=TOKEN={KEY}
Environment=TOKEN={KEY} \\
  MODE=x
BindPaths=/home/ann
ExecStart=/usr/bin/a
"""
CODE = f"""import os
from mcp import StdioServerParameters
os.environ["API_KEY"] = "{KEY}"
a = StdioServerParameters(command="npx", args=["-y", "b-mcp"])
b = connect(url="http://mcp.acme.example/x", verify=False)
c = ShellTool()
d = {{"command": "npx", "args": ["-y", "b@1.2.3"], "env": {{"TOKEN": os.environ["T"]}}}}
"""
POLICY = """data "aws_iam_policy_document" "a" {
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["*"]
  }
  statement {
    actions   = ["ec2:DescribeInstances"]
    resources = ["*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}
"""


@pytest.mark.parametrize(
    ("path", "text", "due"),
    [
        ("compose.yaml", COMPOSE, [("AG101", 4), ("AG120", 3), ("AG122", 5), ("AG131", 9)]),
        ("k8s/pod.yaml", POD, [("AG120", 6), ("AG122", 4)]),
        (".github/workflows/a.yml", WORKFLOW, [("AG120", 7), ("AG131", 11)]),
        ("a.service", UNIT, [("AG101", 3), ("AG122", 5)]),
        ("app/a.py", CODE, [("AG101", 3), ("AG120", 4), ("AG121", 6), ("AG130", 5), ("AG130", 5)]),
        ("main.tf", POLICY, [("AG112", 4)]),
        (".zshrc", f"# export A_TOKEN={KEY}\nexport A_TOKEN={KEY}\nalias c='a --yolo'\n", [("AG101", 2), ("AG131", 3)]),
        ("config.fish", f"set -gx A_TOKEN {KEY}\n", [("AG101", 1)]),
        (".env", f"DB=postgres://u:{KEY}@h/d\nNODE_TLS_REJECT_UNAUTHORIZED=0\n", [("AG101", 1), ("AG130", 2)]),
        (".codex/config.toml", '[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", "b"]\n', [("AG120", 3)]),
        ("goose/config.yaml", "extensions:\n  a: {cmd: uvx, args: [b-mcp]}\n", [("AG120", 2)]),
        ("opencode.json", '{"mcp": {"a": {"command": ["npx", "b"]}}}', [("AG120", 1)]),
        ("role.json", '{"AssignableScopes": ["/"],\n "Actions": ["*"]}', [("AG112", 2)]),
        ("values.yaml", f"token: {KEY}\n", []),
        ("tests/test_a.py", CODE, []),
    ],
)  # fmt: skip
def test_what_stands_in_a_file_is_found_on_its_line(path: str, text: str, due: list[tuple[str, int]]) -> None:
    assert readers.wants(path)
    assert found(path, text) == due


@pytest.mark.parametrize(
    ("tool", "writes"),
    [
        ("get_issue", False),
        ("listFiles", False),
        ("create_issue", True),
        ("getter", True),
        ("mcp__git__git_push", True),
    ],
)
def test_what_a_tool_does_is_told_by_its_name(tool: str, writes: bool) -> None:
    assert consent.writes(tool) is writes


@pytest.mark.parametrize(
    "settings",
    [
        '{"permissions": {"allow": ["Bash(rm:*)"]}}',
        '{"permissions": {"defaultMode": "bypassPermissions"}}',
        '{"permissions": {"allow": ["mcp__git"]}}',
        '{"hooks": {"PreToolUse": [{"hooks": [{"command": "guard || true"}]}]}}',
    ],
)
def test_an_approval_beforehand_is_found(settings: str) -> None:
    assert [code for code, _ in found(".claude/settings.json", settings)] == ["AG131"]


@pytest.mark.parametrize(
    "settings",
    [
        '{"permissions": {"allow": ["Bash(git status:*)", "Read", "mcp__git__git_log", "Edit(src/**)"]}}',
        '{"permissions": {"defaultMode": "plan"}}',
        '{"hooks": {"PreToolUse": [{"command": "guard"}], "Stop": [{"command": "x || true"}]}}',
    ],
)
def test_an_approval_of_what_reads_is_right(settings: str) -> None:
    assert found(".claude/settings.json", settings) == []


def test_words_that_only_start_another_command_are_left_out() -> None:
    words = [("sudo", 1), ("bash", 1), ("-lc", 1), ("A=b npx x@1.0.0", 2)]
    assert launch.bare(words) == [("npx", 2), ("x@1.0.0", 2)]
    assert list(launch.told(words)) == []


@pytest.mark.parametrize(
    ("image", "pinned"),
    [("a/b", False), ("a/b:latest", False), ("a:main", False), ("a:5000/b:1.2", True), (f"a@sha256:{'0' * 64}", True)],
)
def test_an_image_is_pinned_by_a_version_or_a_digest(image: str, pinned: bool) -> None:
    assert launch.pinned_image(image) is pinned


@pytest.mark.parametrize(
    ("url", "out"),
    [("http://a.example/x", True), ("https://a.example", False), ("http://a.svc", False), ("http://127.9.9.9", False)],
)
def test_an_address_beyond_the_machine_is_told_apart(url: str, out: bool) -> None:
    assert server.beyond(url) is out


def test_a_command_that_is_one_text_is_split() -> None:
    assert server.words(Node(1, {"command": Node(2, "npx -y b")})) == [("npx", 2), ("-y", 2), ("b", 2)]


def test_a_reader_says_which_files_are_its_own() -> None:
    assert unit.wants("a.service.d/x.conf")
    assert workflow.wants("x/.github/workflows/a.yaml")
    assert not workflow.wants("workflows/a.yaml")
    assert workload.wants("devcontainer.json")
    assert profile.wants("home/.bashrc")
    assert not code.wants("tests/a.py")
    assert cloud.wants("a.tf")
    assert {one.value for one in Kind} >= {code for code, _ in found("main.tf", POLICY)}
