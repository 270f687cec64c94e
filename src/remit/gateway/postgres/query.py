"""Reading queries: SELECT, VALUES and WITH, what stands in FROM, and what WHERE holds to one value.

Names of relations are written out with their schemas in the tree itself, as they are understood.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Final

from remit.gateway.postgres.expression import Expressions
from remit.gateway.postgres.functions import OUTPUTS, ROWS
from remit.gateway.postgres.scope import MORE, Derived, Entry, Joined, Scope, Table, renamed, unknown
from remit.gateway.postgres.tree import inner, only, refused, strings
from remit.gateway.postgres.value import family

_WHERE: Final = frozenset({"int", "text", "bool", "uuid"})
"""Types of which equal means the same value, whatever the database's settings."""


class Queries(Expressions):
    """Reads what is asked."""

    @abstractmethod
    def query(self, kind: str, node: Any, around: Scope | None) -> list[str | None]:
        """Read what may stand as a query of its own or in WITH; returns the names of its columns."""

    def select(self, node: Any, around: Scope | None) -> list[str | None]:
        """Read a SELECT, VALUES or TABLE; returns the names of its columns, None where a name is not sure."""
        only(
            node, "distinct_clause", "target_list", "from_clause", "where_clause", "group_clause", "group_distinct",
            "having_clause", "window_clause", "values_lists", "sort_clause", "limit_offset", "limit_count",
            "limit_option", "locking_clause", "with_clause", "op", "all", "larg", "rarg",
        )  # fmt: skip
        scope = Scope(around)
        if node.HasField("with_clause"):
            self.common(node.with_clause, scope)
        first = len(self.tables)
        if node.HasField("larg"):
            names = self.select(node.larg, scope)
            self.select(node.rarg, scope)
            scope.outputs.update(one for one in names if one)
        elif node.values_lists:
            names = self._rows(node.values_lists, scope)
        else:
            self.sources(node.from_clause, scope)
            self.where(node, scope)
            names = self.targets(node.target_list, scope)
            scope.outputs.update(one for one in names if one)
            self.each(node.group_clause, scope)
            self.maybe(node, "having_clause", scope)
            self.each(node.window_clause, scope)
            self.each([one for one in node.distinct_clause if one.WhichOneof("node")], scope)
        self.each(node.sort_clause, scope)
        for name in ("limit_offset", "limit_count"):
            self.maybe(node, name, Scope(around))
        for lock in node.locking_clause:
            only(lock.locking_clause, "locked_rels", "strength", "wait_policy")
            # It reaches into subqueries: whatever stands below counts as locked.
            for one in self.tables[first:]:
                one.locked = True
        return names

    def _rows(self, lists: Any, scope: Scope) -> list[str | None]:
        width = 0
        for row in lists:
            width = len(row.list.items)
            self.each(row.list.items, scope)
        return [f"column{place}" for place in range(1, width + 1)]

    def common(self, clause: Any, scope: Scope) -> None:
        """Read a WITH clause; what it writes counts as written."""
        only(clause, "ctes", "recursive")
        for one in clause.ctes:
            cte = one.common_table_expr
            only(cte, "ctename", "aliascolnames", "ctematerialized", "ctequery")
            aliases = strings(cte.aliascolnames)
            kind, query = inner(cte.ctequery)
            if clause.recursive and kind == "select_stmt":
                guess = renamed(aliases, _guessed(query))
                scope.ctes[cte.ctename] = Derived(cte.ctename, guess, complete=all(guess))
            found = renamed(aliases, self.query(kind, query, scope))
            scope.ctes[cte.ctename] = Derived(cte.ctename, found, complete=all(found))

    def targets(self, nodes: Any, scope: Scope) -> list[str | None]:
        """Read a list of what is selected or returned; returns the names that it gives."""
        names: list[str | None] = []
        for one in nodes:
            target = one.res_target
            only(target, "name", "val")
            kind, value = inner(target.val)
            if kind == "column_ref" and value.fields and value.fields[-1].WhichOneof("node") == "a_star":
                names += self.star(strings(value.fields[:-1]), scope)
                continue
            self.expression(target.val, scope)
            names.append(figured(target))
        return names

    def star(self, before: list[str], scope: Scope) -> list[str | None]:
        """Read all columns of what has this name, or of all; returns their names."""
        unsure = not before and scope.level().merged
        if not before:
            held: list[Entry] = scope.entries
        else:
            found = scope.named(before[-1], before[-2] if len(before) > 1 else "")
            if found is None or len(before) > 2:
                raise unknown()
            held = [found]
        names: list[str | None] = []
        for one in held:
            one.whole()
            names += one.columns() if one.complete else [MORE]
        return [*names, MORE] if unsure else names

    def sources(self, nodes: Any, scope: Scope) -> None:
        """Read a FROM list into the scope."""
        for one in nodes:
            scope.entries += self.source(one, scope)

    def source(self, node: Any, scope: Scope) -> list[Entry]:
        """Read one thing in FROM; returns the entries that it brings into sight."""
        kind, held = inner(node)
        if kind == "range_var":
            return [self.table(held, scope)]
        if kind == "join_expr":
            return self._join(held, scope)
        if kind == "range_subselect":
            only(held, "lateral", "subquery", "alias")
            side, query = inner(held.subquery)
            if side != "select_stmt":
                raise refused("Only a query stands in FROM.", "statement_unclassified")
            names = self.select(query, scope if held.lateral else scope.aside())
            return [self._derived(held.alias, names)]
        if kind == "range_function":
            return [self._function(held, scope)]
        raise refused("A part of FROM is not understood here.", "statement_unclassified")

    def _derived(self, alias: Any, names: list[str | None]) -> Derived:
        found = renamed(strings(alias.colnames), names)
        return Derived(alias.aliasname, found, complete=all(found))

    def table(self, var: Any, scope: Scope | None, *, written: bool = False) -> Entry:
        """Read the name of a relation, and write it out with its schema in the tree."""
        only(var, "schemaname", "relname", "inh", "relpersistence", "alias")
        if var.relpersistence not in ("", "p"):
            raise refused("Temporary relations are refused.")
        alias = var.alias.aliasname
        given = strings(var.alias.colnames)
        common = scope.cte(var.relname) if scope is not None and not written and not var.schemaname else None
        if common is not None:
            found = renamed(given, common.known)
            return Derived(alias or common.name, found, complete=common.complete and all(found))
        relation = self.catalogue.relation(var.schemaname, var.relname)
        var.schemaname = relation.schema
        own = list(relation.columns)
        if len(given) > len(own):
            raise unknown()
        names = dict(zip([*given, *own[len(given) :]], own, strict=True))
        if len(names) != len(own):
            raise unknown()
        made = Table(relation, alias or relation.table, names, aliased=bool(alias))
        if not written:
            self.tables.append(made)
        return made

    def _join(self, join: Any, scope: Scope) -> list[Entry]:
        only(join, "jointype", "is_natural", "larg", "rarg", "using_clause", "join_using_alias", "quals", "alias",
             "rtindex")  # fmt: skip
        if join.HasField("join_using_alias"):
            raise refused("An alias on USING is not understood here.", "statement_unclassified")
        left = self.source(join.larg, scope)
        lateral = Scope(scope, inner=True)
        lateral.entries = left
        right = self.source(join.rarg, lateral)
        both = [*left, *right]
        shared = strings(join.using_clause)
        if join.is_natural:
            shared += self._natural(left, right)
        for name in shared:
            for one in both:
                if one.has(name):
                    one.read(name)
        merged = bool(shared) or join.is_natural
        if join.HasField("quals"):
            level = scope.aside()
            level.entries = both
            self.expression(join.quals, level)
        if join.HasField("alias"):
            return [Joined(join.alias.aliasname, both, strings(join.alias.colnames), merged)]
        if merged:
            scope.level().merged = True
        return both

    def _natural(self, left: list[Entry], right: list[Entry]) -> set[str]:
        """The names that both sides have; where not all are known, any column may be one of them."""
        mine = {name for one in left for name in one.columns()}
        others = {name for one in right for name in one.columns()}
        if not all(one.complete for one in [*left, *right]) or not all(mine) or not all(others):
            for one in [*left, *right]:
                one.whole()
        return {name for name in mine & others if name}

    def _function(self, node: Any, scope: Scope) -> Entry:
        only(node, "lateral", "ordinality", "is_rowsfrom", "functions", "alias", "coldeflist")
        names: list[str | None] = []
        sure = len(node.functions) == 1
        called = ""
        for one in node.functions:
            items = one.list.items
            kind, call = inner(items[0])
            if kind != "func_call" or any(item.WhichOneof("node") for item in items[1:]):
                raise refused("A function in FROM is not understood here.", "statement_unclassified")
            first = strings(call.funcname)[-1]
            # Of several, the first one gives the name that all of them go by.
            called = called or first
            self.expression(items[0], scope)
            single = sure and first not in ROWS and strings(call.funcname)[0] == "pg_catalog"
            # Of what may give a row, not even its own name is that of a column: a call could hide behind the dot.
            names += OUTPUTS.get(first, (node.alias.aliasname or first,)) if single else (MORE,)
        for definition in node.coldeflist:
            only(definition.column_def, "colname", "type_name", "is_local")
            self.type(definition.column_def.type_name)
        if node.coldeflist:
            names = [one.column_def.colname for one in node.coldeflist]
        if node.ordinality:
            names.append("ordinality")
        given = strings(node.alias.colnames)
        found = renamed(given, names)
        return Derived(node.alias.aliasname or called, found, complete=bool(given or node.coldeflist) and all(found))

    def where(self, node: Any, scope: Scope) -> None:
        """Read a WHERE clause, and note the columns that it holds to one value."""
        if not node.HasField("where_clause"):
            return
        self.expression(node.where_clause, scope)
        for one in _conjuncts(node.where_clause):
            self._equation(one, scope)

    def _equation(self, node: Any, scope: Scope) -> None:
        kind, held = inner(node)
        if kind != "a_expr" or _kind(held) != "AEXPR_OP" or strings(held.name) not in (["="], ["pg_catalog", "="]):
            return
        for side, other in ((held.lexpr, held.rexpr), (held.rexpr, held.lexpr)):
            if side.WhichOneof("node") != "column_ref":
                continue
            fields = [one.string.sval for one in side.column_ref.fields if one.WhichOneof("node") == "string"]
            if len(fields) != len(side.column_ref.fields) or len(fields) > 2:
                continue
            found = scope.single(fields[-1], fields[0] if len(fields) == 2 else "")
            if found is None:
                continue
            table, column = found
            kind_of = table.relation.columns[column]
            value = self.value(other, kind_of)
            if value is not None and family(kind_of) in _WHERE and not kind_of.startswith(("character(", "bpchar")):
                table.where.setdefault(column, value)
            return


def _kind(node: Any) -> str:
    return str(node.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number[node.kind].name)


def _conjuncts(node: Any) -> Iterable[Any]:
    kind, held = inner(node)
    if kind == "bool_expr" and held.boolop == 1:
        for one in held.args:
            yield from _conjuncts(one)
    else:
        yield node


def figured(target: Any) -> str | None:
    """The name that PostgreSQL gives to a column of a query, where that is sure; `*` for a star."""
    if target.name:
        return str(target.name)
    kind, node = inner(target.val)
    while kind == "type_cast":
        kind, node = inner(node.arg)
    if kind == "column_ref":
        last = node.fields[-1]
        return last.string.sval if last.WhichOneof("node") == "string" else "*"
    if kind == "func_call":
        return str(node.funcname[-1].string.sval)
    return None


def _guessed(query: Any) -> list[str | None]:
    """The names that a recursive query gives to its own columns, as far as its first part plainly says them."""
    while query.HasField("larg"):
        query = query.larg
    if query.values_lists:
        return [f"column{place}" for place in range(1, len(query.values_lists[0].list.items) + 1)]
    found = [figured(target.res_target) for target in query.target_list]
    return [MORE if name == "*" else name for name in found]
