"""The real command line in a folder of its own, as a person types it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent

NOTES_SERVER = r"""
import json, os, sys
EXTRA = os.environ.get("NOTES_EXTRA", "")
TOOLS = [
    {"name": "read_note", "description": "Read a note." + EXTRA,
     "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}},
    {"name": "wipe", "description": "Wipe all notes.", "inputSchema": {"type": "object"}},
]
for line in sys.stdin:
    said = json.loads(line)
    if "id" not in said:
        continue
    if said["method"] == "initialize":
        told = {"result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                           "serverInfo": {"name": "notes", "version": "1"}}}
    elif said["method"] == "tools/list":
        told = {"result": {"tools": TOOLS}}
    elif said["method"] == "tools/call":
        told = {"result": {"content": [{"type": "text", "text": "Note: " + said["params"]["arguments"]["path"]}]}}
    else:
        told = {"error": {"code": -32601, "message": "no such method"}}
    print(json.dumps({"jsonrpc": "2.0", "id": said["id"], **told}), flush=True)
"""
BRIEF = """
name = "notes"
purpose = "Keep notes."
dispatchers = ["olga", "group:operators"]
agents = ["scribe"]
domains = ["office"]

[[steps]]
action = "mcp:notes/read_note"
path = "own"
arguments = { path = [{ subpath = "/notes" }] }

[[steps]]
action = "mcp:notes/wipe"
path = "own"
"""
CEDAR = """
@id("notes") permit(principal, action in Action::"mcp:notes", resource);
@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);
"""
TESTS = """[
 {"name": "reads", "path": "own", "action": "mcp:notes/read_note", "args": {"path": "/notes/a"}, "expect": "allow"},
 {"name": "never wipes", "path": "own", "action": "mcp:notes/wipe", "expect": "deny"},
 {"name": "never wipes for anyone", "path": "delegated", "action": "mcp:notes/wipe", "expect": "deny"}
]"""

CALL = """
import json, os, sys, urllib.request, urllib.error
def call(path, resource="notes", token=None):
    meta = {"protocolVersion": "2026-07-28", "clientCapabilities": {}}
    meta = {"io.modelcontextprotocol/" + name: value for name, value in meta.items()}
    params = {"name": "read_note", "arguments": {"path": path}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    head = {"authorization": "Bearer " + (token or os.environ["REMIT_TOKEN"]), "content-type": "application/json",
        "accept": "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call", "mcp-name": "read_note"}
    asked = urllib.request.Request(os.environ["REMIT_MCP_URL"] + "/" + resource, json.dumps(body).encode(), head)
    try:
        return urllib.request.urlopen(asked, timeout=60).read().decode()
    except urllib.error.HTTPError as refused:
        return f"{refused.code} {refused.read().decode()}"
"""
"""What a command that `remit run` runs calls a tool by."""


@dataclass(frozen=True)
class Ran:
    """What one command said, and its exit code."""

    code: int
    out: str
    err: str


class Shell:
    """A folder in which commands are run, with an environment that holds nothing of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LOGNAME": "olga",
            "LANG": "C.UTF-8",
        }

    def run(self, command: str, *, together: bool = False, **more: str) -> Ran:
        """Run one line in the shell."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            check=False,
            timeout=300,
        )
        return Ran(done.returncode, done.stdout.decode(), "" if together else done.stderr.decode())

    def ok(self, command: str, **more: str) -> str:
        """Run one line that must succeed; what it wrote to stdout."""
        ran = self.run(command, **more)
        assert ran.code == 0, (command, ran)
        return ran.out

    def write(self, name: str, text: str) -> Path:
        """Write a file in the folder."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def files(self) -> "Shell":
        """Lay out a small resource, its brief and its policies."""
        self.write("notes.py", NOTES_SERVER)
        self.write("notes.toml", BRIEF)
        self.write("policy/common/base.cedar", CEDAR)
        self.write("policy/tests.json", TESTS)
        return self

    def settle(self) -> "Shell":
        """Set up, and register everything that a task needs. The operator is olga."""
        self.files()
        self.ok("remit up --no-serve")
        self.ok("remit agent add scribe --owner olga --review 30d --purpose 'Keeps notes.' --ceiling 'mcp:notes/*'")
        add = "remit resource add notes --stdio --domain office --owner olga --reads read_note"
        self.ok(f"{add} -- {sys.executable} notes.py")
        self.ok("remit policy apply policy && remit brief apply notes.toml")
        return self
