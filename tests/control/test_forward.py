"""What the forward gate stands on: which hosts a task's authority vouches for, and when there is none."""

import pytest

from remit.control import brief, forward, resource, task
from remit.core.brief import Brief
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.resource import Upstream
from remit.custody.issuing import SEED
from remit.store.record import Reader
from tests.kit.tls import names
from tests.kit.world import World

TOOL = {"read": {"name": "read", "http": {"method": "GET", "path": "/x"}, "inputSchema": {"type": "object"}}}


@pytest.fixture
def world(tmp_path):
    tmp_path.chmod(0o700)
    made = World(tmp_path).settle()
    made.reader = Reader(made.authority.view)
    made.other = made.an_agent("web", "http:a/*", "http:b/*", "http:d/*")
    yield made
    made.close()


def opened(world, *places):
    """A task whose brief reads from APIs at these addresses."""
    for name, url in places:
        world.act(
            lambda c, name=name, url=url: resource.add(
                c, name=name, upstream=Upstream(url=url), domain="office", owner=world.owner.id, kind="http",
                tools=TOOL, by="operator",
            )
        )  # fmt: skip
    steps = tuple(Step.from_json({"action": f"http:{name}/read", "path": "own"}) for name, _ in places)
    made = Brief(
        name="web", version=1, purpose="Reads.", steps=steps, dispatchers=(world.owner.id,), agents=(world.other.id,),
        domains=("office",),
    )  # fmt: skip
    world.act(lambda c: brief.apply(c, made, "operator"))
    return world.act(
        lambda c: task.open_task(c, brief="web", agent=world.other.id, requester=world.owner.id, by=world.owner.id)
    )


def refused(act):
    with pytest.raises(RemitError) as fault:
        act()
    return fault.value.code


def test_it_vouches_for_the_hosts_over_tls_that_the_brief_reaches(world):
    made = opened(world, ("a", "https://one.example/v1"), ("b", "http://plain.example"), ("d", "https://10.0.0.7:8443"))
    authority, reader = world.authority, world.reader
    assert names(forward.certificate(authority, reader, made.id)) == ["one.example", "10.0.0.7/32"]
    assert names(forward.leaf(authority, reader, made.id, "one.example").certificate) == ["one.example"]
    for host in ("plain.example", "evil.test", "sub.one.example", "10.0.0.8"):
        assert refused(lambda host=host: forward.leaf(authority, reader, made.id, host)) == "host_refused"
    assert [one.name for one in forward.apis(reader)] == ["a", "b", "d"]


def test_a_task_that_reaches_nothing_over_tls_or_has_ended_has_none(world):
    made = opened(world, ("b", "http://plain.example"))
    authority = world.authority
    assert refused(lambda: forward.certificate(authority, world.reader, made.id)) == "hosts_none"
    assert refused(lambda: forward.certificate(authority, world.reader, "tsk_nobody")) == "not_found"
    world.act(lambda c: task.end(c, made.id, "complete", "operator"))
    world.reader.clear()
    assert refused(lambda: forward.certificate(authority, world.reader, made.id)) == "task_ended"
    assert refused(lambda: forward.leaf(authority, world.reader, made.id, "plain.example")) == "task_ended"


def test_its_key_is_derived_for_the_task_and_stored_nowhere(world):
    vault = world.authority.lending
    before = len(vault._rows.list())
    one = vault.derive(forward.PURPOSE, "tsk_a", SEED)
    assert len(one) == SEED
    assert one == vault.derive(forward.PURPOSE, "tsk_a", SEED)
    assert one != vault.derive(forward.PURPOSE, "tsk_b", SEED)
    assert one != vault.derive("other", "tsk_a", SEED)
    assert len(vault._rows.list()) == before
