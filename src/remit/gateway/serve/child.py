"""The leg to a target over stdio: one supervised process for each task and resource, spoken to in a legacy revision."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from remit.core.canonical import Json, unb64, write
from remit.core.errors import RemitError
from remit.core.permit import Lent
from remit.core.resource import Upstream
from remit.gateway.enforce import Ended, Event, Expired
from remit.gateway.mcp import bridge
from remit.gateway.mcp import message as messages
from remit.gateway.mcp.message import Message, Wrong, parse
from remit.gateway.serve.exchange import TO_LEGACY, Exchange
from remit.gateway.serve.session import Contact
from remit.gateway.upstream import sse, stdio

HELLO_S: Final = 20.0


class Child:
    """One run of a stdio server for one task. Owned by the gate, stopped when the task ends or the gate closes.

    Several clients of the task may speak to it, so ids and progress tokens are the gate's own on this side.
    """

    def __init__(self, server: stdio.Server, patience: float) -> None:
        self.greeting: dict[str, Json] = {}
        self.contact = Contact()
        self._server = server
        self._patience = patience
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._open: dict[int, Exchange] = {}
        self._tokens: dict[int, tuple[Exchange, Json]] = {}
        self._reader = asyncio.create_task(self._read())

    @property
    def running(self) -> bool:
        """Whether it can be spoken to."""
        return self._server.running and not self._reader.done()

    async def hello(self, asked: Message) -> None:
        """Open the connection as a legacy client (`upstream_garbage`, `upstream_timeout`, `upstream_closed`).

        What the client of `asked` declares that it can be asked is declared to the server.
        """
        number, answer = self._expect()
        await self._say(bridge.hello(number, asked if asked.method == "initialize" else None))
        try:
            async with asyncio.timeout(HELLO_S):
                found = (await answer).body.get("result")
        except TimeoutError:
            raise RemitError("upstream_timeout", "The server did not open in time.", "Look at its log.") from None
        finally:
            self._waiting.pop(number, None)
        if type(found) is not dict:
            raise RemitError("upstream_garbage", "The server refused to open.", "Check that it is an MCP server.")
        self.greeting = found
        await self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def carry(self, exchange: Exchange) -> Event | None:
        """Carry one message to the process and wait for its response."""
        permit = exchange.permit
        if permit is None or not exchange.gate.authority.fresh(permit):
            return Expired()
        message = exchange.message
        body = bridge.to_legacy(message) if exchange.mode == TO_LEGACY else dict(message.body)
        if message.id is None:
            fault = await self._server.send(write(body))
            exchange.sent = fault is None or fault.sent
            return Ended({"result": "ok" if fault is None else "unknown" if fault.sent else "not_sent"})
        number, answer = self._expect()
        body["id"] = number
        self._token(body, number, exchange)
        exchange.sent = True
        self._open[number] = exchange
        try:
            fault = await self._server.send(write(body))
            if fault is not None:
                return exchange.broken(fault.code.value, fault.detail, "unknown" if fault.sent else "not_sent")
            return await exchange.settle(await self._answered(answer, exchange))
        except TimeoutError:
            await self._cancel(number)
            return exchange.broken("upstream_timeout", "The server did not answer in time.", "unknown")
        except asyncio.CancelledError:
            await self._cancel(number)
            raise
        except RemitError as fault:
            return exchange.broken(fault.code, fault.message, "unknown")
        finally:
            self._waiting.pop(number, None)
            self._tokens.pop(number, None)
            self._open.pop(number, None)

    async def _answered(self, answer: "asyncio.Future[Message]", exchange: Exchange) -> Message:
        """Wait for the response; while the server waits for the client's word, its own patience does not run out."""
        while True:
            done, _ = await asyncio.wait({answer}, timeout=self._patience)
            if done:
                return answer.result()
            if exchange.session is None or not exchange.session.asked:
                raise TimeoutError

    async def stop(self) -> None:
        """End the process and all that it started."""
        await self._server.stop()
        self._reader.cancel()

    def _expect(self) -> tuple[int, "asyncio.Future[Message]"]:
        self._number += 1
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = answer
        return self._number, answer

    def _token(self, body: dict[str, Json], number: int, exchange: Exchange) -> None:
        params = body.get("params")
        meta = params.get("_meta") if type(params) is dict else None
        if type(params) is dict and type(meta) is dict and "progressToken" in meta:
            self._tokens[number] = (exchange, meta["progressToken"])
            body["params"] = {**params, "_meta": {**meta, "progressToken": number}}

    async def _cancel(self, number: int) -> None:
        await self._say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})

    async def _say(self, body: dict[str, Json]) -> None:
        await self._server.send(write(body))

    async def _read(self) -> None:
        gone = RemitError("upstream_closed", "The server's process ended.", "Look at its log.")
        try:
            async for line in self._server:
                found = parse(line)
                if not isinstance(found, Wrong):
                    await self._heard(found)
                elif self.greeting:
                    # Before its greeting a server may print a banner; after it, a line that is no message is garbage.
                    self._fail(RemitError("upstream_garbage", "The server answered garbage.", "Look at its log."))
        except RemitError as fault:
            gone = fault
        finally:
            self._fail(gone)

    def _fail(self, fault: RemitError) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(fault)

    async def _heard(self, found: Message) -> None:
        if not found.method:
            answer = self._waiting.get(found.id)
            if answer is not None and not answer.done():
                answer.set_result(found)
        elif found.id is not None:
            await self._asked(found)
        elif found.method == "notifications/tools/list_changed":
            self.contact.stale()
        elif found.method == "notifications/progress":
            exchange, token = self._tokens.get(found.params.get("progressToken", -1), (None, None))
            if exchange is not None:
                await exchange.notify({**found.body, "params": {**found.params, "progressToken": token}})

    async def _asked(self, found: Message) -> None:
        """A request of the server hangs on the one call that is open; when several are, nobody can say on which."""
        if found.method == "ping":
            await self._say(messages.result(found.id, {}))
        elif len(self._open) == 1:
            (exchange,) = self._open.values()
            await exchange.asked(found, sse.Event(b"x"), self._say)
        else:
            await self._say(messages.error(found.id, messages.METHOD, "This client cannot be asked."))


async def start(
    upstream: Upstream, lent: Lent, redact: Callable[[bytes], bytes], patience: float, asked: Message
) -> Child:
    """Start a registered program with the environment that it was registered with and what was lent, and open it.

    `asked` is the client's message that it is started for.
    """
    environment: Mapping[str, str] = {**dict(upstream.environment), **dict(lent.environment)}
    server = await stdio.start(
        upstream.argv,
        env=environment,
        cwd=upstream.directory or None,
        redact=redact,
        seal=unb64(upstream.program) if upstream.program else None,
    )
    child = Child(server, patience)
    try:
        await child.hello(asked)
    except BaseException:
        await child.stop()
        raise
    return child
