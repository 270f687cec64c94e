"""Reading expressions: every node of the grammar that may occur is named here, and what is not named is refused.

A fault in here, or a grammar that learns new words, can therefore only refuse more. Names of functions are written out
with their schemas in the tree itself, so that nothing is left to a search path.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.functions import SAFE, TELLING
from remit.gateway.postgres.scope import Scope, Table, unknown
from remit.gateway.postgres.tree import Act, inner, only, refused, strings
from remit.gateway.postgres.value import INTEGERS, Fixed, Slot, Value, constant, family, kept, opaque


class Expressions(ABC):
    """What is read of one statement: its acts so far, the relations in it, the highest parameter."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.acts: list[Act] = []
        self.tables: list[Table] = []
        self.parameters = 0
        self.uses = Counter[int]()
        """How often each parameter stands in the statement."""
        self.slots: dict[int, list[str]] = {}
        """The types of the places in which a parameter stands for a value."""

    @abstractmethod
    def select(self, node: Any, around: Scope | None) -> list[str | None]:
        """Read a query; returns the names of its columns, None where a name is not sure."""

    @abstractmethod
    def star(self, before: list[str], scope: Scope) -> list[str | None]:
        """Read all columns of what has this name, or of all; returns their names."""

    def each(self, nodes: Iterable[Any], scope: Scope) -> None:
        """Read a list of expressions."""
        for one in nodes:
            self.expression(one, scope)

    def maybe(self, node: Any, name: str, scope: Scope) -> None:
        """Read an expression that may be there."""
        if node.HasField(name):
            self.expression(getattr(node, name), scope)

    def expression(self, node: Any, scope: Scope) -> None:
        """Read one expression (`statement_unclassified` for a node that is not named here)."""
        kind, held = inner(node)
        reader = _EXPRESSIONS.get(kind)
        if reader is None:
            raise refused(f"{kind or 'nothing'} is not understood in an expression.", "statement_unclassified")
        reader(self, held, scope)

    def column(self, node: Any, scope: Scope) -> None:
        """Read the name of a column."""
        if any(one.WhichOneof("node") == "a_star" for one in node.fields):
            # As in count(t.*): the row as a whole.
            self.star(strings(node.fields[:-1]), scope)
            return
        names = strings(node.fields)
        if len(names) == 1:
            scope.bare(names[0])
        elif len(names) == 2:
            scope.of(names[0], names[1])
        elif len(names) == 3:
            scope.of(names[1], names[2], names[0])
        else:
            raise unknown()

    def parameter(self, node: Any, _: Scope) -> None:
        """Read a parameter."""
        only(node, "number")
        if not 0 < node.number <= 65535:
            raise refused("A parameter has a number from 1 to 65535.", "statement_syntax")
        self.parameters = max(self.parameters, node.number)
        self.uses[node.number] += 1

    def nothing(self, node: Any, scope: Scope) -> None:
        """Pass over what holds no name: a constant, the date, the user."""
        del node, scope

    def type(self, node: Any) -> None:
        """Read a type's name: what it means is the database's own, never a temporary one."""
        only(node, "names", "typmods", "typemod", "array_bounds")
        names = strings(node.names)
        if len(names) > 2 or names[0].startswith("pg_temp"):
            raise refused("A type's name is not understood here.", "statement_unclassified")
        self.each(node.typmods, Scope())

    def cast(self, node: Any, scope: Scope) -> None:
        """Read a cast."""
        only(node, "arg", "type_name")
        self.type(node.type_name)
        self.expression(node.arg, scope)

    def operator(self, nodes: Any) -> None:
        """Read an operator's name: PostgreSQL's own, or one without side effects."""
        names = strings(nodes)
        if len(names) > 2 or (len(names) == 2 and names[0] != "pg_catalog") or names[-1] in self.catalogue.operators:
            raise refused("An operator in this statement is refused.", "function_refused")

    def operation(self, node: Any, scope: Scope) -> None:
        """Read an operator with its sides."""
        only(node, "kind", "name", "lexpr", "rexpr")
        self.operator(node.name)
        self.maybe(node, "lexpr", scope)
        self.maybe(node, "rexpr", scope)

    def call(self, node: Any, scope: Scope) -> None:
        """Read the use of a function."""
        only(
            node, "funcname", "args", "agg_order", "agg_filter", "over", "agg_within_group", "agg_star",
            "agg_distinct", "func_variadic", "funcformat",
        )  # fmt: skip
        self.function(node)
        self.each(node.args, scope)
        self.each(node.agg_order, scope)
        self.maybe(node, "agg_filter", scope)
        if node.HasField("over"):
            self.window(node.over, scope)

    def function(self, node: Any) -> None:
        """Read a function's name: one of PostgreSQL's that is let through, or a registered one, which is a call."""
        names = strings(node.funcname)
        schema, name = ("", names[0]) if len(names) == 1 else (names[0], names[-1])
        told = name not in TELLING or "pg_catalog.pg_class" in self.catalogue.relations
        if len(names) <= 2 and schema in ("", "pg_catalog") and name in SAFE and told:
            _rename(node.funcname, "pg_catalog", name)
            return
        found = self.catalogue.function(schema, name) if len(names) <= 2 else None
        if found is None:
            raise RemitError(
                "function_refused",
                "A function in this statement is not known to be without side effects, and not registered.",
                "Use another, or have it registered and planned.",
            )
        _rename(node.funcname, *found.split("."))
        values = tuple(self.value(one, "") or opaque("expression") for one in node.args)
        self.acts.append(Act("call", found, None, None, values))

    def window(self, node: Any, scope: Scope) -> None:
        """Read a window."""
        only(node, "name", "refname", "partition_clause", "order_clause", "frame_options", "start_offset", "end_offset")
        self.each(node.partition_clause, scope)
        self.each(node.order_clause, scope)
        self.maybe(node, "start_offset", scope)
        self.maybe(node, "end_offset", scope)

    def sublink(self, node: Any, scope: Scope) -> None:
        """Read a query inside an expression."""
        only(node, "sub_link_type", "testexpr", "oper_name", "subselect")
        self.maybe(node, "testexpr", scope)
        if node.oper_name:
            self.operator(node.oper_name)
        kind, query = inner(node.subselect)
        if kind != "select_stmt":
            raise refused("Only a query stands in an expression.", "statement_unclassified")
        self.select(query, scope)

    def indirection(self, node: Any, scope: Scope) -> None:
        """Read a place in an array."""
        only(node, "arg", "indirection")
        self.expression(node.arg, scope)
        # A field of a row, as in (row).name, could be a call of a function of that name: only places in arrays pass.
        self.each(node.indirection, scope)

    def value(self, node: Any, kind: str) -> Value | None:
        """A constant or parameter as a value of this type; None for anything else."""
        held, one = inner(node)
        if held == "a_const":
            return constant(one, kind)
        if held == "param_ref":
            self.slots.setdefault(one.number, []).append(kind)
            return Slot(one.number, kind)
        if held == "type_cast":
            named = _typed(one.type_name)
            if family(named) == family(kind) not in ("other", "text"):
                return _made(self.value(one.arg, named), kind)
        return None

    def sure(self, value: Value) -> Value:
        """A parameter whose type may be said in another place is told as such: it may not be what it reads as here."""
        if not isinstance(value, Slot):
            return value
        kinds = set(self.slots.get(value.number, ()))
        alike = len(kinds) == 1 or kinds <= _WHOLE or kinds <= _TEXT
        said = alike and self.uses[value.number] == len(self.slots[value.number])
        return value if said else replace(value, unsure=True)


_WHOLE: Final = INTEGERS - {"oid"}
_TEXT: Final = frozenset({"text", "character varying", "varchar"})


def _typed(node: Any) -> str:
    """The type that a cast names, with its scale; empty for one that could make another value of a plain one."""
    names = strings(node.names)
    if node.array_bounds or not names:
        return ""
    scale = [one.a_const.ival.ival for one in node.typmods if one.WhichOneof("node") == "a_const"]
    if not node.typmods:
        return names[-1]
    if names[-1] != "numeric" or len(scale) != len(node.typmods):
        return ""
    return f"numeric({scale[0]},{scale[1] if len(scale) > 1 else 0})"


def _made(value: Value | None, kind: str) -> Value | None:
    """A value that was cast, when it is then made another type of its family."""
    if isinstance(value, Fixed):
        return Fixed(kept(value.value, kind))
    return replace(value, kept=kind) if value is not None and not value.kept else None


_MANY: Final = frozenset({"args", "elements", "items", "content"})


def _parts(*names: str, rest: tuple[str, ...] = ()) -> Callable[[Expressions, Any, Scope], None]:
    """A reader of a node that is only its parts; `rest` may be there and means nothing to us."""

    def read(reading: Expressions, node: Any, scope: Scope) -> None:
        only(node, *names, *rest)
        for name in names:
            held = getattr(node, name)
            if name in _MANY:
                reading.each(held, scope)
            elif node.HasField(name):
                reading.expression(held, scope)

    return read


_EXPRESSIONS: Final[Mapping[str, Callable[[Expressions, Any, Scope], None]]] = {
    "column_ref": Expressions.column,
    "param_ref": Expressions.parameter,
    "a_const": Expressions.nothing,
    "type_cast": Expressions.cast,
    "a_expr": Expressions.operation,
    "func_call": Expressions.call,
    "window_def": Expressions.window,
    "sub_link": Expressions.sublink,
    "a_indirection": Expressions.indirection,
    "sqlvalue_function": Expressions.nothing,
    "bool_expr": _parts("args", rest=("boolop",)),
    "null_test": _parts("arg", rest=("nulltesttype",)),
    "boolean_test": _parts("arg", rest=("booltesttype",)),
    "case_expr": _parts("arg", "args", "defresult"),
    "case_when": _parts("expr", "result"),
    "coalesce_expr": _parts("args"),
    "min_max_expr": _parts("args", rest=("op",)),
    "a_array_expr": _parts("elements"),
    "row_expr": _parts("args", rest=("row_format",)),
    "list": _parts("items"),
    "collate_clause": _parts("arg", rest=("collname",)),
    "a_indices": _parts("lidx", "uidx", rest=("is_slice",)),
    "grouping_func": _parts("args"),
    "grouping_set": _parts("content", rest=("kind",)),
    "named_arg_expr": _parts("arg", rest=("name", "argnumber")),
    "sort_by": _parts("node", rest=("sortby_dir", "sortby_nulls")),
}


def _rename(names: Any, schema: str, name: str) -> None:
    del names[:]
    for part in (schema, name):
        names.add().string.sval = part
