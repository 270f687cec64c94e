"""Patterns with `*` and `?`: what one surely covers of another, and whether two have a text in common. Pure.

`covers` may miss a cover between patterns that are written oddly, and never claims one that is none.
"""

import re
from functools import lru_cache
from typing import Final

_KEPT: Final = 1 << 16
_RUN: Final = re.compile(r"[?*]*\*[?*]*")


def covers(outer: str, inner: str) -> bool:
    """Say that whatever matches `inner` matches `outer`. A text without wildcards is a pattern that matches itself."""
    if "?" in outer or "*" in outer[:-1]:
        return _matches(outer, inner)
    return inner.startswith(outer[:-1]) if outer[-1:] == "*" else outer == inner


@lru_cache(_KEPT)
def _matches(outer: str, inner: str) -> bool:
    outer, inner = _plain(outer), _plain(inner)
    if outer in ("*", inner):
        return True
    at = here = 0
    star, mark = -1, 0
    while here < len(inner):
        if at < len(outer) and outer[at] == "*":
            star, mark, at = at, here, at + 1
        elif at < len(outer) and (outer[at] == inner[here] or (outer[at] == "?" and inner[here] != "*")):
            at, here = at + 1, here + 1
        elif star >= 0:
            mark += 1
            at, here = star + 1, mark
        else:
            return False
    return not outer[at:].strip("*")


def _plain(pattern: str) -> str:
    """A pattern with each run of wildcards written in one way: the single ones, and then the star."""
    return _RUN.sub(lambda run: "?" * run[0].count("?") + "*", pattern) if "*" in pattern else pattern


@lru_cache(_KEPT)
def overlaps(one: str, other: str) -> bool:
    """Say that some text matches both."""
    if not {"*", "?"} & set(one):
        return covers(other, one)
    if not {"*", "?"} & set(other):
        return covers(one, other)
    if covers(one, other) or covers(other, one):
        return True
    places = _after({0}, one)
    for sign in other:
        if sign == "*":
            places = _after(set(range(min(places), len(one) + 1)), one)
        else:
            places = _after({step for at in places for step in _steps(one, at, sign)}, one)
        if not places:
            return False
    return len(one) in places


def placed(service: str, place: str) -> str:
    """How what a service does at a place is called: by its ARN, or by both where the ARN does not say the service."""
    return place if place.startswith("arn:") and place.split(":")[2:3] == [service] else f"{service} {place}"


def within(action: str, place: str) -> bool:
    """Say that an action can be meant for a place, as far as names go."""
    named = place.split(":")[2:3] if place.startswith("arn:") else []
    service = action.partition(":")[0].lower()
    return not named or {"*", "?"} & set(named[0]) != set() or named[0] == service or "*" in service


def _steps(one: str, at: int, sign: str) -> tuple[int, ...]:
    """Where in a pattern one sign of the other may lead to."""
    if at == len(one):
        return ()
    if one[at] == "*":
        return (at,)
    return (at + 1,) if sign == "?" or one[at] in ("?", sign) else ()


def _after(places: set[int], one: str) -> set[int]:
    """These places, and those behind stars, which may match nothing."""
    found = set(places)
    for at in places:
        here = at
        while here < len(one) and one[here] == "*":
            here += 1
            found.add(here)
    return found
