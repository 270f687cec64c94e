"""What to do about a finding is said of what was found, and not of its code alone."""

import re
from pathlib import Path

import pytest

from remit.core.finding import RULES, Confidence, Evidence, Finding, Kind
from remit.scan.remedy import REMEDIES, remedy

SOURCE = Path(__file__).resolve().parents[2] / "src" / "remit" / "scan"


def fix(kind, said):
    return remedy(Finding(kind, Confidence.HIGH, Evidence("f", 1, said)))


@pytest.mark.parametrize(
    ("kind", "said", "word"),
    [
        (Kind.BROAD_TOOL, "server sh: a shell server has no list of commands", "commands"),
        (Kind.BROAD_TOOL, "server fs: the file server's folder is the root or a whole home", "folder"),
        (Kind.BROAD_TOOL, "the agent's commands run with no sandbox", "sandbox"),
        (Kind.BROAD_TOOL, "the tool sh runs any command", "commands"),
        (Kind.OPEN_REMOTE, "NODE_TLS_REJECT_UNAUTHORIZED turns certificate checks off", "checks on"),
        (Kind.OPEN_REMOTE, "server a: its address is http, without TLS", "https"),
        (Kind.OPEN_REMOTE, "server a: its address holds a token", "issuer"),
        (Kind.OPEN_REMOTE, "it listens to all addresses, and asks nobody who they are", "127.0.0.1"),
        (Kind.UNPINNED, "docker runs an image with no exact version", "digest"),
        (Kind.UNPINNED, "server a: uvx runs a package with no exact version", "=="),
        (Kind.UNPINNED, "server a: npx runs a package with no exact version", "NAME@1.2.3"),
        (Kind.UNPINNED, "a step of others at a tag or branch is given a credential", "commit"),
        (Kind.UNASKED, "a hook of preToolUse lets the call pass when it fails", "exit 2"),
        (Kind.UNASKED, "defaultMode is bypassPermissions", "Turn it off"),
        (Kind.UNASKED, "Bash(rm:*) is allowed with nobody asked", "a person or a gate"),
        (Kind.UNOWNED, "owner: nobody is named as its owner", "Name the person"),
        (Kind.UNOWNED, "expires: it never ends", "a day"),
        (Kind.LITERAL_SECRET, "server a: argument --token holds a literal value", "arguments show"),
        (Kind.LITERAL_SECRET, "server a: env TOKEN holds a literal value", "secret store"),
        (Kind.SHARED, "a: KEY is also held by b (f:1)", "of its own"),
    ],
)  # fmt: skip
def test_the_mend_is_of_what_was_found(kind, said, word):
    assert word in fix(kind, said)


def test_a_mend_that_is_told_of_nothing_is_gone_from_the_table():
    """Each shape fits the words of some reader, so that none is left behind when its words change."""
    text = "\n".join(one.read_text(encoding="utf-8") for one in SOURCE.glob("*.py") if one.name != "remedy.py")
    said = re.findall(r'f?"((?:[^"\\\n]|\\.)*)"', text)
    idle = [
        shape.pattern
        for shapes in REMEDIES.values()
        for shape, _ in shapes
        if not any(shape.search(re.sub(r"\{[^{}]*\}", "7", one)) for one in said)
    ]
    assert idle == []


def test_every_mend_is_one_short_line():
    every = [text for shapes in REMEDIES.values() for _, text in shapes] + [rule.fix for rule in RULES.values()]
    assert all(text.endswith((".", "...")) and len(text) <= 120 and "\n" not in text for text in every)
