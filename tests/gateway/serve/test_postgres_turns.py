"""Whose turn it is between agent, gate and database: what is decided for a cursor is what the database reads for it."""

from contextlib import closing

import pytest

from tests.kit.database import shop, step
from tests.kit.pgwire import SYNC, Client, bind, codes, execute, parse, query

ORDERS = {"relation": [{"equals": "public.orders"}], "columns": [{"any": True}]}
HOLDS = "declare c cursor with hold for select id from orders where id = $1"


def one(wire, text):
    """The answer to a simple query, in short."""
    return codes(wire.send(query(text)).until())


def entered(made):
    """A session of this agent."""
    return closing(Client(made.port).log_in(made.token))


@pytest.mark.parametrize("how", ["fetch all from p", "move all from p"])
def test_what_executes_or_reads_on_is_not_run_by_reading_on_from_its_portal(how):
    with shop() as made, entered(made) as wire:
        assert one(wire, "prepare hidden as select pay from hr.pay") == ["C", "ZI"]
        for text in ("execute hidden", "fetch all from c"):
            assert one(wire, "begin") == ["C", "ZT"]
            assert one(wire, "declare c cursor for select id from orders") == ["C", "ZT"]
            assert codes(wire.send(parse("", text), bind("p", ""), SYNC).until()) == ["1", "2", "ZT"]
            assert one(wire, how) == ["statement_refused", "ZE"]
            assert one(wire, "rollback") == ["C", "ZI"]


@pytest.mark.parametrize("how", ["", "close", "hold"])
def test_a_cursor_is_read_with_the_parameters_that_the_database_has_it_with(how):
    first = step("select", {**ORDERS, "/where/id": [{"equals": 1}]}, uses=3)
    with shop((first, step("select", {**ORDERS, "/where/id": [{"equals": 2}]}))) as made, entered(made) as wire:
        text = HOLDS if how == "hold" else HOLDS.replace("with hold", "")
        one(wire, "begin")
        assert codes(wire.send(parse("s", text), bind("", "s", b"1"), execute(), SYNC).until())[-1] == "ZT"
        one(wire, "savepoint a")
        if how == "close":
            # In a failed transaction nothing is closed, and the savepoint brings it back.
            assert one(wire, "fail") == ["statement_syntax", "ZE"]
            one(wire, "close c")
            one(wire, "rollback to a")
        assert codes(wire.send(bind("", "s", b"2"), execute(), SYNC).until()) == ["2", "42P03", "ZE"]
        one(wire, "rollback to a")
        assert one(wire, "fetch all from c") == ["T", "D", "C", "ZT"]
        assert one(wire, "fetch all from c") == ["uses_spent", "ZE"]
        one(wire, "rollback")
        # In another transaction a cursor is what it is declared as there.
        again = codes(wire.send(bind("", "s", b"2"), execute(), SYNC).until())
        assert again == (["2", "uses_spent", "ZI"] if how == "hold" else ["2", "25P01", "ZI"])
