"""Opening a source by its kind."""

from remit.core.record import changed
from remit.core.resource import Minting
from remit.custody.secret import Secret
from remit.custody.sources.opening import open_source
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
