"""Choosing and preparing the way of a message: straight through, over a bridge to the other era, or to a process."""

import asyncio
from collections.abc import Callable
from typing import Any

from remit.core.answer import Deny
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault
from remit.core.resource import Resource
from remit.gateway.enforce import Answer, Ended, Event, Expired, Refuse
from remit.gateway.mcp import bridge
from remit.gateway.mcp import headers as heads
from remit.gateway.mcp import message as messages
from remit.gateway.mcp import method as methods
from remit.gateway.mcp.message import Message, Wrong, shape
from remit.gateway.serve import child as children
from remit.gateway.serve import http
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


class Ways:
    """The gate's targets, processes and bridges; owned by its legs."""

    def __init__(self, gate: Host) -> None:
        self._gate = gate
        self._targets: dict[str, Target] = {}
        self._children: dict[tuple[str, str], Child] = {}
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}

    async def way(
        self, entry: Entry, resource: Resource, message: Message, session: Session | None, *, modern: bool
    ) -> Way | Deny | Fault:
        """Choose and prepare the way of a message; what must be asked first is asked in governed calls of its own."""
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
                    started = await self._start(entry, resource, message)
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
            return Way(nothing, SAME, child.contact)
        return Way(child.carry, TO_LEGACY if modern else SAME, child.contact, child.greeting)

    async def _start(self, entry: Entry, resource: Resource, message: Message) -> Child | Deny | Fault:
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
                        resource.upstream,
                        exchange.lent,
                        lambda data: gate.redactor(hidden).redact(data),
                        gate.settings.patience,
                        message,
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

    async def known(
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

    def back(self, entry: Entry, resource: Resource) -> Carrier | None:
        """What carries a client's response to where the server asked; None when its process has ended."""
        if resource.upstream.url:
            return http.carrier(self.target(resource))
        child = self._children.get((entry.task, resource.name))
        return child.carry if child is not None and child.running else None

    def target(self, resource: Resource) -> Target:
        """The connections to a resource, made anew when it was registered anew."""
        target = self._targets.get(resource.name)
        if target is None or target.upstream != resource.upstream:
            if target is not None:
                target.close()
            target = self._targets[resource.name] = Target(resource.upstream, self._gate.settings.patience)
        return target

    def tasks(self) -> set[str]:
        """Whose processes and bridges these are."""
        lines = {task for target in self._targets.values() for task in target.lines}
        return {task for task, _ in self._children} | lines

    def drop(self, closed: frozenset[str]) -> list[Child]:
        """Forget what belongs to these tasks; return the processes that must be stopped."""
        for target in self._targets.values():
            for task in closed & target.lines.keys():
                del target.lines[task]
        keys = [key for key in self._children if key[0] in closed]
        for key in keys:
            self._starting.pop(key, None)
        return [self._children.pop(key) for key in keys]

    async def close(self) -> None:
        """End every process and connection."""
        await asyncio.gather(*(one.stop() for one in self._children.values()), return_exceptions=True)
        self._children.clear()
        for target in self._targets.values():
            target.close()


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
    return nothing if message.id is None else None


async def nothing(_: Exchange) -> Event | None:
    """Carry a message that no server needs to hear."""
    return Ended({"result": "ok", "bytes": 0})


def _message(body: dict[str, Json]) -> Message:
    found = shape(body)
    if isinstance(found, Wrong):
        raise RemitError("internal", "The gate built a message that is none.", "Report this as a defect of Remit.")
    return found


def _fault(exchange: Exchange) -> Fault:
    fault = (exchange.value or {}).get("error") or {}
    data = fault.get("data") if type(fault) is dict else None
    code = data.get("code") if type(data) is dict else None
    return Fault(code if type(code) is str else "upstream_garbage", "The server could not be asked what it offers.")
