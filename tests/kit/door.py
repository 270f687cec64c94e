"""A governed world that somebody else's data plane asks: a service with its token, and HTTP operations."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remit.control import brief, policy, resource, task
from remit.core.grant import Step
from remit.core.resource import Upstream
from tests.kit.site import Answer, Site, ask, site
from tests.kit.world import COMMON, steps

OPERATIONS = {
    "get_order": {"name": "get_order", "http": {"method": "GET", "path": "/orders/{order}"}},
    "put_order": {"name": "put_order", "http": {"method": "PUT", "path": "/orders/{order}", "body": True}},
    "find": {"name": "find", "http": {"method": "GET", "path": "/find"}},
}
SHOP = {**COMMON, "shop.cedar": '@id("shop") permit(principal, action in Action::"mcp:shop", resource);'}
SHOP_STEPS = (
    {"action": "mcp:shop/get_order", "path": "own", "arguments": {"order": [{"pattern": "o-[0-9]{1,4}"}]}},
    {
        "action": "mcp:shop/put_order",
        "path": "own",
        "arguments": {"order": [{"pattern": "o-[0-9]{1,4}"}], "amount": [{"range": {"min": 0, "max": 50}}]},
        "uses": 2,
    },
    {"action": "mcp:shop/find", "path": "own", "arguments": {"q": [{"max_length": 20}]}, "rows": {"max": 5}},
)


@dataclass
class Door:
    """The world from outside, with one service that asks and one agent that acts."""

    site: Site
    bot: str
    task: str
    credential: str
    service: str
    token: str

    def evaluation(self, **changes: Any) -> dict[str, Any]:
        """An evaluation that is allowed, with some members replaced."""
        given: dict[str, Any] = {
            "subject": {"type": "identity", "id": self.bot},
            "action": {"name": "tools/call"},
            "resource": {"type": "tool", "id": "notes/read_note"},
            "context": {"credential": self.credential, "arguments": {"path": "/notes/a"}},
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    def evaluate(self, **changes: Any) -> Answer:
        return self.site.send("/access/v1/evaluation", self.evaluation(**changes), self.token)

    def evaluations(self, items: Any, **more: Any) -> Answer:
        body = self.evaluation() | {"evaluations": items} | more
        return self.site.send("/access/v1/evaluations", body, self.token)

    def told(self, permit: str, result: str = "ok", token: str | None = None, **more: Any) -> Answer:
        said = {"permit": permit, "result": result} | more
        return self.site.send("/access/v1/outcome", said, self.token if token is None else token)

    def check(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """What Envoy sends for a request; a header that is empty is left out."""
        head = {"authorization": f"Bearer {self.credential}", "x-remit-service": self.token}
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            head = {"content-type": "application/json", "x-envoy-auth-partial-body": "false"} | head
        kept = {name: value for name, value in head.items() if value}
        return ask(f"{self.site.url}/ext-authz/shop{path}", method, data, kept)

    def decided(self) -> list[tuple[int, dict[str, Any]]]:
        """The task's decisions, each with its leaf."""
        rows = self.site.get(f"/v1/receipts?task={self.task}").json["items"]
        return [(one["number"], one["receipt"]) for one in rows if one["receipt"]["kind"] == "call.decided"]


def give(one: Site, name: str) -> tuple[str, str]:
    """Register a service and give it a token, over the API."""
    made = one.send("/v1/services", {"name": name, "owner": one.world.owner.id}).json["id"]
    return made, one.send(f"/v1/services/{made}/token", {}).json["text"]


def open_shop(change: Any, owner: str) -> None:
    """The resource with HTTP operations, and the policy that permits them."""
    up = Upstream(url="http://127.0.0.1:9/")
    resource.add(change, name="shop", upstream=up, domain="office", owner=owner, tools=OPERATIONS, by="operator")
    policy.apply(change, {"common": SHOP, "delegated": {}, "own": {}}, 1, "operator")


@contextmanager
def door(folder: Path) -> Iterator[Door]:
    """A served world with notes, a shop, a service `edge` and an agent with a credential for both."""
    with site(folder) as one:
        bot = one.agent("bot", ("mcp:notes/*", "mcp:shop/*"))
        one.act(lambda c: open_shop(c, one.world.owner.id))
        wide = one.world.a_brief(agents=(bot,), steps=(*steps(), *map(Step.from_json, SHOP_STEPS)))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        by = one.world.owner.id
        errand = one.act(lambda c: task.open_task(c, brief="notes", agent=bot, requester=by, by=by)).id
        held = one.token(bot, errand).json["access_token"]
        service, token = give(one, "edge")
        yield Door(one, bot, errand, held, service, token)
