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
from remit.control import policy, resource, review
from remit.control.review import Acting, Server
from remit.core.approval import Approval
from remit.core.resource import Upstream
from remit.ledger import note
from tests.kit import peers
from tests.kit.approving import asking
from tests.kit.asks import Asks
from tests.kit.leasing import irrevocable, lent, minted_at
from tests.kit.proposing import offered, used
from tests.kit.site import site
from tests.kit.world import COMMON, DAY, TOOLS

LIMIT = 180
PICTURES = (
    "approvals-phone-light", "approval-phone-light", "approval-desk-light", "home-desk-dark", "task-phone-dark",
    "leases-phone-dark", "reach-phone-dark", "reach-one-phone-dark", "right-size-one-phone-dark",
    "reviews-one-phone-dark",
)  # fmt: skip


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
    lends_and_proposes(asks)
    puts_forward(asks)
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
        "One question waits.", "scribe asks for read_note at notes", "You said yes. It is recorded.",
        "One lease is not proven dead.", "One review waits.", "How far each agent reaches if it turns",
        "What briefs give, and what was used", "Your answer is recorded.", "live",
    ]  # fmt: skip
    assert all((out / f"{name}.png").stat().st_size > 10_000 for name in PICTURES)
    one = asks.site.act(lambda c: c.need(Approval, waits))
    assert [(each.by, each.via) for each in one.yes] == [(asks.ann, "console")], "the oldest is asked about first"
    authority = asks.world.authority
    keys = [note.parse_vkey(each) for each in asks.site.read(lambda _: authority.verifiers())]
    assert evidence_check.examine((out / "evidence.json").read_bytes(), keys, authority.name)[0] is None


def lends_and_proposes(asks):
    """What the operator's other pages show: a lease that cannot be proven dead, and a proposal of less."""
    act, owner = asks.site.act, asks.world.owner.id
    used(asks, "a/1", "a/2", "a/3")
    act(offered)
    own = {"a.cedar": asking("staff")}
    act(lambda c: policy.apply(c, {"common": COMMON, "delegated": {}, "own": own}, 3, "operator"))
    given = {"upstream": Upstream(url="http://127.0.0.1:9/reports"), "domain": "office", "owner": owner, "tools": TOOLS}
    act(lambda c: resource.add(c, name="reports", by="operator", **given))
    for name in ("notes", "reports"):
        minted_at(act, name=name)
    irrevocable(act, lent(act, asks.task))
    act(lambda c: resource.mint_at(c, "notes", None, "operator"))


def puts_forward(asks):
    """What a scan met: an agent, and a server that a stranger's tree gives long and hostile words."""
    by, due = asks.world.owner.id, asks.world.authority.clock.now() + DAY
    said = {"file": "/tree/\u202e<script>alert(1)</script>/.mcp.json", "line": 3}
    said |= {"credentials": [{"name": "KEY", "refers": "x" * 10_000, "file": "/tree/.env", "line": 1}]}
    server = Server("mail", Upstream(argv=("sh", "-c", "mail " + "y" * 2_000)), by, said)
    acting = Acting("site-1", "Met as a client of mail.", by, ("mail",), (), said)
    asks.site.act(lambda c: review.open_review(c, [server], [acting], due, by))


def _refuse_once_looked_at(asks, out):
    """While the operator looks at the task, its agent is refused something."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and not (out / "looking").exists():
        time.sleep(0.2)
    asks.call("/etc/passwd")
