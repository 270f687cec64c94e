"""One message from its request to its answer: sessions, streams, replies of the client."""

import asyncio
from typing import Any, Final

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import write
from remit.core.permit import Entry, Fault
from remit.core.resource import Resource
from remit.gateway.enforce import Answer, Refuse
from remit.gateway.mcp import answer, asking
from remit.gateway.mcp import headers as heads
from remit.gateway.mcp import message as messages
from remit.gateway.mcp import method as methods
from remit.gateway.mcp.message import Message, Wrong
from remit.gateway.serve import http
from remit.gateway.serve.asgi import Outlet, Receive
from remit.gateway.serve.drive import nobody
from remit.gateway.serve.exchange import SAME, Carrier, Exchange
from remit.gateway.serve.host import Host
from remit.gateway.serve.session import Contact, Session
from remit.gateway.serve.ways import Given, Way, Ways, nothing

LEADS: Final = "2025-11-25"
"""The legacy revision that knows addresses to lead a person to."""
HEARD_S: Final = 25.0
LOOK_S: Final = 0.5
HEARING: Final = 64
"""How many retried calls may wait at once for what people say."""


class Legs:
    """Takes messages to their targets and back. Owned by the gate."""

    def __init__(self, gate: Host) -> None:
        self._gate = gate
        self._ways = Ways(gate)
        self._ending: set[asyncio.Task[None]] = set()
        self._hearing = 0

    async def post(
        self,
        entry: Entry,
        resource: Resource,
        message: Message,
        given: Given,
        receive: Receive,
        out: Outlet,
        *,
        modern: bool,
    ) -> None:
        """Take one posted message to its answer."""
        gate, session = self._gate, None
        if not modern and message.method != "initialize":
            session = await self._session(entry, resource, given, message, out)
            if session is None:
                return
            if not message.method:
                await self._reply(entry, resource, message, session, out)
                return
        message, led = await self._led(entry, message)
        call = methods.call(resource.name, message, modern=modern)
        if isinstance(call, Deny):
            await self._unknown(entry, resource, message, call, out, modern=modern)
            return
        way = await self._ways.way(entry, resource, message, session, modern=modern)
        if not isinstance(way, Way):
            await self._refused(entry, message, way, out, modern=modern)
            return
        if call.kind[0] != "@":
            why = await self._ways.known(entry, resource, way, session, modern=modern)
            if why is not None:
                await self._refused(entry, message, why, out, modern=modern)
                return
            wrong = self._parameters(message, given, way) if modern and way.mode == SAME else None
            if wrong is not None:
                await self._disagreed(entry, call, message, wrong, out)
                return
        exchange = Exchange(
            gate, entry, message, way.carrier, modern=modern, mode=way.mode, contact=way.contact, session=session,
            out=out, headers=_unknown_parameters(given, message, way) if modern else None,
        )  # fmt: skip
        exchange.receive = receive
        leads = asking.declared(message) if modern else session is not None and session.leads
        exchange.page = gate.page if leads and not led else ""
        verdict = await exchange.govern(call)
        if message.method == "initialize" and isinstance(verdict, Answer):
            self._begin(entry, exchange, out)
        await gate.finish(exchange, verdict)

    async def stream_or_end(
        self, method: str, entry: Entry, resource: Resource, given: Given, receive: Receive, out: Outlet
    ) -> None:
        """Open the stream of a legacy session, or end the session."""
        gate = self._gate
        session = await self._session(entry, resource, given, None, out)
        if session is None:
            return
        message = Message({}, method, None, {})
        if session.bridged or not resource.upstream.url:
            if method == "GET":
                out.headers.append((b"allow", b"POST, DELETE"))
                await out.say(405, messages.error(None, messages.REQUEST, "This server has no such stream."))
                return
            carrier: Carrier = nothing
        else:
            carrier = http.carrier(self._ways.target(resource), method=method.encode())
        resumed = [(b"last-event-id", one) for one in given.get(b"last-event-id", ())][:1]
        exchange = Exchange(
            gate,
            entry,
            message,
            carrier,
            modern=False,
            contact=session.contact,
            session=session,
            out=out,
            headers=resumed,
        )
        exchange.receive = receive
        verdict = await exchange.govern(methods.session(resource.name, method))
        if method == "DELETE" and isinstance(verdict, Answer):
            gate.sessions.drop(session)
            await self.lose(session)
        await gate.finish(exchange, verdict)

    async def _session(
        self, entry: Entry, resource: Resource, given: Given, message: Message | None, out: Outlet
    ) -> Session | None:
        turn_away = self._gate.turn_away
        shown = given.get(b"mcp-session-id", [])
        if len(shown) != 1:
            text = "Send initialize first, then its Mcp-Session-Id; or name protocol version 2026-07-28."
            await turn_away(out, entry, resource, 400, Deny("session_missing", text), message)
            return None
        session = self._gate.sessions.find(shown[0].decode("latin-1"), entry, self._gate.loop.time())
        if session is None:
            text = "There is no such session."
            await turn_away(out, entry, resource, 404, Deny("session_unknown", text), message)
            return None
        version = given.get(b"mcp-protocol-version")
        if version is not None and (len(version) != 1 or version[0].decode("latin-1") != session.version):
            text = f"This session speaks {session.version}."
            await turn_away(out, entry, resource, 400, Deny("version_unsupported", text), message)
            return None
        return session

    async def _reply(self, entry: Entry, resource: Resource, message: Message, session: Session, out: Outlet) -> None:
        """A client's response to a request of the server: only to one that was decided and is still open."""
        gate = self._gate
        asked, carrier = session.asked.pop(message.id, None), self._ways.back(entry, resource)
        if asked is not None and carrier is None:
            gate.authority.note(asked[0], {"result": "not_sent"}, nobody())
        if asked is None or carrier is None:
            text = "Nothing was asked under this id."
            await gate.turn_away(out, entry, resource, 400, Deny("response_unasked", text))
            return
        permit, method = asked
        exchange = Exchange(
            gate,
            entry,
            Message(message.body, "", None, {}),
            carrier,
            modern=False,
            contact=session.contact,
            session=session,
            out=out,
        )
        gate.authority.note(permit, answer.outcome(message.body, len(write(message.body))), nobody())
        await gate.finish(exchange, await exchange.govern(methods.session(resource.name, f"response to {method}")))

    async def _led(self, entry: Entry, message: Message) -> tuple[Message, bool]:
        """The message without our own part, and whether its client was led to the page of an approval before.

        When it says that somebody went there, wait a while for what they say.
        """
        rest, answered, approval = asking.taken(message)
        gate, end = self._gate, self._gate.loop.time() + HEARD_S
        if answered == "accept" and approval and self._hearing < HEARING:
            self._hearing += 1
            try:
                while gate.loop.time() < end and gate.authority.waits(entry, approval):  # noqa: ASYNC110 - read fresh
                    await asyncio.sleep(LOOK_S)
            finally:
                self._hearing -= 1
        return rest, bool(answered)

    async def _disagreed(self, entry: Entry, call: Call, message: Message, wrong: Wrong, out: Outlet) -> None:
        """Refuse a call of a modern client whose headers say other arguments than its body."""
        if not await self._gate.refused(out, entry, call, Deny(wrong.why, wrong.text), message, modern=True):
            await out.say(400, answer.wrong(message.id, wrong))

    async def _unknown(
        self, entry: Entry, resource: Resource, message: Message, why: Deny, out: Outlet, *, modern: bool
    ) -> None:
        """Refuse a message that is no call that is known here."""
        call = methods.session(resource.name, message.method)
        if not await self._gate.refused(out, entry, call, why, message, modern=modern):
            body = answer.refused(message, why, modern=modern)
            await out.say(answer.status(body, modern=modern) if message.id is not None else 400, body)

    async def _refused(self, entry: Entry, message: Message, why: Deny | Fault, out: Outlet, *, modern: bool) -> None:
        exchange = Exchange(self._gate, entry, message, nothing, modern=modern, contact=Contact(), out=out)
        await self._gate.finish(exchange, Refuse(why))

    def _begin(self, entry: Entry, exchange: Exchange, out: Outlet) -> None:
        """A server answered `initialize`: begin the client's session."""
        value = (exchange.value or {}).get("result")
        version = http.version(value)
        if not version:
            if type(value) is dict:
                exchange.fail(Fault("version_unsupported", "The server speaks no revision that passes here."))
            return
        gate = self._gate
        session, gone = gate.sessions.make(entry, version, gate.loop.time())
        session.upstream = exchange.upstream_session
        session.bridged = exchange.mode != SAME
        session.leads = version == LEADS and asking.able(exchange.message.params.get("capabilities"))
        out.headers.append((b"mcp-session-id", session.id.encode()))
        for one in gone:
            self._later(self.lose(one))

    @staticmethod
    def _parameters(message: Message, given: Given, way: Way) -> Wrong | None:
        arguments = message.params.get("arguments")
        repeated = way.contact.repeated.get(message.params.get("name", ""), ())
        return heads.agree_on_arguments(given, repeated, arguments if type(arguments) is dict else {})

    async def lose(self, session: Session) -> None:
        """A session is over: what it waited for has no outcome any more."""
        for permit, _ in session.asked.values():
            self._gate.authority.note(permit, {"result": "unknown"}, nobody())
        for exchange in session.parked.values():
            await exchange.lose()
        session.asked.clear()
        session.parked.clear()

    def tick(self, now: float) -> None:
        """Stop what belongs to tasks that are over, and forget sessions that nobody uses."""
        tasks = self._ways.tasks() | self._gate.sessions.tasks()
        if not tasks:
            return
        closed = frozenset(tasks - self._gate.authority.open(sorted(tasks)))
        for one in self._ways.drop(closed):
            self._later(one.stop())
        for session in self._gate.sessions.take(now, closed=closed):
            self._later(self.lose(session))

    async def close(self) -> None:
        """End every process and connection."""
        await self._ways.close()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _later(self, work: Any) -> None:
        task = self._gate.loop.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _unknown_parameters(given: Given, message: Message, way: Way) -> list[tuple[bytes, bytes]]:
    """`Mcp-Param-*` fields that no schema speaks of pass untouched, when they can stand in a request at all."""
    if way.mode != SAME or message.method != "tools/call":
        return []
    repeated = way.contact.repeated.get(message.params.get("name", ""), ())
    known = {f"mcp-param-{token}".lower().encode() for _, token, _ in repeated}
    return [
        (name, values[0])
        for name, values in given.items()
        if name.startswith(b"mcp-param-") and name not in known and len(values) == 1 and values[0].isascii()
    ]
