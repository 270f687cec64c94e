"""The forms of a scan: JSON by the published schema, SARIF, and a page that shows what was found and does nothing."""

import json
import re
from base64 import b64encode
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from remit.core.finding import RULES, Confidence, Evidence, Finding, Kind
from remit.scan import shapes
from remit.scan.accepted import Suppression, mark
from remit.scan.page import page
from remit.scan.report import Report, report, schema
from remit.scan.sarif import sarif
from remit.scan.walk import Scan, Unread

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "spec" / "scan.schema.json"
NASTY = "<script>alert(1)</script>\u202e\x1b[2J"
FOUND = Scan(
    (
        Finding(Kind.LITERAL_SECRET, Confidence.HIGH, Evidence("/a b/ü.env", 2, f"{NASTY} holds a literal value")),
        Finding(Kind.UNPINNED, Confidence.MEDIUM, Evidence("x/.mcp.json", 1, "server a: npx runs a package")),
        Finding(Kind.UNPINNED, Confidence.MEDIUM, Evidence("y/.mcp.json", 1, "server a: npx runs a package")),
    ),
    (Unread("z\udcff", "not UTF-8"),),
    3,
    9,
    shapes="detect-secrets 1.5.0",
)
TODAY = date(2026, 5, 4)
ANSWERED = (Suppression("AG120", "x/*", "olga", TODAY, "a <b>lab</b>"),)


@pytest.fixture(scope="module")
def marked():
    known = mark(FOUND.findings, frozenset(), (), TODAY)[2].fingerprint
    return mark(FOUND.findings, frozenset({known}), ANSWERED, TODAY)


def test_the_published_schema_is_that_of_what_is_written(marked):
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema(), "python -m tests.scan.test_report --write"
    told = json.loads(msgspec.json.encode(report(Scan(FOUND.findings, (), 3, 9), marked)))
    assert msgspec.convert(told, Report).findings[1].state == "suppressed"


def test_sarif_says_each_finding_where_it_stands_and_what_is_known_of_it(marked):
    told = json.loads(json.dumps(sarif(FOUND, marked, "1.2.3")))
    (run,) = told["runs"]
    assert (told["version"], run["tool"]["driver"]["semanticVersion"]) == ("2.1.0", "1.2.3")
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == [kind.value for kind in RULES]
    for result, one in zip(run["results"], marked, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == one.finding.kind.value
        assert result["partialFingerprints"] == {"remitScan/v1": one.fingerprint}
        assert result["level"] in {"error", "warning", "note"}
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]]
    assert places == ["file:///a%20b/%C3%BC.env", "x/.mcp.json", "y/.mcp.json"]
    assert run["results"][1]["suppressions"][0]["justification"] == "olga, until 2026-05-04: a <b>lab</b>"
    assert [one.get("baselineState") for one in run["results"]] == [None, None, "unchanged"]
    (notice,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "z%FF"


def test_every_form_says_when_fewer_shapes_of_secrets_were_looked_for(marked):
    fewer = Scan(FOUND.findings, FOUND.unread, 3, 9)
    assert report(FOUND, marked).shapes == "detect-secrets 1.5.0"
    assert report(fewer, marked).shapes == ""
    (run,), (bare,) = sarif(FOUND, marked, "1.2.3")["runs"], sarif(fewer, marked, "1.2.3")["runs"]
    assert run["tool"]["extensions"] == [{"name": "detect-secrets", "version": "1.5.0"}]
    assert "extensions" not in bare["tool"]
    notices = [one["invocations"][0]["toolExecutionNotifications"] for one in (run, bare)]
    assert [len(one) for one in notices] == [1, 2]
    assert (notices[1][0]["level"], notices[1][0]["message"]["text"]) == ("note", shapes.FEWER)
    assert "detect-secrets 1.5.0" in page(report(FOUND, marked))
    said = Tags()
    said.feed(page(report(fewer, marked)))
    assert shapes.FEWER in said.text
    assert "detect-secrets" not in said.text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_else_runs_nothing_and_shows_everything(marked):
    text = page(report(FOUND, marked))
    read = Tags()
    read.feed(text)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base", "i", "embed", "svg"}
    assert not [1 for _, given in read.tags if "style" in given or any(name.startswith("on") for name in given)]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'" in text
    assert not [1 for _, given in read.tags if {"src", "href", "srcset", "action"} & given.keys()]
    assert "width=device-width" in text
    assert text.count("<article") == 3
    ids = {given["id"] for tag, given in read.tags if tag == "input"}
    assert ids == {"is-high", "is-medium", "is-new", "is-known", "is-suppressed", "is-any", "is-AG101", "is-AG120"}
    for wanted in ("alert(1)", "a <b>lab</b>", "/a b/ü.env:2", "not UTF-8", "1 open, 1 known before, 1 answered for"):
        assert wanted in read.text
    assert not {"\u202e", "\x1b", "\udcff"} & set(text)
    assert "Nothing was found" in page(report(Scan((), (), 0, 0), ()))


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
