"""A project's own tooling, and what stands beside it that is none."""

import ast

import pytest

from remit.scan import tooling


@pytest.mark.parametrize(
    ("path", "so"),
    [
        ("packages/core/e2e-tests/harness.ts", True),
        ("apps/evals/run.py", True),
        (".github/scripts/check.py", True),
        ("agent-think/tests-e2e/start.ts", True),
        ("src/tools/run.ts", False),
        ("src/evaluate.py", False),
        ("scripts.py", False),
    ],
)
def test_a_place_of_checks_and_scripts(path, so):
    assert tooling.is_place(path) is so


@pytest.mark.parametrize(
    ("code", "so"),
    [
        ("subprocess.run([sys.executable, __file__, '--worker'])", True),
        ("subprocess.Popen(['npm', 'run', 'dev'])", True),
        ("subprocess.run(['git', 'clone', place])", True),
        ("subprocess.run(['make', name])", False),
        ("subprocess.run([sys.executable, script])", False),
        ("subprocess.run(['npx', 'notes-mcp'])", False),
        ("StdioServerParameters(['npm', 'run', 'dev'])", False),
        ("subprocess.run(words)", False),
    ],
)
def test_a_call_that_starts_the_projects_own_command(code, so):
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert tooling.in_python(call) is so


@pytest.mark.parametrize(
    ("text", "line", "so"),
    [
        ('spawn("npm", ["run", "dev"], { env: process.env })', 1, True),
        ('spawn("npm", ["run", "dev"], {\n  cwd,\n  env: process.env,\n})', 3, True),
        ("spawn(process.execPath, [process.argv[1]], { env: process.env })", 1, True),
        ('exec("uv run serve", {\n  env: process.env,\n})', 2, True),
        ('spawn("npm", ["run", "dev"], {});\nnew Transport({\n  env: process.env,\n})', 3, False),
        ('spawn("notes-mcp", [], { env: process.env })', 1, False),
        ('tool({});\nspawn("npm", ["run", "dev"], { env: process.env })', 2, False),
        ("env: process.env", 7, False),
    ],
)
def test_what_typescript_gives_an_environment_to(text, line, so):
    assert tooling.in_typescript(text, line) is so


@pytest.mark.parametrize(
    ("text", "so"),
    [("npx dotenv -- vitest run", True), ("dotenv -- next build", True), ("dotenv -- codex exec", False)],
)
def test_a_step_that_tries_or_builds(text, so):
    assert tooling.tries(text) is so
