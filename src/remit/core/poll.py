"""Polling for security events (RFC 8936): what is asked for next, what an answer holds, what may be acknowledged. Pure.

An event is acknowledged once what it ends has ended; until then it is told again, however often we stop and start.
"""

from dataclasses import dataclass, field
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError

MOST: Final = 50
"""Events that are asked for at once."""
TAKEN: Final = 200
"""Events of one answer that are looked at; the rest comes again."""
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
KEY: Final = "private_key_jwt"
PROOFS: Final = (BASIC, POST, KEY)
"""How we prove ourselves as a client at a transmitter's token endpoint."""
FIRST_MS: Final = 2_000
LONGEST_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a transmitter answers: events by their `jti`, and whether there are more."""

    sets: dict[str, str]
    more: bool


@dataclass(slots=True)
class Round:
    """One poll after another. Owned by whoever polls one transmitter; what is not acknowledged yet lies here alone."""

    acks: list[str] = field(default_factory=list)
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)

    def request(self, *, wait: bool) -> dict[str, Json]:
        """The body of the next poll (section 2.4): it says what is done with, and may wait when nothing is."""
        said: dict[str, Json] = {"maxEvents": MOST, "returnImmediately": not wait}
        if self.acks:
            said["ack"] = list(self.acks)
        if self.wrong:
            said["setErrs"] = {name: {"err": err, "description": what} for name, (err, what) in self.wrong.items()}
        return said

    @property
    def owes(self) -> bool:
        """Whether there is something to say."""
        return bool(self.acks or self.wrong)

    def took(self) -> None:
        """The transmitter has answered, so it knows what was said."""
        self.acks.clear()
        self.wrong.clear()

    def done(self, name: str) -> None:
        """What this event ends has ended: do not tell it again."""
        self.acks.append(name)

    def refused(self, name: str, err: str, what: str) -> None:
        """This can never be taken: do not tell it again."""
        self.wrong[name] = (err, what)


def answer(said: Json) -> Answer:
    """Read an answer (section 2.5; `poll_invalid`). What it holds beyond what we look at is told again."""
    sets = said.get("sets") if isinstance(said, dict) else None
    more = said.get("moreAvailable", False) if isinstance(said, dict) else None
    if (
        not isinstance(sets, dict)
        or not isinstance(more, bool)
        or not all(isinstance(one, str) for one in sets.values())
    ):
        raise RemitError(
            "poll_invalid", "This is no answer of RFC 8936.", "Point url at the poll endpoint of the stream."
        )
    found = {str(name): str(text) for name, text in list(sets.items())[:TAKEN]}
    return Answer(found, more or len(sets) > TAKEN)


def again(tries: int) -> int:
    """Milliseconds until the next try after this many in vain: twice as long each time, five minutes at most."""
    return min(LONGEST_MS, FIRST_MS << min(tries, 16))
