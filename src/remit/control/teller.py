"""Teller: pushes the events of one stream to its receiver (RFC 8935), as a messenger tells a hook."""

from dataclasses import dataclass
from pathlib import Path

from remit.control import stream as streams
from remit.control.messenger import Due, Hook, Messenger
from remit.control.stream import Receiver
from remit.core.principal import Service
from remit.custody.secevent import TYPE, issue
from remit.custody.signer import Signer
from remit.store import log
from remit.store.record import Reader


@dataclass(frozen=True, slots=True)
class Ear(Hook):
    """Where a receiver hears, and what its place is kept under."""

    place: str = ""

    @property
    def name(self) -> str:
        """What it is called in the store."""
        return self.place


class Teller(Messenger):
    """Goes to one receiver. Owned by whoever serves; one thread at a time uses it."""

    def __init__(self, place: Path | str, receiver: Receiver, issuer: str, signer: Signer) -> None:
        super().__init__(place, Ear(receiver.push, b"", receiver.private, receiver.name), issuer)
        self._receiver, self._signer = receiver, signer

    def next(self, after: int) -> Due:
        """The first event after this entry, as far as one go reads; what comes while it is paused waits."""
        db = self._aside.reading()
        end, reader = log.newest(db).size, Reader(db)
        service = next((one for one in reader.where(Service) if one.name == self._receiver.service), None)
        live = service is not None and service.state == "active"
        found = streams.of(reader, service.id) if live and service is not None else None
        if found is None or found.state == "disabled" or not found.push:
            return Due(-1, "", b"", max(after, end - 1) if found is None or found.push else after)
        if found.state == "paused":
            return Due(-1, "", b"", after)
        after = max(after, found.since - 1)
        stop = min(after + 1 + streams.PART, end)
        for one in streams.pending(db, found, self._receiver, self._issuer, after, stop):
            text = issue(one.told.payload, self._signer, self._receiver.algorithm)
            return Due(one.leaf, one.told.jti, text.encode(), one.leaf)
        return Due(-1, "", b"", max(after, stop - 1))

    def headers(self, due: Due, at: int) -> dict[str, str]:  # noqa: ARG002 - nothing of it changes with the time
        """What is sent along."""
        said = {"content-type": f"application/{TYPE}", "accept": "application/json"}
        given = self._receiver.authorization.decode("latin-1")
        return said | ({"authorization": given} if given else {})
