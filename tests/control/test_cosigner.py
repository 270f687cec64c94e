import threading

import pytest

from remit.control.authority import Clock
from remit.control.cosigner import Cosigner, signing_key
from remit.core.errors import RemitError
from remit.custody.root import Root
from remit.custody.secret import Secret
from remit.ledger import cosignature, merkle, note, witness
from remit.store.witness import FILE, KEPT, open_witnessed
from tests.kit.forks import holds, opened
from tests.kit.hours import START, Hours
from tests.kit.nouns import code
from tests.kit.watching import KEY, NAME, PUBLIC, VKEY
from tests.ledger.logs import ORIGIN
from tests.ledger.witnesses import head, log, submission


@pytest.fixture
def kept(tmp_path):
    found = opened(tmp_path / FILE)
    yield found
    found.close()


@pytest.fixture
def cosigner(kept):
    return Cosigner(kept, KEY, Hours().clock())


def add(cosigner, entries, old):
    return cosigner.add(witness.encode(submission(entries, old)))


def test_what_it_answers_is_a_cosignature_of_this_head_at_this_time(cosigner):
    reply = add(cosigner, log(5), 0)
    assert (reply.status, reply.kind) == (200, "text/plain; charset=utf-8")
    assert holds(reply.body, head(log(5)))
    found, _ = cosignature.held(note.parse(head(log(5)) + reply.body), [cosignature.parse_vkey(VKEY)])
    assert found[0].at == START // 1000
    assert cosigner.vkey == VKEY


def test_it_tells_the_size_that_it_holds_to_a_log_that_does_not_know(cosigner):
    add(cosigner, log(5), 0)
    reply = add(cosigner, log(9), 0)
    assert (reply.status, reply.kind, reply.body) == (409, "text/x.tlog.size", b"5\n")
    assert add(cosigner, log(9), 5).status == 200


def test_the_same_head_may_be_cosigned_again_and_a_smaller_one_never(cosigner):
    add(cosigner, log(5), 0)
    assert add(cosigner, log(5), 5).status == 200
    assert add(cosigner, log(4), 4).status == 409
    assert add(cosigner, log(4), 5).status == 400
    assert add(cosigner, log(4), 0).status == 409


def test_a_fork_is_refused_and_kept_as_evidence_and_a_log_that_only_does_not_know_is_not(cosigner, kept):
    add(cosigner, log(5), 0)
    add(cosigner, log(9), 0)
    assert kept.refused(ORIGIN) == []
    assert add(cosigner, log(9, 2), 5).status == 422
    assert add(cosigner, log(5, 2), 5).status == 409
    (_, first, body), (_, second, _) = kept.refused(ORIGIN)
    assert (first, second) == (422, 409)
    assert witness.parse(body).head == head(log(9, 2))
    for _ in range(KEPT + 5):
        add(cosigner, log(9, 2), 5)
    assert len(kept.refused(ORIGIN)) == KEPT


def test_a_log_that_is_not_known_and_bytes_that_are_no_request(cosigner, kept):
    assert kept.distrust(ORIGIN, next(iter(kept.logs()[ORIGIN])))
    assert add(cosigner, log(5), 0).status == 404
    assert cosigner.add(b"").status == 400
    assert cosigner.add(b"old 0\n\nnothing").status == 400
    assert cosigner.counts == {404: 1, 400: 2}


def test_of_two_requests_judged_by_the_same_head_only_one_is_kept(cosigner, kept):
    """The race of the specification: both are judged before either is kept."""
    add(cosigner, log(5), 0)
    other = Cosigner(open_witnessed(kept._store.path), KEY, Hours().clock())
    seen, late = kept.seen, []

    def judged(origin):
        found = seen(origin)
        kept.seen = seen
        late.append(add(other, log(12, 8), 5))
        return found

    kept.seen = judged
    reply = add(cosigner, log(9), 5)
    assert late[0].status == 200
    assert (reply.status, reply.body) == (409, b"12\n")
    assert kept.seen(ORIGIN).tree.root == merkle.root([merkle.leaf_hash(one) for one in log(12, 8)])
    other._kept.close()


def test_many_at_once_cosign_one_tree_of_each_size(cosigner, kept):
    """Connections of their own, as two programs on one file would have; two logs of one name compete."""
    add(cosigner, log(1), 0)
    path, taken, start = kept._store.path, [], threading.Barrier(4)

    def compete(fork):
        mine = open_witnessed(path)
        one = Cosigner(mine, KEY, Hours().clock())
        start.wait()
        for size in range(2, 30):
            entries, held = log(size, fork), mine.seen(ORIGIN).tree.size
            if held <= size and add(one, entries, held).status == 200:
                taken.append((size, fork))
        mine.close()

    threads = [threading.Thread(target=compete, args=(fork,)) for fork in (1, None, 1, None)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken
    assert len({fork for _, fork in taken}) == 1, f"it cosigned both logs: {sorted(taken, key=str)}"


def test_it_starts_only_with_its_own_key_and_file(kept, tmp_path):
    other = signing_key(Root(Secret(bytes(range(1, 33)))))
    assert code(Cosigner, kept, other, Clock()) == "witness_key"
    assert code(open_witnessed, tmp_path / "gone.db") == "witness_lost"
    assert kept.who() == (NAME, PUBLIC)


def test_with_a_clock_that_jumped_nothing_is_cosigned(kept):
    hours = Hours()
    cosigner = Cosigner(kept, KEY, hours.clock())
    hours.jump(60_000)
    with pytest.raises(RemitError) as caught:
        add(cosigner, log(5), 0)
    assert caught.value.code == "clock_jumped"
    assert kept.seen(ORIGIN) is None


def test_the_newest_cosigned_head_is_there_for_whoever_watches(cosigner):
    assert cosigner.newest(witness.digest(ORIGIN)) is None
    add(cosigner, log(5), 0)
    found = cosigner.newest(witness.digest(ORIGIN))
    assert found.startswith(head(log(5)))
    assert holds(found.removeprefix(head(log(5))), head(log(5)))
    assert cosigner.newest("0" * 64) is None


def test_a_root_gives_one_key_for_ever():
    key = signing_key(Root(Secret(bytes(range(32)))))
    public = "60633ef6b454a93c0d73e012eec8df8172e5688886573539f2a4f3468217bc1c"
    assert key.public_key().public_bytes_raw().hex() == public
