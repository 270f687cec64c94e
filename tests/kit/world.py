"""A small governed world on a real store: an owner, an agent, a resource, policies, a brief and a task."""

from pathlib import Path
from typing import Any

from remit.control import agent, brief, credential, key, policy, principal, resource, task
from remit.control.authority import Authority, Clock, open_authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.gate import Gate
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.grant import Step
from remit.core.permit import Entry
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.custody.root import Root
from remit.custody.secret import Secret

ISSUER = "http://127.0.0.1:8787"
ROOT = Root(Secret(bytes(range(1, 33))))
DAY = 24 * 60 * 60 * 1000
TOOLS = {
    "read_note": {
        "name": "read_note",
        "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
    "write_note": {
        "name": "write_note",
        "inputSchema": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "text": {"type": "string"}, "amount": {"type": "integer"}},
        },
    },
    "wipe": {"name": "wipe", "inputSchema": {"type": "object"}},
}
COMMON = {
    "base.cedar": '@id("notes") permit(principal, action in Action::"mcp:notes", resource);\n'
    '@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);'
}


def steps(path: TrustPath = TrustPath.OWN) -> tuple[Step, ...]:
    """What the brief of this world holds on one path."""
    return (
        Step.from_json(
            {"action": "mcp:notes/read_note", "path": path.value, "arguments": {"path": [{"subpath": "/notes"}]}}
        ),
        Step.from_json(
            {
                "action": "mcp:notes/write_note",
                "path": path.value,
                "arguments": {
                    "path": [{"prefix": "/notes/"}],
                    "text": [{"max_length": 100}],
                    "amount": [{"range": {"min": 0, "max": 50}}],
                },
                "optional": ["amount"],
                "uses": 3,
            }
        ),
        Step.from_json({"action": "mcp:notes/wipe", "path": path.value}),
    )


class World:
    """Everything is opened for real in `folder`; `act` does one piece of control work at once."""

    def __init__(self, place: Path | str, clock: Clock | None = None, issuer: str = ISSUER) -> None:
        self.folder = place
        self.authority: Authority = open_authority(place, ROOT, issuer, "127.0.0.1:8787/log", clock)
        self.batch = Batch(self.authority)
        self.gate = Gate(self.authority, self.batch)
        self.act = self.batch.act

    def settle(self) -> "World":
        """Register owner, agent, resource, policies and brief."""
        self.act(lambda c: key.ensure(c, "operator"))
        self.owner = self.act(lambda c: principal.add_person(c, "local", "olga", "Olga Owner", ("ops",), "operator"))
        self.person = self.act(lambda c: principal.add_person(c, "local", "pia", "Pia Person", (), "operator"))
        now = self.authority.clock.now()
        self.agent = self.act(
            lambda c: agent.add(
                c,
                name="scribe",
                owner=self.owner.id,
                purpose="Keeps notes.",
                review_due=now + 30 * DAY,
                ceiling=("mcp:notes/*",),
                keys=(),
                by="operator",
            )
        )
        self.act(
            lambda c: resource.add(
                c,
                name="notes",
                upstream=Upstream(url="http://127.0.0.1:9/mcp"),
                domain="office",
                owner=self.owner.id,
                tools=TOOLS,
                by="operator",
            )
        )
        self.act(lambda c: policy.apply(c, {"common": COMMON, "delegated": {}, "own": {}}, 1, "operator"))
        self.brief = self.act(lambda c: brief.apply(c, self.a_brief(), "operator"))
        return self

    def an_agent(self, name: str, *ceiling: str) -> Any:
        """Register another agent of the owner's."""
        due = self.authority.clock.now() + 30 * DAY
        given = {"name": name, "owner": self.owner.id, "purpose": "Helps.", "review_due": due, "keys": ()}
        return self.act(lambda c: agent.add(c, **given, ceiling=ceiling or ("mcp:notes/*",), by="operator"))

    def a_brief(self, **members: Any) -> Brief:
        """The world's brief, with some members replaced."""
        given: dict[str, Any] = {
            "name": "notes",
            "version": 1,
            "purpose": "Keep notes.",
            "steps": (*steps(), *steps(TrustPath.DELEGATED)),
            "dispatchers": (self.owner.id, self.person.id),
            "agents": (self.agent.id,),
            "domains": ("office",),
            "depth": 2,
            "blended": "policy",
        }
        return Brief(**(given | members))

    def a_task(self, **members: Any) -> Any:
        """Open a task that the owner dispatched."""
        by = self.owner.id
        given: dict[str, Any] = {"brief": "notes", "agent": self.agent.id, "requester": by, "by": by}
        return self.act(lambda c: task.open_task(c, **(given | members)))

    def a_credential(self, task_id: str, path: TrustPath = TrustPath.OWN, person: str = "", **members: Any) -> Any:
        """Issue a credential for the task to the world's agent."""
        given = {"task_id": task_id, "agent_id": self.agent.id, "path": path, "person_id": person}
        return self.act(lambda c: credential.give(c, **(given | members)))

    def enter(self, text: str, resource: str = "notes") -> Entry:
        """Come in with a credential's text."""
        found = self.gate.enter(text, resource)
        assert isinstance(found, Entry), found
        return found

    def decide(self, call: Call, entry: Entry, origin: str = "") -> Any:
        """Have one call decided, durably."""
        found: list[Any] = []
        self.gate.decide(call, entry, origin, found.append)
        return found[0]

    def note(self, permit: Any, **result: Any) -> Any:
        """Note how a call ended."""
        found: list[Any] = []
        self.gate.note(permit, {"result": "ok"} | result, found.append)
        return found[0]

    def change(self, work: Any) -> Any:
        """Do one piece of control work."""
        return self.act(work)

    def close(self) -> None:
        """Close both connections."""
        self.authority.view.close()
        self.authority.db.close()


def read_call(path: str = "/notes/a") -> Call:
    """A call that the world allows."""
    return Call("mcp:notes/read_note", {"path": path})


__all__ = ["COMMON", "DAY", "ISSUER", "ROOT", "TOOLS", "Change", "World", "read_call", "steps"]
