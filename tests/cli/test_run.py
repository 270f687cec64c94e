"""`remit run` as a person types it, at a node that serves: what the command sees, and what is left when it has gone."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from remit.cli.running import apart
from tests.cli.test_serve import served
from tests.kit.ports import free
from tests.kit.shell import BIN, CALL, Shell

BRIEF = """
name = "brisk"
purpose = "Keep notes, with credentials that are soon over."
dispatchers = ["olga"]
agents = ["scribe"]
domains = ["office"]
bearer_life = 2000
credential_life = 2000

[[steps]]
action = "mcp:notes/read_note"
path = "own"
arguments = { path = [{ subpath = "/notes" }] }
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("run"))
    shell.environment["XDG_CONFIG_HOME"] = str(shell.folder / "config")
    port = free()
    shell.write("remit.toml", f"port = {port}\n")
    shell.settle()
    shell.write("brisk.toml", BRIEF)
    shell.write("call.py", CALL)
    shell.ok("remit brief apply brisk.toml")
    link = re.search(r"^admin link +(\S+)$", shell.ok("remit up --no-serve --admin"), re.MULTILINE)
    with served(shell, port):
        assert link
        shell.ok(f"remit login {link[1]}")
        yield shell


def run(node, command, flags="", **more):
    return node.run(f"remit run --agent scribe --brief notes {flags} -- {command}", **more)


def started(node, program, *flags, brief="notes", **more):
    words = [
        str(BIN / "remit"),
        "run",
        "--agent",
        "scribe",
        "--brief",
        brief,
        *flags,
        "--",
        sys.executable,
        "-c",
        program,
    ]
    return subprocess.Popen(
        words, cwd=node.folder, env=node.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


def task(node, identity):
    return json.loads(node.ok(f"remit task show {identity} -o json"))


def open_tasks(node):
    return {one["id"] for one in json.loads(node.ok("remit task list -o json"))}


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_credentials_are_taken_out_by_name_and_the_commands_exit_code_is_its_own(node):
    secrets = {"FOO_TOKEN": "a-value-of-a-token", "KEPT_TOKEN": "kept-value", "PLAIN": "plain"}
    ran = run(node, "sh -c 'env; exit 7'", "--keep KEPT_TOKEN --label ticket=T-1 -o json", **secrets)
    assert ran.code == 7
    *seen, last = ran.out.splitlines()
    told = json.loads(last)
    assert {"PLAIN=plain", "KEPT_TOKEN=kept-value"} <= set(seen)
    assert not any(line.startswith("FOO_TOKEN") for line in seen)
    assert (told["removed"], told["kept"]) == (["FOO_TOKEN"], ["KEPT_TOKEN"])
    assert (told["command"], told["ended"], told["because"]) == ({"started": True, "code": 7}, True, "complete")
    assert (told["proven"], told["leases"], told["calls"]["done"]) == (True, [], 0)
    assert "Taken out of the command's environment: FOO_TOKEN.\n" in ran.err
    assert not any(value in ran.err for value in secrets.values())
    made = task(node, told["task"])
    assert (made["state"], made["labels"], made["watched"]) == ("ended", {"ticket": "T-1"}, True)


def test_it_calls_by_the_relay_and_never_holds_the_credential(node):
    program = (
        "from call import call; import os\n"
        "print(call('/notes/a')); print(call('/etc/passwd')); print(call('/', token='x'))\n"
        "told = os.environ['REMIT_MCP_CONFIG']\n"
        "print([n for n, v in os.environ.items() if 'eyJ' in v and n != 'PROGRAM'], 'eyJ' in open(told).read())\n"
        "print(os.stat(told).st_mode & 0o777)"
    )
    ran = run(node, f'{sys.executable} -c "$PROGRAM"', "-o json", PROGRAM=program)
    called, refused, strange, looked, mode, told = ran.out.splitlines()
    assert "Note: /notes/a" in called, ran
    assert "argument_refused" in refused
    assert strange.startswith("401")
    assert (looked, mode) == ("[] False", str(0o600))
    assert json.loads(told)["calls"] == {"done": 1, "open": 0, "refused": 1}


@pytest.mark.parametrize(
    ("flags", "command", "code", "told"),
    [
        ("", "no-such-program", 127, "command_failed"),
        ("", "/etc/passwd", 126, "command_failed"),
        ("", "sh -c 'kill -TERM $$'", 143, ""),
        ("--keep REMIT_CONFIG", "true", 2, "keep_refused"),
        ("--server http://127.0.0.1:9", "true", 2, "login_missing"),
        ("--server http://192.0.2.1:9", "true", 2, "address_insecure"),
        ("--as pia", "true", 2, "not_found"),
        ("--path delegated", "true", 4, "sign_in_missing"),
    ],
)
def test_how_it_ends_is_told_by_its_code(node, flags, command, code, told):
    before = open_tasks(node)
    ran = run(node, command, flags)
    assert ran.code == code, ran
    assert f"[{told}]" in ran.err if told else "[" not in ran.err
    assert open_tasks(node) == before


def test_an_agent_a_brief_or_a_node_that_is_not_there_is_told(node, tmp_path):
    assert "[not_found]" in node.run("remit run --agent nobody --brief notes -- true").err
    assert "[not_found]" in node.run("remit run --agent scribe --brief nothing -- true").err
    kept = node.folder / "config" / "remit"
    (kept / "127.0.0.1_9.header").write_text("Authorization: Bearer x\n", encoding="ascii")
    ran = run(node, "true", "--server http://127.0.0.1:9")
    assert (ran.code, "[server_unreachable]" in ran.err) == (3, True)
    ran = run(node, "true", XDG_CONFIG_HOME=str(tmp_path))
    assert (ran.code, "[login_missing]" in ran.err) == (2, True)
    node.ok("remit service add bot --owner olga")
    ran = run(node, "true", "--as bot")
    assert (ran.code, "[dispatcher_refused]" in ran.err) == (4, True)


def test_an_agent_that_may_do_nothing_is_told_as_such_with_what_helps(node):
    node.ok("remit agent add idle --owner olga --review 30d --purpose 'Is idle.' --ceiling 'mcp:notes/*'")
    node.ok("remit agent suspend idle")
    ran = node.run("remit run --agent idle --brief notes -- true")
    assert (ran.code, "[task_refused]" in ran.err) == (4, True)
    assert "The agent idle is suspended." in ran.err
    assert "remit agent review idle --next 90d" in ran.err


def test_no_token_of_the_operators_is_kept_under_another_name(node):
    header = next((node.folder / "config" / "remit").glob("127.0.0.1_[0-9][0-9]*.header")).read_text(encoding="ascii")
    secret = header.split()[-1]
    ran = run(node, "env", "--keep MINE", MINE=secret)
    assert (ran.code, "[keep_refused]" in ran.err, secret in ran.err) == (2, True, False)
    ran = run(node, "env", MINE=secret, NESTED=f"x:{secret}:y")
    assert secret not in ran.out + ran.err
    assert "Taken out of the command's environment: MINE, NESTED." in ran.err


def test_what_the_settings_refer_to_is_no_commands(node):
    """The root key in a variable of any name, and each secret in a file: neither seen by the command nor kept in."""
    key, hook = "aB3" * 14, node.folder / "hook.secret"
    hook.write_text("of-the-hook", encoding="ascii")
    more = f'root_key = "env:SITE"\n[[hooks]]\nurl = "http://127.0.0.1:9/"\nsecret = "file:{hook}"\n'
    node.write("other.toml", (node.folder / "remit.toml").read_text(encoding="utf-8") + more)
    flags = "--config other.toml run --agent scribe --brief notes"
    ran = node.run(f"remit {flags} -- sh -c 'env; cat {hook}'", SITE=key)
    assert "Taken out of the command's environment: SITE.\n" in ran.err, ran
    assert key not in ran.out + ran.err
    assert "of-the-hook" not in ran.out or not apart.can_hide()
    ran = node.run(f"remit {flags} --keep SITE -- env", SITE=key)
    assert (ran.code, "[keep_refused]" in ran.err) == (2, True)


def test_signals_are_passed_on_once_each(node):
    program = (
        "import os, signal, sys, time; came = []\n"
        "def note(number, frame): came.append(number); os.write(1, b'came %d\\n' % number)\n"
        "for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH):\n"
        "    signal.signal(one, note)\n"
        "os.write(1, b'ready\\n')\n"
        "while len(came) < 5: time.sleep(0.05)\n"
        "sys.exit(len(came) + 40)\n"
    )
    with started(node, program) as process:
        assert process.stdout.readline() == b"ready\n"
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH):
            process.send_signal(one)
            assert (line := process.stdout.readline()) == b"came %d\n" % one, line or process.communicate()
        assert process.wait(60) == 45


def test_the_command_reads_nothing_of_the_operators_session(node):
    """Its starter's memory, environment and descriptors; the files that hold its token and the root key."""
    program = (
        "import os\n"
        "def look(path):\n"
        "    try: return open(path, 'rb').read(64)\n"
        "    except OSError as fault: return None\n"
        "one = os.getppid(); folder = f'/proc/{one}'\n"
        "found = [name for name in ('environ', 'mem', 'maps') if look(f'{folder}/{name}')]\n"
        "for n in range(100):\n"
        "    try: found.append(os.readlink(f'{folder}/fd/{n}'))\n"
        "    except OSError: pass\n"
        "found += [str(n) for n in range(3, 200) if os.path.exists(f'/proc/self/fd/{n}') and n != 3]\n"
        "for top in (os.environ['LOOK'], '.remit'):\n"
        "    os.system(f'umount {top} 2>/dev/null')\n"
        "    for where, _, files in os.walk(top): found += [f for f in files if look(os.path.join(where, f))]\n"
        "print(found)\n"
    )
    look = str(node.folder / "config" / "remit")
    ran = node.run(
        f'remit run --agent scribe --brief notes -- {sys.executable} -c "$PROGRAM"', PROGRAM=program, LOOK=look
    )
    assert ("is not kept from files" in ran.err) is not apart.can_hide()
    assert ran.out == "[]\n" or not apart.can_hide(), ran


def test_a_command_sees_nothing_of_what_another_run_is_told(node):
    """Two agents of one user at once: what lets one in at its gates is no file that the other can read."""
    looks = (
        "import os, sys\n"
        "mine = os.path.dirname(os.environ['REMIT_MCP_CONFIG'])\n"
        "there = [where for where, _, files in os.walk(sys.argv[1]) if 'mcp.json' in files]\n"
        "print(len([one for one in there if one != mine]), mine in there)\n"
    )
    runtime = node.folder / "runtime"
    runtime.mkdir(mode=0o700)
    node.write("looks.py", looks)
    node.environment["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        other = "import os, sys; print(os.environ['REMIT_MCP_CONFIG'], flush=True); sys.stdin.read()"
        with started(node, other, brief="brisk", stdin=subprocess.PIPE) as process:
            theirs = Path(process.stdout.readline().decode().strip())
            assert "Bearer" in theirs.read_text(encoding="utf-8")
            ran = run(node, f"{sys.executable} looks.py {runtime}")
            assert ran.out == ("0 True\n" if apart.can_hide() else "1 True\n"), ran
            process.stdin.close()
            assert process.wait(60) == 0
    finally:
        del node.environment["XDG_RUNTIME_DIR"]
    assert not list(runtime.glob("*/*")), "what a run was told goes with it"


def test_a_terminal_is_the_commands_own(node):
    """It reads and writes there; an interrupt that is typed reaches it once, and not its starter."""
    program = (
        "import os, signal, sys; came = []\n"
        "signal.signal(signal.SIGINT, lambda *_: came.append(1))\n"
        "print('tty', os.isatty(0), os.isatty(1), os.tcgetpgrp(0) == os.getpgrp(), flush=True)\n"
        "print('said', input(), flush=True)\n"
        "import time\n"
        "while not came: time.sleep(0.05)\n"
        "time.sleep(0.3); print('interrupts', len(came), os.get_terminal_size().columns, flush=True)\n"
    )
    words = ["remit", "run", "--agent", "scribe", "--brief", "notes", "--", sys.executable, "-c", program]
    child, terminal = os.forkpty()
    if not child:
        os.chdir(node.folder)
        os.execve(BIN / "remit", words, node.environment)
    seen = b""

    def shows(text):
        nonlocal seen
        end = time.monotonic() + 60
        while text not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    break
        assert text in seen, seen

    shows(b"tty True True True")
    os.write(terminal, b"hello\n")
    shows(b"said hello")
    os.write(terminal, b"\x03")
    shows(b"interrupts 1 ")
    shows(b"ended: 0 calls done")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)


def test_killed_outright_it_leaves_no_command_and_no_task(node):
    before = open_tasks(node)
    stubborn = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    with started(node, stubborn + "print(os.getpid(), flush=True); time.sleep(600)") as process:
        command = int(process.stdout.readline())
        (mine,) = open_tasks(node) - before
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        assert until(lambda: task(node, mine)["state"] == "ended")
        assert task(node, mine)["because"] == "complete"
        assert until(lambda: not _runs(command))


def test_a_task_that_is_revoked_ends_its_command(node):
    before = open_tasks(node)
    with started(node, "import time; print('on', flush=True); time.sleep(600)", "-o", "json", brief="brisk") as process:
        assert process.stdout.readline() == b"on\n"
        (mine,) = open_tasks(node) - before
        node.ok(f"remit revoke task {mine} --because 'It is late.'")
        out, err = process.communicate(timeout=300)
        assert process.returncode == 128 + signal.SIGTERM
        assert b"The task of this command has ended" in err
        told = json.loads(out)
        assert (told["ended"], told["because"]) == (True, "revoked")


def test_it_calls_on_when_a_credential_has_run_out(node):
    program = (
        "import time; from call import call\nfor _ in range(2): print(call('/notes/a'), flush=True); time.sleep(3.5)"
    )
    with started(node, program, brief="brisk") as process:
        out, _ = process.communicate(timeout=300)
    assert [("Note: /notes/a" in line) for line in out.decode().splitlines()] == [True, True]
    assert process.returncode == 0


def _runs(process):
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
