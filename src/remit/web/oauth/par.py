"""`/oauth/par`: a client pushes its request first (RFC 9126), so that it does not pass through the browser's hands.

A DPoP proof that comes along binds the code to its key, as `dpop_jkt` does (RFC 9449 section 10.1).
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control.change import Change
from remit.core.client import answers_at
from remit.core.errors import RemitError
from remit.core.same import same
from remit.web import proving
from remit.web.intake import form
from remit.web.oauth.asking import pushing
from remit.web.oauth.request import PUSHED_LASTS_S, push, understood
from remit.web.problem import NO_STORE, faults
from remit.web.rate import limit
from remit.web.site import Site

PROOF = frozenset({"client_assertion", "client_assertion_type"})


def routes(site: Site) -> list[Route]:
    """The endpoint of pushed requests."""

    async def take(request: Request) -> Response:
        asked = await form(request)
        proved = await pushing(site, asked)
        limit(site.rates, request, proved.client.id)
        if "request_uri" in asked:
            raise RemitError("invalid_request", "A pushed request holds no request_uri.", "Leave it out.")
        said = {name: " ".join(values) for name, values in asked.items() if name not in PROOF and values[0]}
        uri = said.get("redirect_uri") or (proved.client.redirects[0] if len(proved.client.redirects) == 1 else "")
        if not answers_at(proved.client.redirects, uri):
            raise RemitError("invalid_request", "This redirect_uri is not registered.", "Register it, to the letter.")
        proof = proving.proof(site, request)
        if proof is not None and not same(said.setdefault("dpop_jkt", proof.thumb), proof.thumb):
            raise RemitError("invalid_dpop_proof", "dpop_jkt names another key than the proof.", "Name the same key.")
        understood(site, said)
        client_id = said.pop("client_id", "") or (proved.assertion.client if proved.assertion else "")

        def spend(change: Change) -> bool:
            proved.spend(change)
            return proving.once(change, proof)

        if (proved.assertion or proof) is not None and not await site.act(client_id, spend):
            raise proving.SPENT
        body = {"request_uri": push(site, client_id, said), "expires_in": PUSHED_LASTS_S}
        return JSONResponse(body, 201, NO_STORE)

    return [Route("/oauth/par", faults(take), methods=["POST"])]
