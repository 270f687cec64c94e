"""A proposal of less, made from what a world's tasks really used."""

from remit.control import policy
from remit.control import rightsize as sizes
from remit.core.rightsize import Support
from tests.kit.world import COMMON


def used(asks, *names):
    """Two tasks of whoever `asks` that read these notes, under policies that let them."""
    asks.site.act(lambda c: policy.apply(c, {"common": COMMON, "delegated": {}, "own": {}}, 2, "operator"))
    for _ in range(2):
        _, entry = asks.opened()
        for name in names:
            assert asks.allowed(f"/notes/{name}", entry)


def offered(change, brief="notes"):
    """What is proposed of a brief, written down for people to answer."""
    db = change.db
    few = Support(calls=1, tasks=1, days=1)
    found, _ = sizes.look(db, 0, few, brief=brief)
    return sizes.offer(change, found[0], "operator")
