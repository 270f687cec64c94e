"""One of two processes on one store: `python -m bench.node STORE SOCKET AGENT OWNER`. Decides and revokes for callers.

A line is `d TOKEN NUMBER` (decide one call), `o` (open a task, answer its id and a credential) or `r KIND TARGET`. Each
line is answered by one line, after the commit, in any order: the number of the request stands first.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvloop

from remit.cli.attach import attach
from remit.control import credential, task
from remit.control.revocation import revoke
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit.world import World


class Node:
    """The decider of one process."""

    def __init__(self, world: World, agent: str, owner: str) -> None:
        self.world, self.agent, self.owner = world, agent, owner

    def act(self, work: Any, done: Any) -> None:
        self.world.batch.submit("", work, done)
        self.world.batch.wake()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            number, what, *rest = line.decode().split()

            def say(text: str, number: str = number) -> None:
                writer.write(f"{number} {text}\n".encode())

            if what == "d":
                entry = self.world.gate.enter(rest[0], "notes")
                call = Call("mcp:notes/read_note", {"path": f"/notes/{rest[1]}"})
                self.world.gate.decide(call, entry, "", lambda found, say=say: self.ended(found, say))  # type: ignore[arg-type,misc]
            elif what == "o":
                self.act(self.open, say_all(say))
            else:
                self.act(
                    lambda change, rest=rest: (revoke(change, rest[0], rest[1], "operator"), "done")[1], say_all(say)
                )

    def ended(self, found: Any, say: Any) -> None:
        """Say what was decided; an allowed call ends at once, so that its outcome is noted as a gate would."""
        say(told(found))
        if isinstance(found, Permit):
            self.world.gate.note(found, {"result": "ok", "bytes": 0, "ms": 0}, lambda _: None)

    def open(self, change: Any) -> str:
        made = task.open_task(change, brief="notes", agent=self.agent, requester=self.owner, by=self.owner)
        given = credential.give(change, task_id=made.id, agent_id=self.agent, path=TrustPath.OWN)
        return f"{made.id} {given.credential.id} {given.text}"


def told(found: Any) -> str:
    return "allow" if isinstance(found, Permit) else f"no {found.code}"


def say_all(say: Any) -> Any:
    def done(found: Any) -> None:
        say(f"fault {found.code}" if isinstance(found, RemitError) else found)

    return done


async def main() -> None:
    folder, path, agent, owner = sys.argv[1:]
    world = World(folder if "://" in folder else Path(folder))
    attach(world.batch, asyncio.get_running_loop())
    server = await asyncio.start_unix_server(Node(world, agent, owner).serve, path, limit=1 << 20)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
