"""A scan's SARIF before the validator of the SARIF SDK: its schema, and its rules of what is good SARIF."""

import json
import os
import subprocess

from remit.scan.accepted import mark
from remit.scan.sarif import sarif
from tests.kit import peers
from tests.scan.test_report import ANSWERED, FOUND, TODAY


def test_the_validator_of_the_standard_says_nothing_against_it(tmp_path):
    program = peers.npm_prefix("multitool") / "node_modules" / "@microsoft" / "sarif-multitool-linux"
    tool = program / "Sarif.Multitool"
    tool.chmod(0o755)
    known = mark(FOUND.findings, frozenset(), (), TODAY)[2].fingerprint
    told = sarif(FOUND, mark(FOUND.findings, frozenset({known}), ANSWERED, TODAY), "1.2.3")
    good, bad, out = tmp_path / "good.sarif", tmp_path / "bad.sarif", tmp_path / "out.sarif"
    good.write_text(json.dumps(told), encoding="utf-8")
    bad.write_text(json.dumps({**told, "version": "2.0.0"}), encoding="utf-8")
    told_of = {}
    for file in (good, bad):
        done = subprocess.run(
            [str(tool), "validate", str(file), "--output", str(out), "--log", "ForceOverwrite", "--rule-kind", "Sarif"],
            env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        found = json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0]["results"] if out.exists() else []
        told_of[file.name] = done.returncode, sorted({one["ruleId"] for one in found})
        out.unlink(missing_ok=True)
    code, rules = told_of["good.sarif"]
    assert code == 0
    # The project has no address in the web, so none is given for the tool itself.
    assert set(rules) <= {"SARIF2005"}
    assert told_of["bad.sarif"] != told_of["good.sarif"]
