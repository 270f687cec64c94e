"""PostgreSQL: what a survey says each role can do is what it really can do, tried on a real server."""

import re
from functools import cache

import psycopg
import pytest

from remit.core.errors import RemitError
from remit.core.reach import rights as rules
from remit.core.reach.postgres import survey
from remit.core.reach.survey import read
from remit.custody.secret import Secret
from remit.custody.surveyor import look
from tests.kit import postgres
from tests.kit.privileges import COLUMNS, Layout, layout, really

SOME = range(5)
ORDERS = 8
"""How many orders of gifts are tried before a right that was not found counts as one that is not there."""


def said(seen, role):
    """Every act that a survey says a role can do: what it is, has, inherits, may become and may give itself."""
    leaving = {}
    for source, target, label, _ in seen.edges:
        leaving.setdefault(source, []).append((target, label))
    start = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", role)]
    found, waiting, done = set(), list(start), set(start)
    for one in waiting:
        for target, label in leaving.get(one, ()):
            kind, name, _ = seen.nodes[target]
            if kind == "object":
                found |= {(name, verb) for part in label.split(", ") for verb in acts(part)}
            elif kind in ("role", "rights") and target not in done:
                done.add(target)
                waiting.append(target)
    return found


def acts(part):
    verb, _, columns = part.partition("(")
    if verb in ("select", "insert", "update"):
        return [f"{verb} {column}" for column in (columns.rstrip(")").split() if columns else COLUMNS)]
    return [verb]


def expected(seen, made: Layout, role):
    """What the survey says, in the words of the trial: sequences have no columns, and what will be is made."""
    found = {
        (name, re.sub(" .*", "", verb) if made.others.get(name) == "S" else verb) for name, verb in said(seen, role)
    }
    known = {*made.tables, *made.views, *made.others, *(f"schema {one}" for one in made.schemas)}
    kept = {(name, verb) for name, verb in found if name in known}
    will = {}
    for name, verb in found:
        match = re.fullmatch(r"future tables of (\S+) in (any schema|\S+)", name)
        if match:
            will.setdefault((match[1], "" if match[2] == "any schema" else match[2]), set()).add(verb)
    return kept, will


def differences(url, seed):
    """Where survey and trial differ, for one layout."""
    wrong = []
    with layout(url, seed) as (conn, made):
        seen = read(survey(look(Secret(url.encode()))).written())
        for role in made.roles:
            kept, will = expected(seen, made, role)
            tried = really(conn, made, role)
            for order in range(1, ORDERS):
                tried |= really(conn, made, role, order) if kept - tried else set()
            now = {(name, verb) for name, verb in tried if ".next" not in name}
            wrong += [(role, "said, not so", one) for one in sorted(kept - now)]
            wrong += [(role, "so, not said", one) for one in sorted(now - kept)]
            wrong += future(made, role, will, tried)
    return wrong


def future(made, role, will, tried):
    """Who is granted what a role will make can use it once it is made, and nobody else who does not own it then."""
    wrong = []
    for n, (owner, schema) in enumerate(sorted(made.defaults)):
        name = f"{schema or 'shared'}.next{n}"
        mine = {verb for place, verb in tried if place == name}
        here, anywhere = will.get((owner, schema or "shared"), set()), will.get((owner, ""), set())
        if "own" not in mine:
            # What is promised for any schema holds where the schema can be used, as everybody can use this one.
            sure = here if schema else here | anywhere
            wrong += [(role, "promised, not so", (name, verb)) for verb in sorted(sure - mine)]
            wrong += [(role, "so, not promised", (name, verb)) for verb in sorted(mine - here - anywhere)]
    return wrong


@cache
def shared():
    return postgres.server()


@pytest.mark.parametrize("seed", SOME)
def test_a_survey_says_what_each_role_really_can_do(seed):
    assert differences(shared().fresh(), seed) == []


def test_a_planted_fault_is_seen(monkeypatch):
    monkeypatch.setattr(rules.Judge, "_rows", lambda *_: True)
    assert any(differences(shared().fresh(), seed) for seed in SOME)


def test_a_database_that_cannot_be_looked_at_says_so():
    with pytest.raises(RemitError) as fault:
        look(Secret(b"postgresql://nobody@127.0.0.1:1/none"))
    assert fault.value.code == "target_unavailable"


def test_looking_changes_nothing():
    url = shared().fresh()
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE kept (id int)")
    assert look(Secret(url.encode())) == look(Secret(url.encode()))
