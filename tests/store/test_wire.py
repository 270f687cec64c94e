import signal
import time

import pytest

from remit.store.opening import open_db
from remit.store.wire import POLL_S, SILENT
from tests.kit.nouns import code
from tests.kit.postgres import Postgres


@pytest.fixture
def mute():
    """A server that a test may stop."""
    made = Postgres()
    yield made
    made.close()


def test_a_server_that_falls_silent_is_given_up_in_time(mute):
    db = open_db(mute.fresh())
    mute.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert code(db.all, "SELECT 1") == "store_failed"
        assert time.monotonic() - began < POLL_S * SILENT + 20
        assert not db.usable
    finally:
        mute.send(signal.SIGCONT)
    db.reopen()
    assert db.all("SELECT 1") == [(1,)]
    db.close()
