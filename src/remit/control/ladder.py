"""The ladder: how good the credentials of each target are, and what an end of one truly does there.

Each source says it of itself, opened with its own settings; nothing is asked of the target. A resource without a source
lends a stored secret, if any. What an agent holds by itself stands on the lowest rung, and no record here knows of it:
`remit scan` finds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from remit.control.authority import Authority
from remit.control.resource import SECRETS
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lease import Lease
from remit.core.resource import Resource
from remit.custody.source import Description, Rung
from remit.custody.sources.opening import open_source
from remit.custody.sources.static import STANDING
from remit.store.record import Reader


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one target stands. `said` is None where its source cannot be opened; `trouble` says why."""

    resource: str
    said: Description | None
    trouble: str = ""

    @property
    def rung(self) -> str:
        """The rung's name; empty where it is not known."""
        return self.said.rung.value if self.said else ""

    @property
    def does(self) -> str:
        """What a drop truly does there, in the source's own words."""
        return self.said.says if self.said else self.trouble

    def to_json(self) -> dict[str, Json]:
        """Write it; `takes_back` is whether the target ends what was lent before its time, and proves it."""
        takes = self.said.revocable if self.said else False
        return {
            "rung": self.rung,
            "takes_back": takes,
            "says": self.does,
            "shown": self.said.shown if self.said else "",
        }


def standing(authority: Authority, resource: Resource) -> Standing | None:
    """Where this target stands; None when nothing is lent there at all."""
    if resource.minting is None:
        return Standing(resource.name, STANDING) if resource.injections else None
    name = resource.minting.secret
    try:
        secret = authority.lending.get(SECRETS, name) if name else None
        source = open_source(resource, secret, authority.name, authority.clock.now)
    except RemitError as fault:
        return Standing(resource.name, None, fault.message)
    try:
        return Standing(resource.name, source.describe())
    finally:
        source.close()


def ladder(authority: Authority, reader: Reader) -> list[Standing]:
    """Every target where something is lent, those on the best rung first."""
    found = [standing(authority, one) for one in reader.where(Resource, "state = 'active'")]
    order = [rung.value for rung in Rung]
    there = [one for one in found if one is not None]
    return sorted(there, key=lambda one: (order.index(one.rung) if one.rung else len(order), one.resource))


def of_leases(authority: Authority, reader: Reader, found: Iterable[Lease]) -> dict[str, Standing]:
    """Where the target of each of these leases stands, by the lease's id."""
    places: dict[str, Standing | None] = {}
    told = {}
    for one in found:
        if one.resource not in places:
            resource = reader.get(Resource, one.resource)
            places[one.resource] = standing(authority, resource) if resource else None
        place = places[one.resource]
        if place is None or (place.said is not None and place.said.kind != one.kind):
            place = Standing(one.resource, None, "The source that minted it is not registered here any more.")
        told[one.id] = place
    return told


def told(one: Lease, place: Standing) -> dict[str, Json]:
    """What is said of a lease beside its record: its name at the target, and what an end of it does there."""
    return {"name": one.name, **place.to_json()}
