"""Who asks at `/v1`: an operator, a person or an agent; and whether a credential of ours still stands."""

import hashlib
from dataclasses import dataclass

from starlette.requests import Request

from remit.control import login, possession, principal, signal
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import b64
from remit.core.consent import Consent
from remit.core.credential import Credential, PathGate
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.task import Task
from remit.custody.assertion import claimed
from remit.custody.jws import TokenRefusal
from remit.custody.token import verify
from remit.store import payload
from remit.store.facts import actors_of, ancestors
from remit.store.record import Reader
from remit.web import proving
from remit.web.issuers import Known
from remit.web.site import Site

OPERATOR = "operator"
SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `kind` is operator, person or agent. `task` is an agent's own, and the only one it can see."""

    kind: str
    id: str
    task: str = ""
    credential: str = ""

    def only(self, *kinds: str) -> "Caller":
        """Refuse a caller of another kind (`forbidden`)."""
        if self.kind not in kinds:
            raise RemitError(
                "forbidden", f"This is not for a caller of the kind {self.kind}.", f"Ask as {' or '.join(kinds)}."
            )
        return self

    def enter(self, change: Change) -> None:
        """Check again, in the transaction that acts, that the caller still stands (`unauthenticated`)."""
        if self.kind == "person" and change.need(Person, self.id).state != "active":
            raise _unknown("This person is no longer here.")
        if self.kind == "agent" and not stands(change.reader, change.need(Credential, self.credential), change.now):
            raise _unknown("This credential has ended.")

    def sees(self, task: Task) -> bool:
        """Say whether a task is the caller's business; to all others it does not exist."""
        if self.kind == "operator":
            return True
        return task.id == self.task if self.kind == "agent" else self.id in (task.requester, task.person)


async def caller(site: Site, request: Request) -> Caller:
    """Who asks: an admin token, a person's ID token or an agent's own credential (`unauthenticated`).

    Found once for each request: a proof counts no second time.
    """
    found: Caller | None = getattr(request.state, "caller", None)
    if found is None:
        found = request.state.caller = await _caller(site, request)
    return found


async def _caller(site: Site, request: Request) -> Caller:
    header = request.headers.get("authorization", "")
    scheme, _, text = header.partition(" ")
    if operator(site, header):
        return Caller("operator", OPERATOR)
    if scheme.lower() not in ("bearer", "dpop") or not text or len(request.headers.getlist("authorization")) != 1:
        raise _unknown("Nobody is signed in.")
    one = ours(site, text)
    if one is not None:
        await _possessed(site, request, one, text, scheme.lower())
        if not stands(site.reader(), one, site.now()):
            raise _unknown("This credential has ended.")
        return Caller("agent", one.agent, one.task, one.id)
    found = await site.issuers.identify(text, site.now())
    if isinstance(found, TokenRefusal):
        raise _unknown("This token is of nobody known here.")
    if found.may_act is not None or not found.issuer.acts:
        # Agents hold ID tokens to exchange them: in their hands it must not be the person themself.
        raise _unknown("This token is for token exchange alone.")
    try:
        person = site.reader().get(Person, await site.act("sign-in", lambda change: _acting(change, found, text)))
    except RemitError as fault:
        if fault.code == "person_unknown":
            raise _unknown("This person is not known here.") from fault
        raise
    if person is None or person.state != "active":
        raise _unknown("This person is not here any more.")
    return Caller("person", person.id)


def operator(site: Site, header: str) -> bool:
    """Say whether an Authorization header carries an admin token that stands."""
    scheme, _, text = header.partition(" ")
    return scheme.lower() == "bearer" and login.stands(site.reader(), text, "token", site.now()) is not None


def ours(site: Site, text: str) -> Credential | None:
    """The credential of a genuine, unexpired token of ours, whatever became of it since; else None."""
    said = claimed(text)
    aud = None if isinstance(said, TokenRefusal) else said.get("aud")
    if not isinstance(aud, list) or not aud or not isinstance(aud[0], str):
        return None
    found = verify(text, issuer=site.authority.issuer, audience=aud[0], now=site.now(), keys=site.authority.signer)
    return None if isinstance(found, TokenRefusal) else site.reader().get(Credential, found.id)


def stands(reader: Reader, one: Credential, now: Instant) -> bool:
    """Say whether a credential still counts: it, its agent, path, task, plan and every task above."""
    now_is = reader.get(Credential, one.id)
    task, agent = reader.get(Task, one.task), reader.get(Agent, one.agent)
    gate, above = reader.get(PathGate, one.path.value), ancestors(reader, task) if task else None
    if now_is is None or now_is.state != "active" or now >= one.expires or task is None or above is None:
        return False
    if agent is None or agent.state != "active" or gate is None or gate.state != "open" or one.issued <= gate.since:
        return False
    if one.subject.startswith("per_"):
        person = reader.get(Person, one.subject)
        if person is None or person.state != "active":
            return False
    consent = reader.get(Consent, task.consent) if task.consent else None
    if task.consent and (consent is None or consent.state != "live"):
        return False
    return task.plan == one.plan and all(each.state == "open" and now < each.deadline for each in (task, *above))


def counts(reader: Reader, one: Credential, now: Instant) -> bool:
    """Say whether a credential stands and a gate would heed it: its brief is in force, and no agent's review is due."""
    task = reader.get(Task, one.task) if stands(reader, one, now) else None
    above = ancestors(reader, task) if task else None
    if task is None or above is None:
        return False
    actors, brief = actors_of(reader, (task, *above)), reader.get(Brief, task.brief)
    due = any(each.state != "active" or now >= each.review_due for each in actors)
    return not due and len(actors) == len(above) + 1 and brief is not None and brief.state == "live"


async def _possessed(site: Site, request: Request, one: Credential, text: str, scheme: str) -> None:
    """A bound credential comes with a proof of its key, which counts once; it is never taken as a plain bearer."""
    now = site.now()
    found = possession.prove(
        site.authority, (one.thumb, one.certificate), text, proving.manner(site, request, scheme), now
    )
    if isinstance(found, TokenRefusal):
        if possession.error(found.code) == "invalid_token":
            raise _unknown(found.what)
        raise proving.refused(site, request, found)
    if found is not None:
        proving.offer(request, possession.offered(site.authority, now, found.proof))
        if await site.act(one.agent, found.spend) is not None:
            raise proving.SPENT


def _unknown(why: str) -> RemitError:
    return RemitError("unauthenticated", why, "Send Authorization: Bearer with a token that counts here.")


def known(change: Change, person: Known) -> str:
    """The id of a proved person: known, or taken in when the issuer's settings say so; groups as the token says."""
    identity = person.identity
    found = payload.person_at(change.db, identity.issuer, identity.subject)
    if found is None and not person.issuer.auto_register:
        raise RemitError("person_unknown", "This person is not known here.", "Ask the operator to add them.")
    if found is not None and signal.since(change, found) > identity.issued:
        raise RemitError("person_unknown", "What was told of this person ended this token.", "Let them sign in again.")
    unsaid = identity.groups is None and person.issuer.userinfo
    if found is not None and (unsaid or not person.issuer.groups):
        return found
    # Groups that no brief could name are left out; they cannot matter.
    groups = tuple(one for one in identity.groups or () if _named(one))
    by = found or "issuer"
    return principal.add_person(
        change, identity.issuer, identity.subject, identity.name or identity.subject, groups, by, identity.issued
    ).id


def _acting(change: Change, person: Known, text: str) -> str:
    """The person whose own token this is: one that an agent showed for exchange is in that agent's hands."""
    if payload.spent(change.db, SHOWN, shown(text)):
        raise RemitError("person_unknown", "An agent has shown this token.", "Let the person sign in again.")
    return known(change, person)


def shown(text: str) -> str:
    """What a token that an agent showed is remembered by: its signed part, which has one spelling."""
    return b64(hashlib.sha256(text.rpartition(".")[0].encode()).digest())


def _named(group: str) -> bool:
    return (
        len(group) <= 63
        and group.isascii()
        and group[0].isalnum()
        and all(c.islower() or c.isdigit() or c == "-" for c in group)
    )
