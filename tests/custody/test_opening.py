"""Opening a source by its kind."""

from remit.core.record import changed
from remit.core.resource import Minting
from remit.custody.sources.opening import open_source
from tests.kit.nouns import code, resource


def test_a_kind_that_nobody_knows_is_refused():
    unknown = changed(resource(), minting=Minting(kind="nonsense"))
    assert code(open_source, unknown, None, "ledger") == "source_unknown"
    assert code(open_source, resource(), None, "ledger") == "source_unknown"
