"""A statement as PostgreSQL's own grammar reads it: what kind it is, which rights it needs, and what goes upstream.

What goes upstream is written anew from the tree in which every name stands with its schema, and is then read once more:
it must need the very same rights, or the statement is refused. Source: libpg_query (PostgreSQL 18) by `postgast`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import postgast

from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.functions import NARROWED, SETTINGS, SHOWN
from remit.gateway.postgres.reading import Reading
from remit.gateway.postgres.scope import Scope, unknown
from remit.gateway.postgres.tree import Act, inner, only, refused, strings
from remit.gateway.postgres.value import NAMED, OTHER, Bound, Value, bind, constant, opaque

LONGEST: Final = 24 * 1024
"""The longest text of a statement, in octets. A longer one could lead the grammar's reader too deep for its stack."""
MOST: Final = 32
"""How many statements one text may hold."""
TIMEOUT_MS: Final = 60_000
_QUERIES: Final = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt"})
_COPY: Final = frozenset(
    {
        "format", "delimiter", "null", "header", "quote", "escape", "force_quote", "force_not_null", "force_null",
        "freeze", "default", "encoding",
    }
)  # fmt: skip
_EXPLAIN: Final = frozenset(
    {
        "analyze", "verbose", "costs", "buffers", "timing", "summary", "format", "settings", "wal", "generic_plan",
        "memory", "serialize",
    }
)  # fmt: skip


class Kind(StrEnum):
    """What a statement does to the session that it runs in."""

    QUERY = "query"
    """It runs under its calls, and nothing of it stays."""
    FREE = "free"
    """It only opens, undoes or closes: no call."""
    SESSION = "session"
    """It runs under a call of the session's own."""
    PREPARE = "prepare"
    EXECUTE = "execute"
    DEALLOCATE = "deallocate"
    DECLARE = "declare"
    FETCH = "fetch"
    CLOSE = "close"
    RESET = "reset"
    """Everything that was prepared is gone after it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, understood. `name` is that of what is prepared, executed, declared, fetched or closed."""

    kind: Kind
    label: str
    text: str = field(repr=False)
    acts: tuple[Act, ...] = ()
    parameters: int = 0
    name: str = ""
    given: tuple[Value, ...] = ()
    types: tuple[int, ...] = ()
    """The types that PREPARE gives to its parameters."""
    tree: Any = field(default=None, repr=False)
    control: bool = False
    """It begins, ends or marks a transaction."""

    @property
    def takes_rows(self) -> bool:
        """Whether the client sends rows for it: COPY … FROM STDIN."""
        return self.label == "copy" and any(act.verb == "insert" for act in self.acts)

    def renamed(self, name: str) -> str:
        """Its text with another name for what is prepared, executed, declared, fetched or closed."""
        tree = postgast.ParseResult()
        tree.CopyFrom(self.tree)
        kind, node = inner(tree.stmts[0].stmt)
        setattr(
            node, "portalname" if kind in ("declare_cursor_stmt", "fetch_stmt", "close_portal_stmt") else "name", name
        )
        return str(postgast.deparse(tree))


def calls(resource: str, statement: Statement, bound: Sequence[Bound] = ()) -> list[Call]:
    """The calls that a statement is, with these parameters."""
    found = [Call(f"sql:{resource}/{act.verb}", arguments(act, bound)) for act in statement.acts]
    if not found and statement.kind is not Kind.FREE:
        return [session(resource, statement.label)]
    return list({call.digest: call for call in found}.values())


def session(resource: str, label: str) -> Call:
    """The call of what concerns the session itself."""
    return Call(f"sql:{resource}/@session", {"statement": label})


def arguments(act: Act, bound: Sequence[Bound]) -> dict[str, Json]:
    """The arguments of one call."""
    found: dict[str, Json] = {"relation": act.relation}
    if act.columns is not None:
        found["columns"] = list(act.columns)
    if act.where is not None:
        found["where"] = {name: bind(value, bound) for name, value in act.where}
    if act.values is not None:
        if act.verb == "call":
            found["values"] = [bind(one, bound) for one in act.values]  # type: ignore[arg-type]
        else:
            found["values"] = {name: bind(value, bound) for name, value in act.values}  # type: ignore[misc]
    return found


def read(text: str, catalogue: Catalogue) -> tuple[Statement, ...]:
    """Read a text of statements. Refuses what is no SQL (`statement_syntax`) and what is not understood."""
    found = _read(text, catalogue)
    for one in found:
        if one.acts or one.kind is Kind.QUERY:
            again = _read(one.text, catalogue)
            if len(again) != 1 or (again[0].acts, again[0].kind) != (one.acts, one.kind):
                raise refused("What would be sent is not what was read.", "statement_unclassified")
    return found


def _read(text: str, catalogue: Catalogue) -> tuple[Statement, ...]:
    if len(text) > LONGEST or len(text.encode()) > LONGEST:
        raise RemitError(
            "statement_long",
            f"A statement's text may have {LONGEST} octets.",
            "Send values as parameters, or rows by COPY.",
        )
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as fault:
        raise RemitError("statement_syntax", str(fault)[:200], "Correct the statement.") from fault
    except Exception as fault:
        # What its reader cannot hold, for its depth, is refused, whatever it raises.
        raise refused("The statement is nested too deep.", "statement_deep") from fault
    if len(tree.stmts) > MOST:
        raise refused(f"A text may hold {MOST} statements.", "statement_many")
    try:
        return tuple(_statement(one, tree.version, catalogue) for one in tree.stmts)
    except RemitError:
        raise
    except Exception as fault:
        # Whatever breaks while a statement is read, the statement is refused.
        raise refused("The statement cannot be understood.", "statement_unclassified") from fault


def _statement(raw: Any, version: int, catalogue: Catalogue) -> Statement:
    kind, node = inner(raw.stmt)
    reader = _TOP.get(kind)
    if reader is None:
        raise refused(f"{kind.removesuffix('_stmt').replace('_', ' ').upper()} is refused.")
    alone = postgast.ParseResult(version=version)
    alone.stmts.add().stmt.CopyFrom(raw.stmt)
    _, node = inner(alone.stmts[0].stmt)
    found = reader(node, catalogue)
    return replace(found, text=str(postgast.deparse(alone)), tree=alone)


def _query(kind: str) -> Callable[[Any, Catalogue], Statement]:
    def read_it(node: Any, catalogue: Catalogue) -> Statement:
        reading = Reading(catalogue)
        reading.query(kind, node, None)
        label = kind.removesuffix("_stmt")
        return Statement(Kind.QUERY, label, "", reading.finish(), reading.parameters)

    return read_it


def _inner(node: Any, catalogue: Catalogue, label: str) -> Statement:
    kind, query = inner(node.query)
    if kind not in _QUERIES:
        raise refused(f"{label} takes SELECT, INSERT, UPDATE or DELETE.")
    reading = Reading(catalogue)
    reading.query(kind, query, None)
    return Statement(Kind.QUERY, label.lower(), "", reading.finish(), reading.parameters)


def _options(nodes: Any, allowed: frozenset[str], what: str) -> dict[str, Any]:
    found = {}
    for one in nodes:
        name = one.def_elem.defname.lower()
        if name not in allowed or one.def_elem.defnamespace:
            raise refused(f"{what} with {name[:40]!r} is refused.")
        found[name] = one.def_elem.arg
    return found


def _explain(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "query", "options")
    _options(node.options, _EXPLAIN, "EXPLAIN")
    return _inner(node, catalogue, "EXPLAIN")


def _copy(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "relation", "query", "attlist", "is_from", "options", "where_clause", "filename", "is_program")
    if node.is_program or node.filename:
        raise refused("COPY with a file or program of the server is refused.")
    options = _options(node.options, _COPY, "COPY")
    encoding = options.get("encoding")
    if encoding is not None and encoding.string.sval.lower().replace("-", "") != "utf8":
        raise refused("COPY is spoken in UTF8.")
    if node.HasField("query"):
        kind, _ = inner(node.query)
        if kind != "select_stmt":
            raise refused("COPY of a query takes a SELECT.")
        return _inner(node, catalogue, "COPY")
    reading = Reading(catalogue)
    found = catalogue.relation(node.relation.schemaname, node.relation.relname)
    only(node.relation, "schemaname", "relname", "inh", "relpersistence")
    node.relation.schemaname = found.schema
    columns = strings(node.attlist) or list(found.columns)
    if not set(columns) <= found.columns.keys():
        raise unknown()
    if not node.is_from:
        if node.HasField("where_clause"):
            raise refused("COPY TO takes no WHERE.", "statement_syntax")
        return Statement(Kind.QUERY, "copy", "", (Act("select", found.name, tuple(sorted(set(columns))), ()),))
    if node.HasField("where_clause"):
        raise refused("COPY FROM with WHERE is refused.")
    values = tuple((name, opaque("copy")) for name in sorted(set(columns)))
    reading.acts.append(Act("insert", found.name, tuple(name for name, _ in values), None, values))
    return Statement(Kind.QUERY, "copy", "", reading.finish())


def _call(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "funccall")
    reading, known = Reading(catalogue), Reading(catalogue)
    known.function(_wrapped(node.funccall).func_call)
    if not known.acts:
        raise refused("CALL takes a registered procedure.", "function_refused")
    # What is written out in the wrapped copy, the names in the arguments too, belongs into the tree itself.
    copy = _wrapped(node.funccall)
    reading.expression(copy, Scope())
    node.funccall.CopyFrom(copy.func_call)
    return Statement(Kind.QUERY, "call", "", reading.finish(), reading.parameters)


def _wrapped(call: Any) -> Any:
    node = postgast.pg_query_pb2.Node()
    node.func_call.CopyFrom(call)
    return node


def _truncate(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "relations", "restart_seqs", "behavior")
    if node.behavior == 2:
        raise refused("TRUNCATE … CASCADE is refused: what it empties is not in its text.")
    acts = []
    for one in node.relations:
        only(one.range_var, "schemaname", "relname", "inh", "relpersistence")
        found = catalogue.relation(one.range_var.schemaname, one.range_var.relname)
        one.range_var.schemaname = found.schema
        acts.append(Act("truncate", found.name))
    return Statement(Kind.QUERY, "truncate", "", tuple(dict.fromkeys(acts)))


def _transaction(node: Any, _: Catalogue) -> Statement:
    only(node, "kind", "options", "savepoint_name", "chain")
    if node.kind == 3:
        return Statement(Kind.SESSION, "commit", "", control=True)
    if node.kind in (1, 2, 4, 5, 6, 7):
        return Statement(Kind.FREE, "transaction", "", control=True)
    raise refused("Two-phase transactions are refused.")


def _set(node: Any, _: Catalogue) -> Statement:
    only(node, "kind", "name", "args", "is_local", "jumble_args")
    name = node.name.lower()
    if node.kind == 6:
        return Statement(Kind.SESSION, "reset", "")
    if node.kind == 4:
        if name not in ("transaction", "session characteristics") or any(
            not one.def_elem.defname.startswith("transaction_") for one in node.args
        ):
            raise refused("This setting is refused.", "setting_refused")
        return Statement(Kind.SESSION, "set", "")
    said = [constant(one.a_const, "").value for one in node.args if one.WhichOneof("node") == "a_const"]
    if len(said) != len(node.args) or not _settable(name, said, plain=node.kind == 1):
        raise refused(
            f"The setting {name[:40]!r} is refused, or this value of it: it could change what a statement means.",
            "setting_refused",
        )
    return Statement(Kind.SESSION, f"set {name}", "")


def _settable(name: str, said: list[Json], *, plain: bool) -> bool:
    """Whether a setting may be set to this; `plain` says that it is set to a value, and not back to where it was."""
    words = [str(one).lower().replace("-", "") for one in said]
    if name == "client_encoding":
        return words in ([], ["utf8"], ["unicode"])
    if name == "standard_conforming_strings":
        return words in (["on"], ["true"])
    if name in NARROWED and plain:
        return len(said) == 1 and type(said[0]) is int and 0 < said[0] <= TIMEOUT_MS
    return name in SETTINGS


def _show(node: Any, _: Catalogue) -> Statement:
    only(node, "name")
    if node.name.lower().replace(" ", "_") not in SHOWN:
        raise refused("This setting is not shown.", "setting_refused")
    return Statement(Kind.SESSION, "show", "")


def _prepare(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "name", "argtypes", "query")
    reading = Reading(catalogue)
    for one in node.argtypes:
        reading.type(one.type_name)
    found = _inner(node, catalogue, "PREPARE")
    types = tuple(_oid(one.type_name) for one in node.argtypes)
    return replace(found, kind=Kind.PREPARE, name=node.name, types=types)


def _oid(node: Any) -> int:
    *schema, name = strings(node.names)
    return OTHER if node.array_bounds or schema not in ([], ["pg_catalog"]) else NAMED.get(name, OTHER)


def _execute(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "name", "params")
    reading = Reading(catalogue)
    given = []
    for one in node.params:
        reading.expression(one, Scope())
        given.append(reading.value(one, "") or opaque("expression"))
    return Statement(Kind.EXECUTE, "execute", "", reading.finish(), reading.parameters, node.name, tuple(given))


def _deallocate(node: Any, _: Catalogue) -> Statement:
    only(node, "name", "isall")
    if node.isall or not node.name:
        return Statement(Kind.RESET, "deallocate", "")
    return Statement(Kind.DEALLOCATE, "deallocate", "", name=node.name)


def _declare(node: Any, catalogue: Catalogue) -> Statement:
    only(node, "portalname", "options", "query")
    found = _inner(node, catalogue, "DECLARE")
    return replace(found, kind=Kind.DECLARE, name=node.portalname)


def _fetch(node: Any, _: Catalogue) -> Statement:
    only(node, "direction", "how_many", "portalname", "ismove")
    return Statement(Kind.FETCH, "fetch", "", name=node.portalname)


def _close(node: Any, _: Catalogue) -> Statement:
    only(node, "portalname")
    return Statement(Kind.CLOSE, "close", "", name=node.portalname)


def _discard(node: Any, _: Catalogue) -> Statement:
    only(node, "target")
    return Statement(Kind.RESET if node.target == 1 else Kind.SESSION, "discard", "")


def _unlisten(node: Any, _: Catalogue) -> Statement:
    only(node, "conditionname")
    return Statement(Kind.SESSION, "unlisten", "")


_TOP: Final[Mapping[str, Callable[[Any, Catalogue], Statement]]] = {
    **{kind: _query(kind) for kind in _QUERIES},
    "explain_stmt": _explain,
    "copy_stmt": _copy,
    "call_stmt": _call,
    "truncate_stmt": _truncate,
    "transaction_stmt": _transaction,
    "variable_set_stmt": _set,
    "variable_show_stmt": _show,
    "prepare_stmt": _prepare,
    "execute_stmt": _execute,
    "deallocate_stmt": _deallocate,
    "declare_cursor_stmt": _declare,
    "fetch_stmt": _fetch,
    "close_portal_stmt": _close,
    "discard_stmt": _discard,
    "unlisten_stmt": _unlisten,
}
