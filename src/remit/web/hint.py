"""Hints between nodes over NATS: "something ended, look again". Never truth: what a hint says is not even read.

Owned by the composition root; lives on its loop. A bus that is gone, slow, doubling, reordering or lying changes no
decision: each node looks at the store by itself twice a second, and a hint only makes the next look come sooner.
However many hints come, a node looks at most once in `REST_S`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from remit.core.errors import RemitError

SUBJECT: Final = "remit.look"
REST_S: Final = 0.02
AGAIN_S: Final = 1


class Hints:
    """One node's end of the bus. `look` is what a hint brings forward; it is called on the loop."""

    def __init__(self, url: str, look: Callable[[], None]) -> None:
        self._url = url
        self._look = look
        self._client: Any = None
        self._due: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.sent = self.heard = 0

    @property
    def connected(self) -> bool:
        """Whether the bus is there now."""
        return self._client is not None and self._client.is_connected

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect in the background, however long it takes. Without the client installed, `driver_missing`."""
        try:
            import nats.aio.client  # noqa: F401
        except ImportError as fault:
            raise RemitError(
                "driver_missing", "The client for NATS is not installed.", "Install it: pip install 'remit[nats]'."
            ) from fault
        self._task = loop.create_task(self._connect())

    async def stop(self) -> None:
        """Leave the bus."""
        if self._due is not None:
            self._due.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await _closed(self._client)

    def tell(self) -> None:
        """Tell the other nodes that something ended. A bus that is not there hears nothing."""
        if self.connected:
            self.sent += 1
            asyncio.get_running_loop().create_task(self._publish())

    async def _publish(self) -> None:
        with contextlib.suppress(Exception):
            await self._client.publish(SUBJECT, b"")

    async def _connect(self) -> None:
        from nats.aio.client import Client

        while True:
            client = Client()
            try:
                await client.connect(
                    self._url, no_echo=True, connect_timeout=2, reconnect_time_wait=AGAIN_S, max_reconnect_attempts=-1,
                    ping_interval=5, error_cb=_quiet, name="remit", pending_size=64 * 1024,
                )  # fmt: skip
                await client.subscribe(SUBJECT, cb=self._heard)
                # Not before the bus has taken the subscription: what is told meanwhile would be lost.
                await client.flush(timeout=2)
            except BaseException as trouble:
                await _closed(client)
                if not isinstance(trouble, Exception):
                    raise
                await asyncio.sleep(AGAIN_S)
                continue
            self._client = client
            return

    async def _heard(self, _: Any) -> None:
        self.heard += 1
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(REST_S, self._now)

    def _now(self) -> None:
        self._due = None
        self._look()


async def _closed(client: Any) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), 1)


async def _quiet(_: Exception) -> None:
    """Say nothing: a bus in trouble is seen in the figures, and decides nothing."""
    return
