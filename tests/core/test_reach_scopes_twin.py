"""Scopes against their twin: what random grants of real and made-up scopes are for, by the table that comes along."""

import json
import random

import pytest

from remit.core.reach import scopes
from remit.core.reach.scopes import GOOGLE, GRAPH, survey, table
from remit.custody.scopes import text
from tests.oracle import scopes as oracle

TEXT = text()
KNOWN = table(TEXT)
ODD = ["openid", "profile", "email", "offline_access", "dream:all", "user", "repo", "chat:write", "Mail.Send"]
GRAPHED = sorted(name for name, listed in KNOWN.items() if any(one.provider == "graph" for one in listed))


def drawn(seed):
    """Some grants, and of which provider they are said to be."""
    draw = random.Random(seed)
    names = sorted(KNOWN)

    def scope():
        one = draw.choice((draw.choice(ODD), draw.choice(names), draw.choice(names)))
        if draw.random() < 0.3 and one.startswith(GOOGLE):
            return one.removeprefix(GOOGLE)
        return GRAPH + draw.choice(GRAPHED) if draw.random() < 0.1 else one

    grants = {f"app{n}": sorted({scope() for _ in range(draw.randrange(6))}) for n in range(3)}
    return grants, draw.choice((None, None, *scopes.PROVIDERS))


def reached(seen, start, *, best):
    leaving = {}
    for source, target, label, writes in seen.edges:
        if best or not label.endswith("(perhaps)"):
            leaving.setdefault(source, []).append((target, writes))
    rooms = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", start)]
    rooms += [target for one in rooms for target, _ in leaving.get(one, ())]
    return {
        (seen.nodes[b][1], writes) for a in rooms for b, writes in leaving.get(a, ()) if seen.nodes[b][0] == "object"
    }


def wrong(seed):
    """Where survey and twin differ about what a grant lets be done."""
    grants, provider = drawn(seed)
    form = {"grants": [{"name": name, "scopes": held} for name, held in grants.items()]}
    seen = survey(json.dumps(form | ({"provider": provider} if provider else {})).encode(), KNOWN)
    twins = {True: oracle.able, False: oracle.surely}
    return [
        (name, best)
        for name, held in grants.items()
        for best in (True, False)
        if reached(seen, name, best=best) != twins[best](TEXT, held, provider)
    ]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_what_a_grant_is_for_is_what_the_twin_finds(first):
    assert [seed for seed in range(first, first + 20) if wrong(seed)] == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [("GOOGLE", ""), ("GRAPH", ""), ("IDENTITY", frozenset()), ("OFFLINE", "offline"), ("_lay", lambda *_: True)],
)
def test_a_planted_fault_is_seen(monkeypatch, name, fault):
    monkeypatch.setattr(scopes, name, fault)
    assert any(wrong(seed) for seed in range(60))
