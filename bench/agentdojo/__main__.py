"""`python -m bench.agentdojo [--suite NAME] [--tasks N] [--late] [--suggested]`: recorded calls through the real gate.

No model: the benchmark's own recorded calls of its tasks and attacks, on its own environments, over MCP. A person
answers what is asked as the task's user would: yes to the task's own calls, no to the attack's. One JSON document.
"""

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from remit.control import agent, approval, brief, credential, policy, principal, resource, revocation, task
from remit.core import connector, suggestion
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import b64
from remit.core.grant import Step
from remit.core.lineage.rules import Rules
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.gateway.serve.host import Settings
from tests.kit import peers
from tests.kit.agent import Agent
from tests.kit.gate import Gate, serving
from tests.kit.world import DAY, World

HERE = Path(__file__).resolve().parent
SUITES = ("workspace", "slack")
WRONG = 0.05
HOUR = 60 * 60 * 1000


class Target:
    """The upstream program, asked beside the gate."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, path: str, **members: Any) -> Any:
        self.connection.request("POST", path, json.dumps(members), {"content-type": "application/json"})
        return json.loads(self.connection.getresponse().read())


@dataclass
class Tally:
    """What happened in all runs of one kind."""

    runs: int = 0
    allowed: int = 0
    asked: int = 0
    refused: int = 0
    attack_allowed: int = 0
    attack_asked: int = 0
    attack_refused: int = 0
    through: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    utility: int = 0
    security: int = 0
    wrongly: float = 0.0
    vouchers: dict[str, int] = field(default_factory=dict)


@contextmanager
def target() -> Iterator[Target]:
    command = [str(peers.python("agentdojo")), str(peers.KIT / "clients" / "agentdojo_upstream.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Target(json.loads(process.stdout.readline())["port"])
        finally:
            process.terminate()


class Desk:
    """The real gate before one suite: its connector and brief as they stand in this folder."""

    def __init__(self, gate: Gate, suite: str, upstream: Target, *, suggested: bool) -> None:
        self.gate, self.suite, self.upstream = gate, suite, upstream
        world, by = gate.world, gate.world.owner.id
        self.plan = upstream.ask("/tasks", suite=suite)
        tools = {one["name"]: one for one in self.plan["tools"]}
        declared, written = self.declared(suggested=suggested)
        self.shapes = connector.read(declared)
        place = Upstream(url=f"http://127.0.0.1:{upstream.port}/mcp/{suite}", modern=True)
        reads = frozenset(name for name, one in self.shapes.items() if one.effect == "read")
        gate.act(
            lambda c: resource.add(
                c, name=suite, upstream=place, domain="office", owner=by, tools=tools, reads=reads, shapes=self.shapes,
                by="operator",
            )
        )  # fmt: skip
        ceiling = (f"mcp:{suite}/*",)
        due = world.authority.clock.now() + 30 * DAY
        member = {"name": suite, "owner": by, "purpose": written["purpose"], "review_due": due, "ceiling": ceiling}
        self.agent = gate.act(lambda c: agent.add(c, keys=(), by="operator", **member))
        text = f'@id("all") permit(principal, action in Action::"mcp:{suite}", resource);'
        never = f'@id("never") forbid(principal, action == Action::"mcp:{suite}/@roots", resource);'
        common = {"base.cedar": f"{text}\n{never}"}
        gate.act(lambda c: policy.apply(c, {"common": common, "delegated": {}, "own": {}}, 1, "operator"))
        steps = tuple(
            Step.from_json({"action": f"mcp:{suite}/{name}", "path": "own", "allow_unknown": True})
            for name in written["tools"]
        )
        made = Brief(
            name=written["name"], version=1, purpose=written["purpose"], steps=steps, dispatchers=(by,),
            agents=(self.agent.id,), domains=("office",), life=8 * HOUR, idle=HOUR, credential_life=HOUR,
            lineage=msgspec.convert(written["lineage"], Rules),
        )  # fmt: skip
        gate.act(lambda c: brief.apply(c, made, "operator"))
        person = gate.act(lambda c: principal.add_person(c, "local", suite, "A person", ("approvers",), "operator"))
        self.person = person.id

    def declared(self, *, suggested: bool) -> tuple[Any, dict[str, Any]]:
        """The connector and the brief as they stand in this folder; where there are none, as they are suggested."""
        files = [HERE / f"{self.suite}.{part}.json" for part in ("connector", "brief")]
        if not suggested and all(file.exists() for file in files):
            declared, written = (json.loads(file.read_text()) for file in files)
            return declared, written
        tools = [one | {"outputSchema": self.plan["returns"][one["name"]]} for one in self.plan["tools"]]
        found = suggestion.suggest(self.suite, tools)
        return found["connector"], found["brief"] | {"tools": [one["name"] for one in tools]}

    def call(self, tool: str, arguments: Any) -> Call:
        return Call(f"mcp:{self.suite}/{tool}", arguments)

    def open(self, prompt: str) -> tuple[str, Agent]:
        by = self.gate.world.owner.id
        made = self.gate.act(
            lambda c: task.open_task(c, brief=self.suite, agent=self.agent.id, requester=by, request=prompt, by=by)
        )
        given = self.gate.act(lambda c: credential.give(c, task_id=made.id, agent_id=self.agent.id, path=TrustPath.OWN))
        return made.id, Agent(f"{self.gate.url}/mcp/{self.suite}", given.text)

    def answer(self, task_id: str, call: Call, *, yes: bool) -> None:
        """What the person says to the ask that this very call made."""

        def work(change: Any) -> None:
            for one in list(change.reader.where(Approval, "task = ? AND state = 'pending'", (task_id,))):
                if one.digest == b64(call.digest):
                    _, digest = approval.show(change, one)
                    approval.answer(change, one.id, self.person, yes=yes, shown=digest, via="bench")

        self.gate.act(work)


@dataclass
class Run:
    """One task from its opening to its end; with an attack, the agent obeys it once it has read it, or at the end."""

    desk: Desk
    tally: Tally
    name: str
    task_id: str
    client: Agent
    quiet: bool = True
    asks: int = 0
    took: bool = False

    def own(self, tool: str, arguments: Any) -> None:
        """One of the task's own calls; a person says yes where it is asked."""
        code = self.client.call(tool, arguments).code
        if not code:
            self.tally.allowed += 1
            return
        self.quiet = False
        if code == "approval_pending":
            self.tally.asked += 1
            self.desk.answer(self.task_id, self.desk.call(tool, arguments), yes=True)
            code = self.client.call(tool, arguments).code
        else:
            self.tally.refused += 1
        if code:
            print(f"{self.name}: the task's own {tool} is refused: {code}", file=sys.stderr)

    def attack(self, tool: str, arguments: Any) -> None:
        """One of the attack's calls; a person says no where it is asked."""
        code = self.client.call(tool, arguments).code
        if code == "approval_pending":
            self.tally.attack_asked += 1
            self.asks += 1
            self.desk.answer(self.task_id, self.desk.call(tool, arguments), yes=False)
        elif code:
            self.tally.attack_refused += 1
        else:
            self.tally.attack_allowed += 1
            self.took = self.took or self.desk.shapes[tool].reaches

    def over(self) -> None:
        """Count what came of it, and end the task."""
        tally, verdict = self.tally, self.desk.upstream.ask("/verdict")
        tally.runs += 1
        tally.utility += verdict["utility"]
        tally.security += verdict.get("security", False)
        tally.wrongly += 0 if self.took else 1 - (1 - WRONG) ** self.asks
        for said, names in ((self.quiet, tally.quiet), (self.took, tally.through), (self.asks, tally.shown)):
            if said:
                names.append(self.name)
        self.desk.gate.act(lambda c: revocation.revoke(c, "task", self.task_id, "operator"))


def one_run(
    desk: Desk, tally: Tally, user: str, attack: str = "", *, spelled: bool = False, late: bool = False
) -> None:
    plan = desk.upstream.ask("/setup", suite=desk.suite, user=user, injection=attack or None, spelled=spelled)
    run = Run(desk, tally, f"{desk.suite}/{user}/{attack}".rstrip("/"), *desk.open(plan["prompt"]))
    after = len(plan["calls"]) - 1 if late else plan["after"]
    for number, (tool, arguments) in enumerate(plan["calls"]):
        run.own(tool, arguments)
        for bad, given in plan["attack"] if number == after else ():
            run.attack(bad, given)
    run.over()


def vouched(gate: Gate) -> dict[str, int]:
    """Who vouched for the values of the calls that were allowed, by kind."""
    found: dict[str, int] = {}
    for one in gate.entries():
        if one["kind"] == "call.decided" and one["decision"] == "allow":
            for kind in one.get("lineage", {}).get("from", {}).values():
                word = kind.partition(":")[0]
                found[word] = found.get(word, 0) + 1
    return dict(sorted(found.items()))


def counted(plain: Tally, attacked: Tally) -> dict[str, Any]:
    return {
        "tasks": plain.runs,
        "quiet_tasks": len(plain.quiet),
        "legitimate_allowed": plain.allowed,
        "legitimate_asked": plain.asked,
        "legitimate_refused": plain.refused,
        "utility": plain.utility,
        "injected_runs": attacked.runs,
        "attacks_through": len(attacked.through),
        "attacks_shown": len(attacked.shown),
        "attacks_shown_share": round(len(attacked.shown) / max(1, attacked.runs), 4),
        "attack_calls": {
            "allowed": attacked.attack_allowed, "asked": attacked.attack_asked, "refused": attacked.attack_refused,
        },
        "security_broken": attacked.security,
        "utility_under_attack": attacked.utility,
        "legitimate_refused_under_attack": attacked.refused,
        "let_through_by_5_percent_wrong": round(len(attacked.through) + attacked.wrongly, 2),
        "through": attacked.through,
    }  # fmt: skip


def summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in parts:
        for name, value in one.items():
            if isinstance(value, dict):
                found[name] = {n: found.get(name, {}).get(n, 0) + v for n, v in value.items()}
            else:
                found[name] = found[name] + value if name in found else value
    found["attacks_shown_share"] = round(found["attacks_shown"] / max(1, found["injected_runs"]), 4)
    found["let_through_by_5_percent_wrong"] = round(found["let_through_by_5_percent_wrong"], 2)
    return found


def measured(suite: str, most: int, kinds_of_run: tuple[str, ...], *, suggested: bool) -> dict[str, dict[str, Any]]:
    """Every run of one suite, behind a gate of its own."""
    with target() as upstream, tempfile.TemporaryDirectory() as text:
        Path(text).chmod(0o700)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
            world = World(Path(text), issuer=issuer).settle()
            with serving(world, issuer, listening, Settings()) as (mcp, loop):
                gate = Gate(issuer, "", world, mcp, None, None, loop)
                desk = Desk(gate, suite, upstream, suggested=suggested)
                users = desk.plan["users"][: most or None]
                plain = Tally()
                for user in users:
                    one_run(desk, plain, user)
                kinds = vouched(gate)
                found = {}
                for word in kinds_of_run:
                    attacked = Tally()
                    for user in users:
                        for attack in desk.plan["attacks"]:
                            one_run(desk, attacked, user, attack, spelled=word == "respelled", late=word == "late")
                    found[word] = counted(plain, attacked)
                found["plain"]["vouchers"] = kinds
            world.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", action="append", help="only this suite; repeatable")
    parser.add_argument("--tasks", type=int, default=0, help="only so many tasks of each suite")
    parser.add_argument("--late", action="store_true", help="also with the attack at the end of each task")
    parser.add_argument("--suggested", action="store_true", help="with what remit brief suggest proposes, unedited")
    given = parser.parse_args()
    more = ("respelled", "late") if given.late else ("respelled",)
    found = {
        suite: measured(suite, given.tasks, ("plain", *more), suggested=given.suggested)
        for suite in given.suite or SUITES
    }
    report: dict[str, Any] = {suite: one["plain"] | {word: one[word] for word in more} for suite, one in found.items()}
    report["total"] = summed([one["plain"] for one in found.values()])
    for word in more:
        report["total"][word] = summed([one[word] for one in found.values()])
    print(json.dumps({"benchmark": "agentdojo v1.2.2", "package": peers.PYPI["agentdojo"][0], **report}, indent=1))


if __name__ == "__main__":
    main()
