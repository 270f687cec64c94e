"""The parts that tell of credentials, scopes and tools, each asked by itself."""

import ast

from remit.core.finding import Confidence, Kind
from remit.scan import (
    admin,
    document,
    export,
    grant,
    holder,
    inherited,
    lines,
    mixed,
    packaged,
    readers,
    standing,
    surround,
    task,
    tier,
    toolset,
    toxic,
    unowned,
)
from remit.scan.join import join
from remit.scan.node import Node
from remit.scan.sight import Handed, Held, Holder, Pair, digest, references

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"


def test_tables_and_lines_are_documents_with_their_lines() -> None:
    [table] = document.read("a.csv", 'app,"owner"\n"a\nb",x\nc,\n')
    assert [(one.line, one["app"].text, one["owner"].text) for one in table.items] == [(2, "a\nb", "x"), (4, "c", "")]
    assert [one["a"].line for one in document.read("a.jsonl", '{"a": 1}\n\n{"a": 2}\n')] == [1, 3]
    assert document.read("a.jsonl", '{"a": 1}\nnothing\n') == ()


def test_a_server_that_stands_in_a_list_is_called_by_its_own_name_or_its_place() -> None:
    text = (
        "mcpServers:\n  - name: Notes\n    command: a\n    env: {API_KEY: KEY}\n"
        "  - command: b\n    env: {API_KEY: KEY}\n"
        "  - id: mail\n    url: https://mail.example\n    headers: {X-Key: KEY}\n"
    ).replace(" KEY}", f" {KEY}}}")
    looked = readers.look(".continue/config.yaml", text.encode(), b"k")
    assert not isinstance(looked, str)
    [shared] = [one for one in join(looked.sights) if one.kind is Kind.SHARED]
    assert shared.evidence.said.replace(".continue/config.yaml:", "") == (
        "Notes: API_KEY is also held by mcpServers[1] (6), mail (9)"
    )


def test_a_server_is_the_same_however_a_client_spells_it() -> None:
    one = holder.read(".mcp.json", '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "@acme/x@1.2.3"]}}}')
    other = holder.read(".mcp.json", '{"mcpServers": {"b": {"command": "cmd", "args": ["/c", "npx", "@acme/x"]}}}')
    assert one[0].like == other[0].like == "@acme/x"
    assert packaged.issues("postgres:16.1")
    assert not packaged.issues("acme/agent:1 postgres")
    assert not packaged.issues("crystaldba/postgres-mcp:1.0.0")


def test_what_a_value_refers_to_is_the_same_in_every_spelling() -> None:
    spellings = ("${env:A_TOKEN}", "${A_TOKEN:-none}", "$A_TOKEN", "%A_TOKEN%", "{env:A_TOKEN}", "Bearer ${A_TOKEN}")
    assert {one for text in spellings for one in references("A_TOKEN", text)} == {"$A_TOKEN"}
    assert list(references("GH_TOKEN", "${{ secrets.GITHUB_TOKEN }}")) == []
    assert list(references("LEVEL", "${LEVEL}")) == []


def test_what_stands_for_a_secret_is_its_own_in_every_scan() -> None:
    assert digest(b"a", KEY) == digest(b"a", f"Bearer {KEY}") == digest(b"a", f" {KEY} ")
    assert digest(b"a", KEY) != digest(b"b", KEY)
    assert digest(b"a", f"postgres://u:{KEY}@h/a") == digest(b"a", f"postgres://u:{KEY}@h/b")


def test_a_line_that_exports_a_file_is_told_and_a_comment_is_not() -> None:
    [one] = lines.read("a/.zshrc", "# export $(cat .env)\nexport $(cat .env | xargs)\n")
    assert [whole.line for whole in one.wholes] == [2]


def test_sorts_of_holders_are_not_mixed() -> None:
    def held(sort: str, name: str) -> Held:
        return Held(f"{name}/f", 1, sort, name, name, "A_TOKEN", "d", stored=False)

    assert [one.kind for one in join([held("server", "a"), held("service", "b")])] == [Kind.SHARED]
    assert [one.kind for one in join([held("server", "a"), held("env", "b")])] == [Kind.SHARED]
    beside = Held("a/.env", 1, "env", "here", "here", "A_TOKEN", "d", stored=False)
    assert list(join([held("server", "a"), beside])) == []
    assert list(join([held("profile", "a"), held("profile", "b")])) == []


def test_a_loop_that_filters_the_environment_is_right() -> None:
    whole = "run(env={k: v for k, v in os.environ.items()})\nrun(env=os.environ | {'A': '1'})\n"
    some = "run(env={k: v for k, v in os.environ.items() if k in KEPT})\n"
    assert [one[1] for one in surround.told(ast.parse(whole))] == [1, 2]
    assert list(surround.told(ast.parse(some))) == []


def test_a_key_file_by_its_name_and_a_federation_by_its_own() -> None:
    def told(text: str) -> int:
        pairs = (Pair("GOOGLE_APPLICATION_CREDENTIALS", text, 1),)
        return len(list(standing.told((Holder("unit", "a", 1, "a", pairs),))))

    assert told("/run/keys/agent-sa.json") == 1
    assert told("/run/workload-identity.json") == 0
    assert told("") == 0


def test_scopes_that_write_and_those_that_only_read() -> None:
    assert tier.writes("https://www.googleapis.com/auth/drive")
    assert not tier.writes("https://www.googleapis.com/auth/drive.readonly")
    assert tier.writes("Mail.ReadWrite")
    assert not tier.writes("Mail.Read")
    assert tier.writes("chat:write")
    assert not tier.writes("channels:history")
    assert tier.scope("admin:org")
    assert not tier.scope("read:org")
    assert not tier.scope("https://www.googleapis.com/auth/cloud-platform", person=False)


def test_a_role_of_the_cluster_that_may_raise_itself() -> None:
    head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules:\n"
    rule = "- {{apiGroups: [{}], resources: [{}], verbs: [{}]}}\n"
    raised = head + rule.format("rbac.authorization.k8s.io", "clusterroles", "bind")
    assert [one[1] for one in admin.told("a.yaml", raised)] == [5]
    assert list(admin.told("a.yaml", head + rule.format('""', "pods", '"*"'))) == []


def test_an_event_is_read_by_its_method() -> None:
    [use] = export.read("log.json", '{"app_id": "A1", "request_method": "POST"}')
    assert (use.app, use.writes) == ("a1", True)  # type: ignore[union-attr]


def test_a_place_for_an_owner_that_says_nothing() -> None:
    def said(**members: object) -> list[str]:
        nodes = {name: Node(1, value) for name, value in members.items()}  # type: ignore[arg-type]
        return [one[2].partition(":")[0] for one in unowned.empty(Node(1, nodes))]

    assert said(owner="", purpose="Sorts mail", expires="2027-01-01") == ["owner"]
    assert said(owner="TBD") == ["owner"]
    assert said(owner="olga", expires="never") == ["expires"]
    assert said(expires_at=None) == ["expires_at"]
    assert said(end_date="2030-01-01", owners=[Node(1, "olga")]) == []


def test_a_server_that_only_reads_is_no_way_out() -> None:
    assert toxic.legs_of("@acme/github-mcp github", by_verb=False) == {toxic.STRANGERS, toxic.OUT}
    assert toxic.legs_of("send_email", by_verb=True) == {toxic.OUT}
    assert toxic.legs_of("time", by_verb=False) == frozenset()
    entry = '"command": "npx", "args": ["-y", "{}@1.0.0"{}]'
    servers = [entry.format("mcp-fetch", ""), entry.format("mcp-postgres", ""), entry.format("mcp-slack", "{}")]
    text = '{"mcpServers": {' + ", ".join(f'"s{n}": {{{one}}}' for n, one in enumerate(servers)) + "}}"
    assert len(list(toxic.told(".mcp.json", text.replace("{}", "")))) == 1
    assert list(toxic.told(".mcp.json", text.replace("{}", ', "--read-only"'))) == []


def test_whose_a_credential_is() -> None:
    assert mixed.sort_of(Pair("SLACK_USER_TOKEN", "${SLACK_USER_TOKEN}", 1)) == "person"
    assert mixed.sort_of(Pair("X", "${{ secrets.BOT_TOKEN }}", 1)) == "service"
    assert mixed.sort_of(Pair("ANTHROPIC_API_KEY", "${ANTHROPIC_API_KEY}", 1)) == ""


def test_of_a_file_of_no_agent_it_is_said_with_less_confidence() -> None:
    text = "services:\n  web:\n    image: acme/shop:1\n    env_file: .env\n"
    handed = list(inherited.told("compose.yaml", text, holder.read("compose.yaml", text)))
    assert [one.confidence for one in join(one for one in handed if isinstance(one, Handed))] == [Confidence.MEDIUM]


def test_what_was_blocked_or_only_asked_for_is_not_granted() -> None:
    [table] = document.read("a.csv", "app,access,scopes\na,Trusted,admin\nb,Blocked,admin\n")
    assert [one["app"].text for one in grant.live(table) if one.members] == ["a"]
    assert grant.over(Node(1, {"name": Node(1, "revoke"), "parameters": Node(1, [Node(1, "x")])}))
    assert not grant.over(Node(1, {"action": Node(1, "repo.remove_member")}))


def test_an_agent_s_tools_are_told_by_what_they_say_of_themselves_and_call() -> None:
    text = (
        "def look(u):\n    'Open a page of the web.'\ndef ask(q):\n    return db.execute(q)\n"
        "def tell(t):\n    'Send a mail.'\nagent = create_agent('m', [look, ask, tell])\n"
    )
    assert [one[1] for one in toolset.told(ast.parse(text))] == [7]
    assert list(toolset.told(ast.parse(text.replace(", tell]", "]")))) == []


def test_what_a_cloud_runs_holds_what_it_is_given() -> None:
    text = 'resource "aws_lambda_function" "a" {\n  environment {\n    variables = { A_TOKEN = var.a }\n  }\n}\n'
    [one] = task.holders(document.read("a.tf", text)[0], terraform=True)
    assert [(pair.name, pair.line) for pair in one.pairs] == [("A_TOKEN", 3)]


def test_no_reader_wants_a_file_that_is_passed_over_by_its_ending() -> None:
    paths = [f"{place}a.{end}" for end in readers.OTHERS for place in ("", ".github/workflows/", ".claude/agents/")]
    assert [path for path in paths if document.wants(path) or any(one.wants(path) for one in readers.READERS)] == []
