"""A step: one action, by one trust path, under limits. A brief's ceiling and a plan are lists of steps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from remit.core import limit
from remit.core.canonical import Json
from remit.core.limit import owned
from remit.core.limit.counts import Rate, Total, whole
from remit.core.limit.naming import Node, segments, tree
from remit.core.limit.shape import ArgumentLimit, invalid
from remit.core.moment import Instant, Window
from remit.core.trust import TrustPath

MOST_ARGUMENTS: Final = 200
_ACTION = re.compile(
    r"(?:mcp|http|sql):[a-z0-9][a-z0-9-]{0,62}/"
    r"(?:[a-zA-Z0-9_.-]{1,128}|@read|@prompt|@complete|@subscribe|@sampling|@elicitation|@roots)"
)
_MEMBERS: Final = frozenset(
    {"action", "path", "arguments", "optional", "allow_unknown", "uses", "rate", "totals", "rows", "window"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """What may be done: an action and the limits that all must hold. Owned by the brief or plan that lists it.

    `arguments` names what the action may be given (law 3: what it does not name is refused, unless `allow_unknown`); a
    named argument must be there unless it is in `optional`. `uses` and `rows` count within the task, None is unbounded.
    Refuses what contradicts itself (`limit_invalid`, `window_invalid`).
    """

    action: str
    path: TrustPath
    arguments: Mapping[str, tuple[ArgumentLimit, ...]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    allow_unknown: bool = False
    uses: int | None = None
    rate: Rate | None = None
    totals: tuple[Total, ...] = ()
    rows: int | None = None
    window: Window | None = None
    flat: tuple[tuple[str, tuple[ArgumentLimit, ...], bool], ...] | None = field(init=False, repr=False, compare=False)
    """The limits by name when none is nested; else None."""
    root: Node = field(init=False, repr=False, compare=False)
    """The limits by place."""
    summed: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)
    """Where each total's argument is."""
    owned: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)
    """Where what is named must belong to the person it is done for."""

    def __post_init__(self) -> None:
        if not _ACTION.fullmatch(self.action):
            raise invalid("A step names one action, such as mcp:files/read_file.")
        if len(self.arguments) > MOST_ARGUMENTS or not all(self.arguments.values()):
            raise invalid(f"A step names at most {MOST_ARGUMENTS} arguments, each with at least one limit.")
        if not self.optional <= self.arguments.keys():
            raise invalid("Only a named argument can be optional.")
        whole("uses", 1 if self.uses is None else self.uses)
        whole("rows", 1 if self.rows is None else self.rows)
        places = {segments(name)[0] for name in self.arguments}
        summed = tuple(segments(total.argument) for total in self.totals)
        if len(set(summed)) != len(summed) or any("*" in where for where in summed):
            raise invalid("A total sums one argument, and each of them once.")
        if not self.allow_unknown and any(where[0] not in places for where in summed):
            raise invalid("A total sums an argument that the step does not name, so it would refuse every call.")
        own = {name: tuple(limits) for name, limits in self.arguments.items()}
        root = tree(own, self.optional)
        nested = any(node.inner for node in root.inner.values())
        flat = tuple((node.name, node.limits, node.optional) for node in root.inner.values())
        object.__setattr__(self, "arguments", MappingProxyType(own))
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "summed", summed)
        object.__setattr__(self, "owned", tuple(segments(name) for name in owned.places(own)))
        object.__setattr__(self, "flat", None if nested or any(n.startswith("/") for n in own) else flat)

    def __hash__(self) -> int:
        return hash((self.action, self.path, frozenset(self.arguments.items()), self.optional, self.uses))

    @classmethod
    def from_json(cls, form: Json) -> Self:
        """Read one step. Refuses unknown members and wrong types (`limit_invalid`)."""
        if not isinstance(form, Mapping) or not form.keys() <= _MEMBERS or not {"action", "path"} <= form.keys():
            raise invalid("A step is an object with action, path and known members only.")
        if not isinstance(form["action"], str) or form["path"] not in list(TrustPath):
            raise invalid("A step's action is a string, and its path is delegated or own.")
        named = form.get("arguments", {})
        if not isinstance(named, Mapping) or not all(isinstance(forms, list) for forms in named.values()):
            raise invalid("A step's arguments are an object: for each name a list of limits.")
        unknown = form.get("allow_unknown", False)
        if not isinstance(unknown, bool):
            raise invalid("allow_unknown takes true or false.")
        return cls(
            action=form["action"],
            path=TrustPath(form["path"]),
            arguments={name: tuple(limit.from_json(one) for one in forms) for name, forms in named.items()},
            optional=_names(form.get("optional", [])),
            allow_unknown=unknown,
            uses=whole("uses", form["uses"]) if "uses" in form else None,
            rate=Rate.from_json(form["rate"]) if "rate" in form else None,
            totals=_totals(form.get("totals", [])),
            rows=whole("rows max", _members("rows", form["rows"], "max")["max"]) if "rows" in form else None,
            window=_window(form["window"]) if "window" in form else None,
        )

    def to_json(self) -> dict[str, Json]:
        """Write the step; what is at its default is left out. `from_json` reads it back to an equal step."""
        form: dict[str, Json] = {"action": self.action, "path": self.path.value}
        if self.arguments:
            named = sorted(self.arguments.items())
            form["arguments"] = {name: [one.to_json() for one in limits] for name, limits in named}
        if self.optional:
            form["optional"] = sorted(self.optional)
        if self.allow_unknown:
            form["allow_unknown"] = True
        if self.uses is not None:
            form["uses"] = self.uses
        if self.rate is not None:
            form["rate"] = self.rate.to_json()
        if self.totals:
            form["totals"] = [total.to_json() for total in self.totals]
        if self.rows is not None:
            form["rows"] = {"max": self.rows}
        if self.window is not None:
            form["window"] = {"start": self.window.start, "end": self.window.end}
        return form


def _members(what: str, form: Json, *names: str) -> Mapping[str, Json]:
    if not isinstance(form, Mapping) or form.keys() != set(names):
        raise invalid(f"{what} takes an object with {' and '.join(names)}.")
    return form


def _names(form: Json) -> frozenset[str]:
    if not isinstance(form, list) or not all(isinstance(name, str) for name in form) or len(set(form)) != len(form):
        raise invalid("optional takes a list of distinct names.")
    return frozenset(form)


def _totals(form: Json) -> tuple[Total, ...]:
    if not isinstance(form, list) or len(form) > MOST_ARGUMENTS:
        raise invalid("totals takes a list.")
    return tuple(Total.from_json(one) for one in form)


def _window(form: Json) -> Window:
    bounds = _members("window", form, "start", "end")
    return Window(Instant(bounds["start"]), Instant(bounds["end"]))
