"""Errands of one customer at the shop, through the real gate: their own calls, and calls that name another's things."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remit.control import agent, brief, credential, policy, principal, resource, task
from remit.core.grant import Step
from remit.core.lineage.rules import Rules
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.gateway.serve.host import Settings
from tests.kit.agent import Agent
from tests.kit.gate import Gate, serving
from tests.kit.shop import LIMITS, SHAPES, Shop, shop
from tests.kit.world import DAY, World


@dataclass
class Counter:
    """The shop behind the gate, with each customer registered as a person who has an account there."""

    gate: Gate
    shop: Shop
    agent: Any
    people: dict[str, str]

    def errand(self, user: str) -> Agent:
        """A task on this customer's behalf, and the agent that has its credential."""
        person = self.people[user]
        opened = self.gate.act(
            lambda c: task.open_task(c, brief="shop", agent=self.agent.id, requester=person, person=person, by=person)
        )
        given = {"task_id": opened.id, "agent_id": self.agent.id, "path": TrustPath.DELEGATED, "person_id": person}
        text = self.gate.act(lambda c: credential.give(c, **given)).text
        return Agent(f"{self.gate.url}/mcp/shop", text)


@contextmanager
def counter(customers: int) -> Iterator[Counter]:
    """Open the shop, and register all that it takes."""
    with shop(customers) as open_shop, tempfile.TemporaryDirectory() as text:
        Path(text).chmod(0o700)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
            world = World(Path(text), issuer=issuer).settle()
            people = _govern(world, open_shop)
            with serving(world, issuer, listening, Settings()) as (mcp, loop):
                gate = Gate(issuer, "", world, mcp, None, None, loop)
                yield Counter(gate, open_shop, world.agent, people)
            world.close()


def _govern(world: World, there: Shop) -> dict[str, str]:
    act, by = world.act, world.owner.id
    tools = {name: {"name": name, "inputSchema": {"type": "object"}} for name in SHAPES}
    place = Upstream(url=there.url, modern=True)
    reads = frozenset(name for name, one in SHAPES.items() if one.effect == "read")
    act(
        lambda c: resource.add(
            c, name="shop", upstream=place, domain="office", owner=by, tools=tools, reads=reads, shapes=SHAPES,
            by="operator",
        )
    )  # fmt: skip
    due = world.authority.clock.now() + 30 * DAY
    clerk = {"name": "clerk", "owner": by, "purpose": "Serves customers.", "review_due": due, "keys": ()}
    world.agent = act(lambda c: agent.add(c, ceiling=("mcp:shop/*",), by="operator", **clerk))
    rule = '@id("shop") permit(principal, action in Action::"mcp:shop", resource);'
    never = '@id("never") forbid(principal, action == Action::"mcp:shop/@roots", resource);'
    layers = {"common": {"a.cedar": f"{rule}\n{never}"}, "delegated": {}, "own": {}}
    act(lambda c: policy.apply(c, layers, 1, "operator"))
    people = {
        user: act(lambda c, user=user: principal.add_person(c, "local", user, user, ("customers",), "operator")).id
        for user in there.users
    }
    for user, person in people.items():
        act(lambda c, user=user, person=person: principal.account(c, person, "shop", user, "operator"))
    steps = tuple(
        Step.from_json({"action": f"mcp:shop/{name}", "path": "delegated", "arguments": limits})
        for name, limits in LIMITS.items()
    )
    made = world.a_brief(
        name="shop", steps=steps, agents=(world.agent.id,), dispatchers=("group:customers",),
        lineage=Rules(acts="plan", unvouched="allow"),
    )  # fmt: skip
    act(lambda c: brief.apply(c, made, "operator"))
    return people


def served(one: Counter, user: str, others: list[str]) -> tuple[list[str], list[str]]:
    """One customer's errand: what was said to their own calls, and to each call that names a thing of another's."""
    client, there = one.errand(user), one.shop
    (first, second), cards = there.ids("purchase", user), there.ids("payment", user)
    mine, theirs = [], []

    def call(told: list[str], tool: str, **arguments: Any) -> None:
        told.append(client.call(tool, arguments).code or "allowed")

    call(mine, "get_customer", user=user)
    for other in others:
        order, card, trips = (there.ids(table, other) for table in ("purchase", "payment", "reservation"))
        call(mine, "get_order", order=order[0])
        call(theirs, "cancel_order", order=order[0])
        call(theirs, "cancel_order", order=order[1])
        call(theirs, "pay_order", order=first, payment=card[0])
        call(theirs, "pay_order", order=order[0], payment=cards[0])
        call(theirs, "cancel_order", order=first.swapcase())
        call(theirs, "cancel_order", order=there.ids("reservation", user)[0])
        call(theirs, "cancel_reservations", reservations=[there.ids("reservation", user)[0], trips[0]])
    call(mine, "cancel_order", order=first)
    call(mine, "pay_order", order=second, payment=cards[1])
    call(mine, "my_reservations", user=user)
    call(mine, "cancel_reservations", reservations=there.ids("reservation", user))
    return mine, theirs
