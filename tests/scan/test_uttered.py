"""Where a secret stands in texts of several lines, in code without a name, and to which agent a file belongs."""

import ast

from remit.core.finding import Kind
from remit.scan import azure, loaded, project, pysecret, spoken, surround, tssecret, typed, uttered
from remit.scan.node import Node
from tests.kit import corpus

ONE, TWO = corpus.secret("alnum32", "uttered 1"), corpus.secret("hex32", "uttered 2")


def test_each_line_of_a_script_that_holds_a_secret_is_told() -> None:
    sent = f"curl -H 'X-Api-Key: {TWO}' https://a.example"
    script = f"set -e\nHUB_TOKEN={ONE} run\n# OLD_TOKEN={TWO}\n{sent}\nrun --token $HUB"
    assert [line for line, _ in uttered.literals(script, 10)] == [11, 13]


def test_a_value_with_lines_of_its_own_is_told_on_the_line_of_its_secret() -> None:
    assert list(uttered.held("API_TOKEN", Node(4, ONE))) == [(4, "API_TOKEN holds a literal value")]
    text = f"[hub]\nurl = https://a.example\napi_token = {ONE}\n"
    assert [line for line, _ in uttered.held("agent.ini", Node(4, text))] == [7]
    assert list(uttered.held("agent.ini", Node(4, "[hub]\napi_token = ${TOKEN}\n"))) == []


def test_what_is_told_of_a_secret_holds_no_part_of_it() -> None:
    said = [what for _, what in uttered.literals(f"A_TOKEN={ONE} run --key {TWO}", 1)]
    assert said
    assert not any(ONE[:8] in one or TWO[:8] in one for one in said)


def test_python_that_holds_a_secret_without_a_name_is_told_once_for_a_line() -> None:
    pat = corpus.secret("github_pat", "uttered 3")
    code = f"A = ['{pat}']\ndef f(token='{ONE}'): pass\nB = get(auth=('me', '{TWO}'))\n"
    tree = ast.parse(code)
    assert sorted(line for _, line, _ in pysecret.told(code, tree, ())) == [1, 2, 3]
    known = [(Kind.LITERAL_SECRET, 2, "told before")]
    assert sorted(line for _, line, _ in pysecret.told(code, tree, known)) == [1, 3]


def test_code_is_a_holder_where_its_path_names_an_agent() -> None:
    tree = ast.parse(f"client = Client(api_key='{ONE}')")
    [held] = pysecret.holders("agents/mail/src/run.py", tree)
    assert (held.name, held.like, [one.name for one in held.pairs]) == ("its folder", "agents/mail", ["api_key"])
    assert pysecret.holders("src/run.py", tree) == ()


def test_a_client_of_azure_is_given_a_key_or_what_ends() -> None:
    def login(given: str) -> bool:
        [call] = [one for one in ast.walk(ast.parse(f"BlobServiceClient(url, {given})")) if isinstance(one, ast.Call)][
            :1
        ]
        return azure.login(call) is not None

    assert login("credential=os.environ['STORAGE_ACCOUNT_KEY']")
    assert login("settings.account_key")
    assert not login("credential=os.environ['STORAGE_SAS_TOKEN']")
    assert not login("credential=DefaultAzureCredential()")


def test_a_folder_belongs_to_the_agent_that_its_path_names() -> None:
    assert project.project("x/agents/mail/src/deep") == "x/agents/mail"
    assert project.project("src/deep") == "src/deep"
    assert project.of_file("apps/desk/a.py") == "apps/desk"
    assert project.of_file("src/a.py") == ""


def test_typescript_that_holds_a_secret_is_told_where_it_stands() -> None:
    text = f"class A {{ key = 1; private apiKey = '{ONE}'; }}\nconst b = process.env.HUB_TOKEN ??\n  '{TWO}';\n"
    assert sorted({line for _, line, _ in tssecret.told(text)}) == [1, 2]
    assert [one.text for one in tssecret.holders("bots/a/x.ts", text)[0].pairs] == [ONE]


def test_a_command_line_that_logs_in_is_told_where_its_secret_begins() -> None:
    script = "set -e\naz login --service-principal \\\n  -u me \\\n  --password $SP\naz login --identity\n"
    assert [line for _, line, _ in typed.told(Node(7, script))] == [11]


def test_what_a_shell_loads_is_told_with_its_file() -> None:
    script = "set -a\n. ./a.env\nset +a\n. ./b.env\nexport $(grep -v '^#' \"$HOME/c.env\" | xargs)\n# source d.env\n"
    assert [(one.line, one.source) for one in loaded.shell(script, 5)] == [(6, "./a.env"), (9, "$HOME/c.env")]
    assert [one.source for one in loaded.shell("dotenv settings.env")] == ["settings.env"]


def test_what_a_command_hands_on_whole_is_told() -> None:
    def sources(line: str) -> list[str]:
        return [one.source for one in loaded.words([(word, 1) for word in line.split()])]

    assert sources("npx dotenv-cli@8.0.0 -e keys.env -- node a.js") == ["keys.env"]
    assert sources("node --env-file=keys.env a.js") == ["keys.env"]
    assert sources("doppler run -- a-mcp") == [""]
    assert sources("doppler run --only-secrets A,B -- a-mcp") == []
    assert sources("docker compose --env-file keys.env up") == []
    assert sources("dotenv --version") == []


def test_code_that_hands_its_environment_on_is_told_and_what_chooses_is_not() -> None:
    def lines(code: str) -> list[int]:
        return [line for _, line, _ in surround.told(ast.parse(f"import os\n{code}"))]

    assert lines("run(a, env=dict(**os.environ))") == [2]
    assert lines("def f():\n    return os.environ | {}\nrun(a, env=f())") == [4]
    assert lines("run(a, env={k: v for k, v in os.environ.items() if k in NAMES})") == []
    assert lines("run(a, env={'A': os.environ['A']})") == []


def test_servers_in_a_list_are_holders_by_what_they_call() -> None:
    code = f"A = [{{'url': 'https://a.example/mcp', 'headers': {{'X-Api-Key': '{ONE}'}}}}]"
    [held] = spoken.holders(ast.parse(code))
    assert (held.name, [one.text for one in held.pairs]) == ("a.example/mcp", [ONE])
