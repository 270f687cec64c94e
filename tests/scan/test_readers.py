"""Every reader: what it finds, on which line, and what looks alike and is right."""

import pytest

from remit.core.finding import Kind
from remit.scan import (
    addressed,
    cloud,
    code,
    launch,
    packaged,
    profile,
    readers,
    server,
    unit,
    workflow,
    workload,
    wrapped,
)
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
a = StdioServerParameters(command="npx", args=["-y", "b-mcp"], env={{"TOKEN": os.environ["T"]}})
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
        ("compose.yaml", COMPOSE, [("AG101", 4), ("AG120", 3), ("AG121", 9), ("AG122", 5), ("AG131", 9)]),
        ("k8s/pod.yaml", POD, [("AG120", 6), ("AG122", 4)]),
        (".github/workflows/a.yml", WORKFLOW, [("AG120", 7), ("AG131", 11)]),
        ("a.service", UNIT, [("AG101", 3), ("AG122", 5)]),
        ("app/a.py", CODE, [("AG101", 3), ("AG120", 4), ("AG121", 6), ("AG130", 5), ("AG130", 5)]),
        ("main.tf", POLICY, [("AG112", 4)]),
        (".zshrc", f"# export A_TOKEN={KEY}\nexport A_TOKEN={KEY}\nalias c='a --yolo'\n", [("AG101", 2), ("AG131", 3)]),
        ("config.fish", f"set -gx A_TOKEN {KEY}\n", [("AG101", 1)]),
        (".env", f"DB=postgres://u:{KEY}@h/d\nNODE_TLS_REJECT_UNAUTHORIZED=0\n", [("AG101", 1), ("AG130", 2)]),
        (".codex/config.toml", '[mcp_servers.a]\ncommand="npx"\nargs=["-y", "b"]\nenv_vars=["A_KEY"]', [("AG120", 3)]),
        ("goose/config.yaml", "extensions:\n  a: {cmd: uvx, args: [b-mcp], env_keys: [A_TOKEN]}\n", [("AG120", 2)]),
        ("opencode.json", '{"mcp": {"a": {"command": ["npx", "b"], "environment": {"A_KEY": "$B"}}}}', [("AG120", 1)]),
        ("role.json", '{"AssignableScopes": ["/"],\n "Actions": ["*"]}', [("AG111", 2), ("AG112", 2)]),
        ("values.yaml", f"token: {KEY}\n", []),
    ],
)  # fmt: skip
def test_what_stands_in_a_file_is_found_on_its_line(path: str, text: str, due: list[tuple[str, int]]) -> None:
    assert readers.wants(path)
    assert found(path, text) == due


def test_a_test_of_python_is_not_read() -> None:
    assert not readers.wants("tests/test_a.py")
    assert readers.wants("app/a.py")


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
    assert wrapped.bare(words) == [("npx", 2), ("x@1.0.0", 2)]
    assert list(launch.told(words)) == []


@pytest.mark.parametrize(
    ("image", "pinned"),
    [("a/b", False), ("a/b:latest", False), ("a:main", False), ("a:5000/b:1.2", True), (f"a@sha256:{'0' * 64}", True)],
)
def test_an_image_is_pinned_by_a_version_or_a_digest(image: str, pinned: bool) -> None:
    assert packaged.pinned_image(image) is pinned


@pytest.mark.parametrize(
    ("url", "out"),
    [("http://a.example/x", True), ("https://a.example", False), ("http://a.svc", False), ("http://127.9.9.9", False)],
)
def test_an_address_beyond_the_machine_is_told_apart(url: str, out: bool) -> None:
    assert addressed.beyond(url) is out


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


PROVIDER = "[profiles.a]\n[model_providers.a]\nbase_url = "
SHELL_TOOL = """import subprocess
from fastmcp import FastMCP
mcp = FastMCP("a")
@mcp.tool()
def run(line: str) -> int:
    return subprocess.run({}, shell=True).returncode
"""
SCRIPT = "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          {}\n"


@pytest.mark.parametrize(
    ("path", "text", "due"),
    [
        (".config/zed/settings.json", '{"agent": {"always_allow_tool_actions": true}}', ["AG131"]),
        (".config/zed/settings.json", '{"agent": {"always_allow_tool_actions": false}}', []),
        (".codex/config.toml", PROVIDER + '"http://llm.a.example/v1"', ["AG130"]),
        (".codex/config.toml", PROVIDER + '"http://localhost:1234/v1"', []),
        (".claude/settings.json", '{"env": {"ANTHROPIC_BASE_URL": "http://llm.a.example"}}', ["AG130"]),
        (".env", "MCP_SERVER_URL=http://a.example/mcp\n", ["AG130"]),
        (".env", f"MCP_SERVER_URL=http://127.0.0.1/mcp\nSTRIPE_KEY=pk_live_{KEY}\n", []),
        ("k8s/a.yaml", "apiVersion: v1\nkind: Secret\nstringData: {A_KEY: 'ENC[AES256_GCM,data:q7ZtWm2Lx9R]'}\n", []),
        ("compose.yaml", "services: {a: {build: ., image: acme-a, environment: {A_KEY: $A_KEY}}}\n", []),
        (
            ".mcp.json",
            '{"servers": {"a": {"command": "deno", "args": ["run", "npm:a-mcp"], "env": {"A_TOKEN": "$A"}}}}',
            ["AG120"],
        ),
        (".mcp.json", '{"servers": {"a": {"command": "deno", "args": ["run", "jsr:@a/mcp@1.0.0/bin"]}}}', []),
        (".mcp.json", '{"mcp": {"a": {"command": ["mcp-server-filesystem", "{env:HOME}"]}}}', ["AG121"]),
        (
            ".mcp.json",
            '{"servers": {"a": {"command": "docker", "args": ["run", "--mount", "type=tmpfs,dst=/root/.aws", "a:1"]}}}',
            [],
        ),
        (".vscode/settings.json", '{"chat.tools.terminal.autoApprove": {"/^git (log|diff)\\\\b/": true}}', []),
        (".vscode/settings.json", '{"chat.tools.terminal.autoApprove": {"/^git (log|push)/": true}}', ["AG131"]),
        (".vscode/settings.json", '{"chat.tools.terminal.autoApprove": {"/^ls|rm/": true}}', ["AG131"]),
        (".bashrc", f"export A=1 B_TOKEN={KEY}\n", ["AG101"]),
        (".bashrc", f"[ -z $A ] && export B_TOKEN='{KEY}'\n", ["AG101"]),
        (".bashrc", "export GOOSE_MODE=auto\n", ["AG131"]),
        (".bashrc", "export GOOSE_MODE=approve\n", []),
        ("a.service", "ExecStart=/usr/bin/a-mcp --host 0.0.0.0 --port 80\n", ["AG130"]),
        ("a.service", "ExecStart=/usr/bin/a-mcp --host 0.0.0.0 --auth-file /etc/a\n", []),
        (
            ".github/workflows/a.yml",
            SCRIPT.format("docker run \\\n            -v $HOME/.aws:/a \\\n            a:1.0"),
            ["AG122"],
        ),
        (
            ".github/workflows/a.yml",
            SCRIPT.format(f"curl -H 'Authorization: Bearer {KEY}' https://a.example"),
            ["AG101"],
        ),
        ("azure/a.tf", 'resource "a" "b" {\n permissions {\n actions = ["M.C/machines/*"]\n }\n}\n', ["AG112"]),
        ("azure/a.tf", 'resource "a" "b" {\n permissions {\n actions = ["M.C/machines/read"]\n }\n}\n', []),
        ("a.py", SHELL_TOOL.format("line"), ["AG121"]),
        ("a.py", SHELL_TOOL.format("'uptime'"), []),
        ("a.py", "from langchain import x\nShellTool(ask_human_input=False)\n", ["AG121", "AG131"]),
        ("a.py", "from langchain import x\nShellTool(ask_human_input=True)\n", []),
        ("a.py", "from langchain import load_tools\nload_tools(['terminal'])\n", ["AG121"]),
        ("a.py", "import ssl, openai\nssl._create_default_https_context = ssl._create_unverified_context\n", ["AG130"]),
        ("a.py", "from claude_agent_sdk import A\nA(permission_mode='bypassPermissions')\n", ["AG131"]),
        ("a.py", "from claude_agent_sdk import A\nA(permission_mode='default')\n", []),
        ("a.py", "import autogen\nA(human_input_mode='NEVER', code_execution_config={'work_dir': 'a'})\n", ["AG131"]),
        ("a.py", "import autogen\nA(human_input_mode='NEVER', code_execution_config=False)\n", []),
        ("a.py", "import autogen\nA(config={'work_dir': 'a', 'use_docker': False})\n", ["AG121"]),
    ],
)
def test_a_rule_finds_what_it_is_for_and_lets_its_like_stand(path: str, text: str, due: list[str]) -> None:
    assert [code for code, _ in found(path, text)] == due


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "agent.py",
            "import openai\ns = ssl.create_default_context()\ns.verify_mode = ssl.CERT_NONE\n",
            [("AG130", 3)],
        ),
        ("agent.py", "import openai\nc = Session()\nc.verify = False\n", [("AG130", 3)]),
        ("agent.py", "import openai\nCodeAgent(additional_authorized_imports=['*'])\n", [("AG121", 2)]),
        ("agent.py", "import openai\nFileTools(base_dir=Path('/'))\n", [("AG121", 2)]),
        ("agent.py", "import openai\nFileTools(base_dir=Path('/srv/work'))\n", []),
        ("agent.service", "[Service]\nExecStart=/usr/bin/codex exec --sandbox danger-full-access\n", [("AG121", 2)]),
        ("agent.service", "[Service]\nExecStart=/usr/bin/curl -fsSk https://a.example\n", [("AG130", 2)]),
        ("agent.service", "[Service]\nExecStart=/bin/mcp-server --host 0.0.0.0 --no-auth\n", [("AG130", 2)]),
        ("agent.service", "[Service]\nExecStart=/bin/mcp-server --host 0.0.0.0 --auth oidc\n", []),
        ("agent.service", "[Service]\nExecStart=/bin/web-mcp --base-path /\n", []),
        (".mcp.json", '{"mcpServers": {"a": {"url": "https://a.example/s/' + KEY + '8fQ2bd"}}}', [("AG130", 1)]),
        (".mcp.json", '{"mcpServers": {"a": {"url": "https://a.example/s/0b0d7a5e-9d4f-4f3e-8a51-6b0f2d9c1e77"}}}', []),
        (".env", "DATABASE_URL=postgres://db.example.com/a?sslmode=disable\n", [("AG130", 1)]),
        (".env", "DATABASE_URL=postgres://db/a?sslmode=disable\n", []),
        (".qwen/settings.json", '{"context": {"includeDirectories": ["~"]}}', [("AG121", 1)]),
    ],
)
def test_the_same_by_other_ways(path: str, text: str, expected: list[tuple[str, int]]) -> None:
    assert found(path, text) == expected
