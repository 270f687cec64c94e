"""Statements as calls, without a database: what each is, and what is refused because it could be more than it says."""

import subprocess
import sys

import pytest

from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import Catalogue, Relation
from remit.gateway.postgres.statement import LONGEST, Kind, calls, read
from remit.gateway.postgres.value import Bound

COLUMNS = {
    "public.orders": {"id": "integer", "customer_id": "integer", "status": "text", "total": "numeric(10,2)"},
    "public.refunds": {"order_id": "integer", "amount": "numeric(10,2)", "note": "text"},
    "hr.pay": {"id": "integer", "pay": "integer"},
    "public.kinds": {"one": '"char"', "name": "name"},
    "pg_catalog.pg_class": {"oid": "oid", "relname": "name"},
}
CATALOGUE = Catalogue(
    {name: Relation(name, columns) for name, columns in COLUMNS.items()},
    frozenset({"public.refund", "public.lower"}),
    operators=frozenset({"<!>"}),
)


def called(text, *bound):
    """The calls of one statement, as verb and arguments."""
    (one,) = read(text, CATALOGUE)
    found = []
    for call in calls("shop", one, [Bound(value) for value in bound]):
        arguments = dict(call.arguments)
        found.append((call.kind, arguments.pop("relation", ""), arguments))
    return found


def code(text):
    with pytest.raises(RemitError) as refused:
        read(text, CATALOGUE)
    return refused.value.code


def reads(relation, *columns, **where):
    return ("select", relation, {"columns": list(columns), "where": where})


ORDERS, REFUNDS = "public.orders", "public.refunds"
EVERY = ("customer_id", "id", "status", "total")
READ = {
    "select id from orders": [reads(ORDERS, "id")],
    "select * from orders": [reads(ORDERS, *EVERY)],
    "table orders": [reads(ORDERS, *EVERY)],
    "select count(*) from orders": [reads(ORDERS)],
    "select o from orders o": [reads(ORDERS, *EVERY)],
    "select count(o.*) from orders o": [reads(ORDERS, *EVERY)],
    "select row_to_json(o) from orders o": [reads(ORDERS, *EVERY)],
    "select o from generate_series(1, 2) g, orders o": [reads(ORDERS, *EVERY)],
    "select * from (select id from orders) s for update": [
        reads(ORDERS, "id"),
        ("update", ORDERS, {"columns": [], "where": {}, "values": {}}),
    ],
    "select ctid from orders": [reads(ORDERS, "ctid")],
    "select x.b from orders as x(a, b)": [reads(ORDERS, "customer_id")],
    "select id from orders where id = 7 and status = 'paid'": [reads(ORDERS, "id", "status", id=7, status="paid")],
    "select id from orders where 7 = id": [reads(ORDERS, "id", id=7)],
    "select id from orders where id = '7'": [reads(ORDERS, "id", id=7)],
    "select id from orders where id = 7 or true": [reads(ORDERS, "id")],
    "select id from orders where not (id = 7)": [reads(ORDERS, "id")],
    "select id from orders where total = 7": [reads(ORDERS, "id", "total")],
    "select id from orders where id = 7::int": [reads(ORDERS, "id", id=7)],
    "select id from orders where id = 6.6::int": [  # it would be 7
        ("select", ORDERS, {"columns": ["id"], "where": {"id": {"sql": "rounded"}}})],
    "select id from orders where id operator(pg_catalog.=) 7": [reads(ORDERS, "id", id=7)],
    "select o.id from orders o join refunds r on r.order_id = o.id where o.id = 3": [
        reads(ORDERS, "id", id=3), reads(REFUNDS, "order_id"),
    ],
    "select id from orders natural join hr.pay": [reads(ORDERS, "id"), reads("hr.pay", "id")],
    "select status from orders join hr.pay using (id)": [reads(ORDERS, "id", "status"), reads("hr.pay", "id")],
    "select 1 where exists (select 1 from hr.pay where pay > 5)": [reads("hr.pay", "pay")],
    "select 1 order by (select pay from hr.pay)": [reads("hr.pay", "pay")],
    "select 1 limit (select pay from hr.pay)": [reads("hr.pay", "pay")],
    "select sum(total) over (partition by status order by id) from orders": [reads(ORDERS, "id", "status", "total")],
    "select sum(total) filter (where id > 3) as t from orders group by status having max(id) > 1 order by t": [
        reads(ORDERS, "id", "status", "total"),
    ],
    "select s.t from (select total as t from orders where id = 1) s": [reads(ORDERS, "id", "total", id=1)],
    "with a as (select id from orders) select a.id from a": [reads(ORDERS, "id")],
    "with recursive t(n) as (select id from orders union all select n + 1 from t where n < 9) select n from t": [
        reads(ORDERS, "id"),
    ],
    "with orders as (select 1 as id) select id from orders": [("@session", "", {"statement": "select"})],
    "select id from orders union select pay from hr.pay": [reads(ORDERS, "id"), reads("hr.pay", "pay")],
    "select relname from pg_class": [reads("pg_catalog.pg_class", "relname")],
    "copy orders (id) to stdout": [reads(ORDERS, "id")],
    "copy (select id from orders) to stdout (format csv)": [reads(ORDERS, "id")],
    "explain select id from orders": [reads(ORDERS, "id")],
    "declare c cursor for select id from orders": [reads(ORDERS, "id")],
    "select lower(status) from orders": [reads(ORDERS, "status")],
    "select e.key from json_each('{}') e": [("@session", "", {"statement": "select"})],
    "select 1": [("@session", "", {"statement": "select"})],
    "show server_version": [("@session", "", {"statement": "show"})],
    "set timezone = 'UTC'": [("@session", "", {"statement": "set timezone"})],
    "set statement_timeout = 500": [("@session", "", {"statement": "set statement_timeout"})],
    "commit": [("@session", "", {"statement": "commit"})],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.items(), ids=list(READ))
def test_what_is_read_is_a_call_on_each_relation(text, expected):
    assert called(text) == expected


def insert(values, *columns):
    return ("insert", REFUNDS, {"columns": sorted(columns or values), "values": values})


SQL = {"sql": "expression"}
WRITTEN = {
    "insert into refunds (order_id, amount) values (1, 20.5)": [insert({"order_id": 1, "amount": 20.5})],
    "insert into refunds values (1, 2)": [insert({"order_id": 1, "amount": 2})],
    "insert into refunds (amount) values (50.004)": [insert({"amount": {"sql": "rounded"}})],
    "insert into refunds (amount) values (20 + 30)": [insert({"amount": SQL})],
    "insert into refunds (amount) values (default)": [insert({"amount": {"sql": "default"}})],
    "insert into refunds (amount) values (1), (99)": [insert({"amount": {"sql": "rows"}})],
    "insert into refunds (amount) select total from orders": [
        insert({"amount": {"sql": "rows"}}), reads(ORDERS, "total"),
    ],
    "insert into refunds (amount) values ((select pay from hr.pay))": [insert({"amount": SQL}), reads("hr.pay", "pay")],
    "insert into refunds (amount) values (1) returning note": [insert({"amount": 1}), reads(REFUNDS, "note")],
    "insert into refunds as r (order_id) values (1)"
    " on conflict (order_id) do update set amount = 99 where r.note = 'x'": [
        insert({"order_id": 1}),
        ("update", REFUNDS, {"columns": ["amount"], "where": {}, "values": {"amount": 99}}),
        reads(REFUNDS, "note", "order_id"),
    ],
    "update orders set status = 'x' where id = 3": [
        ("update", ORDERS, {"columns": ["status"], "where": {"id": 3}, "values": {"status": "x"}}),
        reads(ORDERS, "id", id=3),
    ],
    "update orders set status = 'x'": [
        ("update", ORDERS, {"columns": ["status"], "where": {}, "values": {"status": "x"}}),
    ],
    "update orders set (status, total) = (select 'a', pay from hr.pay)": [
        ("update", ORDERS, {"columns": ["status", "total"], "where": {}, "values": {"status": SQL, "total": SQL}}),
        reads("hr.pay", "pay"),
    ],
    "delete from orders where id = 3": [("delete", ORDERS, {"where": {"id": 3}}), reads(ORDERS, "id", id=3)],
    "delete from orders using hr.pay p where p.id = orders.id": [
        ("delete", ORDERS, {"where": {}}), reads(ORDERS, "id"), reads("hr.pay", "id"),
    ],
    "with gone as (delete from orders returning id) select id from gone": [
        ("delete", ORDERS, {"where": {}}), reads(ORDERS, "id"),
    ],
    "explain analyze delete from orders": [("delete", ORDERS, {"where": {}})],
    "explain (analyze, buffers) update orders set total = 1": [
        ("update", ORDERS, {"columns": ["total"], "where": {}, "values": {"total": 1}}),
    ],
    "select id from orders for update": [
        reads(ORDERS, "id"), ("update", ORDERS, {"columns": [], "where": {}, "values": {}}),
    ],
    "truncate orders, hr.pay": [("truncate", ORDERS, {}), ("truncate", "hr.pay", {})],
    "copy refunds (amount) from stdin": [insert({"amount": {"sql": "copy"}})],
    "select refund(7, 'x')": [("call", "public.refund", {"values": [7, "x"]})],
    "select * from refund(7) r": [("call", "public.refund", {"values": [7]})],
    "call refund(7)": [("call", "public.refund", {"values": [7]})],
    "select 1 from orders where public.refund(id) > 0": [
        ("call", "public.refund", {"values": [SQL]}), reads(ORDERS, "id"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRITTEN.items(), ids=list(WRITTEN))
def test_what_is_written_is_a_call_wherever_it_stands(text, expected):
    assert called(text) == expected


def test_parameters_become_values_when_they_are_bound():
    text = "insert into refunds (order_id, amount, note) values ($1, $2::numeric, $3)"
    assert called(text, b"7", b"12.50", None)[0][2]["values"] == {"order_id": 7, "amount": 12.5, "note": None}
    assert called(text, b"7")[0][2]["values"]["note"] == {"sql": "unbound"}
    assert called("select id from orders where id = $1", b"9")[0][2]["where"] == {"id": 9}


BINARY = [
    (b"\0\0\0\x07", 23, 7),
    (b"\xff\xff\xff\xff\xff\xff\xff\xff", 20, -1),
    (b"\0\x02\0\0\0\0\0\x02\0\x0c\x13\x88", 1700, 12.5),
    (b"\x3f\xf8\0\0\0\0\0\0", 701, 1.5),
    (b"x", 25, "x"),
    (b"\x01", 16, True),
    (b"\0\0\0\x07", 1082, {"sql": "binary"}),
    (b"\0", 1700, {"sql": "binary"}),
]


@pytest.mark.parametrize(("data", "oid", "expected"), BINARY)
def test_a_binary_parameter_is_read_by_its_type_or_is_not_plain(data, oid, expected):
    (one,) = read("select refund($1)", CATALOGUE)
    (call,) = calls("shop", one, [Bound(data, binary=True, oid=oid)])
    assert call.arguments["values"] == [expected]


REFUSED = {
    # What is not SQL, or is too much of it.
    "select from where": "statement_syntax",
    "select " + "+".join(["1"] * 200): "statement_deep",
    "select '" + "x" * LONGEST + "'": "statement_long",
    ";".join(["select 1"] * 40): "statement_many",
    # Names: of relations, of columns, and functions that pretend to be one.
    "select 1 from nowhere": "relation_unknown",
    "select 1 from pg_authid": "relation_unknown",
    "select nothing from orders": "column_unknown",
    "select o.refund from orders o": "column_unknown",
    "select s.refund from (select * from orders) s": "column_unknown",
    "select (o).refund from orders o": "statement_unclassified",
    "select (select o from orders o).id": "statement_unclassified",
    "insert into orders (nothing) values (1)": "column_unknown",
    "copy orders (nothing) to stdout": "column_unknown",
    # PG-05 and PG-06: functions.
    "select U&\"s\\0065tval\"('s', 999)": "function_refused",
    "select setval('s', 999)": "function_refused",
    "select nextval('s')": "function_refused",
    "select pg_catalog.nextval('s')": "function_refused",
    "select lo_export(1, 'probe.out')": "function_refused",
    "select lo_import('/etc/passwd')": "function_refused",
    "select pg_read_file('/etc/passwd')": "function_refused",
    "select dblink_exec('x', 'y')": "function_refused",
    "select pg_terminate_backend(1)": "function_refused",
    "select query_to_xml('delete from t returning 1', true, true, '')": "function_refused",
    "select table_to_xml('orders', true, true, '')": "function_refused",
    "select set_config('search_path', 'x', false)": "function_refused",
    "select current_setting('x')": "function_refused",
    "select pg_sleep(9)": "function_refused",
    "select shobj_description(1, 'pg_authid')": "function_refused",
    "select pg_advisory_lock(1)": "function_refused",
    "select 1 where true in (select pg_sleep(1) is null)": "function_refused",
    "select 1 order by pg_sleep(1)": "function_refused",
    "select hr.lower('x')": "function_refused",
    "select 1 <!> 2": "function_refused",
    "select 1 operator(public.+) 2": "function_refused",
    "select * from pg_ls_dir('.') x": "function_refused",
    # PG-06 and PG-08: statements that reach out, or that change what names mean.
    "copy orders to program 'id'": "statement_refused",
    "copy orders from program 'id'": "statement_refused",
    "copy (select 1) to '/tmp/probe.out'": "statement_refused",
    "copy orders from '/etc/passwd'": "statement_refused",
    "copy (delete from orders returning id) to stdout": "statement_refused",
    "do $$ begin delete from orders; end $$": "statement_refused",
    "create temp table users (id int)": "statement_refused",
    "create function pg_temp.now() returns int language sql as 'select 1'": "statement_refused",
    "create table t (id int)": "statement_refused",
    "select id into copied from orders": "statement_unclassified",
    "create table t as select 1": "statement_refused",
    "set search_path = pg_temp, public": "setting_refused",
    "set local search_path to x": "setting_refused",
    "set role postgres": "setting_refused",
    "set session authorization postgres": "setting_refused",
    "reset role": "setting_refused",
    "set statement_timeout = 0": "setting_refused",
    "set session_replication_role = replica": "setting_refused",
    "set row_security = off": "setting_refused",
    "set standard_conforming_strings = off": "setting_refused",
    "set client_encoding = 'SJIS'": "setting_refused",
    "show all": "setting_refused",
    "alter system set x = 1": "statement_refused",
    "alter role gate_role superuser": "statement_refused",
    "grant all on orders to public": "statement_refused",
    "drop table orders": "statement_refused",
    "truncate orders cascade": "statement_refused",
    "listen x": "statement_refused",
    "notify x": "statement_refused",
    "load 'x'": "statement_refused",
    "vacuum orders": "statement_refused",
    "lock table orders": "statement_refused",
    "security label on table orders is 'x'": "statement_refused",
    "prepare transaction 'x'": "statement_unclassified",
    "explain execute p": "statement_refused",
    "prepare p as truncate orders": "statement_syntax",
    "prepare p as values (pg_sleep(1))": "function_refused",
    "merge into orders using hr.pay on false when not matched then do nothing": "statement_refused",
    "delete from orders where current of c": "statement_unclassified",
    "select xmlparse(document '<x/>')": "statement_unclassified",
    "select 1 from orders tablesample system (1)": "statement_unclassified",
    "select 'x'::pg_temp.t": "statement_unclassified",
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=[name[:60] for name in REFUSED])
def test_pg_05_pg_06_pg_08_what_could_be_more_than_it_says_is_refused(text, expected):
    assert code(text) == expected


def test_pg_03_explain_is_what_it_explains():
    assert called("explain analyze delete from orders")[0][0] == "delete"
    assert called("explain (analyze, buffers) update orders set total = 1")[0][0] == "update"


def test_what_is_sent_names_every_schema_and_holds_no_comment():
    (one,) = read("select /* x */ lower(o.status) -- y\n from orders o where o.id = $1", CATALOGUE)
    assert one.text == "SELECT pg_catalog.lower(o.status) FROM public.orders o WHERE o.id = $1"
    (one,) = read("with orders as (select 1 as id) select id from orders", CATALOGUE)
    assert "public" not in one.text


def test_a_statement_of_the_session_keeps_its_name_apart():
    (one,) = read("prepare p as select id from orders where id = $1", CATALOGUE)
    assert (one.kind, one.name, one.renamed("remit_1")[:17]) == (Kind.PREPARE, "p", "PREPARE remit_1 A")
    (one,) = read("fetch 5 from c", CATALOGUE)
    assert (one.kind, one.renamed("remit_2")) == (Kind.FETCH, "FETCH FORWARD 5 remit_2")


def test_no_text_of_the_allowed_length_can_break_the_readers_stack():
    heavy = [
        "'select ' + '+'.join(['1'] * (N // 2 - 10))", "'select 1' + '::int' * (N // 5 - 10)",
        "'select ' + 'not ' * (N // 4 - 10) + 'a'", "'select ' + '(' * (N // 2 - 10) + '1' + ')' * (N // 2 - 10)",
        "' union '.join(['select 1'] * (N // 15 - 10))", "'select a' + '[1]' * (N // 3 - 10)",
        "'select * from a' + ' join a on 1' * (N // 12 - 10)", "'select 1' + ' collate c' * (N // 10 - 10)",
    ]  # fmt: skip
    script = (
        "from remit.gateway.postgres.catalogue import Catalogue\n"
        "from remit.gateway.postgres.statement import LONGEST as N, read\n"
        "from remit.core.errors import RemitError\n"
        f"for text in ({', '.join(heavy)}):\n"
        "    assert len(text) <= N\n"
        "    try:\n        read(text, Catalogue({}))\n    except RemitError as fault:\n        print(fault.code)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr[-300:]
    assert len(ran.stdout.split()) == len(heavy)


@pytest.mark.parametrize("text", ["select pg_get_viewdef(1)", "select obj_description(1, 'pg_class')"])
def test_what_tells_of_tables_and_types_is_for_databases_that_are_registered_with_theirs(text):
    assert called(text)[0][0] == "@session"
    with pytest.raises(RemitError, match="function_refused"):
        read(text, Catalogue({name: one for name, one in CATALOGUE.relations.items() if "pg_" not in name}))
