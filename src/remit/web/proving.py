"""What a request shows beside a token: DPoP proofs (RFC 9449) and the certificate of its connection (RFC 8705)."""

from typing import Final

from starlette.requests import Request

from remit.control import possession
from remit.control.change import Change
from remit.control.credential import BY_CERTIFICATE
from remit.core.errors import RemitError
from remit.core.permit import Manner
from remit.custody.jws import TokenRefusal
from remit.custody.proof import Proof
from remit.web.site import Site

CERTIFICATE: Final = "remit.certificate"
"""Where the listener puts the digest of the client's certificate (RFC 8705 `x5t#S256`) in a request's scope."""
DER: Final = "remit.certificate.der"
CHAIN: Final = "remit.certificate.chain"
"""The certificates between it and a root, in DER, as far as the client or a proxy sent any."""
ISSUERS: Final = "remit.certificate.issuers"
"""The digests of those that TLS itself found to vouch for it, up to the root."""
NONCE: Final = "dpop_nonce"
SPENT: Final = RemitError(
    "invalid_dpop_proof", "This DPoP proof was used before.", "Make a new proof for each request."
)


def manner(site: Site, request: Request, scheme: str = "bearer") -> Manner:
    """How this request shows a credential."""
    return Manner(
        scheme=scheme,
        proofs=tuple(request.headers.getlist("dpop")),
        method=request.method,
        url=f"{site.authority.issuer}{request.url.path}",
        certificate=certificate(request),
    )


def certificate(request: Request) -> str:
    """The digest of the certificate that this request's connection showed (RFC 8705 `x5t#S256`); empty without."""
    found: str = request.scope.get(CERTIFICATE, "")
    return found


def held(request: Request) -> str:
    """What a credential is bound to when no key was proved: the connection's certificate, marked as one; or nothing."""
    digest = certificate(request)
    return f"{BY_CERTIFICATE}{digest}" if digest else ""


def proof(site: Site, request: Request) -> Proof | None:
    """The key that a credential is to be bound to, when the client proves one (RFC 9449 section 5).

    Refuses a proof that is none (`invalid_dpop_proof`), or lacks a good nonce or a right clock (`use_dpop_nonce`).
    """
    if "dpop" not in request.headers:
        return None
    now = site.now()
    found = possession.proof_of(site.authority, manner(site, request), now)
    if isinstance(found, TokenRefusal):
        raise refused(site, request, found)
    offer(request, possession.offered(site.authority, now, found))
    return found


def refused(site: Site, request: Request, why: TokenRefusal) -> RemitError:
    """The fault of a proof that does not count; the nonce for the next one goes along where that is what it lacks."""
    error = possession.error(why.code)
    if error != "use_dpop_nonce":
        return RemitError("invalid_dpop_proof", why.what, "Make a new proof as RFC 9449 says.")
    offer(request, possession.offered(site.authority, site.now()))
    return RemitError("use_dpop_nonce", why.what, "Make a new proof with the nonce in the DPoP-Nonce header.")


def offer(request: Request, nonce: str) -> None:
    """Have the answer to this request carry a nonce."""
    if nonce:
        setattr(request.state, NONCE, nonce)


def once(change: Change, found: Proof | None) -> bool:
    """Use a proof up, in the transaction that it is for; False when it was used before."""
    return found is None or possession.spend(change, found)
