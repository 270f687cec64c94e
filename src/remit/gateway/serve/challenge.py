"""What a gate says to whoever shows no credential that counts: RFC 6750, RFC 9449 section 7.1 and RFC 9728, pure."""

from typing import Final

from remit.core.answer import Deny
from remit.core.permit import Unknown

CERTIFICATE: Final = "remit.certificate"
"""Where the listener puts the digest of the client's certificate (RFC 8705 `x5t#S256`) in a request's scope."""
SHOWING: Final = ("credential_", "proof_")
"""How the codes begin of what is wrong with the showing of a credential, whatever the call."""
ALGORITHMS: Final = "ES256 EdDSA RS256"


def challenges(place: str, why: Unknown | Deny | None) -> list[tuple[bytes, bytes]]:
    """The fields of a 401: one challenge, in the words of DPoP when a proof was wrong, else of a bearer token.

    `place` is where the resource's metadata are, which say that DPoP is taken: there are clients that read the first
    challenge only, or the last. A nonce for the client's next proof goes along.
    """
    error, nonce = _error(why), why.nonce if isinstance(why, Unknown) else ""
    where = f'resource_metadata="{place}"' if place else ""
    said = f'error="{error}"' if error else ""
    proving = error in ("invalid_dpop_proof", "use_dpop_nonce")
    parts = (where, said, f'algs="{ALGORITHMS}"' if proving else "")
    text = f"{'DPoP' if proving else 'Bearer'} {', '.join(part for part in parts if part)}"
    found = [(b"www-authenticate", text.strip().encode("latin-1", "replace"))]
    if nonce:
        found.append((b"dpop-nonce", nonce.encode()))
    return found


def _error(why: Unknown | Deny | None) -> str:
    if isinstance(why, Unknown):
        return why.error
    if why is None:
        return ""
    return "invalid_dpop_proof" if why.code.startswith("proof_") else "invalid_token"
