"""Reach over the web: the operator's alone, the same answer as the command's, one graph made at a time."""

import threading

import pytest

from remit.control import reachable
from remit.core.reach.answer import VIEWS, answer
from remit.store.record import Reader
from remit.web import reaching
from tests.kit.asking import code


def test_an_answer_is_what_the_command_says(place):
    world = place.world
    now = world.authority.clock.now()
    for view in VIEWS:
        said = place.get(f"/v1/reach?of=agent:{place.bot}&view={view}").json
        graph, land = place.act(lambda c, view=view: reachable.graph(Reader(c.db), now, view))
        assert said["numbers"].items() >= answer(graph, graph.find(f"agent:{place.bot}")).numbers.items()
        assert (said["view"], said["notes"]) == (view, land.notes)
    said = place.get(f"/v1/reach?of=agent:{place.bot}").json
    cut = place.get(f"/v1/reach?of=agent:{place.bot}&without=resource:notes").json
    assert cut["before"] == {k: v for k, v in said["numbers"].items() if k in cut["before"]}
    assert cut["numbers"]["systems"] < said["numbers"]["systems"]
    (way,) = place.get(f"/v1/reach?of=agent:{place.bot}&to=domain:office").json["paths"]
    assert way[-1]["node"] == "domain:office"
    listed = place.get("/v1/reach").json["items"]
    assert {one["agent"] for one in listed} >= {f"agent:{place.bot}", f"agent:{place.other}"}


def test_it_is_the_operators_alone_and_asks_are_held_to_their_form(place):
    for held in (place.person, place.held):
        assert code(place.get("/v1/reach", held), 403) == "forbidden"
    assert code(place.get("/v1/reach", "nobody"), 401) == "unauthenticated"
    assert code(place.get("/v1/reach?of=agent:nobody"), 404) == "reach_unknown"
    assert code(place.get("/v1/reach?view=past"), 400) == "view_unknown"
    assert code(place.get("/v1/reach?to=domain:office"), 400) == "query_invalid"
    assert code(place.get("/v1/reach?of=a&of=b"), 400) == "query_invalid"


@pytest.fixture
def counted(monkeypatch):
    """How often a graph was made; and a gate that holds it while it is."""
    made, go = [], threading.Event()
    go.set()
    real = reachable.graph

    def graph(*given):
        made.append(given[2])
        assert go.wait(60)
        return real(*given)

    monkeypatch.setattr(reaching.reachable, "graph", graph)
    return made, go


def test_a_graph_is_kept_until_something_is_recorded(place, counted):
    made, _ = counted
    for _ in range(3):
        assert place.get("/v1/reach").status == 200
    assert made == ["possible"]
    place.agent("newcomer")
    assert len(place.get("/v1/reach").json["items"]) == 4
    assert made == ["possible", "possible"]


def test_the_loop_goes_on_while_a_graph_is_made_and_who_comes_too_much_is_told_to_wait(place, counted, monkeypatch):
    made, go = counted
    monkeypatch.setattr(reaching, "WAITING", 1)
    go.clear()
    found = []
    asking = threading.Thread(target=lambda: found.append(place.get("/v1/reach").status))
    asking.start()
    while not made:
        assert place.get("/v1/agents").status == 200
    assert place.get("/v1/agents").status == 200, "the loop stands still while a graph is made"
    assert code(place.get("/v1/reach"), 503) == "reach_busy"
    go.set()
    asking.join(60)
    assert found == [200]
    assert place.get("/v1/reach").status == 200
