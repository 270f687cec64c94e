"""GitHub against its twin: what everybody in random organisations can do, surely and perhaps, with planted faults."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from remit.core.errors import RemitError
from remit.core.reach.github import export, people, survey
from tests.kit.organizations import LOGINS, drawn
from tests.oracle import github as oracle


def reached(seen, start, *, best):
    """What a survey lets a login do: things, and whether it writes; `best` follows what is perhaps so too."""
    leaving = {}
    for source, target, label, writes in seen.edges:
        if best or not label.endswith("(perhaps)"):
            leaving.setdefault(source, []).append((target, writes))
    waiting = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", start)]
    found = set()
    for one in waiting:
        for target, writes in leaving.get(one, ()):
            kind, name, _ = seen.nodes[target]
            if kind == "object":
                found.add((name, writes))
            elif kind == "code":
                found.add((name.replace("actions of", "run in"), False))
            if target not in waiting:
                waiting.append(target)
    return found


def holders(form):
    """Every login of an organisation, and what the twin says of it."""
    for login in sorted({*LOGINS, "guest", "gone"}):
        yield f"user/{login}", lambda best, login=login: oracle.person(form, login, best=best)
    for one in form.get("installations") or []:
        yield f"app/{one['app_slug']}", lambda best, one=one: oracle.app(form, one, best=best)
    for one in form.get("personal_access_tokens") or []:
        name = f"token/{one['owner']['login']}/{one['token_name']}"
        yield name, lambda best, one=one: oracle.token(form, one, best=best)
    for place in form.get("repositories") or []:
        for one in place.get("keys") or []:
            name = f"key/{place['full_name']}/{one['title']} {one['id']}"
            yield name, lambda best, place=place, one=one: oracle.key(form, place["full_name"], one)


def wrong(seed, look=None):
    """Where survey and twin differ about what somebody can do, surely or perhaps."""
    form = drawn(seed)
    try:
        seen = (look or survey.survey)(json.dumps(form).encode())
    except RemitError:
        return []
    found = []
    for name, twin in holders(form):
        for best in (True, False):
            said, expected = strongest(reached(seen, name, best=best)), strongest(twin(best))
            if said != expected:
                found.append((name, best, sorted(said ^ expected)))
    return found


def strongest(things):
    """Each thing once: written, or else read."""
    return {(name, (name, True) in things) for name, _ in things}


@pytest.mark.parametrize("first", range(0, 240, 60))
def test_what_anybody_can_do_is_what_the_twin_finds(first):
    assert [(seed, found) for seed in range(first, first + 60) if (found := wrong(seed))] == []


def test_most_organisations_are_read():
    assert sum(readable(drawn(seed)) for seed in range(100)) > 80


def readable(form):
    try:
        return bool(survey.survey(json.dumps(form).encode()).nodes)
    except RemitError:
        return False


MODULES = {"export": export, "people": people, "survey": survey}
FAULTS = [
    ("people", "here = team.parent.slug if team and team.parent else None", "here = None"),
    ("people", "sure = sure and whole", "sure = True"),
    ("people", "or self.places[place].collaborators is not None", "or True"),
    ("people", "yield LEVELS[0], True", "yield LEVELS[2], True"),
    ("people", "best = max(best, LEVELS.index(said) if said else -1)", "best = LEVELS.index(said) if said else -1"),
    ("people", "self.members = {one.login for one in form.members or ()} | self.owners", "self.members = self.owners"),
    ("export", '_WORDS: Final = {"pull": "read", "push": "write"}', "_WORDS: Final = {}"),
    ("export", "return max(known, key=LEVELS.index", "return min(known, key=LEVELS.index"),
    ("export", "found[each] = held if ranks[0] >= ranks[1] else found[each]", "found[each] = held"),
    ("survey", "if one.suspended_at is None:", "if True:"),
    ("survey", "if one.token_expired:", "if False:"),
    ("survey", "if not one.enabled:", "if False:"),
    ("survey", "if not one.read_only:", "if True:"),
    ("survey", "listed = [each.full_name for each in one.repositories]", "listed = self.places"),
    ("survey", 'if one.repository_selection == "none":', 'if one.repository_selection != "all":'),
    ("survey", 'if one.repositories is not None and one.repository_selection != "all":',
     "if one.repositories is not None:"),
    ("survey", "return {what: had for what, had in able.items() if rank >= _needed(what, had)}", "return held"),
    ("survey", 'able = {what: had if rank >= _needed(what, had) else "read" for what, had in held.items()}',
     "able = held"),
    ("survey", 'self.found.edge(node, above, "is a team of")', 'self.found.edge(above, node, "is a team of")'),
    ("survey", 'if {"contents", "workflows"} <= write:', 'if write & {"contents", "workflows"}:'),
    ("survey", 'if "administration" in write:', "if False:"),
    ("survey", "if above is not None:\n                    self", "if False:\n                    self"),
    ("survey", 'self.found.edge(("rights", EVERYTHING), self._room(ADMIN, place), "owns")', "pass"),
    ("survey", "if team.repositories is None:", "if False:"),
    ("survey", "if people.members and base is None:", "if False:"),
    ("survey", 'self._unknown(above, f"team/{team.parent.slug}", "has")', "pass"),
    ("survey", "for permission in role.permissions:", "for permission in ():"),
    ("survey", "if not sure:\n            self._note", "if False:\n            self._note"),
]  # fmt: skip


def faulty(where, old, new):
    """The survey's function of a package that has this fault."""
    made = {}
    kept = {name: sys.modules[one.__name__] for name, one in MODULES.items()}
    try:
        for name, one in MODULES.items():
            text = Path(str(one.__file__)).read_text(encoding="utf-8")
            if name == where:
                assert text.count(old) == 1, f"{where} no longer holds once: {old}"
                text = text.replace(old, new)
            made[name] = sys.modules[one.__name__] = ModuleType(one.__name__)
            exec(compile(text, str(one.__file__), "exec"), made[name].__dict__)
    finally:
        for name, one in kept.items():
            sys.modules[MODULES[name].__name__] = one
    return made["survey"].survey


@pytest.mark.parametrize(("where", "old", "new"), FAULTS)
def test_a_planted_fault_is_seen(where, old, new):
    look = faulty(where, old, new)
    assert any(wrong(seed, look) for seed in range(400))
