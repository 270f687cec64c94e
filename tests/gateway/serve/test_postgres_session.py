"""A session at the PostgreSQL gate: its statements, portals and rows on their way, and what they meant when read."""

import psycopg
import pytest

from remit.control import resource
from tests.gateway.serve.test_postgres import refused, target, wire
from tests.kit.database import offered, shop
from tests.kit.pgwire import SYNC, Client, bind, codes, execute, frame, parse, query
from tests.kit.told import moved_elsewhere

__all__ = ["target", "wire"]


@pytest.mark.parametrize("waits", [True, False])
def test_a_sync_in_the_middle_of_a_copy_is_answered_by_nothing(target, wire, waits):
    number = 900 + waits
    wire.send(parse("", "copy notes (id, body) from stdin"), bind("", ""), execute(), SYNC)
    told = wire.until(b"G") if waits else []
    wire.send(frame(b"d", b"%d\tx\n" % number), frame(b"c"), SYNC)
    assert codes(told + wire.until()) == ["1", "2", "G", "C", "ZI"]
    assert codes(wire.send(query("select 1")).until()) == ["T", "D", "C", "ZI"]
    # One that the database refuses to begin is followed by a Sync like any other.
    wire.send(query("begin")).until()
    wire.send(query("select id from orders where id = 1 / (id - id)")).until()
    wire.send(parse("", "copy notes (id, body) from stdin"), bind("", ""), execute(), SYNC)
    assert codes(wire.until())[-1] == "ZE"
    assert codes(wire.send(query("rollback")).until()) == ["C", "ZI"]
    assert target.direct(f"select body from notes where id = {number}") == [("x",)]


def test_a_session_holds_so_many_portals_and_no_more(target, wire, monkeypatch):
    monkeypatch.setattr("remit.gateway.postgres.names.BOUND", 10)
    wire.send(query("begin")).until()
    wire.send(parse("p", "select $1::text"), SYNC).until()
    assert codes(wire.send(bind("a", "p", b"12345"), bind("b", "p", b"12345"), SYNC).until()) == ["2", "2", "ZT"]
    assert codes(wire.send(bind("b", "p", b"54321"), bind("c", "p", b"1"), SYNC).until()) == [
        "2",
        "statement_many",
        "ZE",
    ]
    wire.send(query("rollback")).until()
    assert codes(wire.send(bind("a", "p", b"1234567890"), SYNC).until()) == ["2", "ZI"]


def test_what_is_prepared_or_declared_again_takes_the_place_of_what_was(target, wire):
    wire.send(query("begin")).until()
    for number in (1, 2):
        assert codes(wire.send(query(f"prepare p as select {number}")).until()) == ["C", "ZT"]
        assert codes(wire.send(query(f"declare c cursor for select {number}")).until()) == ["C", "ZT"]
    assert wire.send(query("execute p")).until()[1][1][-1:] == b"2"
    assert wire.send(query("fetch 1 from c")).until()[1][1][-1:] == b"2"
    wire.send(query("rollback")).until()
    assert codes(wire.send(query("deallocate p")).until()) == ["C", "ZI"]


def test_a_relation_that_changed_waits_for_a_person():
    with shop() as made:
        made.direct("ALTER TABLE orders RENAME TO was; CREATE VIEW orders AS SELECT * FROM hr.pay")
        with made.connect() as conn:
            assert refused(conn, "select id from orders")[1] in ("code tool_suspended", "code relation_unknown")
            conn.rollback()
            assert conn.execute("select count(*) from notes").fetchone() == (5,)


def test_a_login_goes_only_where_the_permit_says_when_the_database_moves_meanwhile():
    with shop() as made:
        made.connect().close()
        name = made.owner.rpartition("/")[2].encode()
        made.on_loop(lambda: moved_elsewhere(made.world, "shop", b"/" + name, b"/nowhere"))
        with pytest.raises(psycopg.OperationalError, match=r"resource_moved|upstream_login"):
            made.connect()


def test_a_session_ends_when_its_database_is_registered_at_another_place():
    with shop() as made:
        wires = [Client(made.port).log_in(made.token) for _ in range(2)]
        name = made.owner.rpartition("/")[2].encode()
        made.on_loop(lambda: moved_elsewhere(made.world, "shop", b"/" + name, b"/nowhere"))
        asked = (query("select id from orders where id = 1"),), (parse("", "select 1"), bind("", ""), execute(), SYNC)
        for wire, parts in zip(wires, asked, strict=True):
            told = codes(wire.send(*parts).until())
            assert "D" not in told
            assert told[-2:] == ["resource_moved", ""], told
            wire.close()


def test_what_was_prepared_ends_with_the_session_when_it_means_more_by_a_new_registration():
    with shop() as made:
        other = Client(made.port).log_in(made.token)
        codes(other.send(parse("p", "select id from orders"), SYNC).until())
        wire = Client(made.port).log_in(made.token)
        asked = bind("", "p"), execute(), SYNC
        told = wire.send(parse("p", "select row_to_json(n)::text from notes n where id = 1"), *asked).until()
        assert codes(told) == ["1", "2", "D", "C", "ZI"]
        made.direct("ALTER TABLE notes ADD COLUMN hidden text DEFAULT 'secret'")
        now = offered(made.owner)["public.notes"]
        made.act(lambda c: resource.pin_tool(c, "shop", "public.notes", now, "operator", reads=False))
        assert codes(wire.until()) == ["resource_moved", ""]
        assert codes(other.send(*asked).until())[-1] == "ZI"
        wire.close()
        other.close()
