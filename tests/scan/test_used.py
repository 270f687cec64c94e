"""What is granted beside what is used: parts of services, what code calls of them, roles, jobs that only read."""

import ast
import time

import pytest

from remit.scan import (
    acting,
    family,
    idle,
    login,
    observed,
    rights,
    script,
    sdk,
    settings,
    store,
    tsobject,
)
from remit.scan.sight import Granted, Used


@pytest.mark.parametrize(
    ("scope", "part"),
    [
        ("https://www.googleapis.com/auth/drive.readonly", "drive"),
        ("https://mail.google.com/", "gmail"),
        ("Mail.ReadWrite", "Mail"),
        ("https://graph.microsoft.com/Files.Read.All", "Files"),
        ("pull-requests=write", "pull_requests"),
        ("openid", ""),
        ("chat:write", ""),
    ],
)
def test_a_scope_opens_one_part_of_its_service(scope: str, part: str) -> None:
    assert family.of_scope(scope) == part


def test_a_path_touches_the_part_that_its_words_name() -> None:
    assert family.of_graph("/me/mailFolders/inbox/messages") == "Mail"
    assert family.of_graph("/users/1/photo") == ""
    assert family.of_github("/repos/acme/web/issues/4/comments") == ("issues", "pull_requests")
    assert family.of_github("/acme") == ()
    assert family.path_of("https://graph.microsoft.com/v1.0/me/events?$top=1") == "/me/events"
    assert family.path_of("https://[") == ""


def test_a_scope_of_github_is_held_to_the_paths_that_are_called() -> None:
    assert family.github_idle("repo", {"/user": False})
    assert family.github_idle("repo", {"/repos/a/b/issues": False}) == ""
    assert family.github_idle("admin:org", {"/orgs/a/members": False}) == "only reads were seen"
    assert family.github_idle("admin:org", {"/orgs/a/members": True}) == ""


def test_a_chain_of_calls_is_followed_to_what_it_begins_with() -> None:
    text = 'c = build("calendar", "v3")\nd = build("drive", "v3")\n'
    text += "d.files().list().execute()\nc.events().insert().execute()"
    told = list(observed.sights("app/a.py", ast.parse(text)))
    seen = {(one.scope, one.writes) for one in told if isinstance(one, Used) and one.app == "code:app/a.py"}
    assert seen == {("drive", False), ("calendar", True)}


def test_with_no_use_in_sight_nothing_is_said() -> None:
    asked = Granted("a.py", 1, "code:a.py", "https://www.googleapis.com/auth/drive", writes=True)
    seen = Used("a.py", "code:a.py", "drive", writes=False)
    assert [said for _, said in idle.idle([asked], [seen])] == ["only reads were seen"]
    assert list(idle.idle([asked], [])) == []
    assert list(idle.idle([asked], [seen, Used("a.py", "code:a.py", "", writes=True)])) == []


def test_a_job_is_told_only_when_every_step_is_known() -> None:
    head = "on: push\npermissions: {contents: write}\njobs:\n  a:\n    steps:\n"
    read, push = "      - run: npm test\n", "      - run: git push\n"
    place = ".github/workflows/a.yml"
    assert [line for _, line, _ in rights.told(place, head + read)] == [2]
    assert list(rights.told(place, head + read + push)) == []
    assert list(rights.told(place, head + "      - uses: acme/thing@v1\n")) == []


def test_a_role_is_held_to_the_library_of_its_service() -> None:
    code = "from google.cloud import storage\nstorage.Client().bucket('a').blob('b').download_as_text()"
    [seen] = set(sdk.used("a.py", ast.parse(code)))
    text = 'resource "google_project_iam_member" "a" {\n  role = "roles/storage.admin"\n}\n'
    [asked] = sdk.granted("main.tf", text)
    assert [said for _, said in idle.idle([asked], [seen])] == ["only reads are called for"]
    assert list(idle.idle([asked], [Used("a.py", seen.app, "", writes=True)])) == []


def test_a_login_with_a_standing_key_is_told_and_one_that_ends_is_not() -> None:
    def lines(text: str) -> list[int]:
        return [line for _, line, _ in login.told(ast.parse(text))]

    assert lines("boto3.client('s3', aws_secret_access_key=s)") == [1]
    assert lines("boto3.client('s3', aws_secret_access_key=s, aws_session_token=t)") == []
    assert lines("boto3.client('s3', aws_secret_access_key=None)") == []
    assert lines("CosmosClient(url, credential=key)\nCosmosClient(url, credential=DefaultAzureCredential())") == [1]


def test_a_tool_that_runs_what_it_is_told_is_told_and_one_with_a_list_is_not() -> None:
    def lines(text: str) -> list[int]:
        return [line for _, line, _ in acting.told(ast.parse(text))]

    body = "@tool\ndef sh(cmd):\n    {}subprocess.run(cmd, shell=True)\n"
    assert lines(body.format("")) == [3]
    assert lines(body.format("assert cmd in ALLOWED; ")) == []
    assert lines("def sh(cmd):\n    os.popen(cmd)\nAgent(tools=[sh])") == [2]
    assert lines("def sh(cmd):\n    os.popen(cmd)\nAgent(tools=[other])") == []


def test_statements_are_read_from_typescript_with_their_lines() -> None:
    text = "new iam.PolicyStatement({\n  actions: ['s3:*'], // all\n  resources: [bucket.arn(x, '}')],\n});\n"
    [one] = tsobject.statements(text)
    assert (one["effect"].text, one["actions"].items[0].text, one["actions"].line) == ("Allow", "s3:*", 2)
    assert one["resources"].items[0].text == "${bucket.arn(x, '}')}"
    assert tsobject.statements("new PolicyStatement({ actions: [") == ()


def test_settings_of_any_kind_are_read_for_an_issuers_shape() -> None:
    key = "ghp_" + "Zt7qWm2Lx9RbVc4Hn8Ds5Kf3Jg6Ty1PuXw0e"
    assert [line for _, line, _ in settings.told("a/app.json", f'{{"x":\n"{key}"}}')] == [2]
    assert list(settings.told("a/app.sample.json", f'{{"x": "{key}"}}')) == []
    assert list(settings.told("a/app.json", '{"token": "q7ZtWm2Lx9RbVc4Hn8"}')) == []
    assert len(list(settings.told("a/agent.json", '{"token": "q7ZtWm2Lx9RbVc4Hn8"}'))) == 1


def test_what_a_command_line_keeps_its_login_in_is_read() -> None:
    pair = (
        "aws_access_key_id = AKIAQ7ZTWM2LX3RBVC4H\naws_secret_access_key = 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\n"
    )
    told = [(one.kind.value, one.evidence.line) for one in store.read(".aws/credentials", "[a]\n" + pair)]
    assert ("AG104", 3) in told
    assert ("AG101", 3) in told
    short = store.read(".aws/credentials", "[a]\n" + pair + "aws_session_token = x\n")
    assert [one for one in short if one.kind.value == "AG104"] == []
    assert store.read(".netrc", "machine a login b password\n") == ()


def test_typescript_is_read_with_its_lines_and_a_hostile_one_ends() -> None:
    head = 'import { tool } from "ai";\n'
    text = head + "const t = new StdioClientTransport({\n  command: 'a-mcp',\n"
    text += "  env: { ...process.env } as Env<string, x>,\n});\n"
    assert [(one.kind.value, one.evidence.line) for one in script.read("a.ts", text)] == [("AG102", 4)]
    assert script.read("a.ts", text.removeprefix(head)) == ()
    assert script.read("a.ts", head + "// env: { ...process.env }\nf({ env: { A: process.env.A } })\n") == ()
    began = time.process_time()
    for piece in ("({a:", "function (", "=> {", "new PolicyStatement({", "a.", "/*"):
        script.read("a.ts", head + piece * (150_000 // len(piece)))
    assert time.process_time() - began < 20
