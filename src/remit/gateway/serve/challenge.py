"""What a gate says to whoever shows no credential that counts: RFC 6750, RFC 9449 section 7.1 and RFC 9728, pure."""

from typing import Final

from remit.core.answer import Deny
from remit.core.permit import Unknown

SHOWING: Final = ("credential_", "proof_")
"""How the codes begin of what is wrong with the showing of a credential, whatever the call."""
ALGORITHMS: Final = "ES256 EdDSA RS256"


def challenges(place: str, why: Unknown | Deny | None) -> list[tuple[bytes, bytes]]:
    """The fields of a 401: a bearer and a DPoP challenge; that scheme first, and alone, which a wrong proof came with.

    `place` is where the resource's metadata are. A nonce for the client's next proof goes along.
    """
    error, nonce = _error(why), why.nonce if isinstance(why, Unknown) else ""
    where = f'resource_metadata="{place}"' if place else ""
    said = f'error="{error}"' if error else ""
    bearer = ", ".join(part for part in (where, said) if part)
    dpop = ", ".join(part for part in (where, said, f'algs="{ALGORITHMS}"') if part)
    proving = error in ("invalid_dpop_proof", "use_dpop_nonce")
    found = [] if proving else [(b"www-authenticate", f"Bearer {bearer}".strip().encode("latin-1", "replace"))]
    found.append((b"www-authenticate", f"DPoP {dpop}".encode("latin-1", "replace")))
    if nonce:
        found.append((b"dpop-nonce", nonce.encode()))
    return found


def _error(why: Unknown | Deny | None) -> str:
    if isinstance(why, Unknown):
        return why.error
    if why is None:
        return ""
    return "invalid_dpop_proof" if why.code.startswith("proof_") else "invalid_token"
