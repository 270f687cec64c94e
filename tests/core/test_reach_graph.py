"""The graph against its slow twin: what is reached, by which way, through which nodes, with and without some."""

import itertools
import random

import pytest

from remit.core.errors import RemitError
from remit.core.reach import answer as answers
from remit.core.reach import walk as walks
from remit.core.reach.amount import UNBOUNDED, Amount
from remit.core.reach.answer import answer, labelled
from remit.core.reach.graph import KINDS, NUMBER, Builder, of_arrays
from remit.core.reach.walk import dominators, walk
from tests.oracle import reach as oracle

SEEDS = range(120)


def drawn(seed):
    """A random graph of some shape: sparse or dense, layered or not, with some that are sensitive."""
    draw = random.Random(seed)
    count = draw.choice((2, 5, 12, 30))
    pool = draw.choice((("object", "write", "resource"), KINDS))
    builder = Builder()
    nodes = [builder.node(draw.choice(pool), f"n{n}") for n in range(count)]
    for _ in range(draw.randrange(count * draw.choice((1, 2, 4)))):
        one, other = draw.choice(nodes), draw.choice(nodes)
        if draw.random() < 0.5:
            one, other = min(one, other), max(one, other)
        builder.edge(one, other, draw.choice(("a", "b")))
    for node in nodes:
        if builder.keys[node].startswith("domain:") and draw.random() < 0.5:
            builder.sensitive(node)
    graph = builder.build()
    edges = [(n, t) for n in nodes for t in graph.targets[graph.offsets[n] : graph.offsets[n + 1]]]
    gone = frozenset(draw.sample(nodes[1:], min(len(nodes) - 1, draw.randrange(3))))
    return graph, edges, gone


def counted(graph, nodes):
    kinds = [graph.kinds[node] for node in nodes]
    found = {name: kinds.count(NUMBER[kind]) for name, kind in answers.COUNTED.items()}
    return found | {"sensitive": len(graph.sensitive & set(nodes))}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_reached_and_how_far_it_is(seed):
    graph, edges, gone = drawn(seed)
    walked = walk(graph, 0, gone)
    assert set(walked.order) == oracle.reached(edges, 0, gone)
    for node in walked.order:
        path = walked.path(node)
        assert path[0] == 0
        assert all(step in edges for step in itertools.pairwise(path))
        assert len(path) - 1 == oracle.distance(edges, 0, node, gone)


def wrong_nearest(graph, edges):
    """The nodes whose nearest dominator is not what the twin says."""
    walked = walk(graph, 0)
    found = dominators(graph, walked)
    return [
        node
        for place, node in enumerate(walked.order)
        if place and walked.order[found[place]] != oracle.nearest(edges, 0, node)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_goes_through_what_is_called_a_dominator(seed):
    graph, edges, _ = drawn(seed)
    assert wrong_nearest(graph, edges) == []


def test_a_planted_fault_in_the_dominators_is_seen(monkeypatch):
    monkeypatch.setattr(walks, "_parting", lambda nearest, one, other: other)
    assert any(wrong_nearest(*drawn(seed)[:2]) for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_what_the_twin_counts_and_a_gain_is_what_cutting_takes_away(seed):
    graph, edges, gone = drawn(seed)
    found = answer(graph, 0, gone)
    assert found.numbers == counted(graph, oracle.reached(edges, 0, gone) - {0})
    for one in found.chokes:
        lost = counted(graph, oracle.lost(edges, 0, one.node, gone))
        assert one.gain == {name: lost[name] for name in answers.GAINED}
        fewer = answer(graph, 0, gone | graph.cut([one.node]), brief=True).numbers
        assert {name: found.numbers[name] - fewer[name] for name in answers.GAINED} == one.gain
    if len(found.chokes) < answers.SHOWN:
        able = [n for n in oracle.reached(edges, 0, gone) - {0} if graph.kinds[n] not in answers.PASSED]
        more = [n for n in able if any(counted(graph, oracle.lost(edges, 0, n, gone) - {n})[g] for g in answers.GAINED)]
        assert sorted(one.node for one in found.chokes) == sorted(more)


def small():
    builder = Builder()
    agent, grant = builder.node("agent", "agt_1", "scribe"), builder.node("grant", "g", amount=Amount(named=None))
    table, place = builder.node("object", "crm/public.a"), builder.node("resource", "crm")
    secret, home = builder.node("secret", "mail"), builder.node("domain", "customers")
    builder.edge(agent, grant, "may be given")
    builder.writes(grant, table, "insert")
    builder.edge(table, place, "is in")
    builder.edge(place, home, "holds")
    builder.edge(table, secret, "stores")
    builder.sensitive(home)
    return builder.build()


def test_an_answer_begins_with_numbers_and_says_the_way():
    graph = small()
    found = answer(graph, graph.find("scribe"))
    assert found.numbers == {
        "systems": 1, "writable": 1, "objects": 1, "domains": 1, "logins": 0, "secrets": 1, "code": 0, "sensitive": 1,
    }  # fmt: skip
    assert found.bound.people == UNBOUNDED
    form = found.to_json()
    assert form["paths"][0] == [
        {"node": "agent:agt_1", "by": ""}, {"node": "grant:g", "by": "may be given"},
        {"node": "object:crm/public.a", "by": "insert (writes)"}, {"node": "resource:crm", "by": "is in"},
        {"node": "domain:customers", "by": "holds"},
    ]  # fmt: skip
    assert [(one["node"], one["gain"]["sensitive"]) for one in form["chokes"]] == [
        ("grant:g", 1),
        ("object:crm/public.a", 1),
    ]
    assert form["numbers"]["people"] == "unbounded"
    [way] = answer(graph, 0, to=graph.find("secret:mail")).paths
    assert [graph.keys[node] for node, _ in labelled(graph, way)][-1] == "secret:mail"
    assert answer(graph, 0, {graph.find("grant:g")}, to=graph.find("secret:mail")).paths == []


def test_a_choke_point_is_worth_what_is_less_without_it_and_the_writes_to_it():
    builder = Builder()
    agent, grant = builder.node("agent", "agt_1", "scribe"), builder.node("grant", "g")
    tool, place, note = builder.node("tool", "n/write"), builder.node("resource", "n"), builder.node("object", "n/note")
    builder.edge(agent, grant, "may be given")
    builder.edge(grant, tool, "is given")
    builder.writes(grant, tool, "writes")
    builder.edge(tool, place, "is in")
    builder.writes(tool, note, "insert")
    graph = builder.build()
    found = answer(graph, agent)
    for one in found.chokes:
        fewer = answer(graph, agent, graph.cut([one.node]), brief=True).numbers
        assert {name: found.numbers[name] - fewer[name] for name in answers.GAINED} == one.gain
    assert [one.gain["writable"] for one in found.chokes if one.node == tool] == [2]


def test_an_agent_is_meant_before_its_brief_and_each_by_its_kind():
    builder = Builder()
    agent, brief = builder.node("agent", "agt_1", "clerk"), builder.node("brief", "clerk")
    graph = builder.build()
    assert [graph.find(text) for text in ("clerk", "agent:clerk", "brief:clerk", "agent:agt_1")] == [
        agent, agent, brief, agent,
    ]  # fmt: skip
    builder.node("agent", "agt_2", "clerk")
    for text in ("clerk", "agent:clerk"):
        with pytest.raises(RemitError) as fault:
            builder.build().find(text)
        assert fault.value.code == "reach_ambiguous"


def test_a_name_must_mean_one_thing():
    graph = small()
    assert graph.find("crm/public.a") == graph.find("object:crm/public.a")
    builder = Builder()
    builder.node("role", "crm/app")
    builder.node("rights", "crm/app")
    for text, code in (("nobody", "reach_unknown"), ("crm/app", "reach_ambiguous")):
        with pytest.raises(RemitError) as fault:
            builder.build().find(text)
        assert fault.value.code == code
        assert code != "reach_unknown" or text in fault.value.message, "of several names, the wrong one is told"


def test_what_is_said_twice_stands_once_in_order_of_what_it_leads_to():
    builder = Builder()
    nodes = [builder.node("object", f"n{n}") for n in range(4)]
    for target, label in ((3, "b"), (1, "b"), (3, "b"), (1, "a"), (0, "self")):
        builder.edge(nodes[0], nodes[target], label)
    builder.edge(nodes[2], nodes[0], "b")
    made = builder.build()
    assert (list(made.offsets), list(made.targets)) == ([0, 3, 3, 4, 4], [1, 1, 3, 0])
    assert [made.said[label] for label in made.labels] == ["b", "a", "b", "b"]
    written = builder.node("write", "object:n3")
    assert builder.build().cut([3]) == {3, written}


def test_what_cannot_be_a_graph_is_refused():
    for kind, name in (("unheard", "x"), ("agent", ""), ("agent", "x" * 1025)):
        with pytest.raises(RemitError) as fault:
            Builder().node(kind, name)
        assert fault.value.code == "reach_invalid"


def test_ways_that_are_too_long_have_no_choke_points_and_say_so():
    count = walks.DEEPEST + 3
    chain = of_arrays(bytes(count), range(count - 1), range(1, count))
    found = answer(chain, 0)
    assert (found.walked.depth, found.chokes, found.to_json()["chokes"]) == (count - 1, None, None)
