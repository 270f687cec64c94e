"""Policy: what compiles, what is refused and where, and what an answer rests on."""

import pytest

from remit.core.errors import RemitError
from remit.core.policy import Answer, Principal, compile_set
from remit.core.policy_tests import diff, parse_tests, require, run_tests
from remit.core.trust import TrustPath
from tests.kit.policies import ALPHA, BETA, SCHEMA, compiled, question, said

LOG = 'permit(principal, action == Action::"mcp:git/log", resource)'


def refused(own, code="policy_invalid", common=""):
    with pytest.raises(RemitError) as caught:
        compiled(own, common)
    assert caught.value.code == code
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("// fine\n\npermit(principal, action, resource) when {", 3, "semicolon"),
        (f"{LOG};\n// so\n\npermit(principal,\n action resource);", 4, "unexpected token"),
        (f"{LOG};\n{LOG} when {{ context.nothing == 1 }};", 2, "not found"),
        (f"{LOG}\nwhen {{ context.args.n < 3 }};", 1, "optional attribute"),
        ('permit(principal, action == Action::"mcp:git/absent", resource);', 1, "unrecognized action"),
        ("permit(principal == ?principal, action, resource);", 1, "template"),
        ('@ask("ops") forbid(principal, action, resource);', 1, "forbid cannot ask"),
        (f"@ask {LOG};", 1, "@ask needs a group"),
        (f'@ask("Not A Group") {LOG};', 1, "@ask needs a group"),
        (f'@ask("a") @requireApproval("b") {LOG};', 1, "two groups"),
        (f'@id("one") {LOG};\n@id("one") {LOG};', 2, "stands already"),
        (f"// look away\rpermit(principal, action, resource);\n{LOG};", 1, "control character"),
        (f"{LOG} when {{ {'(' * 5000}true{')' * 5000} }};", 1, "nested brackets"),
        (f"{LOG} when {{ {'[' * 5000}{']' * 5000} }};", 1, "nested brackets"),
        (f"{LOG} when {{ {'if true then ' * 5000}true{' else true' * 5000} }};", 1, "characters at most"),
        (f"{LOG} when {{ {'true && ' * 500}true }};", 1, ""),
        (f'{LOG} when {{ "{"x" * 20000}" == "x" }};', 1, "characters at most"),
        (f'{LOG} when {{ "unended == context.path }};', 1, ""),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_with_its_line(text, line, why):
    message = refused(text)
    assert f"own.cedar, line {line}:" in message
    assert why in message


@pytest.mark.parametrize(
    "text",
    [
        "permit(principal, action, resource);",
        "permit(principal is Agent, action, resource is Resource) when { true };",
        "permit(principal, action, resource) when { context.plan == context.plan || false };",
        "permit(principal, action, resource) unless { !(1 == 1) };",
        'permit(principal, action in [Action::"read", Action::"write"], resource);',
        'permit(principal, action in Action::"read", resource);permit(principal, action in Action::"write", resource);',
        '@ask("ops") permit(principal, action, resource);',
        "permit(principal, action, resource); forbid(principal, action, resource) when { false };",
    ],
)
def test_a_set_that_can_never_deny_is_refused(text):
    refused(text, "policy_cannot_deny")


def test_a_set_that_can_deny_is_taken():
    everything = "permit(principal, action, resource);"
    assert (
        said(compiled(everything, 'forbid(principal, action in Action::"write", resource);').evaluate(question()))
        == "allow"
    )
    assert said(compiled('permit(principal, action in Action::"read", resource);').evaluate(question())) == "allow"
    assert (
        said(compiled("permit(principal, action, resource) when { context.plan < 2 };").evaluate(question())) == "allow"
    )


def test_an_answer_names_its_grounds_and_every_group():
    held = compiled(f'@id("mine") {LOG}; @ask("ops") {LOG}; @requireApproval("legal") {LOG};')
    verdict = held.evaluate(question())
    assert verdict.answer is Answer.ASK
    assert verdict.groups == ("legal", "ops")
    assert verdict.group == "legal"
    assert verdict.grounds == ("own/mine", "own/own.cedar#2", "own/own.cedar#3")


def test_a_question_of_another_path_is_denied():
    held = compiled(f"{LOG};")
    assert held.evaluate(question(trust=TrustPath.DELEGATED)).code == "policy_path_mismatch"
    assert held.evaluate(question("mcp:git/absent")).code == "policy_action_unknown"


def test_an_agent_is_what_its_scope_names_and_nothing_like_it():
    held = compiled(f'permit(principal == Agent::"{ALPHA}", action == Action::"mcp:git/log", resource);')
    assert said(held.evaluate(question(agent=ALPHA))) == "allow"
    assert held.evaluate(question(agent=BETA)).code == "policy_silent"
    for odd in ("*", "a/+/b", "a\nb", "a,b", f'{ALPHA}"'):
        with pytest.raises(RemitError):
            Principal(odd, "o", "t", "p")


def test_facts_that_change_are_seen_at_once():
    held = compiled(f'{LOG} when {{ principal.tier == "low" }};')
    assert [said(held.evaluate(question(tier=tier))) for tier in ("low", "high", "low")] == ["allow", "deny", "allow"]


def test_an_escape_in_an_argument_is_only_text():
    held = compiled(f'{LOG} when {{ context.args.path == "x" }};')
    for path in (
        {"__entity": {"type": "Agent", "id": ALPHA}},
        {"__extn": {"fn": "ip", "arg": "::1"}},
        ["x"],
        "\ud800",
        None,
    ):
        assert held.evaluate(question(path=path)).code == "policy_error"
    assert held.evaluate(question(path='x" || true || "')).code == "policy_silent"


def test_a_whole_record_is_looked_at_whole():
    held = compiled(f'{LOG} when {{ {{a: context.args}}.a has n && {{a: context.args}}.a.path == "x" }};')
    assert said(held.evaluate(question(path="x", force=True))) == "deny"
    assert said(held.evaluate(question(path="x", force=True, n=1))) == "allow"
    copied = compiled(f"{LOG} when {{ {{a: context}}.a.args.force }};")
    assert said(copied.evaluate(question(path="x", force=True))) == "allow"


def test_the_digest_is_of_names_and_texts():
    one, other = {"a.cedar": f"{LOG};", "b.cedar": ""}, {"b.cedar": "", "a.cedar": f"{LOG};"}
    assert compile_set(TrustPath.OWN, {}, one, SCHEMA).digest == compile_set(TrustPath.OWN, {}, other, SCHEMA).digest
    moved = compile_set(TrustPath.OWN, one, {}, SCHEMA).digest
    path = compile_set(TrustPath.DELEGATED, {}, one, SCHEMA).digest
    assert len({moved, path, compile_set(TrustPath.OWN, {}, one, SCHEMA).digest}) == 3


@pytest.mark.parametrize("name", ["a.txt", "../a.cedar", "a b.cedar", "", "a\n.cedar"])
def test_a_file_is_called_as_policy_files_are(name):
    with pytest.raises(RemitError) as caught:
        compile_set(TrustPath.OWN, {}, {name: ""}, SCHEMA)
    assert caught.value.code == "policy_invalid"


TESTS = '[{"name": "log", "path": "own", "action": "mcp:git/log", "expect": "%s", "args": {"path": "x"}}]'


def test_a_set_is_held_to_its_tests():
    held = compiled(f"{LOG};")
    require(held, parse_tests({"tests.json": TESTS % "allow"}))
    (failure,) = run_tests(held, parse_tests({"a.test.json": TESTS % "ask:ops"}))
    assert (failure.name, failure.expected, failure.got) == ("log", "ask:ops", "allow")
    for files, code in (
        ({}, "policy_tests_missing"),
        ({"tests.json": "[]"}, "policy_tests_missing"),
        ({"tests.json": (TESTS % "allow").replace('"own"', '"delegated"')}, "policy_tests_missing"),
        ({"tests.json": TESTS % "deny"}, "policy_tests_failed"),
    ):
        with pytest.raises(RemitError) as caught:
            require(held, parse_tests(files))
        assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    [TESTS % "ask", TESTS % "ask:Not A Group", TESTS % "maybe", TESTS % 'allow", "more": "', "{}", "[", "\ud800"],
)
def test_a_test_that_is_none_is_refused(text):
    with pytest.raises(RemitError) as caught:
        parse_tests({"tests.json": text})
    assert caught.value.code == "policy_test_invalid"


def test_a_file_of_tests_is_called_so():
    with pytest.raises(RemitError) as caught:
        parse_tests({"other.json": TESTS % "allow"})
    assert caught.value.code == "policy_test_invalid"


def test_a_difference_names_policies_and_answers():
    old = compiled(f'@id("a") {LOG}; @id("b") {LOG} when {{ context.plan == 9 }};')
    new = compiled(f'@id("a") @ask("ops") {LOG}; @id("c") forbid(principal, action in Action::"mcp:mail", resource);')
    found = diff(old, new, {"call 1": question(), "call 2": question("mcp:mail/send")})
    assert (found.added, found.removed, found.changed) == (("own/c",), ("own/b",), ("own/a",))
    assert [(one.name, one.before, one.after) for one in found.answers] == [("call 1", "allow", "ask:ops")]
    assert diff(None, old, {"call 1": question()}).answers[0].before == "deny"
