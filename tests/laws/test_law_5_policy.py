"""Law 5: deny beats ask, ask beats allow, silence is deny. Each law is a function; planted faults must break it."""

import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from remit.core import policy
from remit.core.policy import Answer, Verdict, evaluate
from tests.kit.planted import each_swap_goes_red
from tests.kit.policies import ALPHA, BETA, QUESTIONS, SETS, at_once, compiled, question, said, world
from tests.oracle import cedar as oracle

LAW = settings(
    max_examples=400, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip
PERMIT = 'permit(principal, action == Action::"mcp:git/log", resource);'
ASK = '@ask("ops") permit(principal, action == Action::"mcp:git/log", resource);'
FORBID = 'forbid(principal, action in Action::"mcp:git", resource);'
HELD = "forbid(principal, action, resource) when { context.plan == 99 };"


def deny_beats_ask():
    assert said(compiled(PERMIT + ASK + FORBID).evaluate(question())) == "deny"
    assert said(compiled(ASK, FORBID).evaluate(question())) == "deny"


def ask_beats_allow():
    assert said(compiled(PERMIT + ASK).evaluate(question())) == "ask:ops"
    assert said(compiled(PERMIT, ASK).evaluate(question())) == "ask:ops"


def silence_is_deny():
    held = compiled(
        PERMIT + 'permit(principal, action == Action::"mcp:git/push", resource) when { context.plan == 7 };'
    )
    assert held.evaluate(question("mcp:git/push")) == Verdict(Answer.DENY, code="policy_silent")
    assert held.evaluate(question("mcp:mail/send")) == Verdict(Answer.DENY, code="policy_silent")
    assert said(held.evaluate(question("mcp:git/gone"))) == "deny"
    assert said(compiled("").evaluate(question())) == "deny"


def an_erroring_forbid_denies():
    held = compiled(
        PERMIT + 'forbid(principal, action == Action::"mcp:git/log", resource) when { context.args.force };'
    )
    assert said(held.evaluate(question(force=False))) == "allow"
    assert held.evaluate(question()).code == "policy_error"
    assert said(held.evaluate(question())) == "deny"


def an_erroring_permit_denies():
    held = compiled(
        PERMIT + 'permit(principal, action == Action::"mcp:git/log", resource) when { context.args.force };'
    )
    assert said(held.evaluate(question())) == "deny"


def an_argument_that_does_not_fit_denies():
    held = compiled(
        PERMIT + "forbid(principal, action, resource) when { context.args has n && 3 < context.args.n };"
        "forbid(principal, action, resource) when { context.args has sum && "
        'context.args.sum.greaterThan(decimal("9.0")) };'
    )
    assert said(held.evaluate(question(n=1, sum=1.5))) == "allow"
    for args in ({"n": 2**70}, {"n": "4"}, {"n": 4.5}, {"n": None}, {"n": True}, {"sum": 9.00001}, {"sum": 1e300}):
        assert said(held.evaluate(question(**args))) == "deny"


def a_missing_set_denies():
    assert evaluate(None, question()) == Verdict(Answer.DENY, code="policy_missing")


def the_index_changes_no_answer():
    @LAW
    @given(SETS, QUESTIONS)
    def law(texts, ask):
        held = compiled("\n".join(texts), HELD, ask.path)
        got = said(held.evaluate(ask))
        assert got == said(held.evaluate(ask)) == at_once(held, ask)
        assert got == oracle.answer("\n".join([HELD, *texts]), world(ask))

    law()


def order_and_duplicates_change_no_answer():
    @settings(LAW, max_examples=200)
    @given(SETS, QUESTIONS)
    def law(texts, ask):
        shuffled = [*texts, *texts]
        random.Random(len(texts)).shuffle(shuffled)
        first, second = (compiled("\n".join(one), HELD, ask.path) for one in (texts, shuffled))
        assert said(first.evaluate(ask)) == said(second.evaluate(ask))

    law()


def what_is_said_to_be_refused_always_is():
    other = compiled(PERMIT + f'forbid(principal == Agent::"{BETA}", action, resource);')
    assert [other.refuses("mcp:git/log", one) for one in (ALPHA, BETA)] == [False, True]
    seen = set()

    @settings(LAW, max_examples=80)
    @given(SETS, QUESTIONS)
    def law(texts, ask):
        held = compiled("\n".join(texts), HELD, ask.path)
        never = held.refuses(ask.action, ask.principal.id)
        seen.add(never)
        assert not never or said(held.evaluate(ask)) == "deny"

    law()
    assert seen == {False, True}


LAWS = (
    deny_beats_ask, ask_beats_allow, silence_is_deny, an_erroring_forbid_denies, an_erroring_permit_denies,
    an_argument_that_does_not_fit_denies, a_missing_set_denies, the_index_changes_no_answer,
    order_and_duplicates_change_no_answer, what_is_said_to_be_refused_always_is,
)  # fmt: skip

judge, looks, applies, fit, agent = policy._judge, policy.looks, policy.applies, policy.fit, policy.agent


def asks_first(decision, told, statements):
    groups = tuple(sorted({one.ask for one in statements.values()} - {""}))
    return Verdict(Answer.ASK, (), groups) if groups else judge(decision, told, statements)


def asks_unheard(decision, told, statements):
    verdict = judge(decision, told, statements)
    return Verdict(Answer.ALLOW, verdict.grounds) if verdict.answer is Answer.ASK else verdict


def silence_allows(decision, told, statements):
    verdict = judge(decision, told, statements)
    return Verdict(Answer.ALLOW) if verdict.code == "policy_silent" else verdict


def errors_skipped(decision, told, statements):
    told.errors = []
    return judge(decision, told, statements)


def groups_lost(tree, shape):
    return applies(tree, shape) and not (tree["effect"] == "forbid" and tree["action"]["op"] == "in")


def last_look_lost(trees):
    return dict(list((looks(trees) or {}).items())[:-1])


def unfit_left_out(bucket, shape, args):
    return {
        n: fit(shape.arguments[n], args[n]) for n in bucket.arguments if n in args and fits(shape.arguments[n], args[n])
    }


def fits(kind, value):
    try:
        fit(kind, value)
    except ValueError:
        return False
    return True


def nobody_named(tree):
    return "agt_" if agent(tree) else None


def last_wins(decision, told, statements):
    last = list(statements.values())[-1]
    return Verdict(Answer.ALLOW) if last.permits and not last.ask else judge(decision, told, statements)


def at_any_rate(*_):
    return True


def anybody(_):
    return None


def no_set_allows(held, ask):
    return Verdict(Answer.ALLOW) if held is None else held.evaluate(ask)


FAULTS = (
    ("_judge", asks_first, deny_beats_ask),
    ("_judge", asks_unheard, ask_beats_allow),
    ("_judge", silence_allows, silence_is_deny),
    ("_judge", errors_skipped, an_erroring_forbid_denies),
    ("_judge", errors_skipped, an_erroring_permit_denies),
    ("_arguments", unfit_left_out, an_argument_that_does_not_fit_denies),
    ("applies", groups_lost, the_index_changes_no_answer),
    ("looks", last_look_lost, the_index_changes_no_answer),
    ("agent", nobody_named, the_index_changes_no_answer),
    ("_judge", errors_skipped, the_index_changes_no_answer),
    ("_judge", last_wins, order_and_duplicates_change_no_answer),
    ("always", at_any_rate, what_is_said_to_be_refused_always_is),
    ("agent", anybody, what_is_said_to_be_refused_always_is),
    ("applies", at_any_rate, what_is_said_to_be_refused_always_is),
    ("never", at_any_rate, what_is_said_to_be_refused_always_is),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law):
    law()


test_a_planted_fault_breaks_the_law = each_swap_goes_red(
    {f"{part}-{fault.__name__}-{law.__name__}": (law, policy, part, fault) for part, fault, law in FAULTS}
)


def test_a_missing_set_that_allows_breaks_the_law(monkeypatch):
    monkeypatch.setitem(a_missing_set_denies.__globals__, "evaluate", no_set_allows)
    with pytest.raises(AssertionError):
        a_missing_set_denies()
