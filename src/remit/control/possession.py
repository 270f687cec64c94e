"""Possession: whether whoever shows a credential holds the key that it is bound to (RFC 9449, RFC 8705 section 3).

What is proved here is pure; that a proof counts once is made true by `Ticket.spend` in the transaction that decides.
"""

import hmac
from typing import Final, final

from remit.control.authority import Authority
from remit.control.change import Change
from remit.core.answer import Deny
from remit.core.moment import Instant
from remit.core.permit import Manner
from remit.custody import nonce
from remit.custody.jws import TokenRefusal
from remit.custody.proof import Proof, verify_proof
from remit.store import payload

USED: Final = Deny("proof_used", "This DPoP proof was used before.", "Make a new proof for each request.")
LATE: Final = Deny("proof_time", "This DPoP proof is too old.", "Make a new proof for each request.")
ERRORS: Final = {"proof_time": "use_dpop_nonce", "proof_nonce": "use_dpop_nonce", "possession_missing": "invalid_token"}
"""The OAuth error of each reason that is not `invalid_dpop_proof`."""


@final
class Ticket:
    """One good proof, to be used up by the first decision of its request; the request's other decisions share it.

    Owned by the request that it came with, on the gate's one thread.
    """

    __slots__ = ("_kept", "_within", "proof")

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self._within: Change | None = None
        self._kept = False

    def spend(self, change: Change) -> Deny | None:
        """Use the proof up in this transaction, whatever it decides; say why it does not count, if it does not."""
        if self._kept or self._within is change:
            return None
        self._within = None
        if change.now >= self.proof.until:
            # Spent ids are forgotten after that, so a clock that went back must not make it young again.
            return LATE
        if not spend(change, self.proof):
            return USED
        self._within = change
        return None

    def kept(self) -> None:
        """The transaction that used it up has committed."""
        self._kept = self._within is not None


def spend(change: Change, proof: Proof) -> bool:
    """Use up a proof, in the transaction that it is for; False when it was used before, at whatever node."""
    change.keep()
    return payload.spend(change.db, "dpop", f"{proof.thumb} {proof.id}", proof.until)


def prove(
    authority: Authority, bound: tuple[str, str], token: str, manner: Manner, now: Instant
) -> Ticket | TokenRefusal | None:
    """Hold what came with a credential against what it is bound to; None when there is nothing to use up.

    `bound` are the key's thumbprint and the certificate's digest, of which one at most is not empty. Refuses a bound
    one without its proof, whatever the scheme, and a proof with an unbound one: what a client takes for bound must
    never count as a bearer credential (RFC 9449 section 7.2).
    """
    thumb, certificate = bound
    if thumb:
        if manner.scheme != "dpop" or len(manner.proofs) != 1:
            return _missing("This credential is bound to a key, and no single proof of it came along.")
        found = proof_of(authority, manner, now, token)
        if isinstance(found, TokenRefusal):
            return found
        if not hmac.compare_digest(found.thumb, thumb):
            return TokenRefusal("proof_other_key", "This DPoP proof is by another key than the credential's.")
        return Ticket(found)
    if manner.scheme != "bearer" or manner.proofs:
        return TokenRefusal("proof_unbound", "This credential is bound to no key, so no proof can go with it.")
    if certificate and not hmac.compare_digest(manner.certificate, certificate):
        return _missing("This credential is bound to a certificate, which this connection did not show.")
    return None


def proof_of(authority: Authority, manner: Manner, now: Instant, token: str = "") -> Proof | TokenRefusal:
    """Check the one proof that came; a nonce in it is held against ours, and asked for where the settings say so."""
    if len(manner.proofs) != 1:
        return TokenRefusal("dpop_proof_invalid", "One DPoP header is sent, not several.")
    return verify_proof(
        manner.proofs[0],
        method=manner.method,
        url=manner.url,
        now=now,
        token=token,
        nonces=authority.signer,
        required=authority.nonce_required,
    )


def offered(authority: Authority, now: Instant, proof: Proof | None = None) -> str:
    """The nonce for the client's next proof; empty when the one in this proof is still good for that.

    Nothing is offered to a client that needs none.
    """
    if proof is not None and not authority.nonce_required and not proof.nonce:
        return ""
    if proof is not None and proof.nonce and not nonce.old(proof.nonce, now):
        return ""
    return nonce.give(authority.signer, now)


def error(code: str) -> str:
    """The OAuth error of a refusal of possession: `use_dpop_nonce`, `invalid_token` or `invalid_dpop_proof`."""
    return ERRORS.get(code, "invalid_dpop_proof")


def _missing(what: str) -> TokenRefusal:
    return TokenRefusal("possession_missing", what)
