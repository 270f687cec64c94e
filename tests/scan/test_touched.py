"""What calls touch of a service, which acts of mail they are, what a step needs, and what says nothing."""

import ast
import time

import pytest

from remit.scan import (
    acts,
    advised,
    apis,
    asked,
    blank,
    entra,
    events,
    hinted,
    managed,
    needed,
    plan,
    pycalls,
    reached,
    sdkts,
    slacked,
    tier,
    tscalls,
    worded,
)
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair


def test_an_address_says_which_part_it_reaches_and_whether_it_is_written() -> None:
    assert reached.of("https://graph.microsoft.com/v1.0/me/sendMail", "POST") == ("Mail|Mail.send", True)
    assert reached.of("https://www.googleapis.com/calendar/v3/freeBusy", "POST") == ("calendar", False)
    assert reached.of("https://api.github.com/user?x=1", "GET") == ("github:/user", False)
    assert reached.of("https://acme.example/v1", "POST") is None
    assert reached.octokit("octokit.rest.issues.create(") == [("github:/repos/x/x/issues", True)]
    assert reached.pygithub("get_emails") == ("github:/user", False)


def test_calls_over_http_are_read_in_both_languages() -> None:
    code = 'const API = "https://api.github.com";\nfetch(`${API}/gists`, { method: "POST" });\nfetch("/local");\n'
    assert list(tscalls.of(code)) == [("github:/gists", True)]
    python = 'API = "https://api.github.com"\nc = httpx.Client(base_url=API)\nc.get("/user")\n'
    assert list(pycalls.of(ast.parse(python))) == [("github:/user", False)]


def test_a_scope_of_mail_is_held_to_the_acts_that_were_seen() -> None:
    assert acts.more("Mail.ReadWrite", frozenset(), ["Mail|Mail.send"])
    assert acts.more("Mail.ReadWrite", frozenset(), ["Mail|Mail.modify"]) == ""
    assert acts.more("https://mail.google.com/", frozenset(), ["gmail"]) == ""
    assert acts.of_gmail("users().messages().batchDelete", writes=True) == "gmail|gmail.purge"


@pytest.mark.parametrize(
    ("run", "needs"),
    [
        ("gh issue list | jq .\n", frozenset()),
        ("if gh pr view 1; then gh issue close 1; fi", frozenset({"issues"})),
        ('X="$(git push)"', frozenset({"contents"})),
        ("gh api -X PATCH repos/$R/x/issues/1", frozenset({"issues", "pull-requests"})),
        ("python refresh.py", None),
        ('Y="$(make-it)"', None),
    ],
)
def test_a_step_needs_what_its_commands_write(run: str, needs: frozenset[str] | None) -> None:
    assert needed.of(Node(1, {"run": Node(1, run)})) == needs


def test_a_library_of_a_cloud_that_may_write_is_no_reader() -> None:
    head = 'import { Storage } from "@google-cloud/storage";\n'
    assert [one.writes for one in sdkts.used("a.ts", head + "x.download();")] == [False]
    assert [one.writes for one in sdkts.used("a.ts", head + "x.download(); y.save(z);")] == [True]


def test_a_place_says_nothing_in_many_words() -> None:
    for text in ("", "tbd", "TBD by Ines", "your-team", "[description]", "unbekannt", "tbd: later"):
        assert blank.says_nothing("owner", "owner", Node(1, text))
    for text in ("team-search", "Keeps a todo list", "write the report", "add a label"):
        assert not blank.says_nothing("purpose", "description", Node(1, text))
    for text in ("never", "9999-12-31", "12/31/2999", "876000h"):
        assert blank.says_nothing("end", "expires", Node(1, text))
    assert not blank.says_nothing("end", "expires", Node(1, "2027-01-01"))
    assert blank.says_nothing("end", "never_expires", Node(1, True))


def test_an_id_stands_for_its_permission() -> None:
    assert all(tier.scope(one) for one in entra.GRAPH_IDS)
    assert all(name.lower() in tier.ROLES for name in entra.ROLE_IDS.values())


def test_a_clouds_own_analysis_says_what_was_not_used() -> None:
    action = Node(2, {"action": Node(2, "DeleteObject")})
    unused = Node(1, {"serviceNamespace": Node(1, "s3"), "actions": Node(2, [action])})
    assert [one[1] for one in advised.told(Node(1, {"unusedPermissionDetails": unused}))] == [2]
    insight = {"role": Node(3, "roles/editor"), "exercisedPermissions": Node(4, [])}
    assert [one[1] for one in advised.told(Node(1, {**insight, "currentTotalPermissionsCount": Node(5, "4")}))] == [3]
    assert list(advised.told(Node(1, {**insight, "currentTotalPermissionsCount": Node(5, "0")}))) == []


def test_a_policy_by_its_name_stands_for_what_it_lets_be_done() -> None:
    text = 'docs = s3.Bucket(self, "d")\ndocs.grant_read_write(fn)\np = "AmazonSQSFullAccess"\n'
    assert [(one.line, one.scope) for one in managed.in_code("a.py", text)] == [(3, "sqs:*"), (2, "s3:PutObject")]
    root = Node(1, {"Policies": Node(2, [Node(2, {"DynamoDBCrudPolicy": Node(2, {})})])})
    assert [one.scope for one in managed.attached("t.yaml", root)] == ["dynamodb:PutItem"]


def test_an_event_of_slack_needs_its_scope() -> None:
    assert list(events.needs('app.message("hi", x); app.event("reaction_added", y)')) == [
        "conversations:read",
        "reactions:read",
    ]


def test_a_policy_in_a_text_keeps_its_lines_and_a_command_its_first() -> None:
    text = 'x\n  {"Version": "1",\n  "Statement": [{"Effect": "Allow",\n  "Action": "s3:*"}]}\n'
    [found] = worded.policies(text)
    assert found["Statement"].items[0]["Action"].line == 4
    assert list(worded.policies('{"Version": "1", "Statement": [')) == []
    assert list(worded.commands("a \\\n b\n# c\nd")) == [(1, "a   b"), (4, "d")]


def test_a_service_of_its_own_is_known_by_its_scopes_and_its_addresses() -> None:
    [forge] = apis.asked(
        'OAUTH = "https://gitlab.example/oauth/authorize"; fetch("https://gitlab.example/api/v4/projects")'
    )
    assert list(apis.granted([forge], ["read_api", "api"])) == ["GitLab: api"]
    assert apis.of_url("https://api.spotify.com/v1/me", writes=False) == ("api:Spotify", False)
    assert list(apis.used("import spotipy\n.current_user_playlists(")) == [("api:Spotify", False)]
    assert list(apis.used("import spotipy\n.playlist_add_items(")) == [("api:Spotify", True)]


def test_slack_is_asked_for_scopes_by_code() -> None:
    text = 'generateInstallUrl({\n scopes: ["channels:read", "files:write"] }); said("files:write is wide");'
    assert list(slacked.asked(text)) == [("channels:read", 2), ("files:write", 2)]


def test_a_step_without_the_token_pushes_at_most() -> None:
    odd = Node(1, {"run": Node(1, "./odd")})
    assert needed.of(odd, lent=False) == frozenset({"contents"})
    assert needed.of(odd) is None
    assert needed.scripts(Node(1, {"run": Node(1, "uv run python tools/a.py")})) == ["tools/a.py"]


def test_code_asks_for_all_in_a_text_of_scopes_alone() -> None:
    text = 'A = "openid admin:org"\nB = "ask for admin:org"\nFORBIDDEN = ["admin:org"]\nif x == "admin:org": pass\n'
    assert [one[1] for one in asked.in_code(text)] == [1]
    held = (Holder("service", "a", 1, "", (Pair("OAUTH_SCOPES", "openid Directory.ReadWrite.All", 4),)),)
    assert [one[1] for one in asked.of_holders(held)] == [4]


def test_a_list_of_actions_that_does_not_end_costs_little() -> None:
    text = 'import x from "aws-cdk-lib";\n[' + '"s3:Get"    ' * 2_000
    began = time.process_time()
    assert list(plan.told("a.ts", text)) == []
    assert time.process_time() - began < 2


def test_code_with_none_of_the_words_is_not_looked_at() -> None:
    assert hinted.may("import boto3")
    assert hinted.may("AGENTS = []")
    assert not hinted.may("import os\n\n\ndef add(a, b):\n    return a + b\n")
