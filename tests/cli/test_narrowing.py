"""A narrower brief in words: what each step loses, and who may say yes."""

from remit.cli.narrowing import asks, card
from remit.core.record import changed
from remit.core.rightsize import COUNTS
from remit.core.step import Step
from tests.kit.nouns import brief, rightsize

READ = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes"}]}}


def test_a_card_names_all_that_changes_and_nothing_that_stays() -> None:
    wipe = {"action": "mcp:notes/wipe", "path": "own"}
    old = brief(steps=tuple(Step.from_json(one) for one in (READ, wipe, wipe)))
    less = READ | {"arguments": {"path": [{"subpath": "/notes/a"}]}, "uses": 4}
    new = changed(old, steps=tuple(Step.from_json(one) for one in (less, wipe)))
    notes = {"steps": [{"step": 0, "action": "mcp:notes/read_note", "why": ["path: subpath, from 9 values"]}]}
    replay = {**dict.fromkeys(COUNTS, 0), "allowed": 9, "failing": [], "opened": []}
    lines = card(rightsize(), {"moved": [0, -1, 1], "notes": notes, "replay": replay}, old, new)
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "0 mcp:notes/read_note own argument path an absolute path in /notes an absolute path in /notes/a" in text
    assert "0 mcp:notes/read_note own uses no limit 4" in text
    assert "1 mcp:notes/wipe own the step given gone" in text
    assert "1 step of 3 stays as given." in text
    assert "0 of 9 allowed calls would fail" in text


def test_who_may_say_yes_is_named_and_who_may_not() -> None:
    lines = asks(rightsize(), {"ops": ["Ann", "Bob"], "law": []}, "Olga")
    assert lines[0] == "It takes 1 of ops, who may be: Ann Bob."
    assert lines[1] == "It takes 1 of law, who may be: nobody who is here."
    assert lines[2] == "Olga offered it, and does not answer it."
