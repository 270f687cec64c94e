"""`remit reach`: numbers first, what-ifs, comparison, exports, and what an operator knows, at the real command line."""

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import psycopg
import pytest

from remit.cli.main import run
from tests.cli.test_commands import Told
from tests.kit.database import PASSWORD, database
from tests.kit.postgres import server
from tests.kit.shell import Shell


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Shell(tmp_path_factory.mktemp("settled")).settle()
    made.write("known.toml", '[[edges]]\nfrom = "tool:read_note"\nto = "secret:mail-key"\nby = "stores"\n')
    return made.folder


@pytest.fixture
def told(settled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """The command line in a copy of what was set up once."""
    shutil.copytree(settled, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "olga")
    return Told(capsys)


def table(told: Told, *words: str, code: int = 0) -> str:
    told.capsys.readouterr()
    assert run([*words]) == code
    return told.capsys.readouterr().out


def refused(told: Told, *words: str) -> str:
    told.capsys.readouterr()
    assert run([*words]) != 0
    return told.capsys.readouterr().err.partition("[")[2].partition("]")[0]


def test_numbers_come_first_and_a_what_if_stands_beside_them(told: Told) -> None:
    found: Any = told("reach", "scribe")
    assert (found["view"], found["numbers"]["systems"], found["numbers"]["writable"]) == ("possible", 1, 1)
    assert told("reach", "everybody")[0]["numbers"] == {
        name: found["numbers"][name] for name in told("reach", "everybody")[0]["numbers"]
    }
    less = told("reach", "scribe", "--without", "mcp:notes/wipe")
    assert (less["numbers"]["writable"], less["before"]["writable"]) == (0, 1)
    assert told("reach", "--view", "now", "scribe")["numbers"]["systems"] == 0
    text = table(told, "reach", "scribe")
    assert text.splitlines()[2].split()[:3] == ["REACH", "SYSTEMS", "WRITABLE"]
    assert "Shortest paths:" in text
    assert "scribe" in table(told, "reach")
    assert table(told, "reach", "nobody", code=2) == ""


def test_a_grant_and_its_tool_are_told_apart_on_a_way_and_can_be_named_as_they_are_told(told: Told) -> None:
    text = table(told, "reach", "scribe")
    way = "agent:scribe > [may plan] grant:notes/0 (mcp:notes/read_note) > [uses] tool:mcp:notes/read_note"
    assert f"{way} > [is a tool of] resource:notes > [holds] domain:office" in text
    assert table(
        told, "reach", "scribe", "--without", "grant:notes/1 (mcp:notes/wipe)", "--without", "tool:mcp:notes/read_note"
    )
    dot = table(told, "reach", "scribe", "--export", "dot")
    assert 'label="grant:notes/1 (mcp:notes/wipe)"' in dot
    assert 'label="tool:mcp:notes/wipe"' in dot
    assert 'label="resource:notes"' in dot


def test_an_agent_that_reaches_nothing_is_told_what_lacks(told: Told) -> None:
    words = "agent add idle --owner olga --review 30d --purpose Idles. --ceiling mcp:notes/*"
    told(*words.split())
    told.capsys.readouterr()
    assert run(["reach", "idle"]) == 0
    assert "No brief in force gives it a step" in told.capsys.readouterr().err
    assert run(["reach", "scribe"]) == 0
    assert told.capsys.readouterr().err == ""


def test_what_an_operator_knows_is_kept_with_its_instant_and_widens_the_reach(told: Told) -> None:
    made = told("reach", "introspect", "notes", "--from", "known.toml")
    assert (made["source"], made["edges"], len(made["digest"])) == ("facts", 1, 43)
    found = told("reach", "scribe", "--to", "secret:mail-key")
    assert [one["node"].partition(":")[0] for one in found["paths"][0]] == ["agent", "grant", "tool", "secret"]
    assert found["surveys"][0]["digest"] == made["digest"]
    Path("bad.toml").write_text('[[edges]]\nfrom = "x"\nto = "secret:y"\n', encoding="utf-8")
    assert table(told, "reach", "introspect", "notes", "--from", "bad.toml", code=2) == ""


ACCOUNT = {
    "UserDetailList": [{"UserName": "ann", "Arn": "arn:aws:iam::123456789012:user/ann", "UserPolicyList": [
        {"PolicyName": "p", "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject", "iam:PutUserPolicy"], "Resource": "*"}]}}]}],
}  # fmt: skip


def test_an_account_of_aws_is_read_from_its_details(told: Told) -> None:
    Path("account.json").write_text(json.dumps(ACCOUNT), encoding="utf-8")
    made = told("reach", "introspect", "notes", "--from", "account.json", "--source", "aws")
    assert made["source"] == "aws"
    found = told("reach", "role:notes/user/ann", "--to", "rights:notes/everything")
    assert found["paths"][0][-1]["by"] == "writes its policies (iam:PutUserPolicy)"
    assert found["numbers"]["writable"] > 300
    assert any("SCP" in note for note in made["notes"])


BOUND = {"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "r"},
         "subjects": [{"kind": "User", "name": "ann"}]}  # fmt: skip
RULES = {"kind": "ClusterRole", "metadata": {"name": "r"},
         "rules": [{"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "form", "start"),
    [
        ("kubernetes", {"items": [RULES, BOUND]}, "role:notes/user/ann"),
        ("github", {"installations": [{"id": 1, "app_slug": "bot", "permissions": {"contents": "write"}}]},
         "role:notes/app/bot"),
        ("scopes", {"grants": [{"name": "bot", "scopes": ["chat:write", "repo"]}]}, "role:notes/bot"),
    ],
)  # fmt: skip
def test_an_export_of_each_source_is_read(told: Told, source: str, form: object, start: str) -> None:
    Path("export.json").write_text(json.dumps(form), encoding="utf-8")
    made = told("reach", "introspect", "notes", "--from", "export.json", "--source", source)
    assert made["source"] == source
    assert told("reach", start)["numbers"]["writable"] > 0
    Path("export.json").write_text("{}", encoding="utf-8")
    assert refused(told, "reach", "introspect", "notes", "--from", "export.json", "--source", source) == "reach_invalid"


def test_what_a_target_wrote_is_shown_inert(told: Told) -> None:
    Path("known.toml").write_text(
        '[[edges]]\nfrom = "tool:read_note"\nto = "secret:a\\u001b[31mb"\nby = "stores \\u202e"\n', encoding="utf-8"
    )
    told("reach", "introspect", "notes", "--from", "known.toml")
    said = table(told, "reach", "scribe")
    assert "\\x1b[31mb" in said
    assert not {"\x1b", "\u202e"} & set(said)


def test_what_opens_a_tasks_systems_must_be_known_to_be_compared_with(told: Told) -> None:
    task = told("task", "open", "notes", "scribe")["id"]
    assert table(told, "reach", task, "--compare", code=2) == ""
    assert "possible" in table(told, "reach", task)


def test_of_a_task_that_has_ended_it_is_said_so(told: Told) -> None:
    task = told("task", "open", "notes", "scribe")["id"]
    told("task", "close", task)
    for words, said in (([], f"remit reach {task} --view observed"), (["--view", "observed"], "It used nothing.")):
        told.capsys.readouterr()
        assert run(["reach", task, *words]) == 2
        heard = told.capsys.readouterr().err
        assert f"{task} has ended (complete), so nothing of it is live." in heard
        assert said in heard
    assert refused(told, "reach", "tsk_nothing") == "reach_unknown"


def test_it_is_exported_in_each_form(told: Told) -> None:
    told("reach", "introspect", "notes", "--from", "known.toml")
    drawn = table(told, "reach", "scribe", "--export", "svg")
    assert ET.fromstring(drawn).tag.endswith("svg")
    dot = table(told, "reach", "scribe", "--export", "dot")
    assert dot.startswith("digraph reach {")
    assert dot.count("->") >= 4
    whole = json.loads(table(told, "reach", "scribe", "--export", "json"))
    assert len(whole["nodes"]) > 4
    graph = json.loads(table(told, "reach", "scribe", "--export", "bloodhound"))["graph"]
    ids = {one["id"] for one in graph["nodes"]}
    assert all({one["start"]["value"], one["end"]["value"]} <= ids for one in graph["edges"])


ROLES = """
CREATE TABLE keys (value text);
CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM hr.pay';
"""
CLERK = """
name = "clerk"
purpose = "Look at orders."
dispatchers = ["olga"]
agents = ["clerk"]
domains = ["office"]

[[steps]]
action = "sql:shop/select"
path = "own"
arguments = { relation = [{ one_of = ["public.orders"] }], "/columns/*" = [{ any = true }] }
"""


def test_a_database_is_looked_at_and_a_task_is_compared_with_its_standing_login(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(ROLES.encode())
    shell = Shell(tmp_path)
    shell.write("password", PASSWORD)
    told("secret", "put", "shop-db", "--from", "file:password")
    place = f"postgresql://gate_role@127.0.0.1:{server().port}/{url.rpartition('/')[2]}"
    add = f"resource add shop --database {place} --schema public --domain office --owner olga --secret shop-db"
    told(*add.split(), "--label", "sensitive")
    assert refused(told, "reach", "introspect", "shop") == "secret_unknown"
    monkeypatch.setenv("SHOP", url)
    made = told("reach", "introspect", "shop", "--as", "env:SHOP")
    assert (made["source"], made["login"]) == ("postgres", "remit")
    assert "count as all that those can do" in made["notes"][0]
    shell.write("clerk.toml", CLERK)
    words = "agent add clerk --owner olga --review 30d --purpose Looks. --ceiling sql:shop/*"
    told(*words.split())
    told("brief", "apply", "clerk.toml")
    task = told("task", "open", "clerk", "clerk")["id"]
    found = told("reach", task, "--compare")
    assert (found["numbers"]["objects"], found["numbers"]["writable"]) == (1, 0)
    assert found["numbers"]["sensitive"] == 1
    standing = found["compare"]["numbers"]
    assert standing["objects"] > 1
    assert standing["writable"] > 1
    way = told("reach", "role:shop/gate_role", "--to", "role:shop/remit")["paths"]
    assert "runs as its owner" in [one["by"] for one in way[0]]
    assert "standing" in table(told, "reach", task, "--compare")
    monkeypatch.setenv("SHOP", f"{url}x")
    assert refused(told, "reach", "introspect", "shop", "--as", "env:SHOP") == "target_unavailable"


def test_help_is_the_same_however_it_is_asked_for_and_shows_no_inner_name(told: Told) -> None:
    text = table(told, "reach", "scribe", "--help")
    assert text.startswith("Usage: remit reach X [OPTIONS]\n")
    group = table(told, "reach", "--help")
    assert "Options after X:" in group
    for option in ("--view", "--without", "--to", "--compare", "--export", "--output"):
        assert option in text
        assert option in group
    told.capsys.readouterr()
    assert run(["reach", "scribe", "--nonsense"]) == 2
    assert "remit reach X --help" in told.capsys.readouterr().err


def test_with_no_agent_a_next_step_is_said_and_no_bare_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["up", "--no-serve"]) == 0
    capsys.readouterr()
    for words, said in (
        (["reach"], "remit agent add"),
        (["reach", "everybody"], "remit agent add"),
        (["rightsize", "list"], "remit rightsize"),
    ):
        assert run(words) == 0
        heard = capsys.readouterr()
        assert heard.out == ""
        assert said in heard.err
    assert run(["rightsize"]) == 2
    heard = capsys.readouterr()
    assert "No brief is in force yet" in heard.err
    assert "remit brief apply FILE" in heard.err
