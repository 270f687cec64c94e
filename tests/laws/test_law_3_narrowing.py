"""Law 3: everything only narrows. Each law here is a function, so that a planted fault can be shown to break it."""

import itertools
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.core import check as checking
from remit.core import grant as granting
from remit.core import limit
from remit.core.grant import Consumption, Step, Usage
from remit.core.limit import counts, places, values
from remit.core.moment import Window
from tests.kit.planted import each_swap_goes_red
from tests.oracle import covers as oracle

LAW = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

TEXTS = ["", "a", "ab", "abc", "abcd", "b", "1", "1.50"]
NUMBERS = [0, 1, 1.0, 2, 2.5, 3, 10, -1, 0.1, 0.2]
PATHS = ["/srv", "/srv/", "/srv/data", "/srv/data/x", "/srv/database", "/srv/./data", "/srv/data/../x", "/etc"]
HOSTS = [
    "example.org",
    "a.example.org",
    "https://a.example.org/x",
    "http://b.a.example.org",
    "a.example.org:8443",
    "https://a.example.org:8443/",
    "notexample.org",
    "example.org.test",
    "https://example.org",
]
ADDRESSES = ["10.0.0.1", "10.1.0.1", "10.128.0.1", "11.0.0.1", "2001:db8::1", "2001:db9::1"]
OTHERS = [None, True, False, [], [1], {}, {"a": 1}]
EVERY = [*TEXTS, *NUMBERS, *PATHS, *HOSTS, *ADDRESSES, *OTHERS]

NAMES = ["example.org", "a.example.org", "*.example.org", "*.a.example.org", "a.example.org:8443", "*.example.org:443"]
NETS = ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/24", "10.0.0.1/32", "2001:db8::/32", "2001:db8::/64"]


def some(pool, most=2):
    return st.lists(st.sampled_from(pool), min_size=1, max_size=most, unique_by=repr)


def distinct(pool):
    return some(pool, 3).filter(lambda one: not any(oracle.same(x, y) for i, x in enumerate(one) for y in one[:i]))


RANGES = st.fixed_dictionaries({}, optional={"min": st.sampled_from([0, 1, 2]), "max": st.sampled_from([2, 2.5, 3])})
KINDS = {
    "any": (st.just(True), EVERY),
    "equals": (st.sampled_from(EVERY), EVERY),
    "one_of": (distinct([*NUMBERS, *TEXTS, True, False, None]), EVERY),
    "prefix": (st.sampled_from(["a", "ab", "abc", "b"]), TEXTS),
    "pattern": (st.sampled_from(["a.*", "ab?", "[ab]+", "a"]), TEXTS),
    "range": (RANGES.filter(bool), NUMBERS),
    "subpath": (st.sampled_from(["/", "/srv", "/srv/data", "/srv/database"]), PATHS),
    "host": (distinct(NAMES), HOSTS),
    "cidr": (distinct(NETS), ADDRESSES),
    "max_length": (st.sampled_from([0, 1, 2, 3]), TEXTS),
}


@st.composite
def limits(draw, kind):
    """One limit of the kind, at times with a second of any kind."""
    found = [{kind: draw(KINDS[kind][0])}]
    if draw(st.integers(0, 4)) == 0:
        other = draw(st.sampled_from(sorted(KINDS)))
        found.append({other: draw(KINDS[other][0])})
    return found


@st.composite
def steps(draw, kind):
    form = {"action": "mcp:files/read", "path": draw(st.sampled_from(["own", "own", "own", "delegated"]))}
    names = draw(st.sampled_from([["x"], ["x"], ["x", "y"], []]))
    form["arguments"] = {name: draw(limits(kind)) for name in names}
    form["optional"] = [name for name in names if draw(st.booleans())]
    form["allow_unknown"] = draw(st.sampled_from([False, False, True]))
    extras = {
        "uses": st.integers(1, 4),
        "rate": st.fixed_dictionaries({"count": st.integers(1, 3), "seconds": st.integers(1, 4)}),
        "rows": st.fixed_dictionaries({"max": st.integers(1, 4)}),
        "window": st.sampled_from([{"start": 0, "end": 3000}, {"start": 0, "end": 9000}, {"start": 1000, "end": 3000}]),
    }
    if kind == "range" and (names or form["allow_unknown"]):
        totals = st.fixed_dictionaries({"argument": st.just("x"), "max": st.sampled_from(["2", "3.5"])})
        extras["totals"] = totals.map(lambda one: [one])
    for name, strategy in extras.items():
        if draw(st.integers(0, 3)) == 0:
            form[name] = draw(strategy)
    return form


@st.composite
def calls(draw, kind):
    pool = st.sampled_from(KINDS[kind][1]) | st.sampled_from(EVERY)
    instants = sorted(draw(st.lists(st.sampled_from(range(0, 9001, 500)), min_size=1, max_size=7)))
    same = draw(st.fixed_dictionaries({}, optional={"x": pool, "y": pool}))
    arguments = st.just(same) | st.fixed_dictionaries({}, optional={"x": pool, "y": pool, "z": pool})
    return [{"arguments": draw(arguments), "at": at, "rows": draw(st.integers(0, 2))} for at in instants]


@st.composite
def families(draw, number=2):
    """Steps that resemble one another, and calls to try on them; later ones are often the first, made smaller."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    first = draw(steps(kind))
    others = []
    for _ in range(number - 1):
        other = draw(steps(kind))
        if draw(st.booleans()):
            kept = {**first, **{name: other[name] for name in ("uses", "rate", "rows", "window") if name in other}}
            if draw(st.booleans()) and first["arguments"].keys() == other["arguments"].keys():
                kept["arguments"], kept["optional"] = other["arguments"], other["optional"]
            other = kept
        others.append(other)
    return [first, *others], draw(calls(kind))


def usage(step, history):
    sums = [sum((past["amounts"][i] for past in history), Decimal(0)) for i in range(len(step.totals))]
    return Usage(
        len(history), tuple(sums), tuple(past["at"] for past in history), sum(past["rows"] for past in history)
    )


def amounts_in(step, call):
    return [counts.amount(call["arguments"].get(total.argument)) or Decimal(0) for total in step.totals]


def verdict(step, call, history):
    own = [{**past, "amounts": amounts_in(step, past)} for past in history]
    return isinstance(checking.check(step, call["arguments"], usage(step, own), call["at"]), Consumption)


def a_check_is_what_its_twin_says():
    @LAW
    @given(families(1))
    def law(family):
        (form,), made = family
        step, history = Step.from_json(form), []
        for call in made:
            allowed = verdict(step, call, history)
            assert allowed == oracle.allows(form, call, history)
            if allowed:
                history.append(call)

    law()


def a_covered_step_allows_nothing_more():
    @LAW
    @given(families())
    def law(family):
        (outer, inner), made = family
        parent, child = Step.from_json(outer), Step.from_json(inner)
        assert granting.covers(parent, parent)
        if not granting.covers(parent, child):
            return
        assert (parent.action, parent.path) == (child.action, child.path)
        assert oracle.wider(outer, inner, made) is None
        history = []
        for call in made:
            if verdict(child, call, history):
                assert verdict(parent, call, history)
                history.append(call)

    law()


def a_limit_more_never_allows_more():
    @LAW
    @given(families(), st.data())
    def law(family, data):
        (form, _), made = family
        step = Step.from_json(form)
        for name in form["arguments"]:
            kind = data.draw(st.sampled_from(sorted(KINDS)))
            more = limit.from_json({kind: data.draw(KINDS[kind][0])})
            smaller = granting.narrow(step, name, more)
            assert granting.covers(step, smaller)
            for call in made:
                if verdict(smaller, call, []):
                    assert verdict(step, call, [])
                    assert name not in call["arguments"] or more.allows(call["arguments"][name])

    law()


def a_plan_draws_no_more_than_its_brief_holds():
    @LAW
    @given(families(3), st.data())
    def law(family, data):
        (top, *plan), made = family
        parent, children = Step.from_json(top), [Step.from_json(form) for form in plan]
        if granting.plan_within([parent], children):
            return
        drawn, histories = [], [[] for _ in children]
        for call in made:
            number = data.draw(st.integers(0, len(children) - 1))
            child, history = children[number], histories[number]
            # What an answer may hold is cut at what is left.
            left = None if child.rows is None else max(child.rows - sum(past["rows"] for past in history), 0)
            cut = call if left is None else {**call, "rows": min(call["rows"], left)}
            if verdict(child, cut, history):
                assert verdict(parent, cut, drawn)
                history.append(cut)
                drawn.append(cut)

    law()


BODIES = {
    "any": [True],
    "equals": EVERY,
    "one_of": [[1, "a"], [1], [True, "a"], ["a", "ab", "b"], [1, 2, 3], [2.5], [{"a": 1}, []]],
    "prefix": ["a", "ab", "abc", "b", "1"],
    "pattern": ["a.*", "ab?", "[ab]+", "a", ".*"],
    "range": [{"min": 0}, {"min": 1, "max": 2}, {"max": 2}, {"max": 3}, {"min": 0, "max": 10}, {"min": 2.5}],
    "subpath": ["/", "/srv", "/srv/data", "/srv/database"],
    "host": [[name] for name in NAMES] + [["example.org", "*.example.org"], ["a.example.org", "a.example.org:8443"]],
    "cidr": [[net] for net in NETS] + [["10.0.0.0/9", "10.128.0.0/9"]],
    "max_length": [0, 1, 2, 3, 9],
    "owned": [True],
}
FORMS = [{tag: body} for tag, bodies in BODIES.items() for body in bodies]


def a_limit_is_what_its_twin_says():
    for form in FORMS:
        one = limit.from_json(form)
        for value in EVERY:
            assert one.allows(value) == oracle.passes(form, value), (form, value)


def a_covered_limit_allows_nothing_more():
    """Every pair of limits, and every value."""
    every = [limit.from_json(form) for form in FORMS]
    passed = [{place for place, value in enumerate(EVERY) if one.allows(value)} for one in every]
    for outer, wide in zip(every, passed, strict=True):
        assert limit.all_cover((outer,), (outer,))
        for inner, small in zip(every, passed, strict=True):
            if limit.all_cover((outer,), (inner,)):
                assert small <= wide, (outer, inner)


def bounds(forms):
    head = {"action": "mcp:files/read", "path": "own", "arguments": {"x": [{"any": True}]}}
    return [{**head, **form} for form in forms]


def a_covered_count_allows_nothing_more():
    """Every pair of rates, uses, totals and windows, and every run of up to six calls a second apart or at once."""
    rates = [{"rate": {"count": count, "seconds": seconds}} for count in (1, 2, 3) for seconds in (1, 2, 3)]
    totals = [{"totals": [{"argument": "x", "max": most}]} for most in ("1", "2", "3.5")]
    others = [{}, {"uses": 1}, {"uses": 2}, {"uses": 2, **rates[0]}, {"rows": {"max": 2}}, {"rows": {"max": 4}}]
    windows = [{"window": {"start": start, "end": end}} for start, end in ((0, 1500), (0, 9000), (1500, 9000))]
    forms = bounds([*rates, *totals, *others, *windows, {"path": "delegated"}])
    made = [(form, Step.from_json(form)) for form in forms]
    runs = []
    for gaps in itertools.product((0, 1000), repeat=5):
        instants = itertools.accumulate((0, *gaps))
        runs.append([{"arguments": {"x": 1.5}, "at": at, "rows": 1} for at in instants])
    for outer, parent in made:
        for inner, child in made:
            if granting.covers(parent, child):
                assert all(oracle.wider(outer, inner, run) is None for run in runs), (outer, inner)


def a_count_is_what_its_twin_says():
    run = [{"arguments": {"x": amount}, "at": at, "rows": 1} for at, amount in enumerate(["0.1", 0.2, 1, "1.5", 0, 2])]
    for form in bounds([{"totals": [{"argument": "x", "max": most}]} for most in ("0.3", "1", "2.8", "5")]):
        step, history = Step.from_json(form), []
        for call in run:
            allowed = verdict(step, call, history)
            assert allowed == oracle.allows(form, call, history), (form, call, history)
            if allowed:
                history.append(call)


def what_is_spent_stays_spent():
    """A new plan version draws on what the earlier ones left of the brief."""
    brief = Step.from_json(
        {
            "action": "mcp:bank/pay",
            "path": "own",
            "arguments": {"x": [{"any": True}]},
            "uses": 3,
            "totals": [{"argument": "x", "max": "10"}],
        }
    )
    form = brief.to_json()
    assert granting.plan_within([brief], [brief], [Usage()]) == []
    assert granting.plan_within([brief], [brief], [Usage(uses=1, totals=(Decimal(1),))])
    rest = Step.from_json({**form, "uses": 2, "totals": [{"argument": "x", "max": "9"}]})
    assert granting.plan_within([brief], [rest], [Usage(uses=1, totals=(Decimal(1),))]) == []
    assert granting.plan_within([brief], [rest], [Usage(uses=1, totals=(Decimal(2),))])


LAWS = [
    a_limit_is_what_its_twin_says,
    a_count_is_what_its_twin_says,
    a_covered_limit_allows_nothing_more,
    a_covered_count_allows_nothing_more,
    a_check_is_what_its_twin_says,
    a_covered_step_allows_nothing_more,
    a_limit_more_never_allows_more,
    a_plan_draws_no_more_than_its_brief_holds,
    what_is_spent_stays_spent,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_3(law):
    law()


def always(*_):
    return True


def forgetful(left, child):
    return granting._at_most(left.step.uses, child.uses)


def replacing(step, name, *more):
    return Step(step.action, step.path, {**step.arguments, name: more}, step.optional, step.allow_unknown, step.uses)


def loosening(step, name, *_):
    return Step(
        step.action, step.path, {**step.arguments, name: (values.AnyValue(),)}, step.optional, allow_unknown=True
    )


def unrelated(parent, child, _covers=granting.covers):
    return _covers(
        parent,
        Step(
            parent.action,
            parent.path,
            child.arguments,
            child.optional,
            child.allow_unknown,
            child.uses,
            child.rate,
            child.totals,
            child.rows,
            child.window,
        ),
    )


COVERED, CHECKED = a_covered_step_allows_nothing_more, a_check_is_what_its_twin_says
LIMITS, COUNTS = a_covered_limit_allows_nothing_more, a_covered_count_allows_nothing_more
LIMIT, COUNT = a_limit_is_what_its_twin_says, a_count_is_what_its_twin_says
NARROWED, PLANNED = a_limit_more_never_allows_more, a_plan_draws_no_more_than_its_brief_holds
FAULTS = {
    "prefix covers backwards": (
        LIMITS,
        values.Prefix,
        "covers",
        lambda me, it: isinstance(it, values.Prefix) and me.text.startswith(it.text),
    ),
    "pattern covers every pattern": (LIMITS, values.Pattern, "covers", always),
    "range forgets its max": (
        LIMITS,
        values.Range,
        "covers",
        lambda me, it: isinstance(it, values.Range) and (me.least or 0) <= (it.least or 0),
    ),
    "max_length covers every length": (LIMITS, values.MaxLength, "covers", always),
    "one_of covers every list": (LIMITS, values.OneOf, "covers", always),
    "subpath by first letters": (
        LIMITS,
        places.Subpath,
        "covers",
        lambda me, it: isinstance(it, places.Subpath) and it.directory.startswith(me.directory),
    ),
    "host covers every host": (LIMITS, places.Host, "covers", lambda _, it: isinstance(it, places.Host)),
    "cidr forgets the length": (
        LIMITS,
        places,
        "_inside",
        lambda x, y: x.network_address in y or y.network_address in x,
    ),
    "names are not compared": (COVERED, granting, "_names_covered", always),
    "absence is not compared": (COVERED, granting, "_absence_covered", always),
    "uses and rows are not compared": (COUNTS, granting, "_at_most", always),
    "totals are not compared": (COUNTS, granting, "_total_covered", always),
    "rates are not compared": (COUNTS, granting, "_load", lambda *_: 0),
    "a rate is taken for its count": (COUNTS, counts.Rate, "within", lambda me, _: me.count),
    "windows are not compared": (COUNTS, Window, "within", always),
    "trust paths are not compared": (COUNTS, granting, "covers", unrelated),
    "narrow replaces": (NARROWED, granting, "narrow", replacing),
    "narrow loosens": (NARROWED, granting, "narrow", loosening),
    "plan steps are not added up": (PLANNED, granting._Left, "take", always),
    "only uses are looked at": (PLANNED, granting._Left, "take", forgetful),
    "earlier versions are forgotten": (what_is_spent_stays_spent, granting._Left, "take", always),
    "true is one": (LIMIT, values.OneOf, "allows", lambda me, it: any(it == one for one in me.values())),
    "a boolean is a number": (LIMIT, values, "number", lambda it: isinstance(it, int | float)),
    "a part of the text matches": (
        LIMIT,
        values.Pattern,
        "allows",
        lambda me, it: isinstance(it, str) and bool(me._set.Match(it[:1])),
    ),
    "a dot segment passes": (LIMIT, places, "_segments", lambda it: [one for one in it.split("/") if one]),
    "a name below is the name": (
        LIMIT,
        places.Host,
        "_holds",
        lambda me, it: any(it[0].endswith(n[0]) for n in me.exact),
    ),
    "sums are not kept": (COUNT, checking, "add", lambda _, amount: amount),
    "totals are not asked": (COUNT, checking, "_sums", lambda *_: Consumption()),
    "nothing is ever spent": (CHECKED, checking, "_spent", lambda *_: None),
    "a window never closes": (CHECKED, Window, "holds", always),
    "arguments nobody named pass": (CHECKED, checking, "_unknown", lambda *_: None),
    "absent arguments pass": (CHECKED, checking, "_missing", lambda *_: Consumption()),
}


test_a_planted_fault_breaks_law_3 = each_swap_goes_red(FAULTS)


def test_a_step_cannot_be_widened_after_it_was_read():
    step = Step.from_json({"action": "mcp:files/read", "path": "own", "arguments": {"x": [{"any": True}]}})
    assert isinstance(step.arguments, MappingProxyType)
    with pytest.raises(AttributeError):
        step.uses = 5
