"""What can go wrong on the way to an upstream, as a value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.core.errors import RemitError


class Trouble(StrEnum):
    """The codes, as they stand in docs/errors.md."""

    REFUSED = "upstream_refused"
    UNREACHABLE = "upstream_unreachable"
    BUSY = "upstream_busy"
    TIMEOUT = "upstream_timeout"
    CLOSED = "upstream_closed"
    GARBAGE = "upstream_garbage"
    TOO_LARGE = "upstream_too_large"
    LATE = "permit_expired"


_REMEDY: Final = {
    Trouble.REFUSED: "Register the resource with an address that Remit may reach.",
    Trouble.UNREACHABLE: "Check that the upstream runs and that its address and certificate are right.",
    Trouble.BUSY: "Try again later, or raise the connection limit of this upstream.",
    Trouble.TIMEOUT: "Check whether the upstream is overloaded, or raise its time limit.",
    Trouble.CLOSED: "Check the upstream's own log for why it stopped.",
    Trouble.GARBAGE: "Check that the address belongs to an HTTP/1.1 server and that no broken proxy stands before it.",
    Trouble.TOO_LARGE: "Ask the upstream for less at a time.",
    Trouble.LATE: "Nothing to do: the call is decided again; if it recurs, the gate is overloaded.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An exchange that gave no reply.

    `sent` says whether any byte of the request may have reached the upstream: if it is false the call certainly had no
    effect; if it is true the outcome is unknown. `detail` never holds a header value or a body.
    """

    code: Trouble
    sent: bool
    detail: str

    def error(self) -> RemitError:
        """The same as an error, for callers that have no use for `sent`."""
        return RemitError(self.code.value, self.detail, _REMEDY[self.code])
