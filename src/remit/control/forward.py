"""What the forward gate stands on: the APIs that are registered, and each task's own certificate authority.

The authority of a task vouches for the hosts that its brief's steps can reach over TLS, so that a later plan, which is
never wider than the brief, needs no other. A task that has ended has none.
"""

from typing import Final
from urllib.parse import urlsplit

from remit.control.authority import Authority
from remit.core.brief import Brief
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.permit import Leaf
from remit.core.resource import Resource, split
from remit.core.task import Task
from remit.custody import issuing
from remit.store.facts import ancestors
from remit.store.record import Reader

PURPOSE: Final = "task-authority"
LEAF_MS: Final = 60 * 60_000
"""How long a certificate for one host lasts at most."""


def apis(reader: Reader) -> tuple[Resource, ...]:
    """The registered APIs, by name."""
    return tuple(one for one in reader.where(Resource) if one.kind == "http" and one.state == "active")


def certificate(authority: Authority, reader: Reader, task_id: str) -> bytes:
    """The certificate of a task's authority, as PEM: what its program is told to trust.

    Refuses a task that is not there or not open (`not_found`, `task_ended`), and one whose brief reaches nothing over
    TLS (`hosts_none`).
    """
    task, hosts = _standing(reader, task_id, authority.clock.now())
    return issuing.authority(_seed(authority, task.id), task.id, hosts, task.opened, task.deadline)


def leaf(authority: Authority, reader: Reader, task_id: str, host: str) -> Leaf:
    """A certificate for a host under the task's authority; refuses as `certificate` does, and another host."""
    now = authority.clock.now()
    task, hosts = _standing(reader, task_id, now)
    if host not in hosts:
        raise RemitError("host_refused", "This task reaches no such host.", "Use the hosts of its resources.")
    ends = Instant(min(task.deadline, now + LEAF_MS))
    begins = Instant(max(task.opened, now))
    return issuing.leaf(_seed(authority, task.id), task.id, host, begins, ends, authority.random(32))


def _seed(authority: Authority, task: str) -> bytes:
    return authority.lending.derive(PURPOSE, task, issuing.SEED)


def _standing(reader: Reader, task_id: str, now: Instant) -> tuple[Task, tuple[str, ...]]:
    """A task that is open, and the hosts that its brief reaches over TLS."""
    task = reader.get(Task, task_id)
    if task is None:
        raise RemitError("not_found", f"There is no task {task_id}.", "Check how it is written.")
    above = ancestors(reader, task)
    if above is None or any(one.state == "ended" or now >= one.deadline for one in (task, *above)):
        raise RemitError("task_ended", "This task is not open.", "Stop; a dispatcher can open a new task.")
    brief = reader.get(Brief, task.brief)
    names = sorted({split(step.action)[0] for step in brief.steps}) if brief is not None else []
    places = [one for one in apis(reader) if one.name in names]
    hosts = sorted({host for one in places if (host := _host(one.upstream.url))})
    if not hosts:
        raise RemitError(
            "hosts_none", "This task reaches no API over TLS.", "Nothing needs to be trusted: use it without."
        )
    return task, tuple(hosts)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname or "" if parts.scheme == "https" else ""
