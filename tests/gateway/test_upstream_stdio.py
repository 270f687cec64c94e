import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from remit.core.errors import RemitError
from remit.gateway.upstream import program, stdio
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.stdio import Exit, Limits, Server, Why

QUICK = Limits(leave=0.2, stop=0.5)
PATIENT = Limits(leave=30, stop=30)
"""For servers that end by themselves once they are told: on a busy machine they need a moment for it."""
PYTHON = sys.executable
ROOT = Path(__file__).parents[2]

Story = Callable[[], Awaitable[None]]


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request) -> Callable[[Story], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    async def whole(story: Story) -> None:
        try:
            await asyncio.wait_for(story(), 60)
        finally:
            while STARTED:
                await STARTED.pop().stop()

    def play(story: Story) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(whole(story))

    return play


STARTED: list[Server] = []


async def launch(argv: list[str], **more) -> Server:
    STARTED.append(await stdio.start(argv, **more))
    return STARTED[-1]


async def start(code: str, *args: str, limits: Limits = QUICK, env: dict[str, str] | None = None, **more) -> Server:
    argv = [PYTHON, "-c", textwrap.dedent(code), *args]
    return await launch(argv, env=env or {}, limits=limits, **more)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def dies(pid: int, within: float = 60.0) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"


def test_lines_go_there_and_back(run):
    async def story():
        server = await start(ECHO, limits=PATIENT)
        assert await server.send(b'{"jsonrpc":"2.0","id":1}') is None
        assert await anext(server) == b'{"jsonrpc":"2.0","id":1}'
        big = b'"' + b"x" * (8 * 1024 * 1024) + b'"'
        sending = asyncio.create_task(server.send(big))
        assert await anext(server) == big
        assert await sending is None
        assert await server.stop() == Exit(Why.STOPPED, 0)
        assert [line async for line in server] == []
        assert await server.send(b"{}") == Fault(Trouble.CLOSED, False, "The server is not running.")

    run(story)


def test_the_environment_is_what_was_given_and_nothing_of_ours(run, monkeypatch):
    monkeypatch.setenv("REMIT_TEST_SECRET", "ours")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")

    async def story():
        code = "import os, sys, json; h = os.environ['HOME']; print(json.dumps([dict(os.environ), os.getcwd() == h]))"
        server = await start(code + "\nprint(oct(os.stat(h).st_mode))", env={"TOKEN": "theirs", "HOME": "/root"})
        import json

        env, at_home = json.loads(await anext(server))
        assert await anext(server) == b"0o40700"
        home = env.pop("HOME")
        assert env == {"TOKEN": "theirs", "PATH": program.SEARCH, "LANG": "C.UTF-8"}
        assert at_home
        assert await server.closed() == Exit(Why.EXITED, 0)
        assert not os.path.lexists(home)  # noqa: ASYNC240  # one look, after all has ended
        assert home != os.environ.get("HOME")

    run(story)


def test_no_descriptor_of_ours_is_inherited(run):
    async def story():
        read, write = os.pipe()
        os.set_inheritable(write, True)
        server = await start("import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd')))")
        # The last is the listing's own.
        assert await anext(server) == b"[0, 1, 2, 3]"
        await server.closed()
        os.close(read)
        os.close(write)

    run(story)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", Exit(Why.EXITED, 3)),
        ("import os; os.kill(os.getpid(), 9)", Exit(Why.KILLED, -9)),
        ("import os; os.kill(os.getpid(), 11)", Exit(Why.KILLED, -11)),
    ],
)
def test_the_exit_tells_why(run, code, expected):
    async def story():
        server = await start(code)
        assert await server.closed() == expected
        assert await server.stop() == expected
        assert not server.running

    run(story)


STUBBORN = """
import signal, sys, os, time
for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(name, signal.SIG_IGN)
print(os.getpid(), flush=True)
while True: time.sleep(60)
"""

FAMILY = """
import os, sys, time, signal, subprocess
stay = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stay], stdin=subprocess.DEVNULL)
out, into = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.write(into, str(os.getpid()).encode())
    time.sleep(600)
daemon = int(os.read(out, 20))
print(os.getpid(), child.pid, daemon, flush=True)
if sys.argv[1] == "stay": time.sleep(600)
"""


def test_a_server_that_ignores_everything_is_killed_in_time(run):
    async def story():
        server = await start(STUBBORN)
        pid = int(await anext(server))
        began = time.monotonic()
        assert await server.stop() == Exit(Why.STOPPED, -9)
        assert 0.6 <= time.monotonic() - began < 30
        assert not alive(pid)

    run(story)


@pytest.mark.parametrize("ending", ["stay", "leave"])
def test_children_and_daemons_of_a_server_die_with_it(run, ending):
    async def story():
        server = await start(FAMILY, ending)
        pids = [int(pid) for pid in (await anext(server)).split()]
        assert len(pids) == 3
        if ending == "stay":
            assert all(map(alive, pids))
            assert (await server.stop()).why is Why.STOPPED
        else:
            assert await server.closed() == Exit(Why.EXITED, 0)
        assert not any(map(alive, pids))

    run(story)


PARENT = """
import asyncio, sys
from remit.gateway.upstream import stdio
async def main():
    server = await stdio.start([sys.executable, "-c", sys.argv[1], "stay"], env={})
    print((await anext(server)).decode(), server._transport.get_pid(), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("code", [FAMILY, STUBBORN])
def test_a_server_and_its_family_die_when_remit_is_killed_with_9(code):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([PYTHON, "-c", PARENT, code], stdout=subprocess.PIPE, env=env) as remit:
        pids = [int(pid) for pid in remit.stdout.readline().split()]
        assert len(pids) >= 2
        assert all(map(alive, pids))
        remit.send_signal(signal.SIGKILL)
        remit.wait()
        assert all(dies(pid) for pid in pids)


def test_a_server_dies_when_its_guard_is_killed_with_9(run):
    async def story():
        server = await start(STUBBORN)
        pid = int(await anext(server))
        os.kill(server._transport.get_pid(), signal.SIGKILL)
        assert await server.closed() == Exit(Why.KILLED, -9)
        assert await asyncio.to_thread(dies, pid)

    run(story)


def test_an_overlong_line_stops_the_server(run):
    async def story():
        server = await start(
            "import sys\nwhile True: sys.stdout.write('x' * 65536)", limits=Limits(line=1 << 20, stop=0.5)
        )
        with pytest.raises(RemitError) as fault:
            await anext(server)
        assert fault.value.code == "upstream_too_large"
        assert (await server.closed()).why is Why.OVERLONG

    run(story)


def test_a_server_that_does_not_read_is_a_timeout_and_then_busy(run):
    async def story():
        server = await start(
            "import time; time.sleep(60)", limits=Limits(send=0.2, backlog=1 << 20, leave=0.1, stop=0.3)
        )
        line = b"x" * (2 << 20)
        outcome = await server.send(line)
        assert isinstance(outcome, Fault)
        assert (outcome.code, outcome.sent) == (Trouble.TIMEOUT, True)
        outcome = await server.send(line)
        assert isinstance(outcome, Fault)
        assert (outcome.code, outcome.sent) == (Trouble.BUSY, False)
        await server.stop()

    run(story)


def test_a_flood_that_nobody_reads_is_held_back(run):
    async def story():
        server = await start("import sys\nwhile True: sys.stdout.write('x' * 999 + '\\n')")
        await anext(server)
        await asyncio.sleep(0.5)
        assert len(server._pipes.stdout._buffer) <= 512 * 1024
        assert sum(map(len, server._lines)) <= 512 * 1024
        await server.stop()

    run(story)


def test_stderr_is_a_ring_of_whole_redacted_lines(run):
    async def story():
        code = """
            import sys
            for n in range(2000): print('line', n, 'token=s3cret', file=sys.stderr)
            print('y' * 5000 + 's3cret', file=sys.stderr)
            print('last s3cret', end='', file=sys.stderr)
        """
        server = await start(code, limits=Limits(stderr=1000), redact=lambda text: text.replace(b"s3cret", b"***"))
        await server.closed()
        kept = server.stderr()
        assert len(kept) <= 1020
        assert kept.endswith(b"line 1999 token=***\n[line left out]\nlast ***\n")
        assert b"s3cret" not in kept
        assert kept.startswith(b"line ")

    run(story)


def test_a_program_changed_after_approval_is_not_started(run, tmp_path):
    script = tmp_path / "server.py"
    marker = tmp_path / "ran"
    script.write_text(f"open({str(marker)!r}, 'w')")
    argv = [PYTHON, str(script)]
    found = program.find(argv, {})
    assert found.sha256 == hashlib.sha256(Path(PYTHON).read_bytes()).digest()
    assert found.path == str(Path(PYTHON).resolve())
    assert found.files == ((str(script), hashlib.sha256(script.read_bytes()).digest()),)

    async def story():
        server = await launch(argv, env={}, seal=found.seal)
        assert server.program == found
        assert (await server.closed()).status == 0
        assert marker.exists()
        marker.unlink()
        script.write_text(f"open({str(marker)!r}, 'a')")
        with pytest.raises(RemitError) as fault:
            await stdio.start(argv, env={}, seal=found.seal)
        assert fault.value.code == "server_changed"
        assert not marker.exists()

    run(story)


def test_the_path_of_the_given_environment_decides_what_a_name_means(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho here\n")
    tool.chmod(0o755)
    assert program.find(["tool"], {"PATH": str(tmp_path)}).command == str(tool)
    with pytest.raises(RemitError) as fault:
        program.find(["tool"], {})
    assert fault.value.code == "server_unknown"
    tool.chmod(0o644)
    with pytest.raises(RemitError):
        program.find([str(tool)], {})


@pytest.mark.parametrize(
    ("argv", "env", "code"),
    [
        (["no-such-program-here"], {}, "server_unknown"),
        ([], {}, "server_unknown"),
        ([PYTHON, "a\0b"], {}, "environment_invalid"),
        ([PYTHON], {"A=B": "c"}, "environment_invalid"),
        ([PYTHON], {"A": "c\0d"}, "environment_invalid"),
        ([PYTHON], {"": "c"}, "environment_invalid"),
    ],
)
def test_what_cannot_be_started_is_refused(run, argv, env, code):
    async def story():
        with pytest.raises(RemitError) as fault:
            await stdio.start(argv, env=env)
        assert fault.value.code == code

    run(story)


def test_a_program_that_the_system_cannot_run_exits_with_127(run, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)

    async def story():
        server = await launch([str(broken)], env={})
        assert await server.closed() == Exit(Why.EXITED, 127)
        assert b"cannot be started" in server.stderr()

    run(story)


@pytest.mark.parametrize("line", [b'{"a":1}\n{"b":2}', b"a\r", b"x" * (17 << 20)])
def test_a_message_is_one_bounded_line(run, line):
    async def story():
        server = await start(ECHO)
        with pytest.raises(RemitError) as fault:
            await server.send(line)
        assert fault.value.code == "line_invalid"
        await server.stop()

    run(story)


def test_backoff_doubles_spreads_and_stays_bounded():
    assert [stdio.backoff(n, 1.0) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert stdio.backoff(1, 0.0) == 0.25
    assert stdio.backoff(10_000, 1.0) == 60.0
