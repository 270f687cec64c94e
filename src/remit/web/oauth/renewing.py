"""What codes and refresh tokens share: the client proves itself, the text is used up, the credential is given."""

from collections.abc import Callable

from starlette.requests import Request

from remit.control import renewal
from remit.control.change import Change
from remit.control.credential import Issued
from remit.core.canonical import Json
from remit.core.client import Client
from remit.core.consent import Code, Consent, Refresh
from remit.core.errors import RemitError
from remit.core.task import Plan
from remit.core.trust import TrustPath
from remit.web import proving
from remit.web.intake import Form
from remit.web.oauth import giving
from remit.web.oauth.asking import bound
from remit.web.rate import limit
from remit.web.site import Site

Taking = Callable[[Change, Client, str], Code | Refresh | RemitError]


async def give(site: Site, request: Request, asked: Form, take: Taking) -> dict[str, Json]:
    """Use up what the client holds, and give it what comes next, in one transaction."""
    client = await bound(site, asked)
    limit(site.rates, request, client.client.id)
    if "scope" in asked and not asked["scope"][0].strip():
        raise RemitError("invalid_scope", "A scope, when sent, is not empty.", "Leave scope out.")
    resources = giving.resources_of(site, asked)
    proof = proving.proof(site, request)
    thumb, shown = proof.thumb if proof else "", proving.certificate(request)

    def work(change: Change) -> list[tuple[Issued, str, Plan, Consent] | RemitError]:
        entered = client.enter(change)
        if not proving.once(change, proof):
            return [proving.SPENT]
        one = take(change, entered, renewal.held_by(thumb, shown))
        if isinstance(one, RemitError):
            return [one]
        return [change.part(lambda part: _made(part, entered, one))]

    def _made(change: Change, entered: Client, one: Code | Refresh) -> tuple[Issued, str, Plan, Consent]:
        made, text = renewal.give(change, entered, one, resources, thumb, "" if thumb else shown)
        plan = change.need(Plan, f"{made.credential.task}:{made.credential.plan}")
        giving.scope(asked, plan, TrustPath.DELEGATED)
        return made, text, plan, change.need(Consent, one.consent)

    (given,) = await site.act(client.client.id, work)
    if isinstance(given, RemitError):
        raise given
    made, text, plan, consent = given
    return {**giving.told(site, made, plan, consent.parameters), "refresh_token": text}
