import pytest

from remit.control.cosigner import Cosigner
from remit.ledger import witness
from remit.store.witness import FILE
from remit.web.witness import build
from tests.kit.forks import holds, opened
from tests.kit.hours import Hours
from tests.kit.site import ask, serving
from tests.kit.watching import KEY, VKEY
from tests.ledger.logs import ORIGIN
from tests.ledger.witnesses import head, log, submission


@pytest.fixture
def made(tmp_path):
    hours = Hours()
    kept = opened(tmp_path / FILE)
    with serving(build(Cosigner(kept, KEY, hours.clock()))) as (url, _):
        yield url, hours
    kept.close()


def add(url, entries, old, **members):
    return ask(f"{url}/add-checkpoint", "POST", witness.encode(submission(entries, old, **members)))


def test_each_answer_of_the_protocol(made):
    url, _ = made
    first = add(url, log(5), 0)
    assert (first.status, first.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert holds(first.body, head(log(5)))
    stale = add(url, log(9), 0)
    assert (stale.status, stale.headers["content-type"], stale.body) == (409, "text/x.tlog.size", b"5\n")
    assert add(url, log(9, 3), 5).status == 422
    assert add(url, log(5, 3), 5).status == 409
    assert add(url, log(3), 5).status == 400
    assert add(url, log(9), 5, origin="other.example/log").status == 404
    assert add(url, log(9), 5).status == 200


def test_what_is_no_request_is_refused(made):
    url, _ = made
    assert ask(f"{url}/add-checkpoint", "POST", b"").status == 400
    assert ask(f"{url}/add-checkpoint", "POST", b"x" * (witness.LONGEST + 1)).status == 400
    assert ask(f"{url}/add-checkpoint").status == 405
    assert ask(f"{url}/v1/status").status == 404


def test_what_was_cosigned_last_is_there_for_everyone(made):
    url, _ = made
    place = f"{url}/{witness.digest(ORIGIN)}/checkpoint"
    assert ask(place).status == 404
    add(url, log(5), 0)
    found = ask(place)
    assert found.status == 200
    assert holds(found.body.removeprefix(head(log(5))), head(log(5)))
    assert ask(f"{url}/healthz").json == {"status": "alive", "key": VKEY}
    assert b'remit_witness_answers_total{status="200"} 1' in ask(f"{url}/metrics").body


def test_with_a_clock_that_jumped_it_answers_that_it_cannot(made):
    url, hours = made
    hours.jump(60_000)
    answer = add(url, log(5), 0)
    assert answer.status == 503
    assert b"clock_jumped" in answer.body
