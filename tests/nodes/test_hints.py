"""Hints between real nodes: what one revokes, another cuts at once where the bus stands, and by itself where not."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from remit.web.hint import SUBJECT
from tests.kit.agent import Agent
from tests.kit.cluster import NAME, NODES, Cluster
from tests.kit.nats import listeners
from tests.kit.nemesis import revoked
from tests.kit.planted import Planted


def told(_: Path) -> None:
    """The nodes themselves show it."""


SELDOM = Planted("look once an hour", "gateway/serve/app.py", "TICK_S: Final = 0.5", "TICK_S: Final = 3600.0", told, "")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("hints"), SELDOM) as made:
        yield made


def dripping(cluster, token):
    """A stream that runs at the third node, and has begun."""
    agent = Agent(f"http://127.0.0.1:{cluster.nodes[2].port}/mcp/{NAME}", token)
    data, headers = agent.modern("tools/call", {"name": "drip", "arguments": {}})
    connection, response = agent.open("POST", data, headers)
    assert response.read(10)
    return connection, response


def test_a_stream_at_another_node_is_cut_by_the_hint_and_without_the_bus_runs_on_until_the_next_look(cluster):
    end = time.monotonic() + 60
    while listeners(cluster.bus_watch, SUBJECT) < NODES:
        assert time.monotonic() < end, "a node that is ready did not come to the bus"
        time.sleep(0.05)
    for with_bus in (True, False):
        ((task, token),) = cluster.tasks(1)
        if not with_bus:
            cluster.bus.close()
        connection, response = dripping(cluster, token)
        with closing(connection), closing(response):
            assert revoked(cluster.nodes[0].port, task)
            if with_bus:
                assert b'"cut"' in response.read()
                continue
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert response.read1(4096), "it was cut, though nobody told this node"
