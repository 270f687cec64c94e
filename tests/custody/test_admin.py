"""Admin connections: kept while they are in order, never after a fault, and none after the end."""

import threading

import pytest

from remit.custody.sources.admin import KEPT, Admins


class Held:
    """What opens, answers and shuts, by number."""

    def __init__(self):
        self.opened, self.shut, self.mute = 0, [], set()
        self.admins = Admins(self._open, lambda one: one not in self.mute, self.shut.append)

    def _open(self):
        self.opened += 1
        return self.opened


def test_one_that_is_in_order_is_used_again_and_one_that_faulted_or_is_mute_is_not():
    held = Held()
    for _ in range(3):
        with held.admins.one() as conn:
            assert conn == 1
    for fault in (ValueError, KeyboardInterrupt):
        with pytest.raises(fault), held.admins.one():
            raise fault
    assert (held.opened, held.shut) == (2, [1, 2])
    with held.admins.one() as conn:
        assert conn == 3
    held.mute.add(3)
    with held.admins.one() as conn:
        assert conn == 4
    assert held.shut == [1, 2, 3]


def test_as_many_are_kept_as_may_work_at_once_and_none_after_the_end():
    held, ready, go = Held(), threading.Barrier(KEPT + 3), threading.Event()

    def work():
        with held.admins.one():
            ready.wait(20)
            assert go.wait(20)

    threads = [threading.Thread(target=work) for _ in range(KEPT + 2)]
    for one in threads:
        one.start()
    ready.wait(20)
    go.set()
    for one in threads:
        one.join(20)
    assert (held.opened, len(held.shut)) == (KEPT + 2, 2)
    with held.admins.one():
        held.admins.close()
    assert len(held.shut) == KEPT + 2
    assert len(set(held.shut)) == KEPT + 2
