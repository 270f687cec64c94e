"""The keeper: while the command runs, the node hears from it, and each credential is replaced before it runs out."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from remit.cli.running.node import Node
from remit.core.errors import RemitError

HEAR_S: Final = 15.0
AGAIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sql:
    """Where databases are reached, and the file that their clients find the credential in."""

    host: str
    port: int
    file: Path

    def write(self, credential: str) -> None:
        """Put the credential in, whole or not at all, for its owner alone."""
        part = self.file.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{self.host}:{self.port}:*:remit:{credential}\n")
        part.rename(self.file)


class Keeper:
    """Owned by one run. `put` is handed each credential, which `renew` has issued and which is heard as a sign of life.

    `over` is called once, when the node says that the run is.
    """

    def __init__(
        self,
        node: Node,
        task: str,
        renew: Callable[[], Mapping[str, Any]],
        put: Callable[[str], None],
        over: Callable[[RemitError], None],
        lasts_s: int,
    ) -> None:
        self._node, self._task, self._renew, self._put, self._over = node, task, renew, put, over
        self._fresh = time.monotonic() + lasts_s / 2
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Renew nothing any more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def _run(self) -> None:
        pause = min(HEAR_S, max(0.2, self._fresh - time.monotonic()))
        while not self._stopped.wait(pause):
            try:
                self._hear()
                pause = min(HEAR_S, max(0.2, self._fresh - time.monotonic()))
            except RemitError as fault:
                if fault.code in ("credential_refused", "not_found", "login_missing", "consent_over"):
                    self._over(fault)
                    return
                pause = AGAIN_S

    def _hear(self) -> None:
        if time.monotonic() < self._fresh:
            self._node.post(f"/v1/runs/{self._task}/watch", {})
            return
        told = self._renew()
        self._put(told["credential"])
        self._fresh = time.monotonic() + told["expires_in"] / 2
