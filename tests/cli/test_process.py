"""The process that a run ends: held by a descriptor, so that whoever gets its number after it is left alone."""

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from remit.cli.running.process import NONE, Process, hold

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); signal.pause()"
MEEK = "import signal; print('on', flush=True); signal.pause()"
RUN = """
import os, subprocess, sys
from remit.cli.running import guard as guards
from remit.cli.running.guard import Guard
from remit.cli.running.node import Node
from remit.cli.running.process import Process, hold
guards.PROOF_S = 0
guard = Guard(Node("http://127.0.0.1:1"), "tsk", sys.argv[1])
command = subprocess.Popen([sys.executable, "-c", sys.argv[2]])
held = hold(command.pid)
guard.sees(Process(int(sys.argv[3]) or command.pid, held.held))
print(held.held >= 0, flush=True)
sys.stdin.read()
if sys.argv[4] == "done":
    guard.done()
os._exit(0)
"""


@contextmanager
def a_child(program):
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "on\n"
            yield child
        finally:
            child.kill()


@pytest.fixture
def next_one():
    """A process that could have got the number of one that is gone."""
    with a_child(MEEK) as child:
        yield child


def numbered(held):
    return held


def by_number_alone(held):
    return replace(held, held=NONE)


@pytest.mark.parametrize("form", [numbered, by_number_alone])
@pytest.mark.parametrize(("program", "sign"), [(MEEK, signal.SIGTERM), (STUBBORN, signal.SIGKILL)])
def test_it_is_asked_first_and_made_to_afterwards(form, program, sign, monkeypatch):
    monkeypatch.setattr("remit.cli.running.process.GRACE_S", 0.3)
    with a_child(program) as child:
        held = form(hold(child.pid))
        assert held.tell(0)
        held.stop()
        assert child.wait(60) == -sign
        assert not held.tell(0)


def test_whoever_has_the_number_of_a_process_that_is_gone_is_left_alone(next_one):
    with a_child(MEEK) as child:
        held = hold(child.pid)
        assert held.held != NONE, "this kernel gives no descriptors"
        child.kill()
        child.wait(60)
    came_round = replace(held, number=next_one.pid)
    assert not came_round.tell(signal.SIGTERM)
    came_round.stop()
    assert next_one.poll() is None
    assert replace(came_round, held=NONE).tell(signal.SIGTERM)
    assert next_one.wait(60) == -signal.SIGTERM, "by the number alone it is the wrong one that ends"
    os.close(held.held)


def test_no_number_of_ours_is_a_group():
    for number in (0, -1):
        assert not Process(number).tell(0)
        Process(number).stop()


@pytest.mark.parametrize("said", ["killed", "done"])
def test_the_guard_ends_the_command_that_it_was_handed_and_not_its_number(said, next_one, tmp_path, monkeypatch):
    """Its number is another process's already. The node is not there: the guard does not wait for it to end."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "remit").mkdir()
    (tmp_path / "remit" / "127.0.0.1_1.header").write_text("Authorization: Bearer nobody's")
    folder = tmp_path / "scratch"
    folder.mkdir()
    program = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    words = [sys.executable, "-c", RUN, str(folder), program, str(next_one.pid), said]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        told = {run.stdout.readline().strip() for _ in range(2)}
        (command,) = (int(one) for one in told - {"True"})
        held = os.pidfd_open(command)
        if said == "killed":
            run.send_signal(signal.SIGKILL)
        else:
            run.stdin.close()
        run.wait(60)
    ended(held, said)
    assert next_one.poll() is None


def ended(held, said):
    watch = select.poll()
    watch.register(held, select.POLLIN)
    if said == "killed":
        assert watch.poll(60_000), "the command outlived its run"
    else:
        assert not watch.poll(0), "what was ended already is not ended by the guard"
        signal.pidfd_send_signal(held, signal.SIGKILL)
    os.close(held)
