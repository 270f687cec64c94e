"""The report of a scan, read on a phone in a real browser: Debian's Chromium."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from remit.cli.main import run
from tests.kit import peers

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
HOSTILE = "<img src=x onerror=alert(1)>&quot;\u202e'\"" + "w" * 120


def test_the_report_is_read_on_a_phone_and_runs_nothing(tmp_path, capsys):
    chromium = shutil.which("chromium")
    assert chromium, "Debian's package chromium is missing"
    site, out = tmp_path / "site", Path(os.environ.get("REMIT_SEEN") or tmp_path / "seen")
    (site / HOSTILE).mkdir(parents=True)
    out.mkdir(exist_ok=True)
    servers = {
        "<script>alert(2)</script>": {"command": "npx", "args": ["notes-mcp"], "env": {"API_KEY": KEY}},
        "</style><b onclick=alert(3)>": {"url": "http://a.example.com", "autoApprove": ["drop_all", HOSTILE]},
    }
    (site / HOSTILE / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    (site / ".env").write_text(f"API_KEY={KEY}\n")
    (site / ".mcp.json").write_text("{")
    capsys.readouterr()
    assert run(["scan", str(site), "-o", "html"]) == 0
    file = tmp_path / "report.html"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    axe = peers.npm_prefix("axe") / "node_modules" / "axe-core" / "axe.min.js"
    said = {"file": str(file), "out": str(out), "axe": str(axe), "chromium": chromium}
    driver = Path(peers.KIT) / "clients" / "scan_page.py"
    ran = subprocess.run(
        [str(peers.python("playwright")), str(driver), json.dumps(said)], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout)
    assert {name: told for name, told in found.items() if told and name != "steps"} == {}
    whole, without, one = found["steps"]
    assert 0 < without < whole, "a severity is hidden by its box"
    assert 0 < one < whole, "one code alone is shown"
