"""Freshness: how long ago the person signed in, the agent proved itself and its owner was seen, held to the brief.

Each limit is a brief's; without one nothing is looked at. Of owners the one seen longest ago counts, of the agent and
of each agent above. Past a limit the call is refused until that one thing is
renewed: a new sign-in, a new attestation, an owner who is seen again. The task goes on.
"""

from collections.abc import Sequence

from remit.core.answer import Deny
from remit.core.attestor import Binding
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import Record
from remit.core.session import Session
from remit.core.trust import TrustPath


class Freshness(Record, frozen=True, kw_only=True):
    """Milliseconds that each may be old, 0 for no limit; `acr` are the ways of signing in that count, none for any."""

    person: int = 0
    agent: int = 0
    owner: int = 0
    acr: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.person, self.agent, self.owner) < 0 or any(not 0 < len(one) <= 255 for one in self.acr):
            raise RemitError(
                "brief_invalid",
                "This brief was refused. What must be fresh is out of range.",
                "Give milliseconds from 0, and acr as your identity provider writes it.",
            )

    @property
    def of_person(self) -> bool:
        """Whether the person's sign-in is looked at."""
        return bool(self.person or self.acr)


def attested(credential: Credential, givers: Sequence[Credential], bindings: Sequence[Binding]) -> Deny | None:
    """Refuse what an agent was given by an attestation that it is no longer known by (law 1)."""
    wanted = [(one.binding, one.agent) for one in (credential, *givers) if one.binding]
    if not wanted:
        return None
    active = {(one.id, one.agent) for one in bindings if one.state == "active"}
    if all(one in active for one in wanted):
        return None
    return Deny("attestation_ended", "What this agent proved itself by counts no more.", "Prove it anew.")


def stale(
    fresh: Freshness,
    credential: Credential,
    givers: Sequence[Credential],
    sessions: Sequence[Session],
    owner_seen: Instant,
    now: Instant,
) -> Deny | None:
    """Refuse what is older than the brief allows."""
    if fresh.agent and any(now - one.attested >= fresh.agent for one in (credential, *givers)):
        return Deny(
            "agent_stale", "This agent proved itself too long ago.", "Ask for a new credential, proving it anew."
        )
    if fresh.owner and now - owner_seen >= fresh.owner:
        return Deny(
            "owner_stale", "This agent's owner was not seen lately.", "Its owner can confirm that they are here."
        )
    if not fresh.of_person or credential.path is not TrustPath.DELEGATED:
        return None
    signs = [(credential.signed_in, credential.strength)]
    signs += [(one.auth_time, one.acr) for one in sessions if one.state == "open" and now < one.until]
    sure = [at for at, acr in signs if not fresh.acr or acr in fresh.acr]
    if not sure:
        return Deny(
            "person_weak", "The person did not sign in as surely as the brief wants.", "Ask them to sign in so."
        )
    if fresh.person and now - max(sure) >= fresh.person:
        return Deny("person_stale", "The person signed in too long ago.", "Ask them to sign in again.")
    return None
