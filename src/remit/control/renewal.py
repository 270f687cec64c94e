"""Renewal: a code turned into the task's credential, and a refresh token into the next; each text counts once.

A text that comes a second time was stolen, or its thief came first: everything that came of the consent ends, in the
transaction that sees it (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2).
"""

import hashlib
import hmac
from typing import Final

from remit.control import credential, revocation
from remit.control.change import Change
from remit.control.consent import name
from remit.control.credential import BY_CERTIFICATE, Issued, Proved
from remit.core.canonical import b64
from remit.core.client import Client
from remit.core.consent import ONCE, Code, Consent, Refresh
from remit.core.credential import PathGate
from remit.core.errors import RemitError
from remit.core.facts import NEVER
from remit.core.moment import Instant
from remit.core.record import changed
from remit.core.same import same
from remit.core.session import Session
from remit.core.trust import TrustPath
from remit.store import payload

LONGEST: Final = 256
DAY: Final = 24 * 3_600_000


def take(change: Change, client: Client, text: str, redirect: str, verifier: str, thumb: str = "") -> Code | RemitError:
    """Use a code up. A refusal is a value, since what it ends must stay ended.

    A wrong verifier, redirect or key uses the code up too: whoever sent it holds a code that was not theirs.
    """
    code = change.reader.get(Code, name("cod", text)) if 0 < len(text) <= LONGEST else None
    if code is None or code.client != client.id:
        return _refused("This code is not one of this client's.", "Begin the authorization again.")
    if code.state == "ended":
        return _refused("This code is over.", "Begin the authorization again.")
    if code.state != "open" or not payload.spend(change.db, "code", code.id, Instant(code.until + DAY)):
        _stolen(change, code.consent, "its code came a second time")
        return _refused("This code was used before; all that came of it is ended.", "Begin the authorization again.")
    change.record("code.used", changed(code, state=ONCE.after(code.state, "used")), client.agent)
    if change.now >= code.until:
        return _refused("This code is too old.", "Redeem a code within a minute.")
    challenge = b64(hashlib.sha256(verifier.encode()).digest())
    if redirect != code.redirect or not hmac.compare_digest(challenge.encode(), code.challenge.encode()):
        return _refused(
            "The redirect_uri or the code_verifier is not that of this code.", "Begin again, with your own."
        )
    if code.thumb and not same(thumb, code.thumb):
        return _refused("This code is bound to a key that was not proved.", "Begin again, and prove the key you named.")
    return code


def held_by(thumb: str, certificate: str) -> str:
    """What was proved beside a text: a key, a certificate (marked as one), or nothing."""
    return thumb or (f"{BY_CERTIFICATE}{certificate}" if certificate else "")


def again(change: Change, client: Client, text: str, thumb: str) -> Refresh | RemitError:
    """The refresh token of this text, which `give` uses up. A refusal is a value, since what it ends must stay ended.

    `thumb` is what was proved (`held_by`). It is used up with what it gives: who was refused and asks anew is no thief.
    """
    one = held(change, client, text)
    if one is None:
        return _refused("This refresh token is not one of this client's.", "Begin the authorization again.")
    if one.thumb and not same(thumb, one.thumb):
        return _refused(
            "This refresh token is bound to a key that was not proved.", "Prove its key, or show its certificate."
        )
    if one.state == "ended" or change.now >= one.until:
        return _refused("This refresh token is over.", "Begin the authorization again.")
    if one.state != "open":
        _stolen(change, one.consent, "a refresh token came a second time")
        return _refused("This refresh token was used before; its whole family is ended.", "Begin again.")
    return one


def _proved(change: Change, client: Client, consent: Consent) -> Proved:
    """How agent and person proved themselves: a client without a key did not, the person when they signed in."""
    session = change.reader.get(Session, consent.session)
    attested = change.now if client.confidential else NEVER
    if session is None or session.state != "open":
        return Proved(attested)
    return Proved(attested, signed_in=session.auth_time, strength=session.acr)


def give(
    change: Change, client: Client, one: Code | Refresh, resources: tuple[str, ...], thumb: str, certificate: str
) -> tuple[Issued, str]:
    """The task's credential, for all or some of what the consent is to, and the text of the next refresh token."""
    consent = _rests(change, client, one)
    if not set(resources) <= set(one.audience):
        raise RemitError("target_refused", "The consent is not to this resource.", "Ask for one that it is to.")
    made = credential.give(
        change,
        task_id=consent.task,
        agent_id=consent.agent,
        path=TrustPath.DELEGATED,
        person_id=consent.person,
        resources=resources or one.audience,
        thumb=thumb,
        certificate=certificate,
        proved=_proved(change, client, consent),
    )
    if isinstance(one, Refresh):
        _used(change, client, one)
    text = f"rmr_{b64(change.authority.random(32))}"
    bound = one.thumb if isinstance(one, Refresh) else "" if client.confidential else held_by(thumb, certificate)
    following = Refresh(
        id=name("rfr", text),
        consent=consent.id,
        client=client.id,
        audience=one.audience,
        made=change.now,
        until=consent.until,
        thumb=bound,
    )
    change.record("refresh.made", following, client.agent)
    return made, text


def good(change: Change, client: Client, one: Refresh) -> bool:
    """Say whether a refresh token would give anything now."""
    if one.state != "open" or change.now >= one.until:
        return False
    try:
        consent = _rests(change, client, one)
        credential.fit(change, consent.task, consent.agent, TrustPath.DELEGATED, consent.person)
    except RemitError:
        return False
    return True


def _rests(change: Change, client: Client, one: Code | Refresh) -> Consent:
    """The consent that a code or refresh token rests on, while it counts; a cut of the path ended what was before."""
    consent, gate = change.need(Consent, one.consent), change.need(PathGate, TrustPath.DELEGATED.value)
    if consent.state != "live" or client.state != "live" or client.agent != consent.agent:
        raise _refused("The person withdrew their consent.", "Ask them to consent anew.")
    if one.made <= gate.since:
        raise _refused("The delegated path was cut since this was given.", "Ask the person to consent anew.")
    return consent


def _used(change: Change, client: Client, one: Refresh) -> None:
    if not payload.spend(change.db, "refresh", one.id, one.until):
        raise _refused("This refresh token was used before.", "Begin again.")
    change.record("refresh.used", changed(one, state=ONCE.after(one.state, "used")), client.agent)


def held(change: Change, client: Client, text: str) -> Refresh | None:
    """The refresh token of this text, if it is this client's, whatever became of it."""
    found = change.reader.get(Refresh, name("rfr", text)) if 0 < len(text) <= LONGEST else None
    return found if found is not None and found.client == client.id else None


def _stolen(change: Change, consent: str, because: str) -> None:
    """End everything that came of a consent, once."""
    if change.need(Consent, consent).state == "live":
        revocation.revoke(change, "consent", consent, "door", because)
    else:
        change.keep()


def _refused(why: str, remedy: str) -> RemitError:
    return RemitError("invalid_grant", why, remedy)
