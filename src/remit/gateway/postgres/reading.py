"""Reading a statement that may write: INSERT, UPDATE, DELETE and their RETURNING; and all its acts in the end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from remit.gateway.postgres.query import Queries
from remit.gateway.postgres.scope import Dotted, Scope, Table, unknown
from remit.gateway.postgres.tree import Act, inner, only, refused
from remit.gateway.postgres.value import Value, opaque

MOST_ACTS: Final = 64
_USER: Final = 2
"""OVERRIDING USER VALUE."""


class Reading(Queries):
    """One statement being read. Used once."""

    def query(self, kind: str, node: Any, around: Scope | None) -> list[str | None]:
        """Read what may stand as a query of its own or in WITH (`statement_unclassified`)."""
        reader: Callable[[Any, Scope | None], list[str | None]] | None = {
            "select_stmt": self.select,
            "insert_stmt": self.insert,
            "update_stmt": self.update,
            "delete_stmt": self.delete,
        }.get(kind)
        if reader is None:
            raise refused("A statement of this kind is refused.", "statement_unclassified")
        return reader(node, around)

    def insert(self, node: Any, around: Scope | None) -> list[str | None]:
        """Read an INSERT."""
        only(node, "relation", "cols", "select_stmt", "on_conflict_clause", "returning_clause", "with_clause",
             "override")  # fmt: skip
        scope = Scope(around)
        if node.HasField("with_clause"):
            self.common(node.with_clause, scope)
        target = self._target(node.relation)
        columns = []
        for one in node.cols:
            only(one.res_target, "name")
            columns.append(one.res_target.name)
        columns = columns or list(target.relation.columns)
        values = self._written(node, columns, target, scope)
        if node.override == _USER:
            # What is given for an identity is passed over then, and which column is one is not known here.
            values = dict.fromkeys(values, opaque("default"))
        self.acts.append(Act("insert", target.relation.name, tuple(sorted(values)), None, tuple(values.items())))
        level = Scope(scope)
        level.entries = [target]
        if node.HasField("on_conflict_clause"):
            self._conflict(node.on_conflict_clause, target, level)
        return self.returning(node, target, level)

    def _target(self, var: Any) -> Table:
        found = self.table(var, None, written=True)
        if not isinstance(found, Table):
            raise refused("Only a relation can be written to.", "statement_unclassified")
        found.target = True
        self.tables.append(found)
        return found

    def _written(self, node: Any, columns: list[str], target: Table, scope: Scope) -> dict[str, Value]:
        kind, source = inner(node.select_stmt)
        if not kind:
            return {name: opaque("default") for name in columns} if node.cols else {}
        plain = kind == "select_stmt" and len(source.values_lists) == 1 and not source.HasField("with_clause")
        if not plain:
            if kind != "select_stmt":
                raise refused("INSERT of this kind is not understood here.", "statement_unclassified")
            width = len(self._insert_source(source, scope))
            known = columns if node.cols else columns[:width] if width and not source.target_list else columns
            return {self._column(target, name): opaque("rows") for name in known}
        items = source.values_lists[0].list.items
        only(source, "values_lists", "limit_option", "op")
        found = {}
        for name, item in zip(columns, items, strict=False):
            kind = target.relation.columns[self._column(target, name)]
            found[name] = self._assigned(item, kind, scope)
        if len(items) > len(columns):
            raise unknown()
        return found

    def _insert_source(self, source: Any, scope: Scope) -> list[str | None]:
        if not source.values_lists:
            return self.select(source, scope)
        only(source, "values_lists", "limit_option", "op", "with_clause")
        if source.HasField("with_clause"):
            scope = Scope(scope)
            self.common(source.with_clause, scope)
        width = 0
        for row in source.values_lists:
            width = max(width, len(row.list.items))
            for item in row.list.items:
                if item.WhichOneof("node") != "set_to_default":
                    self.expression(item, scope)
        return [None] * width

    def _column(self, target: Table, name: str) -> str:
        if name not in target.relation.columns:
            raise unknown()
        return name

    def _assigned(self, node: Any, kind: str, scope: Scope) -> Value:
        if node.WhichOneof("node") == "set_to_default":
            return opaque("default")
        self.expression(node, scope)
        return self.value(node, kind) or opaque("expression")

    def _conflict(self, clause: Any, target: Table, scope: Scope) -> None:
        only(clause, "action", "infer", "target_list", "where_clause")
        if clause.HasField("infer"):
            only(clause.infer, "index_elems", "where_clause", "conname")
            for one in clause.infer.index_elems:
                element = one.index_elem
                only(element, "name", "expr", "ordering", "nulls_ordering")
                if element.name:
                    scope.of(target.name, element.name)
                if element.HasField("expr"):
                    self.expression(element.expr, scope)
            self.maybe(clause.infer, "where_clause", scope)
            if clause.infer.conname:
                # PostgreSQL wants the right to read the constraint's columns, and which they are is not known here.
                target.whole()
        if clause.target_list:
            level = Scope(scope)
            # What was to be inserted is named like the relation itself, and PostgreSQL wants the right to read it.
            level.entries = [Dotted("excluded", target)]
            values = self._sets(clause.target_list, target, level)
            self.maybe(clause, "where_clause", level)
            self.acts.append(Act("update", target.relation.name, tuple(sorted(values)), (), tuple(values.items())))

    def _sets(self, nodes: Any, target: Table, scope: Scope) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for one in nodes:
            item = one.res_target
            only(item, "name", "indirection", "val")
            name = self._column(target, item.name)
            for step in item.indirection:
                self.expression(step, scope)
            if item.val.WhichOneof("node") == "multi_assign_ref":
                source = item.val.multi_assign_ref
                if source.colno == 1:
                    self.expression(source.source, scope)
                found[name] = opaque("expression")
                continue
            value = self._assigned(item.val, target.relation.columns[name], scope)
            found[name] = opaque("expression") if item.indirection or name in found else value
        return found

    def update(self, node: Any, around: Scope | None) -> list[str | None]:
        """Read an UPDATE."""
        only(node, "relation", "target_list", "where_clause", "from_clause", "returning_clause", "with_clause")
        scope = Scope(around)
        if node.HasField("with_clause"):
            self.common(node.with_clause, scope)
        target = self._target(node.relation)
        level = Scope(scope)
        level.entries = [target]
        self.sources(node.from_clause, level)
        self.where(node, level)
        values = self._sets(node.target_list, target, level)
        where = tuple(target.where.items())
        self.acts.append(Act("update", target.relation.name, tuple(sorted(values)), where, tuple(values.items())))
        return self.returning(node, target, level)

    def delete(self, node: Any, around: Scope | None) -> list[str | None]:
        """Read a DELETE."""
        only(node, "relation", "using_clause", "where_clause", "returning_clause", "with_clause")
        scope = Scope(around)
        if node.HasField("with_clause"):
            self.common(node.with_clause, scope)
        target = self._target(node.relation)
        level = Scope(scope)
        level.entries = [target]
        self.sources(node.using_clause, level)
        self.where(node, level)
        self.acts.append(Act("delete", target.relation.name, None, tuple(target.where.items())))
        return self.returning(node, target, level)

    def returning(self, node: Any, target: Table, scope: Scope) -> list[str | None]:
        """Read a RETURNING clause; a relation that is written is read only where it says so."""
        if not node.HasField("returning_clause"):
            return []
        clause = node.returning_clause
        only(clause, "options", "exprs")
        aliases = {"old", "new"}
        for one in clause.options:
            aliases.add(one.returning_option.value)
        for name in sorted(aliases):
            if scope.named(name) is None:
                scope.entries.append(Dotted(name, target))
        return self.targets(clause.exprs, scope)

    def _sure(self, act: Act) -> Act:
        """The act with each of its parameters told as one that another place may say the type of, where one may."""
        where = act.where and tuple((name, self.sure(value)) for name, value in act.where)
        if act.verb == "call":
            return replace(act, values=act.values and tuple(map(self.sure, act.values)))  # type: ignore[arg-type]
        values = act.values and tuple((name, self.sure(value)) for name, value in act.values)  # type: ignore[misc]
        return replace(act, where=where, values=values)

    def finish(self) -> tuple[Act, ...]:
        """All acts of what was read: each relation that stands in FROM, and each that is written and read as well."""
        for one in self.tables:
            where = tuple(sorted(one.where.items()))
            if not one.target or one.seen:
                self.acts.append(Act("select", one.relation.name, tuple(sorted(one.seen)), where))
            if one.locked:
                self.acts.append(Act("update", one.relation.name, (), where, ()))
        acts: list[Act] = []
        for act in map(self._sure, self.acts) if self.slots else self.acts:
            if act not in acts:
                acts.append(act)
        if len(acts) > MOST_ACTS:
            raise refused(f"A statement may need at most {MOST_ACTS} rights.", "statement_many")
        return tuple(acts)
