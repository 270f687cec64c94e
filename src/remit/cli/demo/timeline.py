"""The live timeline: what the ledger says, as it says it. A verdict is printed only once its receipt was read back."""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import click

from remit.core.canonical import Json
from remit.core.receipt import DECIDED, OUTCOME, decode
from remit.core.shown import shown
from remit.store import log, payload
from remit.store.db import Database

_COLOURS: Final = {"allow": "green", "deny": "red", "event": "cyan", "thought": "bright_black"}
_QUIET: Final = frozenset({"@session", "@list"})


@dataclass(frozen=True, slots=True)
class Line:
    """One receipt in the form in which the demo shows it. `verdict` is allow, deny, or the receipt's kind."""

    leaf: int
    at: int
    agent: str
    task: str
    path: str
    action: str
    verdict: str
    code: str
    what: str
    call: str

    def to_json(self) -> dict[str, Json]:
        """As JSON members."""
        return {name: getattr(self, name) for name in self.__slots__}


class Timeline:
    """Follows the ledger on a thread of its own, through a connection of its own, and prints what is new.

    `lines` is all that was read; `names` gives an agent's name for its id. Owned by the run; close it at the end.
    """

    def __init__(self, view: Database, names: Callable[[str], str], *, loud: bool, colour: bool) -> None:
        self.lines: list[Line] = []
        self._view, self._names, self._loud, self._colour = view, names, loud, colour
        self._next = 0
        self._width = 12
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Begin after what is in the ledger already, without showing that."""
        with self._lock:
            self._read(loud=False)
        self._thread.start()

    def think(self, agent: str, text: str) -> None:
        """Show what an agent is about to do and why; no verdict, and nothing that any proof rests on."""
        if self._loud:
            self._print(f"{_clock(time.time())}  {agent:<14} {'':<9}   {shown(text, 110)}", "thought")

    def say(self, text: str) -> None:
        """Show a line of the demo's own."""
        if self._loud:
            self._print(text, "")

    def catch_up(self) -> None:
        """Read until nothing is new."""
        with self._lock:
            self._read(loud=self._loud)

    def close(self) -> None:
        """Read the rest and stop."""
        self._over.set()
        self._thread.join(5)
        self.catch_up()

    def _follow(self) -> None:
        while not self._over.wait(0.03):
            self.catch_up()

    def _read(self, *, loud: bool) -> None:
        size = log.newest(self._view).size
        for number, body in zip(range(self._next, size), log.entries(self._view, self._next, size), strict=False):
            line = self._line(number, decode(body))
            self._next = number + 1
            if line is None:
                continue
            self.lines.append(line)
            if loud:
                self._show(line)

    def _line(self, leaf: int, receipt: Mapping[str, Json]) -> Line | None:
        kind, record = str(receipt["kind"]), receipt.get("record", {})
        if kind == OUTCOME:
            return None
        if kind != DECIDED:
            agent = record.get("agent") or (record.get("id") if kind.startswith("agent.") else "")
            task = record.get("task") or (record.get("id") if kind.startswith("task.") else "")
            because = str(receipt.get("because") or record.get("because") or "")
            return Line(
                leaf,
                receipt["at"],
                self._names(str(agent or "")),
                str(task or ""),
                str(record.get("path", "")),
                "",
                kind,
                "",
                because,
                "",
            )
        allowed = receipt["decision"] == "allow"
        return Line(
            leaf=leaf,
            at=receipt["at"],
            agent=self._names(str(receipt.get("agent", ""))),
            task=str(receipt.get("task", "")),
            path=str(receipt.get("path", "")),
            action=str(receipt["action"]),
            verdict="allow" if allowed else "deny",
            code=str(receipt.get("code", "")),
            what=str(receipt.get("what", "")),
            call=str(receipt["call"]),
        )

    def _show(self, line: Line) -> None:
        start = f"{_clock(line.at / 1000)}  {line.agent:<14} {line.path:<9}"
        if line.action:
            kind = line.action.partition("/")[2]
            if line.verdict == "allow" and kind in _QUIET:
                return
            word = "✓ allowed" if line.verdict == "allow" else "✗ REFUSED"
            why = f"\n{'':>26}         {line.what} [{line.code}]" if line.code else ""
            text = f"{start} {word} #{line.leaf:<4} {line.action} {self._arguments(line.call)}{why}"
            self._print(text, line.verdict)
        elif line.verdict.startswith(("task.", "plan.", "credential.", "revocation.", "tool.suspended")):
            self._print(f"{start} · {line.verdict} #{line.leaf} {line.what}", "event")

    def _arguments(self, call: str) -> str:
        """The call's arguments, from beside the ledger: its receipt holds digests alone."""
        kept = payload.get(self._view, call)
        if kept is None:
            return ""
        try:
            held = json.loads(kept[1])
        except ValueError:
            return ""
        values = held.get("arguments", held) if isinstance(held, dict) else held
        told = (
            ", ".join(str(value) for name, value in values.items() if name != "repo_path")
            if isinstance(values, dict)
            else ""
        )
        return shown(told, 72)

    def _print(self, text: str, kind: str) -> None:
        click.echo(click.style(text, fg=_COLOURS.get(kind)) if self._colour else text)
        sys.stdout.flush()


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
