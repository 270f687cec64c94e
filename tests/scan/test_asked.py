"""What runs with nobody asked, by flags and by files of further clients; and whose token TypeScript calls with."""

import ast
import time

import pytest

from remit.scan import consent, defined, flags, jsonc, others, pymixed, recipe, spawned, tsmixed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("claude -p go --allowedTools Read,Edit", "Edit"),
        ('claude -p go --allowed-tools "Bash(git log:*)" "Bash(git push:*)"', "Bash(git push:*)"),
        ('claude --allowedTools "Read" "write the report"', ""),
        ("copilot -p go --allow-tool 'shell(git status)'", ""),
        ("copilot -p go --allow-tool write", "write"),
        ("gemini --allowed-tools run_shell_command", "run_shell_command"),
        ("codex exec --full-auto go", "everything"),
        ("codex exec -a never --sandbox read-only go", ""),
        ("kiro-cli chat --trust-tools=fs_read,fs_write", "fs_write"),
        ("terraform apply --auto-approve", ""),
    ],
)
def test_a_flag_that_approves_is_told_by_what_it_lets_be_done(line: str, said: str) -> None:
    assert flags.approved(line, consent.rule_writes) == said


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        (".vibe/config.json", '{"tools": {"bash": {"permission": "always"}, "grep": {"permission": "always"}}}', [1]),
        (".rovodev/config.json", '{"toolPermissions": {"default": "ask",\n"bash": {"default": "allow"}}}', [2]),
        ("src/config.json", '{"toolPermissions": {"default": "allow"}, "auto_approve": true}', []),
    ],
)
def test_a_further_client_is_known_by_the_place_of_its_file(path: str, text: str, lines: list[int]) -> None:
    root = jsonc.read(text)
    assert root is not None
    assert [line for _, line, _ in others.told(path, root)] == lines


_BOTH = """
async function close(userToken: string) {
  await call("/me", userToken);
  await call("/all", process.env.SHOP_SERVICE_TOKEN);
}
"""


def test_a_function_that_uses_both_tokens_is_told_and_two_that_use_one_each_are_not() -> None:
    assert [line for _, line, _ in tsmixed.told(_BOTH)] == [3]
    assert (
        list(tsmixed.told(_BOTH.replace('  await call("/all"', '}\nasync function all() {\n  await call("/all"'))) == []
    )


@pytest.mark.parametrize("part", ["=> {", "tool(() => (", "class A {", "(" * 40, "subject_token ("])
def test_a_text_that_closes_nothing_is_read_in_time_that_grows_with_it(part: str) -> None:
    begun = time.process_time()
    list(
        tsmixed.told("const a = session.accessToken; process.env.SHOP_SERVICE_TOKEN;\n" + part * (150_000 // len(part)))
    )
    assert time.process_time() - begun < 10


def test_what_a_definition_lists_is_told_by_its_own_words_or_its_type() -> None:
    text = '{"tools": [{"type": "web_search"}, {"function": {"name": "query_orders"}}, {"server_label": "slack"}]}'
    assert [line for _, line, _ in defined.told("agents/desk.json", text)] == [1]
    assert list(defined.told("agents/desk.json", text.replace("slack", "clock"))) == []


def test_a_rule_of_codex_is_told_by_the_command_that_it_lets_run() -> None:
    text = 'prefix_rule(pattern = ["ls"], decision = "allow")\nprefix_rule(pattern = ["rm"], decision = "allow")\n'
    assert recipe.wants(".codex/rules/default.rules")
    assert [one.evidence.line for one in recipe.read(".codex/rules/default.rules", text)] == [2]


def test_a_list_of_words_that_starts_an_agent_is_told_where_its_flag_stands() -> None:
    text = "words = [\n    'copilot', '-p', task,\n    '--allow-all-tools',\n]\n"
    assert [line for _, line, _ in spawned.told(ast.parse(text))] == [3]


def test_python_that_only_looks_at_a_callers_claims_acts_with_its_own_alone() -> None:
    text = "def close():\n    check(get_access_token().{})\n    call(os.environ['DESK_SERVICE_TOKEN'])\n"
    assert list(pymixed.in_code(ast.parse(text.format("scopes")))) == []
    assert [line for _, line, _ in pymixed.in_code(ast.parse(text.format("token")))] == [2]
