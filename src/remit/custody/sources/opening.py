"""Opening a source by its kind: what it needs is imported only then, since each kind has a driver of its own."""

from typing import Final

from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.custody.secret import Secret
from remit.custody.source import Source

KINDS: Final[dict[str, str]] = {}
"""The kinds of sources, and the extra that brings each one's driver."""


def open_source(resource: Resource, secret: Secret | None, owner: str) -> Source:
    """Open the source of a resource whose credentials are minted. `owner` is the ledger whose names it may end.

    Refuses a kind that is not known (`source_unknown`) and one whose driver is not installed (`driver_missing`).
    """
    del secret, owner
    kind = resource.minting.kind if resource.minting else ""
    raise RemitError("source_unknown", f"There is no source of the kind {kind!r}.", f"Use one of {', '.join(KINDS)}.")
