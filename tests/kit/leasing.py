"""Leases of a world as records alone: what a page or an address says of them, without a target."""

from remit.control import lease as leases
from remit.control import resource
from remit.core.record import changed
from remit.core.resource import Minting, Resource
from remit.core.trust import TrustPath
from remit.custody.secret import Secret

AWS = {"role": "arn:aws:iam::123456789012:role/agents", "region": "eu-west-1"}
AWS |= {f"allow.{kind}": "s3:GetObject arn:aws:s3:::reports/*" for kind in ("read_note", "write_note", "wipe")}
"""A source that cannot take back, and needs no driver."""


def minted_at(act, kind="aws", settings=None, name="notes"):
    """Let leases be made at a resource of the world, by this source."""
    act(lambda c: resource.put_secret(c, "broker", Secret(b"AKIAEXAMPLE:secret-of-the-broker")))
    minting = Minting(kind=kind, secret="broker", settings=AWS if settings is None else settings)
    act(lambda c: resource.mint_at(c, name, minting, "operator"))


def lent(act, task, path=TrustPath.OWN, name="notes"):
    """A lease of this task, as if its mint had come to be."""

    def work(change):
        one = leases.need(change, task, change.need(Resource, name), path)
        return leases.activate(change, one.id, one.until, Secret(b"minted"))

    return act(work)


def irrevocable(act, one, trouble="The target cannot take it back; it ends there by itself."):
    """The same, ended, and known to be beyond what its target takes back."""
    act(lambda c: leases.end(c, "revoked", "operator", lease=one.id))
    return act(lambda c: leases.stuck(c, one.id, trouble, irrevocable=True))


def left_by(act, kind, settings=None, name="notes"):
    """A source that is another one by now than that of leases which still stand, as an older store may hold it."""

    def work(change):
        one = change.need(Resource, name)
        minting = Minting(kind=kind, secret="broker", settings=settings or {})
        return change.record("resource.changed", changed(one, minting=minting), "operator")

    act(work)
