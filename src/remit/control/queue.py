"""The queue of the one writer: bounded, and fair: each turn takes one piece of every agent's queue in rotation."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from remit.control.change import Change
from remit.core.errors import RemitError
from remit.store.foresight import Hint

MOST: Final = 256
"""How many pieces one transaction takes at most."""
WAITING_EACH: Final = 512
WAITING_ALL: Final = 8192


@dataclass(slots=True)
class Item:
    """One waiting piece of work. `done` is called once, with the result or the fault, after the commit.

    A `last` one writes only when nothing can refuse it any more, and so needs no savepoint.
    """

    who: str
    work: Callable[[Change], Any]
    done: Callable[[Any], None]
    until: int
    hint: Hint | None = None
    last: bool = False
    result: Any = None


class Queue:
    """Owned by one Batch. It may be filled and emptied on different threads: each holds the door meanwhile."""

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._queues: dict[str, deque[Item]] = {}
        self._turns: deque[str] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, item: Item) -> bool:
        """Let a piece of work wait; False when its agent, or all together, have too many waiting."""
        with self._door:
            queue = self._queues.get(item.who)
            if queue is None:
                queue = self._queues[item.who] = deque()
            if len(queue) >= WAITING_EACH or self._count >= WAITING_ALL:
                return False
            if not queue:
                self._turns.append(item.who)
            queue.append(item)
            self._count += 1
            return True

    def take(self, now: int, most: int) -> tuple[list[Item], list[Item]]:
        """Take up to `most` pieces in fair order: those that can still be done, and those past their deadline."""
        items: list[Item] = []
        late: list[Item] = []
        with self._door:
            while self._turns and len(items) < most:
                who = self._turns.popleft()
                queue = self._queues[who]
                item = queue.popleft()
                self._count -= 1
                if queue:
                    self._turns.append(who)
                else:
                    del self._queues[who]
                if now <= item.until:
                    items.append(item)
                else:
                    item.result = RemitError("deadline_passed", "It waited too long to be decided.", "Try again.")
                    late.append(item)
        return items, late

    def back(self, items: list[Item]) -> None:
        """Let pieces that were taken wait on, each first in its own queue."""
        with self._door:
            for item in reversed(items):
                queue = self._queues.get(item.who)
                if queue is None:
                    queue = self._queues[item.who] = deque()
                    self._turns.appendleft(item.who)
                queue.appendleft(item)
            self._count += len(items)

    def hints(self) -> set[Hint]:
        """What those that wait will read, as far as it is known."""
        with self._door:
            return {one.hint for queue in self._queues.values() for one in queue if one.hint is not None}
