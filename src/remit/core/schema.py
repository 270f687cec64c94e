"""Schema: the Cedar schema that Remit generates from the registered resources, and the arguments policy may look at.

The text is deterministic: the same resources give the same bytes in any order. A part of a tool's JSON schema that
Cedar has no type for (objects, unions, references) is left out, never an error: policy then cannot name it. A call
whose argument does not fit the type that policy was promised is refused: left out, it would let a forbid look away.
Sources: Cedar schema syntax (docs.cedarpolicy.com/schema), JSON Schema 2020-12 validation section 6.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from cedarpy import _internal as cedar

from remit.core import ids
from remit.core.canonical import Json, b64, digest
from remit.core.errors import RemitError
from remit.core.resource import KINDS, SCHEMES, TOOL, action

LONG: Final = 2**63
READ: Final = "read"
WRITE: Final = "write"
REVERSE: Final = "reverse"
GROUPS: Final = (READ, WRITE, REVERSE)
"""Parents of every action: what only reads, what may write, and what a server asks of the client."""

_REVERSE: Final = frozenset({"sampling", "elicitation", "roots"})
_TYPES: Final = {"string": "String", "integer": "Long", "boolean": "Bool", "number": "decimal"}
_HEAD: Final = """\
entity Agent = {owner: String, purpose: String, tier: String};
entity Resource = {domain: String, kind: String, labels: Set<String>};
type Task = {blended: Bool, brief: String, domains: Set<String>, id: String, labels: Set<String>, \
requester: String, risk: String};
type Person = {groups: Set<String>, id: String};
"""
_CONTEXT: Final = "now: Long, path: String, person?: Person, plan: Long, task: Task"


class UnfitError(ValueError):
    """An argument that cannot be given to policy exactly; the decision is then a deny. It never leaves core."""


class Argument(NamedTuple):
    """One argument's Cedar type. `many`: a set of it; `nullable`: a null reads as absent."""

    type: str
    many: bool = False
    required: bool = False
    nullable: bool = False

    def cedar(self) -> str:
        """Write the type as Cedar does."""
        return f"Set<{self.type}>" if self.many else self.type


@dataclass(frozen=True, slots=True)
class ResourceShape:
    """What policy may know of one registered resource: its facts, and each tool's JSON input schema as it was pinned.

    `reads` names the tools that only read, as a person declared at registration. Refuses names that cannot be
    (`name_invalid`, `schema_invalid`).
    """

    name: str
    kind: str
    domain: str
    labels: tuple[str, ...]
    tools: Mapping[str, Json]
    reads: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ids.name("resource", self.name)
        if self.kind not in SCHEMES:
            raise RemitError("schema_invalid", f"{self.name} is of no known kind.", f"Use {', '.join(SCHEMES)}.")
        wrong = [tool for tool in self.tools if not TOOL.fullmatch(tool)] + sorted(self.reads - self.tools.keys())
        if wrong:
            raise RemitError(
                "schema_invalid",
                f"Resource {self.name} has no tool that could be called {wrong[0][:40]!r}.",
                "Name tools by 1 to 128 of a-z, A-Z, 0-9, _ . and -, and list as reading only tools that exist.",
            )

    @property
    def group(self) -> str:
        """The parent of all actions of this resource."""
        return f"{SCHEMES[self.kind]}:{self.name}"


@dataclass(frozen=True, slots=True)
class ActionShape:
    """One action: its resource, its parent groups, and the arguments that policy may look at."""

    name: str
    resource: str
    groups: tuple[str, ...]
    arguments: Mapping[str, Argument]


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A generated schema: its text, its parsed handle, and what evaluation needs of resources and actions."""

    text: str
    digest: str
    handle: cedar.Schema
    resources: Mapping[str, ResourceShape]
    actions: Mapping[str, ActionShape]


def schema(resources: Iterable[ResourceShape]) -> Schema:
    """Generate the schema of these resources. Refuses two of one name, or none at all (`schema_invalid`)."""
    shapes = sorted(resources, key=lambda shape: shape.name)
    if not shapes or len({shape.name for shape in shapes}) != len(shapes):
        raise RemitError(
            "schema_invalid",
            "A policy schema needs at least one resource, and each under its own name.",
            "Register a resource first, and register each name once.",
        )
    actions = {found.name: found for shape in shapes for found in _actions(shape)}
    groups = [*GROUPS, *(shape.group for shape in shapes)]
    lines = [_HEAD, f"action {', '.join(map(_quote, groups))};\n", *map(_declare, actions.values())]
    text = "".join(lines)
    try:
        handle = cedar.Schema.from_str(text)
    except ValueError as fault:
        raise RemitError(
            "schema_invalid",
            f"The schema of these resources does not parse: {str(fault)[:200]}.",
            "Look for a tool whose input schema is unusual, and report it.",
        ) from fault
    named = MappingProxyType({shape.name: shape for shape in shapes})
    return Schema(text, b64(digest(text)), handle, named, MappingProxyType(actions))


def arguments(declared: Json) -> dict[str, Argument]:
    """Read a JSON input schema's properties. What Cedar has no type for is left out."""
    if not isinstance(declared, dict):
        return {}
    properties, required = declared.get("properties"), declared.get("required")
    if not isinstance(properties, dict):
        return {}
    needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    found = {}
    for name in sorted(properties):
        kind = _argument(properties[name])
        if kind is not None and _sayable(name):
            found[name] = kind._replace(required=name in needed and not kind.nullable)
    return found


def fit(kind: Argument, value: Json) -> Json:
    """Give one argument the form in which Cedar reads it; raise `UnfitError` when it has none."""
    if kind.many:
        if type(value) is not list:
            raise UnfitError
        return [_fit(kind.type, one) for one in value]
    return _fit(kind.type, value)


def _fit(wanted: str, value: Json) -> Json:
    kind = type(value)
    if wanted == "String":
        if kind is str:
            return value
    elif wanted == "Bool":
        if kind is bool:
            return value
    elif kind is int or kind is float:
        if wanted == "Long":
            if value == (whole := int(value)) and -LONG <= whole < LONG:
                return whole
        else:
            scaled = Decimal(repr(value)) * 10_000
            if scaled == (whole := int(scaled)) and -LONG <= whole < LONG:
                sign, rest = "-" if whole < 0 else "", abs(whole)
                return {"__extn": {"fn": "decimal", "arg": f"{sign}{rest // 10_000}.{rest % 10_000:04d}"}}
    raise UnfitError


def _actions(shape: ResourceShape) -> Sequence[ActionShape]:
    parent, scheme = shape.group, SCHEMES[shape.kind]
    uri, name = {"uri": Argument("String", required=True)}, {"name": Argument("String", required=True)}
    own = {"read": uri, "subscribe": uri, "prompt": name}
    found = [
        ActionShape(
            action(shape.name, f"@{kind}", scheme),
            shape.name,
            (parent, REVERSE if kind in _REVERSE else READ),
            MappingProxyType(own.get(kind, {})),
        )
        for kind in (sorted(KINDS) if scheme == "mcp" else ("session",))
    ]
    for tool in sorted(shape.tools):
        group = READ if tool in shape.reads else WRITE
        known = MappingProxyType(arguments(shape.tools[tool]))
        found.append(ActionShape(action(shape.name, tool, scheme), shape.name, (parent, group), known))
    return found


def _declare(shape: ActionShape) -> str:
    args = ", ".join(
        f"{_quote(name)}{'' if kind.required else '?'}: {kind.cedar()}" for name, kind in shape.arguments.items()
    )
    kinds = ", ".join(f"{_quote(name)}?: String" for name in shape.arguments)
    lineage = f"lineage?: {{act: String, from: {{{kinds}}}, unvouched: Long}}"
    return (
        f"action {_quote(shape.name)} in [{', '.join(map(_quote, shape.groups))}] appliesTo "
        f"{{principal: [Agent], resource: [Resource], context: {{args: {{{args}}}, {lineage}, {_CONTEXT}}}}};\n"
    )


def _argument(declared: Json) -> Argument | None:
    """Read one property's type: a scalar, an array of a scalar, or either with null; else None."""
    if not isinstance(declared, dict) or declared.keys() & {"$ref", "anyOf", "oneOf", "allOf", "not", "if"}:
        return None
    kind, nullable = _kind(declared)
    if kind in _TYPES:
        return Argument(_TYPES[kind], nullable=nullable)
    if kind == "array":
        inner = _argument(declared.get("items"))
        if inner is not None and not inner.many and not inner.nullable and inner.type != "decimal":
            return Argument(inner.type, many=True, nullable=nullable)
    return None


def _kind(declared: Mapping[str, Json]) -> tuple[str, bool]:
    """Return the one JSON type that is not null ("" when there is none), and whether null is one too."""
    kind = declared.get("type")
    if isinstance(kind, str):
        return kind, False
    if isinstance(kind, list):
        rest = [one for one in kind if one != "null"]
        return (rest[0], len(rest) < len(kind)) if len(rest) == 1 and isinstance(rest[0], str) else ("", False)
    values = declared["enum"] if isinstance(declared.get("enum"), list) else [declared.get("const")]
    return ("string", False) if values and all(type(value) is str for value in values) else ("", False)


def _sayable(name: str) -> bool:
    """Say whether Cedar can name it: not empty, well-formed, and none of the escapes that its JSON form reserves."""
    return 0 < len(name) <= 128 and not name.startswith("__") and not any("\ud800" <= c <= "\udfff" for c in name)


def _quote(text: str) -> str:
    """Write a Cedar string in which nothing that came from a tool can end the string or start another."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in text)
    return f'"{"".join(plain)}"'
