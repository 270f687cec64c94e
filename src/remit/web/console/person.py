"""Who the person is that a browser speaks for, by the cookie of their sign-in, which no script can read."""

import hashlib
import hmac
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from remit.control import session
from remit.control.change import Change
from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.principal import Person
from remit.core.session import LASTS, Session
from remit.web.console.page import at_address, at_home
from remit.web.intake import Form, form, one_of
from remit.web.site import Site


@dataclass(frozen=True, slots=True)
class Signed:
    """A person who is signed in: their session, who they are, and the word that their own forms carry."""

    session: Session
    person: Person
    word: str

    def enter(self, change: Change) -> Person:
        """Check again, in the transaction that acts, that both still stand (`unauthenticated`)."""
        person, now_is = change.need(Person, self.person.id), change.need(Session, self.session.id)
        if person.state != "active" or now_is.state != "open" or change.now >= now_is.until:
            raise _nobody()
        return person


def cookie(site: Site) -> str:
    """The cookie's name; on https one that no other host can set (RFC 6265bis section 4.1.3.2)."""
    return "__Host-remit-person" if secure(site) else "remit-person"


def secure(site: Site) -> bool:
    """Say whether this origin is reached by TLS."""
    return site.authority.issuer.startswith("https:")


def keep(site: Site, answer: Response, secret: str) -> None:
    """Let the browser keep the session. Lax, since the provider leads back here; forms need their word besides."""
    answer.set_cookie(cookie(site), secret, LASTS // 1000, path="/", secure=secure(site), httponly=True, samesite="lax")


def forget(site: Site, answer: Response) -> None:
    """Let the browser forget the session."""
    answer.delete_cookie(cookie(site), path="/", secure=secure(site), httponly=True, samesite="lax")


def person_of(site: Site, request: Request) -> Signed | None:
    """The person who is signed in with this browser, or None."""
    secret = request.cookies.get(cookie(site), "")
    found = session.stands(site.reader(), secret, site.now())
    if found is None:
        return None
    return Signed(*found, b64(hashlib.sha256(b"person's form " + secret.encode()).digest()))


def signed(site: Site, request: Request) -> Signed:
    """The person who is signed in, on a page that other sites may lead to (`unauthenticated`, `forbidden`)."""
    at_address(site, request)
    found = person_of(site, request)
    if found is None:
        raise _nobody()
    return found


async def posted(site: Site, request: Request) -> tuple[Signed, Form]:
    """The person and the form of a button that they pressed on a page of ours (`forbidden`, `unauthenticated`)."""
    at_home(site, request)
    found = signed(site, request)
    asked = await form(request)
    if not hmac.compare_digest(one_of(asked, "word").encode(), found.word.encode()):
        raise RemitError("forbidden", "This was not asked from a page of Remit.", "Go back, and press it again.")
    return found, asked


def _nobody() -> RemitError:
    return RemitError("unauthenticated", "You are not signed in here.", "Sign in with your company's account: /signin.")
