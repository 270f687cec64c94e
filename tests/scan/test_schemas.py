"""What a scan writes, before a validator that is not ours: OASIS's schema of SARIF 2.1.0, and our published one."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remit.core.finding import RULES
from remit.scan.accepted import State
from remit.scan.report import report
from remit.scan.sarif import sarif
from remit.scan.walk import Scan
from tests.kit import peers
from tests.scan.test_report import FOUND, SCHEMA, marked  # noqa: F401 - a fixture

CHECK = """
import json, sys
from jsonschema.validators import validator_for
schema = json.load(open(sys.argv[1], encoding="utf-8"))
kind = validator_for(schema)
kind.check_schema(schema)
said = [[one.json_path + ": " + one.message for one in kind(schema).iter_errors(each)] for each in json.load(sys.stdin)]
print(json.dumps(said))
"""


def faults(schema: Path, told: list[object]) -> list[list[str]]:
    """What the validator says against each document."""
    done = subprocess.run(
        [str(peers.python("jsonschema")), "-c", CHECK, str(schema)], input=json.dumps(told), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def broken(told: dict[str, Any], *spoils: Callable[[Any], object]) -> list[object]:
    """The same document, spoilt in each of some ways."""
    found = []
    for spoil in spoils:
        one = copy.deepcopy(told)
        spoil(one)
        found.append(one)
    return found


@pytest.mark.usefixtures("marked")
def test_the_sarif_is_valid_by_the_schema_of_its_standard(marked):  # noqa: F811 - the fixture
    folder = peers.npm_prefix("sarif") / "node_modules" / "@microsoft" / "jest-sarif" / "lib" / "schemas"
    told = json.loads(json.dumps(sarif(FOUND, marked, "1.2.3")))
    fewer = json.loads(json.dumps(sarif(Scan(FOUND.findings, FOUND.unread, 3, 9), marked, "1.2.3")))
    bad = broken(
        told,
        lambda one: one["runs"][0]["results"][0].update(level="bad"),
        lambda one: one["runs"][0]["results"][0].update(ruleIndex=-2),
        lambda one: one["runs"][0]["tool"]["driver"]["rules"][0].update(helpUri="no address"),
        lambda one: one["runs"][0]["results"][1]["suppressions"][0].pop("kind"),
        lambda one: one["runs"][0]["results"][0].update(partialFingerprints={"a": 1}),
        lambda one: one["runs"][0].pop("tool"),
        lambda one: one.update(surprise=1),
    )
    first, second, *rest = faults(folder / "sarif-2.1.0-rtm.5.json", [told, fewer, *bad])
    assert first == second == []
    assert [bool(one) for one in rest] == [True, True, False, True, True, True, True]  # formats are not checked
    for rule in told["runs"][0]["tool"]["driver"]["rules"]:
        tags = rule["properties"]["tags"]
        assert any(tag.startswith("ASI") for tag in tags)
        assert any(tag.startswith("NHI") for tag in tags)
        assert rule["helpUri"].startswith("https://")
    assert len(told["runs"][0]["tool"]["driver"]["rules"]) == len(RULES)


def test_the_json_is_valid_by_the_published_schema(marked):  # noqa: F811 - the fixture
    told = json.loads(json.dumps(msgspec.to_builtins(report(FOUND, marked))))
    bad = broken(
        told,
        lambda one: one.update(version=2),
        lambda one: one["findings"][0].update(state="gone"),
        lambda one: one["findings"][0].pop("fingerprint"),
        lambda one: one["findings"][0].update(line="2"),
        lambda one: one.update(surprise=1),
    )
    first, *rest = faults(SCHEMA, [told, *bad])
    assert first == []
    assert all(rest)
    assert {one["state"] for one in told["findings"]} == {state.value for state in State}
