"""The console in a real browser: on a phone and at a desk, by keyboard, without script, light and dark."""

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from remit.cli import evidence_check
from remit.core.approval import Approval
from remit.ledger import note
from tests.kit import peers
from tests.kit.asks import Asks
from tests.kit.site import site

LIMIT = 180
PICTURES = ("approvals-phone-light", "approval-phone-light", "approval-desk-light", "home-desk-dark", "task-phone-dark")


@pytest.fixture
def asks(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path) as one:
        yield Asks(one)


def test_people_answer_and_operators_follow_by_keyboard_on_any_screen(asks, tmp_path):
    chromium = shutil.which("chromium")
    assert chromium, "Debian's package chromium is missing"
    out = Path(os.environ.get("REMIT_SEEN") or tmp_path / "seen")
    out.mkdir(mode=0o700, exist_ok=True)
    waits = asks.ask("/notes/2026/plan for the autumn.md")
    for n in range(3):
        asks.ask(f"/notes/2026/chapter {n}.md")
    asks.call("/notes/summary", tool="write_note")
    axe = peers.npm_prefix("axe") / "node_modules" / "axe-core" / "axe.min.js"
    said = {
        "url": asks.site.url, "task": asks.task.id, "out": str(out), "axe": str(axe), "chromium": chromium,
        "person": f"/console/enter/{asks.link(asks.ann)}", "operator": f"/console/enter/{asks.link()}",
    }  # fmt: skip
    driver = Path(peers.KIT) / "clients" / "console.py"
    running = threading.Thread(target=lambda: _refuse_once_looked_at(asks, out))
    running.start()
    ran = subprocess.run(
        [str(peers.python("playwright")), str(driver), json.dumps(said)], capture_output=True, text=True, timeout=LIMIT,
        check=False,
    )  # fmt: skip
    running.join(10)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout)
    assert {name: told for name, told in found.items() if told and name != "steps"} == {}
    assert found["steps"] == [
        "One question waits.", "scribe asks for read_note at notes", "You said yes. It is recorded.", "live",
    ]  # fmt: skip
    assert all((out / f"{name}.png").stat().st_size > 10_000 for name in PICTURES)
    one = asks.site.act(lambda c: c.need(Approval, waits))
    assert [(each.by, each.via) for each in one.yes] == [(asks.ann, "console")], "the oldest is asked about first"
    authority = asks.world.authority
    keys = [note.parse_vkey(each) for each in authority.verifiers()]
    assert evidence_check.examine((out / "evidence.json").read_bytes(), keys, authority.name)[0] is None


def _refuse_once_looked_at(asks, out):
    """While the operator looks at the task, its agent is refused something."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and not (out / "looking").exists():
        time.sleep(0.2)
    asks.call("/etc/passwd")
