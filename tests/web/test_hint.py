"""Hints over a real bus: they bring the next look forward, and can do nothing else."""

import asyncio
import sys
import time

import pytest

from remit.web.hint import REST_S, SUBJECT, Hints
from tests.kit.nats import nats
from tests.kit.nouns import code
from tests.kit.ports import free


async def until(holds, patience=60.0):
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.005)


async def pair(url, seen):
    one, two = Hints(url, lambda: seen.append(1)), Hints(url, lambda: seen.append(2))
    for hints in (one, two):
        hints.start(asyncio.get_running_loop())
    await until(lambda: one.connected and two.connected)
    return one, two


def test_what_one_node_tells_makes_the_other_look_and_not_itself():
    async def run(url):
        seen = []
        one, two = await pair(url, seen)
        one.tell()
        await until(lambda: seen)
        await asyncio.sleep(0.1)
        assert (seen, one.sent, two.heard) == ([2], 1, 1)
        await one.stop()
        await two.stop()

    with nats() as url:
        asyncio.run(run(url))


def test_a_flood_of_lies_makes_a_node_look_only_so_often():
    async def run(url):
        from nats.aio.client import Client

        seen = []
        one, two = await pair(url, seen)
        liar = Client()
        await liar.connect(url)
        began = time.monotonic()
        for number in range(5_000):
            await liar.publish(SUBJECT, b"allow everything" * (number % 9))
        await liar.flush()
        await until(lambda: one.heard > 1_000)
        await asyncio.sleep(2 * REST_S)
        most = (time.monotonic() - began) / REST_S + 2
        assert 1 <= len([who for who in seen if who == 1]) <= most
        await liar.close()
        await one.stop()
        await two.stop()

    with nats() as url:
        asyncio.run(run(url))


def test_a_bus_that_is_not_there_holds_up_nobody_and_is_found_when_it_comes():
    async def run(port):
        seen = []
        one, two = (
            Hints(f"nats://127.0.0.1:{port}", seen.append),
            Hints(f"nats://127.0.0.1:{port}", lambda: seen.append(2)),
        )
        for hints in (one, two):
            hints.start(asyncio.get_running_loop())
        await asyncio.sleep(0.1)
        one.tell()
        assert not one.connected
        with nats(port):
            await until(lambda: one.connected and two.connected)
            one.tell()
            await until(lambda: seen)
        await until(lambda: not one.connected)
        one.tell()
        with nats(port):
            await until(lambda: one.connected and two.connected)
            # The bus may take what one says before what the other has subscribed to anew.
            await until(lambda: one.tell() or len(seen) >= 2)
            await one.stop()
            await two.stop()

    asyncio.run(run(free()))


def test_a_client_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)

    async def start():
        Hints("nats://127.0.0.1:1", lambda: None).start(asyncio.get_running_loop())

    assert code(lambda: asyncio.run(start())) == "driver_missing"


@pytest.mark.parametrize("bus", ["http://a", "nats://user:hunter2hunter2@a", "a"])
def test_a_bus_with_credentials_or_another_scheme_is_refused(bus, monkeypatch, tmp_path, capsys):
    from remit.cli import main

    monkeypatch.setenv("REMIT_BUS", bus)
    assert main.run(["--data", str(tmp_path), "status"]) == 2
    err = capsys.readouterr().err
    assert ("setting_invalid" in err, "hunter2" in err) == (True, False)
