"""A stdio server as a child process: started clean, fed and read line by line, stopped with all it started."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.upstream import program
from remit.gateway.upstream.fault import Fault, Trouble

_GUARD: Final = str(Path(__file__).with_name("guard.py"))
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server may use, in octets and seconds.

    `line`: its longest line; `stderr`: what is kept of it; `backlog`: what may wait for it unread. `send`: how long a
    line may take to be written; `leave`: how long it has to go after its input closed; `stop`: the same after SIGTERM.
    """

    line: int = 16 * 1024 * 1024
    stderr: int = 64 * 1024
    backlog: int = 4 * 1024 * 1024
    send: float = 10.0
    leave: float = 0.3
    stop: float = 2.0


class Why(StrEnum):
    """Why a server is not running any more."""

    STOPPED = "stopped"
    EXITED = "exited"
    KILLED = "killed"
    OVERLONG = "overlong"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a server ended: the reason, and its exit status or the negative number of the signal."""

    why: Why
    status: int


class Server:
    """One run of a stdio MCP server; owned by whoever called `start`, and over when it is closed.

    The environment is what was given, plus PATH and LANG unless given, plus HOME as a private directory that is deleted
    afterwards; nothing of ours. A process between us and the server (see `guard`) kills it and all that it started when
    it is stopped and when we die, of SIGKILL too. Lines are octets without their line end. Call `stop` in any case: it
    also lets go of the pipes of a server that ended by itself.
    """

    def __init__(
        self,
        *,
        transport: asyncio.SubprocessTransport,
        pipes: "_Pipes",
        alive: int,
        home: str,
        found: program.Program,
        limits: Limits,
        redact: Callable[[bytes], bytes],
    ) -> None:
        self.program = found
        self._transport = transport
        self._pipes = pipes
        self._alive = alive
        self._home = home
        self._limits = limits
        self._redact = redact
        self._why: Why | None = None
        self._tail: list[bytes] = []
        self._size = 0
        self._lines: deque[bytes] = deque()
        self._errors: deque[bytes] = deque()
        self._watch = asyncio.create_task(self._supervise())

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return not self._pipes.ended.done()

    async def send(self, line: bytes) -> Fault | None:
        """Write one message; `None` means that the server's pipe took it.

        A `Fault` says whether any octet may have arrived. Refuses (`line_invalid`) a line break within the message.
        """
        if b"\n" in line or b"\r" in line or len(line) > self._limits.line:
            raise RemitError("line_invalid", "A message must be one line of bounded length.", "Send it re-serialised.")
        pipe = self._pipes.stdin
        if pipe is None or pipe.is_closing() or not self.running:
            return Fault(Trouble.CLOSED, False, "The server is not running.")
        if pipe.transport.get_write_buffer_size() > self._limits.backlog:
            return Fault(Trouble.BUSY, False, "The server does not read its input.")
        try:
            pipe.write(line + b"\n")
            async with asyncio.timeout(self._limits.send):
                await pipe.drain()
        except TimeoutError:
            return Fault(Trouble.TIMEOUT, True, "The server did not read its input in time.")
        except (OSError, RuntimeError):
            return Fault(Trouble.CLOSED, True, "The server ended while it was written to.")
        return None

    def __aiter__(self) -> "Server":
        """Iterate over the server's lines until it closes its output; empty lines and an unfinished one are dropped."""
        return self

    async def __anext__(self) -> bytes:
        output = self._pipes.stdout
        while not self._lines:
            chunk = b"" if output is None else await output.read(_CHUNK)
            if not chunk:
                raise StopAsyncIteration
            self._split(chunk)
            if self._size > self._limits.line:
                self._why = self._why or Why.OVERLONG
                await self.stop()
                raise Fault(Trouble.TOO_LARGE, True, f"The server sent a line over {self._limits.line} octets.").error()
        return self._lines.popleft()

    def stderr(self) -> bytes:
        """Give the last whole lines that the server wrote to stderr, redacted."""
        return self._redact(b"".join(self._errors))

    async def closed(self) -> Exit:
        """Wait until the process and all it started have ended."""
        return await asyncio.shield(self._watch)

    async def stop(self) -> Exit:
        """Close the server's input, then SIGTERM, then SIGKILL, each after its time; also right when it has ended."""
        try:
            return await self._end()
        finally:
            self._transport.close()

    async def _end(self) -> Exit:
        self._why = self._why or (Why.STOPPED if self.running else None)
        if self._pipes.stdin is not None:
            self._pipes.stdin.close()
        for patience in (self._limits.leave, self._limits.stop + 2.0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    return await self.closed()
            self._let_go()
        with contextlib.suppress(ProcessLookupError):
            self._transport.kill()
        return await self.closed()

    async def _supervise(self) -> Exit:
        reader = asyncio.create_task(self._collect())
        await self._pipes.ended
        status = self._transport.get_returncode() or 0
        self._let_go()
        await asyncio.wait([reader], timeout=1.0)
        reader.cancel()
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
        return Exit(self._why or (Why.KILLED if status < 0 else Why.EXITED), status)

    def _let_go(self) -> None:
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1

    async def _collect(self) -> None:
        """Keep the last whole lines of stderr. A cut line could hide half a secret from redaction, so none is kept."""
        source, held, part, skip = self._pipes.stderr, 0, b"", False
        while source is not None and (chunk := await source.read(4096)):
            *lines, part = (part + chunk).split(b"\n")
            for line in lines:
                kept = b"[line left out]\n" if skip or len(line) > self._limits.stderr else line + b"\n"
                skip = False
                self._errors.append(kept)
                held += len(kept)
            if len(part) > self._limits.stderr:
                part, skip = b"", True
            while held > self._limits.stderr:
                held -= len(self._errors.popleft())
        if part and not skip:
            self._errors.append(part + b"\n")

    def _split(self, chunk: bytes) -> None:
        first, *rest = chunk.split(b"\n")
        self._tail.append(first)
        self._size += len(first)
        if rest:
            for line in (b"".join(self._tail), *rest[:-1]):
                clean = line.removesuffix(b"\r")
                if clean:
                    self._lines.append(clean)
            self._tail = [rest[-1]]
            self._size = len(rest[-1])


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """The streams of a process, and a future for its own end, whoever still holds its pipes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=_CHUNK, loop=loop)
        self.ended: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        super().process_exited()
        if not self.ended.done():
            self.ended.set_result(None)


def _plain(text: bytes) -> bytes:
    return text


async def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | None = None,
    limits: Limits = Limits(),
    redact: Callable[[bytes], bytes] = _plain,
    seal: bytes | None = None,
) -> Server:
    """Start a server. `seal` is the pinned `Program.seal`; without `cwd` it runs in its private home.

    Raises `server_unknown` (no such program), `server_changed` (it is not what was pinned; nothing was started),
    `environment_invalid`, and `upstream_unreachable` if the system refuses to start it.
    """
    _check(argv, env)
    found = await asyncio.to_thread(program.find, argv, env, cwd)
    if seal is not None and seal != found.seal:
        raise RemitError(
            "server_changed",
            "The server's program or one of its files is not what was approved.",
            "Look at what changed, then register the resource again.",
        )
    loop = asyncio.get_running_loop()
    home = tempfile.mkdtemp(prefix="remit-server-")
    clean = {"PATH": program.SEARCH, "LANG": "C.UTF-8", **env, "HOME": home}
    theirs, ours = os.pipe()
    try:
        transport, pipes = await loop.subprocess_exec(
            lambda: _Pipes(loop),
            sys.executable,
            "-I",
            "-S",
            _GUARD,
            str(os.getpid()),
            str(theirs),
            str(limits.stop),
            found.command,
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean,
            cwd=cwd or home,
            pass_fds=(theirs,),
            start_new_session=True,
        )
    except OSError:
        os.close(ours)
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
        raise Fault(Trouble.UNREACHABLE, False, "The server could not be started.").error() from None
    finally:
        os.close(theirs)
    return Server(transport=transport, pipes=pipes, alive=ours, home=home, found=found, limits=limits, redact=redact)


def backoff(failures: int, draw: float) -> float:
    """Seconds to wait before the next start after so many failures in a row: doubles from 0.5 to 60, spread by `draw`.

    `draw` lies in 0..1 and comes from the caller; whether to start again at all is the caller's decision too.
    """
    return float(min(60.0, 0.5 * 2.0 ** min(max(failures, 1) - 1, 10)) * (0.5 + draw / 2))


def _check(argv: Sequence[str], env: Mapping[str, str]) -> None:
    texts = (*argv, *env.values())
    if any("\0" in text for text in texts) or not all(map(_NAME.fullmatch, env)):
        raise RemitError(
            "environment_invalid",
            "The server's command or environment cannot be passed to a process.",
            "Use names of letters, digits and underscores, and no NUL anywhere.",
        )
