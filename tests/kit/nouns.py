"""One valid record of every noun, and how to say which code a fault has."""

from collections.abc import Callable
from typing import Any

import pytest

from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.attestor import Attestor, Binding
from remit.core.brief import Brief
from remit.core.client import Client
from remit.core.connection import Connection
from remit.core.consent import Code, Consent, Refresh
from remit.core.credential import Credential, Key, PathGate
from remit.core.errors import RemitError
from remit.core.evidence import PARTS, Evidence
from remit.core.grant import Step
from remit.core.lease import Lease
from remit.core.login import Login
from remit.core.principal import Person, Service
from remit.core.reach.survey import Survey
from remit.core.receipt import PolicyRecord
from remit.core.record import Record
from remit.core.resource import Injection, Resource, Tool, Upstream
from remit.core.review import Item, Review
from remit.core.revocation import Revocation
from remit.core.rightsize import COUNTS, Rightsize, Support
from remit.core.session import Session
from remit.core.signal import CAEP, Signal, Transmitter
from remit.core.stream import Stream
from remit.core.task import Plan, Task
from remit.core.told import REVOKED
from remit.core.trust import TrustPath
from remit.core.witness import Witness, WitnessRule


def named(prefix: str, letter: str = "a") -> str:
    """An id of this kind that is the same in every run."""
    return f"{prefix}_{letter * 26}"


PERSON, SERVICE, AGENT, TASK = named("per"), named("svc"), named("agt"), named("tsk")
CREDENTIAL, CALL, REVOCATION = named("crd"), named("cal"), named("rev")
NOON = 1_700_000_000_000
STEP = {
    "action": "mcp:notes/read_note",
    "path": "own",
    "arguments": {"path": [{"subpath": "/notes"}]},
    "uses": 3,
}


def code(work: Callable[..., object], *args: Any, **members: Any) -> str:
    """The code of the fault that this must raise; it says why and what to do."""
    with pytest.raises(RemitError) as caught:
        work(*args, **members)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value.code


def person(**members: Any) -> Person:
    return Person(**({"id": PERSON, "groups": ("ops",)} | members))


def service(**members: Any) -> Service:
    return Service(**({"id": SERVICE, "name": "nightly", "owner": PERSON} | members))


def agent(**members: Any) -> Agent:
    given = {"id": AGENT, "name": "scribe", "owner": PERSON, "purpose": "Keeps notes.", "review_due": NOON + 1000}
    return Agent(**(given | {"ceiling": ("mcp:notes/*",), "state": "active"} | members))


def resource(**members: Any) -> Resource:
    given = {"name": "notes", "upstream": Upstream(url="http://127.0.0.1:9/mcp"), "domain": "office", "owner": PERSON}
    return Resource(**(given | {"injections": (Injection(secret="key", header="x-key"),)} | members))


def tool(**members: Any) -> Tool:
    return Tool(**({"resource": "notes", "name": "read_note", "pin": "p" * 43, "reads": True} | members))


def brief(**members: Any) -> Brief:
    given = {"name": "notes", "version": 1, "purpose": "Keep notes.", "steps": (Step.from_json(STEP),)}
    given |= {"dispatchers": (PERSON, "group:ops"), "agents": (AGENT,), "domains": ("office",)}
    return Brief(**(given | members))


def task(**members: Any) -> Task:
    given = {"id": TASK, "brief": "notes", "agent": AGENT, "requester": PERSON, "opened": NOON}
    return Task(**(given | {"deadline": NOON + 1000, "idle": 500, "plan": 1} | members))


def plan(**members: Any) -> Plan:
    given = {"task": TASK, "version": 1, "steps": (Step.from_json(STEP),), "sources": (0,), "at": NOON}
    return Plan(**(given | members))


def credential(**members: Any) -> Credential:
    given = {"id": CREDENTIAL, "task": TASK, "plan": 1, "path": TrustPath.OWN, "agent": AGENT, "subject": AGENT}
    given |= {"audience": ("notes",), "key": "kid", "issued": NOON, "expires": NOON + 1000}
    return Credential(**(given | members))


def gate(**members: Any) -> PathGate:
    return PathGate(**({"name": TrustPath.OWN} | members))


def key(**members: Any) -> Key:
    return Key(**({"id": "kid", "purpose": "token/own", "public": {"kty": "EC"}} | members))


def policy(**members: Any) -> PolicyRecord:
    return PolicyRecord(**({"name": "own", "digest": "d" * 43, "tests": 1} | members))


def revocation(**members: Any) -> Revocation:
    given = {"id": REVOCATION, "kind": "task", "target": TASK, "by": PERSON, "at": NOON}
    return Revocation(**(given | members))


def witness(**members: Any) -> Witness:
    given = {"id": "witness.example/w1", "url": "http://127.0.0.1:8789", "vkey": "witness.example/w1+00000000+AA=="}
    return Witness(**(given | {"since": NOON} | members))


def witness_rule(**members: Any) -> WitnessRule:
    return WitnessRule(**({"required": 1, "stop": True, "max_age": 60_000} | members))


def login(**members: Any) -> Login:
    given = {"id": named("lgn"), "kind": "link", "made": 1, "until": 2}
    return Login(**(given | members))


def approval(**members: Any) -> Approval:
    given = {"id": named("apr"), "task": TASK, "call": CALL, "credential": CREDENTIAL, "action": "mcp:notes/wipe"}
    given |= {"digest": "d" * 43, "shown": "s" * 43, "groups": ("ops",), "asked": NOON, "until": NOON + 1000}
    return Approval(**(given | members))


def evidence(**members: Any) -> Evidence:
    given = {"id": named("evd"), "task": TASK, "tasks": (TASK,), "leaves": "l" * 43, "count": 3, "keys": ("k+00+AA==",)}
    return Evidence(**(given | {"beside": dict.fromkeys(PARTS, "b" * 43)} | members))


def lease(**members: Any) -> Lease:
    given = {
        "id": named("lse"),
        "task": TASK,
        "plan": 1,
        "path": TrustPath.OWN,
        "resource": "notes",
        "kind": "postgres",
    }
    given |= {"node": "n1", "at": NOON, "mint_by": NOON + 10_000, "until": NOON + 60_000, "rights": "r" * 43}
    return Lease(**(given | members))


def connection(**members: Any) -> Connection:
    given = {"id": named("cnx"), "person": PERSON, "resource": "notes", "scopes": ("notes.read",), "at": NOON}
    return Connection(**(given | members))


def session(**members: Any) -> Session:
    given = {"id": named("ses"), "person": PERSON, "issuer": "https://idp.test", "made": NOON, "until": NOON + 1000}
    return Session(**(given | members))


def client(**members: Any) -> Client:
    given = {"id": named("cli"), "agent": AGENT, "name": "Desk", "redirects": ("http://127.0.0.1/callback",)}
    return Client(**(given | members))


def consent(**members: Any) -> Consent:
    given = {"id": named("con"), "person": PERSON, "client": named("cli"), "agent": AGENT, "brief": "notes"}
    given |= {"task": TASK, "session": named("ses"), "at": NOON, "until": NOON + 1000, "shown": "s" * 43}
    return Consent(**(given | members))


def a_code(**members: Any) -> Code:
    given = {"id": named("cod"), "consent": named("con"), "client": named("cli"), "challenge": "c" * 43}
    given |= {"redirect": "http://127.0.0.1/callback", "audience": ("notes",), "made": NOON, "until": NOON + 1000}
    return Code(**(given | members))


def refresh(**members: Any) -> Refresh:
    given = {"id": named("rfr"), "consent": named("con"), "client": named("cli"), "audience": ("notes",)}
    return Refresh(**(given | {"made": NOON, "until": NOON + 1000} | members))


def attestor(**members: Any) -> Attestor:
    given = {"name": "p", "kind": "oidc", "issuer": "https://idp.example", "audience": "https://remit.example"}
    return Attestor(**(given | members))


def binding(**members: Any) -> Binding:
    given = {"id": named("bnd"), "agent": AGENT, "attestor": "p", "made": NOON, "claims": {"sub": "x"}}
    return Binding(**(given | members))


def transmitter(**members: Any) -> Transmitter:
    given = {"name": "idp", "issuer": "https://idp.example", "audience": "https://remit.example"}
    return Transmitter(**(given | {"keys_url": "https://idp.example/jwks"} | members))


def signal(**members: Any) -> Signal:
    given = {"id": named("sgn"), "transmitter": "idp", "jti": "j1", "event": f"{CAEP}session-revoked", "person": PERSON}
    return Signal(**(given | {"told": NOON, "ends": "tasks"} | members))


def stream(**members: Any) -> Stream:
    given = {"id": named("str"), "service": SERVICE, "audience": "https://siem.example", "events": (REVOKED,)}
    return Stream(**(given | {"since": 0} | members))


def survey(**members: Any) -> Survey:
    given = {"resource": "crm", "source": "postgres", "at": NOON, "digest": "d" * 43, "nodes": 2, "edges": 1}
    return Survey(**(given | members))


def rightsize(**members: Any) -> Rightsize:
    given = {"id": named("rsz"), "brief": "notes", "base": 1, "before": "x", "shown": "y", "by": PERSON, "size": 9}
    given |= {"at": NOON, "since": 0, "until": NOON, "support": Support(), "counts": dict.fromkeys(COUNTS, 0)}
    return Rightsize(**(given | members))


def review(**members: Any) -> Review:
    given = {
        "id": named("rvw"),
        "at": NOON,
        "by": PERSON,
        "shown": "y",
        "items": (Item(noun="resource", name="notes"),),
    }
    return Review(**(given | members))


def every() -> tuple[Record, ...]:
    """One record of each noun."""
    return (
        *(person(), service(), agent(), resource(), tool(), brief(), policy(), task()),
        *(
            plan(),
            credential(),
            gate(),
            key(),
            revocation(),
            witness(),
            witness_rule(),
            login(),
            approval(),
            evidence(),
            lease(),
            connection(),
            survey(),
        ),
        *(
            session(),
            client(),
            consent(),
            a_code(),
            refresh(),
            attestor(),
            binding(),
            transmitter(),
            signal(),
            stream(),
            rightsize(),
            review(),
        ),
    )
