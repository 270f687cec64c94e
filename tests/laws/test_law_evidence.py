"""Evidence: nothing can be left out of it, altered in it or put to it without that being found by who has the key."""

import json
from pathlib import Path

import pytest

from remit.cli import evidence_check
from remit.core.canonical import canon
from remit.ledger import note
from tests.house.tree import ROOT
from tests.kit.planted import Planted, each_goes_red

VECTORS = ROOT / "tests" / "vectors" / "evidence"
GOOD = json.loads((VECTORS / "good.json").read_bytes())
KEY = note.parse_vkey((VECTORS / "key").read_text(encoding="utf-8").strip())


def holds(file):
    return evidence_check.examine(canon(file), [KEY], KEY.name)[0] is None


def nothing_is_left_out(_: Path) -> None:
    """Cut each entry out, and each run of entries at the end."""
    assert holds(GOOD), "the whole file does not hold"
    entries = GOOD["entries"]
    for gone in range(len(entries)):
        assert not holds({**GOOD, "entries": entries[:gone] + entries[gone + 1 :]}), f"entry {gone} was left out"
        assert not holds({**GOOD, "entries": entries[:gone]}), f"all from entry {gone} on was left out"


def nothing_is_altered(_: Path) -> None:
    """Write other words into each entry, and put each entry in the place of the next."""
    entries = GOOD["entries"]
    for at, (number, body, proof) in enumerate(entries):
        other = body.replace('"at":1700', '"at":1600', 1)
        assert other != body
        altered = [*entries[:at], [number, other, proof], *entries[at + 1 :]]
        assert not holds({**GOOD, "entries": altered}), f"entry {at} was altered"
        if at:
            swapped = [*entries[:at], [number, entries[at - 1][1], proof], *entries[at + 1 :]]
            assert not holds({**GOOD, "entries": swapped}), f"entry {at} was altered"


def nothing_beside_is_altered(_: Path) -> None:
    """Take each thing that lies beside away, and write another in its place."""
    for part, held in GOOD["beside"].items():
        for name in held:
            rest = {key: value for key, value in held.items() if key != name}
            for other in (rest, {**held, name: "Mallory"}, {**held, "another": held[name]}):
                beside = {**GOOD["beside"], part: other}
                assert not holds({**GOOD, "beside": beside}), f"what lies beside in {part} was altered"


def only_the_ledgers_key_signs(_: Path) -> None:
    """Sign the head anew with a key of one's own, and show the file under it and under the ledger's."""
    foreign = note.parse_vkey(note.vkey(KEY.name, bytes(32)))
    assert evidence_check.examine(canon(GOOD), [foreign], KEY.name)[0] is not None, "a foreign key counted"
    text, _, signed = GOOD["head"].partition("\n\n")
    size, root = text.split("\n")[1:]
    grown = f"{KEY.name}\n{int(size) + 1}\n{root}\n\n{signed}"
    assert not holds({**GOOD, "head": grown}), "a head that nobody signed counted"


LAWS = (nothing_is_left_out, nothing_is_altered, nothing_beside_is_altered, only_the_ledgers_key_signs)
AUDIT, CHECK = "core/audit.py", "cli/evidence_check.py"
FAULTS = (
    Planted(
        "the entries are not counted", AUDIT, "or _counted(number, receipts, says)", "or None",
        nothing_is_left_out, "was left out",
    ),
    Planted(
        "the last entry may be any", AUDIT, 'if last.get("kind") != MADE or last["record"]["task"] != task:',
        'if last.get("kind") != MADE:\n        return None\n    if last["record"]["task"] != task:',
        nothing_is_left_out, "was left out",
    ),
    Planted(
        "entries are not held against the head", CHECK, " or _proven(file, keys, origin)", "",
        nothing_is_altered, "was altered",
    ),
    Planted(
        "what lies beside is bound to nothing", AUDIT, "if evidence.part(beside[name]) != says.beside[name]:",
        "if name not in says.beside:", nothing_beside_is_altered, "what lies beside in",
    ),
    Planted(
        "any head will do", CHECK, 'if not signed:\n        return None, f"its head: {signed.what}"',
        "if not head:\n        return None, 'no head'", only_the_ledgers_key_signs, "counted",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path: Path) -> None:
    law(tmp_path)


test_planted = each_goes_red(FAULTS)
