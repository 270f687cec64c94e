"""Facts: all that one decision may look at, at one instant. Read by store/facts, judged by core/decision."""

from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core import policy as policies
from remit.core.agent import Agent
from remit.core.approval import Asked
from remit.core.attestor import Binding
from remit.core.brief import Brief
from remit.core.consent import Consent
from remit.core.credential import Credential, Key, PathGate
from remit.core.grant import Usage
from remit.core.lineage.vouch import Evidence
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.resource import Resource, Tool
from remit.core.session import Session
from remit.core.task import Plan, Task
from remit.core.witness import Watch

NEVER: Final = Instant(0)


class Facts(msgspec.Struct, frozen=True):
    """All that one decision may look at, read in one transaction at one instant. Absent means refused."""

    now: Instant
    credential: Credential | None = None
    key: Key | None = None
    gate: PathGate | None = None
    task: Task | None = None
    ancestors: tuple[Task, ...] | None = None
    active_at: Instant = NEVER
    paths: int = 0
    last_leaf: int = -1
    plan: Plan | None = None
    agent: Agent | None = None
    owner: Person | None = None
    consent: Consent | None = None
    person: Person | None = None
    requester_live: bool = False
    brief: Brief | None = None
    resource: Resource | None = None
    tools: Mapping[str, Tool] = msgspec.field(default_factory=dict)
    policy: policies.PolicySet | None = None
    usage: Mapping[tuple[str, str, int], Usage] = msgspec.field(default_factory=dict)
    above: tuple[Plan, ...] = ()
    origin: bool = False
    watch: Watch | None = None
    asked: Asked | None = None
    evidence: Evidence | None = None
    actors: tuple[Agent, ...] = ()
    givers: tuple[Credential, ...] | None = ()
    owned: bool = True
    bindings: tuple[Binding, ...] = ()
    sessions: tuple[Session, ...] = ()
    owner_seen: Instant = NEVER
