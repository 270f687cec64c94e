"""Names that stand beside, within and around one another: whichever PostgreSQL takes is among the calls.

Each statement is held against PostgreSQL itself, under a role that has only the rights of its calls.
"""

import psycopg
import pytest

from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import catalogue
from remit.gateway.postgres.statement import read
from tests.kit.database import SCHEMA, database, offered, unique
from tests.kit.statements import Oracle

MORE = """
CREATE TABLE one (id int PRIMARY KEY, name text, "text" text, secret int, b int,
  CONSTRAINT only_secret UNIQUE (secret));
CREATE TABLE two (id int, b int);
INSERT INTO one VALUES (1, 'a', 'a', 1, 1); INSERT INTO two VALUES (1, 1);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION made() RETURNS pair LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION hidden(anyelement) RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM notes; SELECT 1';
"""


@pytest.fixture(scope="module")
def oracle():
    url = database(SCHEMA + MORE)
    made = Oracle(url, f"least_{unique()}")
    made.known = catalogue(offered(url))
    yield made
    made.conn.close()
    with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())
        conn.execute(f"DROP ROLE {made.role}".encode())


STATEMENTS = {
    # Without LATERAL a subquery in FROM, and ON, see nothing that stands beside them.
    "beside": "select 1 from one o where exists (select 1 from two o, (select o.b as v) d where d.v = 1)",
    "beside, bare": "select 1 from one where exists (select 1 from two, (select b as v) d where d.v = 1)",
    "beside, in a join": "select 1 from one o where exists (select 1 from two o cross join (select o.b as v) d)",
    "beside, deep": "select 1 from one o where exists"
    " (select 1 from two o cross join (hr.pay p join (select o.b as v) d on true))",
    "beside, by ON": "select 1 from one o where exists (select 1 from two o, hr.pay p join hr.pay q on o.b = q.id)",
    "beside, in update": "update two o set b = 1 from (select 1 as id) s, lateral (select s.id) t where true",
    # A schema's name is not that of an alias.
    "schema": "select 1 from one where exists (select 1 from two as one where public.one.b = 1)",
    # NATURAL JOIN with names that are not written down.
    "natural, a cast": "select count(*) from one natural join (select 'a'::name) d",
    "natural, text": "select count(*) from one natural join (select 'a'::text) d",
    "natural, a row": "select count(*) from one natural join json_populate_record(null::public.one, '{}') d",
    "natural, a row renamed": "select count(*) from one natural join json_populate_record(null::public.one, '{}') d(x)",
    "natural, rows": "select count(*) from one natural join rows from"
    " (generate_series(1, 2), json_populate_record(null::public.one, '{}')) as d(x)",
    "natural, unnested": "select count(*) from one natural join unnest(array[null::public.one]) d(x)",
    "natural, recursive": "with recursive r(x) as (select 1, 'a' as name union all"
    " select x + 1, r.name from r natural join one where x < 3) select x from r",
    "natural, recursive twice": "with recursive r as ((select 'a' as name union all select 'b') union"
    " select r.name from r natural join one) select 1 from r",
    "natural, merged": "select count(*) from one natural join"
    " ((select 'a' as name, 2 as x) l join (select 2 as x) r using (x)) j(p)",
    "natural, merged star": "select count(*) from one natural join (select * from"
    " (select 'a' as name, 2 as x) l join (select 2 as x) r using (x)) j(p)",
    # Names that a join hides are those of an outer level.
    "hidden by a merge": "select 1 from one where exists"
    " (select 1 from (select * from two join two c using (b)) d(p) where b = 1)",
    "hidden by names": "select 1 from one where exists"
    " (select 1 from (two a cross join two c) as j(p, q, r, s) where b = 1)",
    "hidden by a CTE": "select 1 from one where exists"
    " (with c as (select * from two join two e using (b)) select 1 from c as d(p) where b = 1)",
    # System columns are those of tables alone.
    "system, of a join": "select 1 from one where name = 'a' and exists"
    " (select 1 from (two a cross join hr.pay) as j where ctid = '(0,1)' and b = 1 and pay > 0)",
    # Several functions go by the name of the first one.
    "rows from": "select (select count(length.*) from rows from (generate_series(1, 1), length('a'))) from one length",
    # The columns of a constraint that is named.
    "constraint": "insert into one (id) values (7) on conflict on constraint only_secret do nothing",
}  # fmt: skip


@pytest.mark.parametrize("text", STATEMENTS.values(), ids=list(STATEMENTS))
def test_what_postgresql_reads_is_among_the_calls(oracle, text):
    (one,) = read(text, oracle.known)
    assert oracle.needs_more(one, oracle.known) == (False, ""), one.acts


CALLED = [
    "select hidden.hidden from made() hidden",
    "select hidden.hidden from json_populate_record(null::one, '{}') hidden",
    "select hidden.hidden from unnest(array[null::one]) hidden",
    "select hidden.hidden from rows from (generate_series(1, 1), made()) hidden",
]


@pytest.mark.parametrize("text", CALLED)
def test_what_a_function_gives_is_named_like_another_only_where_that_cannot_be_called(oracle, text):
    # PostgreSQL takes it for hidden(row): the row has no such column, whatever the row is called.
    with pytest.raises(RemitError, match="column_unknown"):
        read(text, oracle.known)
