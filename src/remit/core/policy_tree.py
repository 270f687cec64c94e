"""What can be told of a policy from its tree alone: where it applies, what it looks at, whether it always holds.

Every answer errs to the safe side: a scope that is not understood applies everywhere, an expression that is not
understood may be true or false, and a use of the context that is not understood looks at all of it.
Source: Cedar JSON policy format (docs.cedarpolicy.com/policies/json-format).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from remit.core.canonical import Json
from remit.core.schema import READ, WRITE, ActionShape

Looks = dict[str, set[str] | None]
"""Context members looked at, each with those of its own members that are; None stands for all of it."""

_SURE: Final = frozenset({"args", "now", "path", "plan", "task"})


def agent(tree: Mapping[str, Json]) -> str | None:
    """Return the one agent that the scope names; None when it may hold for others. Agents have no parents."""
    scope = tree["principal"]
    held = scope.get("in", {}) if scope.get("op") == "is" else scope
    entity = held.get("entity")
    return entity["id"] if isinstance(entity, dict) and entity.get("type") == "Agent" else None


def applies(tree: Mapping[str, Json], shape: ActionShape) -> bool:
    """Say whether the scope may hold for this action and its resource."""
    scope = tree["action"]
    if scope.get("op") in {"==", "in"}:
        named = _named(scope)
        reached = {shape.name} if scope["op"] == "==" else {shape.name, *shape.groups}
        if not named & reached:
            return False
    scope = tree["resource"]
    held = scope.get("in", {}) if scope.get("op") == "is" else scope
    entity = held.get("entity")
    return not isinstance(entity, dict) or entity == {"type": "Resource", "id": shape.resource}


def looks(trees: Iterable[Mapping[str, Json]]) -> Looks | None:
    """Say which parts of the context these policies look at; None when it is all of it."""
    found: Looks = {}
    for tree in trees:
        for condition in tree.get("conditions", []):
            for path in _paths(condition["body"]):
                if not path:
                    return None
                _look(found, path)
    return found


def always(tree: Mapping[str, Json]) -> bool:
    """Say whether the policy holds for whatever its scope holds for."""
    return all(_constant(c["body"]) is (c["kind"] == "when") for c in tree.get("conditions", []))


def never(tree: Mapping[str, Json]) -> bool:
    """Say whether the policy can never hold."""
    return any(_constant(c["body"]) is (c["kind"] == "unless") for c in tree.get("conditions", []))


def everywhere(trees: Iterable[Mapping[str, Json]]) -> bool:
    """Say whether these policies, always holding, leave no action of any agent on any resource out."""
    reached: set[str] = set()
    for tree in trees:
        open_to_all = all(tree[part].get("op") == "All" or set(tree[part]) == {"op", "entity_type"} for part in _ENDS)
        if open_to_all and always(tree):
            scope = tree["action"]
            if scope.get("op") == "All":
                return True
            if scope.get("op") == "in":
                reached |= _named(scope)
    return {READ, WRITE} <= reached


_ENDS: Final = ("principal", "resource")


def _named(scope: Mapping[str, Json]) -> set[str]:
    """Return the actions and groups that an action scope names: Cedar writes one of them apart from several."""
    entities = [scope["entity"]] if "entity" in scope else scope["entities"]
    return {one["id"] for one in entities}


def _look(found: Looks, path: tuple[str, ...]) -> None:
    held = found.setdefault(path[0], set())
    if held is None:
        return
    if len(path) == 1:
        found[path[0]] = None
    elif path[1]:
        held.add(path[1])


def _paths(tree: Json) -> Iterator[tuple[str, ...]]:
    """Yield each use of the context: () all of it, (a,) all of a member, (a, "") whether it is there, (a, b) deeper."""
    path = _path(tree)
    if path is not None:
        yield path
    elif isinstance(tree, dict):
        if set(tree) == {"has"} and (base := _path(tree["has"]["left"])) is not None:
            yield ((*base, tree["has"]["attr"]) if base else (tree["has"]["attr"], ""))[:2]
            return
        for inner in tree.values():
            yield from _paths(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _paths(inner)


def _path(tree: Json) -> tuple[str, ...] | None:
    """Return the members by which this reaches into the context, two at most; None when it does not start there."""
    if not isinstance(tree, dict) or len(tree) != 1:
        return None
    if tree.get("Var") == "context":
        return ()
    if "." not in tree:
        return None
    base = _path(tree["."]["left"])
    return None if base is None else (*base, tree["."]["attr"])[:2]


def _constant(tree: Json) -> bool | None:
    """Return what an expression always is, where that is plain to see; else None."""
    if not isinstance(tree, dict) or len(tree) != 1:
        return None
    ((op, held),) = tree.items()
    if op == "Value":
        return held if isinstance(held, bool) else None
    if op == "!":
        inner = _constant(held["arg"])
        return None if inner is None else not inner
    if op in {"&&", "||"}:
        decides = op == "||"
        sides = (_constant(held["left"]), _constant(held["right"]))
        return decides if decides in sides else None if None in sides else not decides
    if op == "if-then-else":
        chosen = _constant(held["if"])
        branches = (_constant(held["then"]), _constant(held["else"]))
        return branches[not chosen] if chosen is not None else branches[0] if branches[0] == branches[1] else None
    return _comparison(op, held)


def _comparison(op: str, held: Json) -> bool | None:
    if op in {"==", "!="}:
        same = held["left"] == held["right"] and type(held["left"]) is type(held["right"])
        if same or (set(held["left"]) == set(held["right"]) == {"Value"}):
            return same is (op == "==")
    if op == "is":
        kinds = {"principal": "Agent", "resource": "Resource"}
        return True if kinds.get(held["left"].get("Var", "")) == held["entity_type"] and "in" not in held else None
    if op == "has":
        return True if held["left"] == {"Var": "context"} and held["attr"] in _SURE else None
    return None
