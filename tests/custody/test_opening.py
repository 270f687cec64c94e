"""Opening a source by its kind."""

from pathlib import Path

from remit.core.record import changed
from remit.core.resource import Minting
from remit.custody.secret import Secret
from remit.custody.sources.opening import KINDS, open_source
from tests.custody.sources import HELD
from tests.kit.nouns import code, resource


def test_a_kind_that_nobody_knows_is_refused():
    unknown = changed(resource(), minting=Minting(kind="nonsense"))
    assert code(open_source, unknown, None, "ledger", int) == "source_unknown"
    assert code(open_source, resource(), None, "ledger", int) == "source_unknown"


def test_a_source_is_opened_with_its_secret_and_its_settings():
    known = changed(resource(), minting=Minting(kind="postgres", settings={"connections": "3"}))
    assert code(open_source, known, None, "ledger", int) == "secret_unknown"
    made = open_source(known, Secret(b"postgresql://127.0.0.1/x"), "ledger", int)
    assert made.describe().kind == "postgres"
    assert made._settings["connections"] == 3


def test_every_kind_is_held_to_the_one_suite_and_fails_it_when_it_does_not_drop():
    root, guide = Path(__file__).parents[2], Path(__file__).parents[2] / "docs" / "guide" / "targets.md"
    assert HELD.keys() == KINDS.keys() | {"static"}
    for kind, place in HELD.items():
        said = (root / place).read_text(encoding="utf-8")
        assert ".holds()" in said, kind
        assert "fails_where_it_must(" in said, kind
        assert place in guide.read_text(encoding="utf-8"), f"the guide does not say where {kind} was shown"
