"""Values of a statement: plain only where what is written, or looked for, is that very value."""

import struct

import pytest

from remit.gateway.postgres.names import Names
from remit.gateway.postgres.statement import calls, read
from remit.gateway.postgres.value import Bound
from tests.gateway.test_postgres import CATALOGUE, called

VALUES = {
    # A cast that rounds, wraps or cuts makes another value.
    "insert into refunds (amount) values (50::numeric(10, -2))": {"amount": {"sql": "rounded"}},
    "insert into refunds (amount) values (49.6::numeric(3))": {"amount": {"sql": "rounded"}},
    "insert into refunds (amount) values (49.996::numeric)": {"amount": {"sql": "rounded"}},
    "insert into refunds (amount) values (1234567.1::real)": {"amount": {"sql": "rounded"}},
    "insert into refunds (amount) values (50::numeric(10, -1))": {"amount": 50},
    "insert into refunds (amount) values (12.5::real)": {"amount": 12.5},
    "insert into refunds (order_id) values ((-1)::oid)": {"order_id": {"sql": "rounded"}},
    "insert into refunds (order_id) values (4294967295::oid)": {"order_id": {"sql": "rounded"}},
    "insert into refunds (order_id) values (1::oid)": {"order_id": 1},
    "insert into refunds (order_id) values ('12'::oid)": {"order_id": 12},
    "insert into refunds (order_id) values ('00012'::oid)": {"order_id": "00012"},  # octal: it would be 10
    "insert into kinds (one, name) values ('ab', 'b')": {"one": {"sql": "cast"}, "name": "b"},
    f"insert into kinds (one, name) values ('a', '{'b' * 64}')": {"one": "a", "name": {"sql": "cast"}},
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items(), ids=list(VALUES))
def test_a_value_is_plain_only_when_what_it_is_cast_to_keeps_it(text, expected):
    assert called(text)[0][2]["values"] == expected


TYPED = [
    # text, the parameter's octets and declared type, what is recorded
    ("insert into refunds (order_id) values ($1)", b"-1", 26, {"order_id": {"sql": "rounded"}}),
    ("insert into refunds (order_id) values ($1::oid)", b"-1", 0, {"order_id": {"sql": "rounded"}}),
    ("insert into refunds (note) values ($1)", b"abc", 18, {"note": {"sql": "cast"}}),
    ("insert into refunds (note) values ($1)", b"a", 18, {"note": "a"}),
    ("insert into refunds (note) values ($1)", b"x" * 64, 19, {"note": {"sql": "cast"}}),
    ("insert into refunds (note) values ($1)", b"abc ", 1042, {"note": {"sql": "cast"}}),
    ("insert into refunds (note) values ($1)", b"1259", 2205, {"note": {"sql": "cast"}}),
    ("insert into refunds (note) values ($1)", b"abc", 25, {"note": "abc"}),
    ("insert into refunds (amount) values ($1)", b"49.996", 1700, {"amount": {"sql": "rounded"}}),
    ("insert into refunds (amount) values ($1)", b"1234567.1", 700, {"amount": {"sql": "rounded"}}),
    ("insert into refunds (order_id) values ($1) returning $1::oid", b"-1", 0, {"order_id": {"sql": "parameter"}}),
    ("insert into refunds (order_id) values ($1) returning $1::oid", b"-1", 23, {"order_id": -1}),
    ("insert into refunds (order_id) values ($1) returning $1", None, 0, {"order_id": None}),
    ("insert into refunds (order_id, amount) values ($1, $1)", b"5", 0, {
        "order_id": {"sql": "parameter"}, "amount": {"sql": "parameter"}}),
    ("insert into refunds (note) values ($1) on conflict do update set note = $1", b"x", 0, {"note": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "data", "oid", "expected"), TYPED)
def test_a_parameter_is_plain_only_when_its_type_keeps_it(text, data, oid, expected):
    if "conflict" in text:
        text = text.replace("conflict", "conflict (order_id)")
    (one,) = read(text, CATALOGUE)
    assert calls("shop", one, [Bound(data, oid=oid)])[0].arguments["values"] == expected


ROUNDED = {"sql": "rounded"}
EXECUTED = [
    ("prepare p (oid) as insert into refunds (order_id) values ($1)", "execute p (-1)", {"order_id": ROUNDED}),
    ("prepare p (int) as insert into refunds (amount) values ($1)", "execute p (49.5)", {"amount": {"sql": "rounded"}}),
    ('prepare p ("char") as insert into refunds (note) values ($1)', "execute p ('abc')", {"note": {"sql": "cast"}}),
    ("prepare p (regclass) as insert into refunds (note) values ($1)", "execute p ('1259')", {"note": {"sql": "cast"}}),
    ("prepare p (text) as insert into refunds (note) values ($1)", "execute p ('abc')", {"note": "abc"}),
    ("prepare p as insert into refunds (order_id) values ($1)", "execute p (7)", {"order_id": 7}),
]  # fmt: skip


@pytest.mark.parametrize(("made", "text", "expected"), EXECUTED)
def test_what_is_executed_is_read_by_the_types_that_it_was_prepared_with(made, text, expected):
    names = Names("shop")
    for one in (made, text):
        (found,) = read(one, CATALOGUE)
        last = names.calls(names.resolve(found), ())
    assert last[0].arguments["values"] == expected


NUMERIC = [
    (b"\0\x02\0\0\0\0\0\0\0\x31\x27\x0f", 49),  # 49.9999 with no digits behind the point: they fall off
    (b"\0\x02\0\0\0\0\0\x02\0\x31\x27\x0f", 49.99),
    (struct.pack("!hhHH", 10, 9, 0, 0) + struct.pack("!h", 1234) * 10, "1234" * 10),
]


@pytest.mark.parametrize(("data", "expected"), NUMERIC)
def test_a_binary_number_is_exactly_what_postgresql_takes_it_for(data, expected):
    (one,) = read("insert into refunds (amount) values ($1::numeric)", CATALOGUE)
    found = calls("shop", one, [Bound(data, binary=True, oid=1700)])[0].arguments["values"]["amount"]
    assert found == expected


def test_names_in_the_arguments_of_a_procedure_are_written_out_as_well():
    (one,) = read("call refund(lower('X'))", CATALOGUE)
    assert "pg_catalog.lower" in one.text
