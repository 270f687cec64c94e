"""Statements at random for the database of this kit: plain ones, and ones that hide a read or a write somewhere inside.

And the oracle: PostgreSQL itself, asked to run what would be sent under a role that has only the rights that the gate
found, in a transaction that is undone. Where PostgreSQL says "permission denied", the gate found too little.
"""

import random
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.statement import Kind, Statement
from remit.gateway.postgres.tree import Act

TABLES = {
    "orders": ("id", "customer_id", "status", "total"),
    "refunds": ("id", "order_id", "amount", "note"),
    "notes": ("id", "body"),
    "hr.pay": ("id", "pay"),
    "paid": ("id", "total"),
}
NUMBERS = {"id", "customer_id", "total", "order_id", "amount", "pay"}
LEAST = """
CREATE ROLE {role};
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
ALTER FUNCTION bump SECURITY DEFINER;
ALTER FUNCTION sly SECURITY DEFINER;
GRANT USAGE ON SCHEMA public, hr TO {role};
"""


class Maker:
    """Makes statements from a seed. `depth` bounds how far one goes inside another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0

    def pick(self, *among: Any) -> Any:
        """One of these."""
        return self.random.choice(among)

    def chance(self, often: float) -> bool:
        """Whether it happens this time."""
        return self.random.random() < often

    def alias(self) -> str:
        """A name: mostly one that was not used before, now and then one that may hide another."""
        if self.chance(0.15):
            return str(self.pick("o", "p", "orders", "pay"))
        self.number += 1
        return f"a{self.number}"

    def statement(self) -> str:
        """A whole statement."""
        made = self.pick(
            self.query, self.query, self.query, self.insert, self.update, self.delete, self.with_write, self.odd
        )(3)
        if self.chance(0.05):
            made = f"explain {self.pick('', 'analyze ', '(analyze, costs off) ')}{made}"
        return self.bent(made) if self.chance(0.1) else made

    def bent(self, text: str) -> str:
        """The same with two words swapped, one left out, or one put twice: mostly no SQL any more."""
        words = text.split(" ")
        place, other = self.random.randrange(len(words)), self.random.randrange(len(words))
        how = self.pick("swap", "drop", "twice")
        if how == "swap":
            words[place], words[other] = words[other], words[place]
        elif how == "drop":
            del words[place]
        else:
            words.insert(place, words[other])
        return " ".join(words)

    def table(self) -> tuple[str, tuple[str, ...], str]:
        """A relation, its columns and a name for it."""
        name = self.pick(*TABLES)
        return name, TABLES[name], self.alias()

    def source(self, depth: int) -> tuple[str, list[tuple[str, tuple[str, ...]]]]:
        """Something to stand in FROM, and what can be named of it."""
        roll = self.random.random()
        if depth > 0 and roll < 0.15:
            name, columns = self.alias(), ("x", "y")
            return f"({self.two(depth - 1)}) {name}(x, y)", [(name, columns)]
        if depth > 0 and roll < 0.35:
            left, some = self.source(depth - 1)
            right, more = self.source(depth - 1)
            how = self.pick("join", "left join", "cross join", "full join", "natural join")
            on = "" if how in ("cross join", "natural join") else f" on {self.condition([*some, *more], depth - 1)}"
            return f"{left} {how} {right}{on}", [*some, *more]
        if depth > 0 and roll < 0.37:
            name = self.alias()
            return f"(select 'x'::{self.pick('text', 'name')}, 1 as id) {name}", [(name, ("id",))]
        if roll < 0.4:
            name = self.alias()
            return f"generate_series(1, 3) {name}", [(name, (name,))]
        if roll < 0.45:
            name = self.alias()
            return f"lateral ({self.two(max(depth - 1, 0))}) {name}(x, y)", [(name, ("x", "y"))]
        table, columns, name = self.table()
        if self.chance(0.1):
            renamed = tuple(f"c{place}" for place in range(len(columns)))
            return f"{table} as {name}({', '.join(renamed)})", [(name, renamed)]
        return f"{table} {name}", [(name, columns)]

    def two(self, depth: int) -> str:
        """A query of two columns."""
        source, some = self.source(depth)
        return f"select {self.value(some, depth)}, {self.value(some, depth)} from {source}{self.where(some, depth)}"

    def column(self, some: list[tuple[str, tuple[str, ...]]]) -> str:
        """A column by its name, with or without what it is of."""
        name, columns = self.pick(*some)
        column = self.pick(*columns)
        return f"{name}.{column}" if self.chance(0.8) else str(column)

    def value(self, some: list[tuple[str, tuple[str, ...]]], depth: int) -> str:
        """An expression."""
        roll = self.random.random()
        if roll < 0.35 and some:
            return self.column(some)
        if roll < 0.45:
            return str(self.random.randrange(5))
        if depth <= 0 or not some:
            return self.pick("1", "'x'", "null", "now()::text", "current_user::text")
        inner = self.value(some, depth - 1)
        name = self.pick(*some)[0]
        return str(
            self.pick(
                f"coalesce({inner}::text, 'n')", f"(case when {self.condition(some, depth - 1)} then {inner} end)",
                f"length({inner}::text)", f"({self.one(depth - 1, some)})", f"row_to_json({name})::text",
                f"array(select {self.value(some, depth - 1)})::text", f"count({inner}) over ()", f"({inner})::text",
                f"md5({inner}::text)", f"(select max({inner}::text))", f"exists({self.query(depth - 1)})::text",
                f"{name}::text", "bump(1)", f"sly({name})", f"{name}.sly", f"({name}).sly", "nextval('s')",
                "pg_sleep(0)::text", f"concat({name}, {inner})", f"nullif({inner}::text, 'x')",
            )
        )  # fmt: skip

    def one(self, depth: int, some: list[tuple[str, tuple[str, ...]]]) -> str:
        """A query of one value, which may look at what is around it."""
        source, more = self.source(depth)
        return f"select {self.value([*more, *some], depth)} from {source}{self.where([*more, *some], depth)} limit 1"

    def condition(self, some: list[tuple[str, tuple[str, ...]]], depth: int) -> str:
        """Something that is true or not."""
        left = self.column(some) if some else "1"
        if depth <= 0:
            return f"{left}::text = '{self.random.randrange(9)}'"
        return str(
            self.pick(
                f"{left}::text = {self.value(some, depth - 1)}::text", f"{left}::text in ({self.one(depth - 1, some)})",
                f"exists ({self.one(depth - 1, some)})", f"{left} is null", f"not ({self.condition(some, depth - 1)})",
                f"({self.condition(some, depth - 1)} or {self.condition(some, depth - 1)})",
                f"({self.condition(some, depth - 1)} and {left}::text > 'a')", f"{left} is not null",
            )
        )  # fmt: skip

    def where(self, some: list[tuple[str, tuple[str, ...]]], depth: int) -> str:
        """A WHERE, or none."""
        return f" where {self.condition(some, depth)}" if self.chance(0.6) else ""

    def query(self, depth: int) -> str:
        """A SELECT."""
        source, some = self.source(depth)
        what = self.pick("*", "count(*)", self.value(some, depth), f"{some[0][0]}.*", self.column(some))
        made = f"select {what} from {source}{self.where(some, depth)}"
        if what == "count(*)":
            return made
        if self.chance(0.2) and what == "*" and depth > 2:
            made += self.pick(" for update", " for share", " for no key update skip locked")
        elif self.chance(0.15):
            made = f"select {self.value(some, 1)} from {source} {self.pick('union', 'union all', 'except')} {made}"
        elif self.chance(0.3):
            made += f" order by {self.value(some, depth - 1)}"
        return made + (f" limit {self.pick('3', f'({self.one(0, [])})')}" if self.chance(0.2) else "")

    def target(self) -> tuple[str, tuple[str, ...]]:
        """A table to write to."""
        name = self.pick("orders", "refunds", "notes", "hr.pay")
        return name, TABLES[name]

    def returning(self, some: list[tuple[str, tuple[str, ...]]], depth: int) -> str:
        """A RETURNING, or none."""
        if self.chance(0.6):
            return ""
        old = self.pick("*", self.value(some, depth), f"old.{some[0][1][0]}", f"new.{some[0][1][0]}, 1")
        return f" returning {old}"

    def fit(self, column: str, some: list[tuple[str, tuple[str, ...]]], depth: int) -> str:
        """A value that a column takes."""
        plain = str(self.random.randrange(900, 999)) if column in NUMBERS else "'t'"
        if self.chance(0.5):
            return plain
        kind = "int" if column in NUMBERS else "text"
        return f"(coalesce(length(({self.value(some, depth)})::text), {self.random.randrange(900, 999)}))::{kind}"

    def insert(self, depth: int) -> str:
        """An INSERT."""
        name, columns = self.target()
        columns = tuple(column for column in columns if name != "refunds" or column != "id")
        if self.chance(0.4):
            source, some = self.source(depth)
            rest = ", ".join(self.fit(column, some, 1) for column in columns)
            rows = f"select {rest} from {source}{self.where(some, depth)}"
        else:
            rows = "values " + ", ".join(
                f"({', '.join(self.fit(column, [], depth) for column in columns)})" for _ in range(self.pick(1, 1, 2))
            )
        made = f"insert into {name} ({', '.join(columns)}) {rows}"
        if self.chance(0.3) and name != "refunds":
            last = columns[-1]
            change = self.pick(f"{last} = excluded.{last}", f"{last} = {name.split('.')[-1]}.{last}")
            made += f" on conflict (id) do {self.pick('nothing', f'update set {change}')}"
        elif self.chance(0.1):
            made += " on conflict do nothing"
        return made + self.returning([(name.split(".")[-1], columns)], depth - 1)

    def update(self, depth: int) -> str:
        """An UPDATE."""
        name, columns = self.target()
        alias, column = self.alias(), columns[-1]
        some = [(alias, columns)]
        source = ""
        if self.chance(0.3):
            text, more = self.source(depth - 1)
            source, some = f" from {text}", [*some, *more]
        made = f"update {name} {alias} set {column} = {self.fit(column, some, depth)}{source}{self.where(some, depth)}"
        return made + self.returning(some, depth - 1)

    def delete(self, depth: int) -> str:
        """A DELETE."""
        name, columns = self.target()
        alias = self.alias()
        some = [(alias, columns)]
        source = ""
        if self.chance(0.3):
            text, more = self.source(depth - 1)
            source, some = f" using {text}", [*some, *more]
        return f"delete from {name} {alias}{source}{self.where(some, depth)}{self.returning(some, depth - 1)}"

    def with_write(self, depth: int) -> str:
        """A statement with something in WITH."""
        name = self.alias()
        inside = self.pick(self.insert, self.update, self.delete, self.two)(depth - 1)
        if "returning" not in inside and not inside.startswith("select"):
            return f"with {name} as ({inside}) {self.pick(self.query, self.delete, self.insert)(depth - 1)}"
        after = self.pick(f"select * from {name}", f"select count(*) from {name}", self.query(depth - 1))
        return f"with {self.pick('', 'recursive ')}{name} as ({inside}) {after}"

    def odd(self, depth: int) -> str:
        """Something else."""
        return str(
            self.pick(
                "truncate notes", "table orders", "values (1), (2)", "select 1", "do $$begin delete from notes; end$$",
                f"create table t as {self.query(depth - 1)}", "lock table notes", "call bump(1)",
                f"select * from ({self.two(depth - 1)}) q(x, y) natural join notes", "drop table notes",
                "select status from orders join hr.pay using (id)", "select notes from notes", "set role postgres",
                f"({self.query(depth - 1)})",
                "merge into notes n using orders o on n.id = o.id when matched then delete",
                "select id into t from orders", "copy notes to '/nowhere'", f"declare c cursor for {self.query(1)}",
                f"prepare p{self.random.randrange(10**6)} as {self.query(1)}",
                "select (select pay from hr.pay limit 1)",
                "select * from notes where body = (select string_agg(pay::text, '') from hr.pay)",
            )
        )  # fmt: skip


class Oracle:
    """PostgreSQL, asked what a statement needs."""

    def __init__(self, url: str, role: str) -> None:
        self.conn = psycopg.connect(url, autocommit=True)
        self.role = role
        self.conn.execute(LEAST.replace("{role}", role).encode())
        self.conn.execute("SET statement_timeout = 2000; SET client_min_messages = error")

    def needs_more(self, one: Statement, catalogue: Catalogue) -> tuple[bool, str]:
        """Whether PostgreSQL refuses the statement under just these rights; and the SQLSTATE, empty when it ran."""
        rights = b"".join(self._grant(act, catalogue) for act in one.acts)
        text = f"BEGIN; {rights.decode()} SET LOCAL ROLE {self.role}; {one.text}; ROLLBACK"
        try:
            self.conn.execute(text.encode())
        except psycopg.Error as why:
            self.conn.execute("ROLLBACK")
            return why.sqlstate == "42501", why.sqlstate or "?"
        return False, ""

    def _grant(self, act: Act, catalogue: Catalogue) -> bytes:
        place = sql.Identifier(*act.relation.split("."))
        if act.verb == "call":
            made = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {};").format(place, sql.Identifier(self.role))
            return made.as_bytes(self.conn)
        columns: Iterable[str] = act.columns or ()
        if act.columns == ():
            # PostgreSQL wants a right on any one column, where none is named.
            columns = list(catalogue.relations[act.relation].columns)[:1]
        listed = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
        verb = sql.SQL(act.verb.upper())
        made = sql.SQL("GRANT {} {} ON {} TO {};").format(verb, listed, place, sql.Identifier(self.role))
        return made.as_bytes(self.conn)


def runs(one: Statement) -> bool:
    """Whether a statement is asked of the oracle: what only prepares is read, not run."""
    return one.kind is Kind.QUERY or one.kind is Kind.DECLARE
