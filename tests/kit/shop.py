"""A shop on a real database behind a real MCP server: customers with orders, reservations and payment methods."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from remit.core.connector import Argument, Field, Shape
from tests.kit.upstream import error, reply, result

ORDER, PAYMENT, TRIP = (Argument("object", "id", of=sort) for sort in ("order", "payment", "trip"))
ID = {"type": "string"}
ORDERS, PAYMENTS, TRIPS = (
    Field(by="service", kind="id", owner="/user", of=sort) for sort in ("order", "payment", "trip")
)
USER = Field(by="service", kind="id")
SHAPES = {
    "get_customer": Shape(
        effect="read",
        results={
            "/orders/*": ORDERS, "/reservations/*": TRIPS, "/payments/*/id": PAYMENTS, "/user": USER,
        },
    ),
    "get_order": Shape(effect="read", results={"/id": ORDERS, "/payment": PAYMENTS, "/user": USER}),
    "my_reservations": Shape(effect="read", results={"/*/id": Field(by="service", kind="id", owner="/", of="trip")}),
    "cancel_order": Shape(verbs=("cancel",), nouns=("order",), arguments={"/order": ORDER}),
    "pay_order": Shape(verbs=("pay",), nouns=("order",), arguments={"/order": ORDER, "/payment": PAYMENT}),
    "cancel_reservations": Shape(verbs=("cancel",), nouns=("reservation",), arguments={"/reservations/*": TRIP}),
}  # fmt: skip
LIMITS = {
    "get_customer": {"user": [{"any": True}]},
    "get_order": {"order": [{"any": True}]},
    "my_reservations": {"user": [{"any": True}]},
    "cancel_order": {"order": [{"owned": True}]},
    "pay_order": {"order": [{"owned": True}], "payment": [{"owned": True}]},
    "cancel_reservations": {"reservations": [{"owned": True}]},
}
TABLES = """
CREATE TABLE customer (id TEXT PRIMARY KEY);
CREATE TABLE purchase (id TEXT PRIMARY KEY, user TEXT, payment TEXT, state TEXT);
CREATE TABLE payment (id TEXT PRIMARY KEY, user TEXT);
CREATE TABLE reservation (id TEXT PRIMARY KEY, user TEXT, state TEXT);
"""


class Shop:
    """The database, with `customers` people of two orders, two payment methods and two reservations each.

    Customers and their things are spelled alike in pairs, and a reservation or payment method has the id of an order
    that is somebody else's: only the very text and the sort tell them apart.
    """

    def __init__(self, customers: int) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.executescript(TABLES)
        self.users = [f"user{'_-'[number % 2]}{number // 2}" for number in range(customers)]
        for number, user in enumerate(self.users):
            self.db.execute("INSERT INTO customer VALUES (?)", (user,))
            for which in (1, 2):
                order, trip, card = (self._id((number + step) % customers, which) for step in (0, 2, 4))
                self.db.execute("INSERT INTO payment VALUES (?, ?)", (card, user))
                self.db.execute("INSERT INTO purchase VALUES (?, ?, ?, 'open')", (order, user, card))
                self.db.execute("INSERT INTO reservation VALUES (?, ?, 'held')", (trip, user))
        self.url = ""

    @staticmethod
    def _id(number: int, which: int) -> str:
        return f"{('#W', '#w')[number % 2]}{number // 2}{which}"

    def ids(self, table: str, user: str) -> list[str]:
        """What belongs to a customer."""
        return [row[0] for row in self.db.execute(f"SELECT id FROM {table} WHERE user = ? ORDER BY id", (user,))]

    def moved(self) -> set[tuple[str, str]]:
        """What was really cancelled or paid: table and id."""
        found = self.db.execute(
            "SELECT 'purchase', id FROM purchase WHERE state != 'open'"
            " UNION SELECT 'reservation', id FROM reservation WHERE state != 'held'"
        )
        return set(found)

    def run(self, tool: str, given: dict[str, Any]) -> Any:
        """One tool, on the database."""
        match tool:
            case "get_customer":
                payments = [{"id": one} for one in self.ids("payment", given["user"])]
                return {"user": given["user"], "orders": self.ids("purchase", given["user"]), "payments": payments,
                        "reservations": self.ids("reservation", given["user"])}  # fmt: skip
            case "get_order":
                found = self.db.execute("SELECT id, user, payment FROM purchase WHERE id = ?", (given["order"],))
                row = found.fetchone()
                return dict(zip(("id", "user", "payment"), row, strict=True)) if row else {}
            case "my_reservations":
                return [{"id": one} for one in self.ids("reservation", given["user"])]
            case "cancel_order" | "pay_order":
                self.db.execute("UPDATE purchase SET state = ? WHERE id = ?", (tool, given["order"]))
            case "cancel_reservations":
                for one in given["reservations"]:
                    self.db.execute("UPDATE reservation SET state = 'cancelled' WHERE id = ?", (one,))
        return "done"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            data += message.get("body", b"")
            more = message.get("more_body", False)
        body = json.loads(data)
        if body["method"] == "tools/list":
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in SHAPES]
            await reply(send, 200, result(body, {"resultType": "complete", "tools": tools}))
        elif body["method"] == "tools/call":
            found = self.run(body["params"]["name"], body["params"].get("arguments", {}))
            content = [{"type": "text", "text": json.dumps(found)}]
            await reply(send, 200, result(body, {"resultType": "complete", "content": content, "isError": False}))
        else:
            await reply(send, 404, error(body, -32601, "Unknown method"))


@contextmanager
def shop(customers: int) -> Iterator[Shop]:
    """A shop that serves."""
    made = Shop(customers)
    config = uvicorn.Config(made, port=0, lifespan="off", log_level="error", access_log=False)
    server = uvicorn.Server(config)
    ready = threading.Event()

    async def main() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it says nothing when it has begun
            await asyncio.sleep(0.01)
        made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(60)
