"""A node that serves, with a provider where people sign in: as `remit run` finds it when it acts for a person."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cli.test_serve import served
from tests.kit.plain import SECRET, provider
from tests.kit.ports import free
from tests.kit.shell import BIN, CALL, Shell
from tests.kit.signin import query
from tests.kit.wanderer import Wanderer

STEP = """
[[steps]]
action = "mcp:notes/read_note"
path = "{path}"
arguments = {{ path = [{{ subpath = "/notes" }}] }}
"""
HEAD = """
name = "{name}"
purpose = "Read notes for {name}."
dispatchers = ["olga", "group:staff"]
agents = ["scribe"]
domains = ["office"]
{more}
"""
BRIEFS = {
    "errand": HEAD.format(name="errand", more="") + STEP.format(path="delegated"),
    "brisk": HEAD.format(name="brisk", more="bearer_life = 2000\ncredential_life = 2000")
    + STEP.format(path="delegated"),
    "both": HEAD.format(name="both", more="") + STEP.format(path="delegated") + STEP.format(path="own"),
}
READS = "from call import call; print(call('/notes/a'), flush=True); "
WAITS = READS + "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


class Running(subprocess.Popen[bytes]):
    """A run under way. `said` is what it said on stderr so far."""

    said = ""

    def asks(self) -> str:
        """The address that it wants a person to open."""
        assert self.stderr is not None
        for line in self.stderr:
            self.said += line.decode()
            if line.startswith(b"  http"):
                return line.decode().strip()
        raise AssertionError(f"no person is asked: {self.said}")

    def ends(self) -> tuple[int, list[str], str]:
        """Wait for its end: the exit code, the lines of stdout, all of stderr."""
        out, err = self.communicate(timeout=300)
        self.said += err.decode()
        return self.returncode, out.decode().splitlines(), self.said


class Node(Shell):
    """Its folder; `origin` is where it serves, `idp` its provider, `person` a browser that is signed in there soon."""

    origin = idp = ""
    person: Wanderer

    def start(self, program: str, *flags: str, brief: str = "errand", agent: str = "scribe") -> "Running":
        """Start a run of this Python program, and read where a person is to go."""
        words = [str(BIN / "remit"), "run", "--agent", agent, "--brief", brief, *flags, "--", sys.executable, "-c"]
        return Running(
            [*words, program], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def decided(self, task: str) -> list[dict[str, Any]]:
        """The receipts of what was decided under a task."""
        found = json.loads(self.ok(f"remit ledger show --task {task} --last 200 -o json"))
        return [one["receipt"] for one in found if "decision" in one["receipt"]]


def answers_at(address: str) -> str:
    """Where the answer to a question is taken."""
    return query(address)["redirect_uri"]


def port_of(address: str) -> int:
    """The port at which the answer to a question is taken."""
    return urlsplit(answers_at(address)).port or 0


def signing_in(idp: str, secret: str = "env:IDP_SECRET") -> str:
    """The settings by which people sign in at this provider, and are taken in."""
    table = f'[[issuers]]\nissuer = "{idp}"\naudience = "remit"\nclient_secret = "{secret}"\n'
    return f"{table}sign_in = true\nauto_register = true\n"


@contextmanager
def node_for_people(folder: Path, *briefs: str) -> Iterator[Node]:
    """The node, serving, with these briefs, the operator logged in, and npm oidc-provider as the company's own."""
    node, port = Node(folder), free()
    node.environment |= {"XDG_CONFIG_HOME": str(folder / "config"), "IDP_SECRET": SECRET}
    node.origin, node.person = f"http://127.0.0.1:{port}", Wanderer()
    with provider(f"{node.origin}/signin/back") as node.idp:
        node.write("remit.toml", f"port = {port}\n{signing_in(node.idp)}")
        node.settle()
        node.write("call.py", CALL)
        node.ok(f"remit person add pia --issuer {node.idp}")
        for name in briefs:
            node.write(f"{name}.toml", BRIEFS[name])
            node.ok(f"remit brief apply {name}.toml")
        link = re.search(r"^admin link +(\S+)$", node.ok("remit up --no-serve --admin"), re.MULTILINE)
        with served(node, port):
            assert link
            node.ok(f"remit login {link[1]}")
            yield node
