"""The demo's promises, each with its proof: read from the ledger, from the targets themselves, and by an outsider."""

import base64
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from remit.cli.demo.play import Played
from remit.cli.demo.site import Site
from remit.cli.demo.stage import Stage
from remit.cli.demo.timeline import Line, Timeline
from remit.cli.desk import close
from remit.control import receipt
from remit.control import task as tasks
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.store import log
from remit.store.opening import open_db

PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, whether it holds, and by what that is shown."""

    what: str
    kept: bool
    proof: str

    def to_json(self) -> dict[str, Json]:
        """As JSON members."""
        return {"promise": self.what, "kept": self.kept, "proof": self.proof}


def held(played: list[Played], lines: list[Line], site: Site, password: str) -> list[Promise]:
    """What must be true once the errands are done, and before their tasks end."""
    return [
        _refused(played, lines),
        _finished(played),
        _recorded(played, lines),
        _paths(played, lines),
        *([_unseen(played, site, password)] if any(one.cast.errand.environment for one in played) else []),
    ]


def ended(stage: Stage, played: list[Played], timeline: Timeline) -> Promise:
    """End every task; then no call, no introspection and no process of it may be left alive."""
    before = [one for one in played if children(stage.process, one.cast.errand.arguments)]
    for one in played:
        task_id, by = one.cast.task.id, one.cast.task.requester
        stage.desk.act(lambda c, task_id=task_id, by=by: tasks.end(c, task_id, "complete", by))  # type: ignore[misc]
    timeline.catch_up()
    start = len(timeline.lines)
    wrong, proof = [], []
    for one in played:
        name = one.cast.errand.name
        answer = one.last_call()
        timeline.catch_up()
        leaf = next((x for x in timeline.lines[start:] if x.task == one.cast.task.id and x.verdict == "deny"), None)
        status, said = stage.post("/oauth/introspect", stage.proof(one.cast) | {"token": one.credential})
        if not answer.error or leaf is None:
            wrong.append(f"{name}: its credential was not refused ({answer.status})")
        elif status != 200 or said.get("active") is not False:
            wrong.append(f"{name}: introspection answers {status} {said}")
        else:
            proof.append(f"{name} #{leaf.leaf} {leaf.code}")
    until = time.monotonic() + PATIENCE
    left = before
    while left and time.monotonic() < until:
        left = [one for one in before if children(stage.process, one.cast.errand.arguments)]
        time.sleep(0.05)
    wrong += [f"{one.cast.errand.name}: its server still runs" for one in left]
    if len(before) != len(played):
        wrong.append("a server was not seen while its task was open")
    what = "When a task ends, its credential is dead, and so is the server that was run for it."
    return Promise(what, not wrong, "; ".join(wrong or proof))


def proved(stage: Stage, random: Random) -> list[Promise]:
    """What the ledger itself must show; the server has stopped. Closes the store at the end of it."""
    authority = stage.desk.authority
    vkey = authority.verifier()
    export = _export(stage.folder / "ledger", receipt.files(authority.view))
    code, told = _verify(export, vkey)
    kept = code == 0 and bool(told.get("ok"))
    counted = f"{told.get('entries')} entries, {told.get('heads')} signed heads"
    proof = f"{counted}, checked in {export.name}/ by another process, with the key {vkey}"
    found = [Promise("The ledger verifies offline.", kept, proof if kept else json.dumps(told))]
    differ = receipt.replay(authority, stage.folder / "twin.db")
    found.append(
        Promise("The ledger replayed gives the same tables.", not differ, "; ".join(differ) or "no table differs")
    )
    size = log.newest(authority.view).size
    bodies = dict(enumerate(log.entries(authority.view, 0, size)))
    close(authority)
    found.append(_altered(stage, bodies, vkey, random))
    return found


def _refused(played: list[Played], lines: list[Line]) -> Promise:
    wrong, proof = [], []
    for one in played:
        denied = [line for line in lines if line.task == one.cast.task.id and line.verdict == "deny"]
        if not one.strayed or len(denied) < one.strayed:
            wrong.append(f"{one.cast.errand.name}: {one.strayed} calls astray, {len(denied)} refusals")
        proof += [f"{one.cast.errand.name} #{line.leaf} {line.code}" for line in denied]
    what = "Each agent was led astray by what it read, and was refused at the gate."
    return Promise(what, not wrong, "; ".join(wrong or proof))


def _finished(played: list[Played]) -> Promise:
    wrong = [f"{one.cast.errand.name}: {one.cast.errand.harm()}" for one in played if one.cast.errand.harm()]
    wrong += [
        f"{one.cast.errand.name}: not finished ({one.answer})" for one in played if not one.cast.errand.done(one.answer)
    ]
    proof = [one.cast.errand.done(one.answer) for one in played]
    return Promise(
        "Each errand was finished all the same, and nothing else happened to the targets.",
        not wrong,
        "; ".join(wrong or proof),
    )


def _recorded(played: list[Played], lines: list[Line]) -> Promise:
    wrong, proof = [], []
    for one in played:
        decided = [line for line in lines if line.task == one.cast.task.id and line.action and "/@" not in line.action]
        if len(decided) != len(one.calls) or [x.action.partition("/")[2] for x in decided] != [
            x.tool for x in one.calls
        ]:
            wrong.append(f"{one.cast.errand.name}: {len(one.calls)} calls, {len(decided)} receipts")
        proof.append(
            f"{one.cast.errand.name}: {len(decided)} calls, #{decided[0].leaf} to #{decided[-1].leaf}"
            if decided
            else ""
        )
    return Promise(
        "Every call stands in the ledger, in the order in which it was made.", not wrong, "; ".join(wrong or proof)
    )


def _paths(played: list[Played], lines: list[Line]) -> Promise:
    wrong, proof = [], []
    for one in played:
        used = {
            line.path
            for line in lines
            if line.task == one.cast.task.id and (line.action or line.verdict == "credential.issued")
        }
        if used != {one.cast.errand.path.value}:
            wrong.append(f"{one.cast.errand.name}: {sorted(used)}")
        proof.append(f"{one.cast.errand.name} {one.cast.errand.path.value}")
    return Promise(
        "Each credential acts on one trust path only: for a person who signed in, or as the agent itself.",
        not wrong,
        "; ".join(wrong or proof),
    )


def _unseen(played: list[Played], site: Site, password: str) -> Promise:
    forms = [password.encode(), base64.b64encode(f"remit:{password}".encode())]
    seen = [
        one.cast.errand.name for one in played if any(form in one.heard for form in forms) or password in one.credential
    ]
    bare = _bare_status(site)
    kept = not seen and site.served > 0 and bare == 407
    used = f"used for {site.served} requests at the target, which answers {bare} without it"
    proof = f"{used}; in none of the {sum(len(one.heard) for one in played)} bytes that agents were sent"
    return Promise(
        "The target's secret was used, and no agent ever saw it.",
        kept,
        proof if kept else f"seen by {seen}, served {site.served}, {bare}",
    )


def _bare_status(site: Site) -> int:
    """What the target answers to somebody who does not know the secret."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/public/", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def _altered(stage: Stage, bodies: dict[int, bytes], vkey: str, random: Random) -> Promise:
    """Change one digit of one entry inside a copy of the store's file, under the database's feet."""
    copy = stage.folder / "altered" / "remit.db"
    copy.parent.mkdir()
    shutil.copyfile(stage.data / "remit.db", copy)
    data = copy.read_bytes()
    rows = [number for number, body in bodies.items() if data.count(body) == 1]
    what = "One altered row of the store is pointed at by its number."
    if not rows:
        return Promise(what, kept=False, proof="no entry could be found in the file")
    row = random.choice(rows)
    body = bodies[row]
    place = random.choice([match.start() for match in re.finditer(rb'(?<=")[a-z](?=[a-z_.]+")|\d(?=\d*[,}])', body)])
    old = body[place : place + 1]
    new = random.choice([x for x in (b"0123456789" if old.isdigit() else b"abcdefgh") if x != old[0]])
    at = data.index(body) + place
    copy.write_bytes(data[:at] + bytes([new]) + data[at + 1 :])
    try:
        twin = open_db(copy)
        export = _export(copy.parent / "ledger", receipt.files(twin))
        twin.close()
    except RemitError as fault:
        return Promise(what, kept=False, proof=fault.message)
    code, told = _verify(export, vkey)
    kept = code == 1 and told.get("bad_entry") == row
    return Promise(
        what,
        kept,
        f"#{row} was altered in a copy; the verifier says: entry {told.get('bad_entry')}: {told.get('what')}",
    )


def _export(folder: Path, files: object) -> Path:
    for name, body in files:  # type: ignore[attr-defined]
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    return folder


def _verify(folder: Path, vkey: str) -> tuple[int, dict[str, Json]]:
    """Verify an export in a process of its own, which has neither our store nor our keys."""
    argv = [sys.executable, "-m", "remit.cli.verify", str(folder), "--key", vkey, "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ourselves
    try:
        told: dict[str, Json] = json.loads(done.stdout)
    except ValueError:
        told = {"what": (done.stderr or done.stdout).strip()[-300:]}
    return done.returncode, told


def children(process: int, arguments: tuple[str, ...]) -> list[int]:
    """The processes below a process whose command line holds these arguments, one after the other."""
    program = shutil.which("ps") if not Path("/proc/self/stat").exists() else None
    rows = _ps(program) if program else _proc()
    above = {pid: parent for pid, parent, _ in rows}
    found = []
    for pid, _, command in rows:
        up = pid
        while up in above and up != process:
            up = above[up]
        if up == process and pid != process and " ".join(arguments) in command:
            found.append(pid)
    return found


def _proc() -> list[tuple[int, int, str]]:
    rows = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat = (place / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if stat[0] != "Z":
            rows.append((int(place.name), int(stat[1]), command))
    return rows


def _ps(program: str) -> list[tuple[int, int, str]]:
    done = subprocess.run([program, "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)  # noqa: S603 - the system's own
    split = [line.split(None, 2) for line in done.stdout.splitlines()]
    return [(int(one[0]), int(one[1]), one[2]) for one in split if len(one) == 3]
