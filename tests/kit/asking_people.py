"""A whole company for tests of the code flow: a provider, a served world, a person's browser, and a client by hand."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from remit.control import brief, principal
from remit.control import client as clients
from remit.core.canonical import b64
from remit.custody.secret import Secret
from remit.web.settings import Issuer
from tests.kit.browser import Browser
from tests.kit.signin import Provider, provider, query, sign_in
from tests.kit.site import Answer, Site, site
from tests.kit.world import ISSUER

CALLBACK = "http://127.0.0.1/callback"
BACK = "http://127.0.0.1:51004/callback"
GATE = f"{ISSUER}/mcp/notes"
VERIFIER = "v" * 43
CHALLENGE = b64(hashlib.sha256(VERIFIER.encode()).digest())


@dataclass
class Company:
    """`bot` is the agent that its client stands for; `pia` the person whom the provider signs in."""

    site: Site
    idp: Provider
    bot: str
    pia: str
    client: str
    browsers: dict[str, Browser] = field(default_factory=dict)

    def asking(self, **changes: Any) -> str:
        """The path of a good authorization request, with some parameters replaced."""
        asked: dict[str, Any] = {
            "response_type": "code", "client_id": self.client, "redirect_uri": BACK, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "state": "their-state", "resource": GATE,
        }  # fmt: skip
        asked = {name: value for name, value in (asked | changes).items() if value is not None}
        return f"/oauth/authorize?{urlencode(asked, doseq=True)}"

    def browser(self, subject: str = "pia-at-idp") -> Browser:
        """The browser of a person who is signed in."""
        if subject not in self.browsers:
            one = Browser(self.site.url)
            self.idp.subject = subject
            assert sign_in(one).status == 303
            self.browsers[subject] = one
        return self.browsers[subject]

    def page(self, **changes: Any) -> Answer:
        """What the person is shown."""
        return self.browser().get(self.asking(**changes))

    def answer(self, page: Answer, answer: str = "yes", browser: Browser | None = None, **fields: str) -> Answer:
        """Press a button on a consent page."""
        given = fields_of(page) | {"answer": answer} | fields
        return (browser or self.browser()).post("/oauth/authorize", given)

    def code(self, **changes: Any) -> str:
        """A code, after the person said yes."""
        shown = self.page(**changes)
        assert shown.status == 200, shown.headers
        return query(self.answer(shown).headers["location"])["code"]

    def token(self, **changes: Any) -> Answer:
        asked = {"grant_type": "authorization_code", "client_id": self.client, "redirect_uri": BACK}
        asked["code_verifier"] = VERIFIER
        return self.site.form("/oauth/token", {k: v for k, v in (asked | changes).items() if v is not None})

    def renew(self, text: str, **changes: Any) -> Answer:
        asked = {"grant_type": "refresh_token", "client_id": self.client, "refresh_token": text} | changes
        return self.site.form("/oauth/token", {k: v for k, v in asked.items() if v is not None})


def fields_of(page: Answer) -> dict[str, str]:
    """The fields of a consent page, its first brief chosen."""
    found = re.findall(r'<input type="(hidden|radio)" name="(\w+)" value="([^"]*)"', page.body.decode())
    fields: dict[str, str] = {}
    for _, name, value in found:
        fields.setdefault(name, unescape(value))
    return fields


def error_of(answer: Answer) -> str:
    """The error that a redirect carries back."""
    assert answer.status == 303, answer.body
    return query(answer.headers["location"]).get("error", "")


@contextmanager
def company(folder: Path, **settings: Any) -> Iterator[Company]:
    """A company with one provider, one person, one agent and a client of it."""
    with provider() as idp:
        own = Issuer(idp.url, "remit", sign_in=True, acts=True, secret=Secret(idp.secret.encode()))
        with site(folder, issuers=(own,), **settings) as one:
            idp.now = one.world.authority.clock.now() // 1000
            bot = one.agent("bot")
            pia = one.act(
                lambda c: principal.add_person(c, idp.url, "pia-at-idp", "Pia <Person>", ("staff",), "operator")
            )
            wide = one.world.a_brief(agents=(bot,), dispatchers=(one.world.owner.id, "group:staff"))
            one.act(lambda c: brief.apply(c, wide, "operator"))
            made = one.act(
                lambda c: clients.add(
                    c, agent=bot, name="Desk <b>", redirects=(CALLBACK,), confidential=False, by="operator"
                )
            )
            yield Company(one, idp, bot, pia.id, made.id)
