"""Which way a message takes: the same era straight through, the other era over a bridge, or a process over stdio."""

import asyncio
from collections.abc import Callable
from typing import Any

from remit.core.canonical import Json, write
from remit.core.decision import Deny
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault
from remit.core.resource import Resource
from remit.gateway.enforce import Answer, Ended, Event, Expired, Refuse
from remit.gateway.mcp import answer, bridge
from remit.gateway.mcp import headers as heads
from remit.gateway.mcp import message as messages
from remit.gateway.mcp import method as methods
from remit.gateway.mcp.message import Message, Wrong, shape
from remit.gateway.serve import child as children
from remit.gateway.serve import http
from remit.gateway.serve.asgi import Outlet, Receive
from remit.gateway.serve.child import Child
from remit.gateway.serve.exchange import SAME, TO_LEGACY, TO_MODERN, Carrier, Exchange
from remit.gateway.serve.host import Host
from remit.gateway.serve.http import Line, Target
from remit.gateway.serve.session import Contact, Session

PAGES = 50
Given = dict[bytes, list[bytes]]


class Way:
    """One leg for one message: what carries it, in which mode, and with which contact."""

    __slots__ = ("carrier", "contact", "greeting", "mode")

    def __init__(self, carrier: Carrier, mode: str, contact: Contact, greeting: dict[str, Json] | None = None) -> None:
        self.carrier = carrier
        self.mode = mode
        self.contact = contact
        self.greeting = greeting


class Legs:
    """The gate's targets, processes and bridges; chooses and prepares the leg of each message."""

    def __init__(self, gate: Host) -> None:
        self._gate = gate
        self._targets: dict[str, Target] = {}
        self._children: dict[tuple[str, str], Child] = {}
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._swept = 0.0

    # One message.

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
            session = await self._session(entry, given, message, out)
            if session is None:
                return
            if not message.method:
                await self._reply(entry, resource, message, session, out)
                return
        call = methods.call(resource.name, message, modern=modern)
        if isinstance(call, Deny):
            await gate.record(methods.session(resource.name, message.method), entry, call)
            body = answer.refused(message, call, modern=modern)
            status = answer.status(body, modern=modern) if message.id is not None else 400
            await out.say(status, body)
            return
        way = await self._way(entry, resource, message, session, modern=modern)
        if not isinstance(way, Way):
            await self._refused(entry, message, way, out, modern=modern)
            return
        if call.kind[0] != "@":
            why = await self._known(entry, resource, way, session, modern=modern)
            if why is not None:
                await self._refused(entry, message, why, out, modern=modern)
                return
            wrong = self._parameters(message, given, way) if modern and way.mode == SAME else None
            if wrong is not None:
                await gate.record(call, entry, Deny(wrong.why, wrong.text))
                await out.say(400, answer.wrong(message.id, wrong))
                return
        exchange = Exchange(
            gate, entry, message, way.carrier, modern=modern, mode=way.mode, contact=way.contact, session=session,
            out=out, headers=_unknown_parameters(given, message, way) if modern else None,
        )  # fmt: skip
        exchange.receive = receive
        verdict = await exchange.govern(call)
        if message.method == "initialize" and isinstance(verdict, Answer):
            self._begin(entry, exchange, out)
        await gate.finish(exchange, verdict)

    async def stream_or_end(
        self, method: str, entry: Entry, resource: Resource, given: Given, receive: Receive, out: Outlet
    ) -> None:
        """Open the stream of a legacy session, or end the session."""
        gate = self._gate
        session = await self._session(entry, given, None, out)
        if session is None:
            return
        message = Message({}, method, None, {})
        if session.bridged or not resource.upstream.url:
            if method == "GET":
                out.headers.append((b"allow", b"POST, DELETE"))
                await out.say(405, messages.error(None, messages.REQUEST, "This server has no such stream."))
                return
            carrier: Carrier = _nothing
        else:
            carrier = http.carrier(self.target(resource), method=method.encode())
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

    async def _session(self, entry: Entry, given: Given, message: Message | None, out: Outlet) -> Session | None:
        number = message.id if message is not None and message.method else None
        shown = given.get(b"mcp-session-id", [])
        if len(shown) != 1:
            text = "Send initialize first, then its Mcp-Session-Id; or name protocol version 2026-07-28."
            await out.say(400, messages.error(number, messages.REQUEST, text, {"code": "session_missing"}))
            return None
        session = self._gate.sessions.find(shown[0].decode("latin-1"), entry, self._gate.loop.time())
        if session is None:
            text = "There is no such session."
            await out.say(404, messages.error(number, messages.REFUSED, text, {"code": "session_unknown"}))
            return None
        version = given.get(b"mcp-protocol-version")
        if version is not None and (len(version) != 1 or version[0].decode("latin-1") != session.version):
            text = f"This session speaks {session.version}."
            await out.say(400, messages.error(number, messages.REQUEST, text, {"code": "version_unsupported"}))
            return None
        return session

    async def _reply(self, entry: Entry, resource: Resource, message: Message, session: Session, out: Outlet) -> None:
        """A client's response to a request of the server: only to one that was decided and is still open."""
        gate = self._gate
        asked = session.asked.pop(message.id, None)
        if asked is None:
            text = "Nothing was asked under this id."
            await out.say(400, messages.error(None, messages.REQUEST, text, {"code": "response_unasked"}))
            return
        permit, method = asked
        exchange = Exchange(
            gate,
            entry,
            Message(message.body, "", None, {}),
            http.carrier(self.target(resource)),
            modern=False,
            contact=session.contact,
            session=session,
            out=out,
        )
        gate.authority.note(permit, answer.outcome(message.body, len(write(message.body))), _ignored)
        await gate.finish(exchange, await exchange.govern(methods.session(resource.name, f"response to {method}")))

    async def _refused(self, entry: Entry, message: Message, why: Deny | Fault, out: Outlet, *, modern: bool) -> None:
        exchange = Exchange(self._gate, entry, message, _nothing, modern=modern, contact=Contact(), out=out)
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
        out.headers.append((b"mcp-session-id", session.id.encode()))
        for one in gone:
            self._later(self.lose(one))

    @staticmethod
    def _parameters(message: Message, given: Given, way: Way) -> Wrong | None:
        arguments = message.params.get("arguments")
        repeated = way.contact.repeated.get(message.params.get("name", ""), ())
        return heads.agree_on_arguments(given, repeated, arguments if type(arguments) is dict else {})

    # Choosing and preparing a leg.

    async def _way(
        self, entry: Entry, resource: Resource, message: Message, session: Session | None, *, modern: bool
    ) -> Way | Deny | Fault:
        if not resource.upstream.url:
            return await self._process(entry, resource, message, modern=modern)
        target = self.target(resource)
        if modern:
            known = target.modern(self._gate.loop.time())
            probed = await self._probe(entry, resource, target) if known is None else known
            if isinstance(probed, Deny | Fault):
                return probed
            if probed:
                return Way(http.carrier(target), SAME, target.contact)
            return await self._lined(entry, resource, target, message)
        if session is not None and session.bridged:
            local = _local(message)
            return Way(local or http.carrier(target), TO_MODERN, target.contact)
        if session is not None:
            return Way(http.carrier(target), SAME, session.contact)
        return await self._greet(entry, resource, target, message)

    async def _greet(self, entry: Entry, resource: Resource, target: Target, message: Message) -> Way | Deny | Fault:
        """A legacy client's `initialize`: straight on, or to a server that only speaks the modern revision."""
        asked = message.params.get("protocolVersion")
        if not resource.upstream.modern:
            return Way(http.carrier(target), SAME, Contact())
        found = await self._ask(entry, resource, bridge.discover(1), Way(http.carrier(target), SAME, target.contact))
        if not isinstance(found, dict):
            return found
        value = found.get("result")
        if type(value) is not dict:
            return Fault("upstream_garbage", "The server does not say what it speaks.")
        return Way(_told(bridge.greeted(value, asked)), TO_MODERN, target.contact)

    async def _probe(self, entry: Entry, resource: Resource, target: Target) -> bool | Deny | Fault:
        """Ask a server once whether it speaks the modern revision; a governed call of its own."""
        found = await self._ask(entry, resource, bridge.discover(1), Way(http.carrier(target), SAME, target.contact))
        if isinstance(found, Deny | Fault):
            return found
        value = found.get("result")
        offered = value.get("supportedVersions") if type(value) is dict else None
        known = type(offered) is list and heads.MODERN in offered
        target.learn(modern=known, now=self._gate.loop.time())
        return known

    async def _lined(self, entry: Entry, resource: Resource, target: Target, message: Message) -> Way | Deny | Fault:
        """A modern client on a legacy server: in a session that the gate holds for the task."""
        line = target.lines.get(entry.task)
        if line is None:
            opened = Exchange(
                self._gate, entry, _message(bridge.hello(1)), http.carrier(target), modern=False, contact=Contact()
            )
            verdict = await opened.govern(methods.session(resource.name, "initialize"))
            value = (opened.value or {}).get("result")
            if isinstance(verdict, Refuse):
                return verdict.why
            version = http.version(value)
            if type(value) is not dict or not version:
                return Fault("version_unsupported", "The server speaks no revision that passes here.")
            line = Line(opened.upstream_session, version, value)
            notice = _message({"jsonrpc": "2.0", "method": "notifications/initialized"})
            said = Exchange(self._gate, entry, notice, http.carrier(target, line), modern=False, contact=line.contact)
            verdict = await said.govern(methods.session(resource.name, notice.method))
            if isinstance(verdict, Refuse):
                return verdict.why
            target.lines[entry.task] = line
        if message.method == "server/discover":
            return Way(_told(bridge.discovered(line.greeting)), SAME, line.contact)
        if message.method == "subscriptions/listen":
            return Deny("method_unknown", "This server speaks an older revision, which has no such method.")
        return Way(http.carrier(target, line), TO_LEGACY, line.contact, line.greeting)

    async def _process(self, entry: Entry, resource: Resource, message: Message, *, modern: bool) -> Way | Deny | Fault:
        key = (entry.task, resource.name)
        child = self._children.get(key)
        if child is None or not child.running:
            lock = self._starting.setdefault(key, asyncio.Lock())
            async with lock:
                child = self._children.get(key)
                if child is None or not child.running:
                    started = await self._start(entry, resource)
                    if not isinstance(started, Child):
                        return started
                    child = self._children[key] = started
        if message.method == "server/discover":
            return Way(_told(bridge.discovered(child.greeting)), SAME, child.contact)
        if message.method == "initialize":
            return Way(_told(child.greeting), SAME, child.contact)
        if message.method == "subscriptions/listen":
            return Deny("method_unknown", "This server speaks an older revision, which has no such method.")
        if message.method == "notifications/initialized":
            return Way(_nothing, SAME, child.contact)
        return Way(child.carry, TO_LEGACY if modern else SAME, child.contact, child.greeting)

    async def _start(self, entry: Entry, resource: Resource) -> Child | Deny | Fault:
        """Start the process of a task: a governed call of its own, whose permit lends the environment."""
        made: list[Child] = []

        async def carry(exchange: Exchange) -> Event | None:
            gate = exchange.gate
            if exchange.permit is None or not gate.authority.fresh(exchange.permit):
                return Expired()
            hidden = exchange.lent.hidden
            try:
                made.append(
                    await children.start(
                        resource.upstream, exchange.lent, lambda data: gate.redact(hidden, data), gate.settings.patience
                    )
                )
            except RemitError as fault:
                return exchange.broken(fault.code, fault.message, "error")
            return Ended({"result": "ok"})

        contact = Contact()
        exchange = Exchange(self._gate, entry, _message(bridge.hello(1)), carry, modern=False, contact=contact)
        verdict = await exchange.govern(methods.session(resource.name, "initialize"))
        if made and isinstance(verdict, Answer):
            return made[0]
        for one in made:
            await one.stop()
        if isinstance(verdict, Refuse):
            return verdict.why
        return _fault(exchange)

    async def _known(
        self, entry: Entry, resource: Resource, way: Way, session: Session | None, *, modern: bool
    ) -> Deny | Fault | None:
        """Before a tool is called, hold the server's definitions of now against the pins; None when that is done."""
        contact, loop = way.contact, self._gate.loop
        if contact.current(loop.time()):
            return None
        async with contact.lock:
            cursor: Json = None
            for number in range(PAGES):
                if contact.current(loop.time()):
                    return None
                params = {} if cursor is None else {"cursor": cursor}
                body: dict[str, Json] = {
                    "jsonrpc": "2.0",
                    "id": f"remit-{number}",
                    "method": "tools/list",
                    "params": params,
                }
                if (modern and way.mode == SAME) or way.mode == TO_MODERN:
                    body = bridge.to_modern(_message(body))
                found = await self._ask(entry, resource, body, way, session)
                if isinstance(found, Deny | Fault):
                    return found
                value = found.get("result")
                if type(value) is not dict:
                    return Fault("upstream_garbage", "The server does not list its tools.")
                cursor = value.get("nextCursor")
                if cursor is None:
                    contact.checked = loop.time()
            return Fault("upstream_garbage", "The server's list of tools has no end.")

    async def _ask(
        self, entry: Entry, resource: Resource, body: dict[str, Json], way: Way, session: Session | None = None
    ) -> dict[str, Json] | Deny | Fault:
        """Ask a server something by ourselves, governed like every call; the response, or why there is none."""
        message = _message(body)
        modern = "_meta" in message.params
        call = methods.call(resource.name, message, modern=modern)
        if isinstance(call, Deny):
            return call
        mode = SAME if modern else way.mode
        exchange = Exchange(
            self._gate, entry, message, way.carrier, modern=modern, mode=mode, contact=way.contact, session=session
        )
        verdict = await exchange.govern(call)
        if isinstance(verdict, Refuse):
            return verdict.why
        if exchange.value is None:
            return Fault("upstream_closed", "The server gave no answer.")
        fault = exchange.value.get("error")
        if type(fault) is dict and fault.get("code") == messages.INTERNAL and "code" in (fault.get("data") or {}):
            return _fault(exchange)
        return exchange.value

    # Keeping and ending.

    def target(self, resource: Resource) -> Target:
        """The connections to a resource, made anew when it was registered anew."""
        target = self._targets.get(resource.name)
        if target is None or target.upstream != resource.upstream:
            if target is not None:
                target.close()
            target = self._targets[resource.name] = Target(resource.upstream, self._gate.settings.patience)
        return target

    async def lose(self, session: Session) -> None:
        """A session is over: what it waited for has no outcome any more."""
        for permit, _ in session.asked.values():
            self._gate.authority.note(permit, {"result": "unknown"}, _ignored)
        for exchange in session.parked.values():
            await exchange.lose()
        session.asked.clear()
        session.parked.clear()

    def tick(self, now: float) -> None:
        """Stop what belongs to tasks that are over."""
        lines = {task for target in self._targets.values() for task in target.lines}
        tasks = {task for task, _ in self._children} | self._gate.sessions.tasks() | lines
        if not tasks:
            return
        closed = frozenset(tasks - self._gate.authority.open(sorted(tasks)))
        for key in [key for key in self._children if key[0] in closed]:
            self._starting.pop(key, None)
            self._later(self._children.pop(key).stop())
        for target in self._targets.values():
            for task in closed & target.lines.keys():
                del target.lines[task]
        for session in self._gate.sessions.take(now, closed=closed):
            self._later(self.lose(session))

    async def close(self) -> None:
        """End every process and connection."""
        await asyncio.gather(*(one.stop() for one in self._children.values()), *self._ending, return_exceptions=True)
        self._children.clear()
        for target in self._targets.values():
            target.close()

    def _later(self, work: Any) -> None:
        task = self._gate.loop.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _told(value: dict[str, Json]) -> Carrier:
    """What answers from what the gate knows already."""

    async def tell(exchange: Exchange) -> Event | None:
        found = _message(messages.result(exchange.message.id, dict(value)))
        return await exchange.settle(found)

    return _as_said(tell)


def _as_said(tell: Callable[[Exchange], Any]) -> Carrier:
    async def carry(exchange: Exchange) -> Event | None:
        mode, exchange.mode = exchange.mode, SAME
        try:
            ended: Event | None = await tell(exchange)
        finally:
            exchange.mode = mode
        return ended

    return carry


def _local(message: Message) -> Carrier | None:
    """What a modern server has no word for, answered here."""
    if message.method in ("ping", "logging/setLevel"):
        return _told({})
    return _nothing if message.id is None else None


async def _nothing(_: Exchange) -> Event | None:
    return Ended({"result": "ok", "bytes": 0})


def _message(body: dict[str, Json]) -> Message:
    found = shape(body)
    if isinstance(found, Wrong):
        raise RemitError("internal", "The gate built a message that is none.", "Report this as a defect of Remit.")
    return found


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


def _fault(exchange: Exchange) -> Fault:
    fault = (exchange.value or {}).get("error") or {}
    data = fault.get("data") if type(fault) is dict else None
    code = data.get("code") if type(data) is dict else None
    return Fault(code if type(code) is str else "upstream_garbage", "The server could not be asked what it offers.")


def _ignored(_: object) -> None:
    """The fault, if any, is the ledger's to show."""
