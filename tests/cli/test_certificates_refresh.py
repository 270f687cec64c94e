"""What a public client that showed a certificate goes on with: of use to whoever holds the certificate alone."""

from remit.cli.door import Standing, door
from remit.control import brief, consent, session
from remit.control import client as clients
from remit.control.consent import Wish
from remit.control.session import Proof
from remit.core.principal import Person
from remit.core.session import Session
from remit.web.app import build
from remit.web.settings import WebSettings
from tests.cli.test_certificates import ALONE, ISSUED, echo, field
from tests.kit.consenting import CALLBACK, CHALLENGE, VERIFIER
from tests.kit.site import Site, serving
from tests.kit.world import World


def agreed(change, world):
    """A code of a person's yes to a public client, and the client."""
    made = clients.add(
        change, agent=world.agent.id, name="Desk", redirects=(CALLBACK,), confidential=False, by="operator"
    )
    one = change.need(Session, session.name(session.begin(change, world.person.id, Proof("https://idp.test"))))
    wish = Wish(brief="desk")
    offer = consent.offers(change.reader, change.need(Person, world.person.id), made, wish, change.now)[0]
    given = consent.give(
        change, session=one, client=made, wish=wish, brief="desk", shown=offer.digest, redirect=CALLBACK,
        challenge=CHALLENGE,
    )  # fmt: skip
    return made.id, given.code


def test_a_refresh_token_of_a_public_client_is_bound_to_the_certificate_that_it_showed(tmp_path):
    """Else whoever took its text would have it bound to a certificate of their own, or to none."""
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    app = build(world.authority, world.batch, echo, WebSettings(certificates=True), world.gate)
    with serving(app, http=door(Standing(50, 50), proxy="127.0.0.1")) as (url, loop):
        behind = Site(world, url, loop)
        behind.act(lambda c: brief.apply(c, world.a_brief(name="desk"), "operator"))
        client, code = behind.act(lambda c: agreed(c, world))

        def renewed(text, one=None):
            form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": text}
            return behind.form("/oauth/token", form, **({"client-cert": field(one)} if one else {}))

        form = {"grant_type": "authorization_code", "client_id": client, "code": code, "code_verifier": VERIFIER}
        token = behind.form("/oauth/token", form, **{"client-cert": field(ISSUED)}).json["refresh_token"]
        for thief in (None, ALONE):
            assert renewed(token, thief).json["error"] == "invalid_grant"
        for _ in range(2):
            given = renewed(token, ISSUED)
            assert given.status == 200, given.body
            token = given.json["refresh_token"]
        assert renewed(token).json["error"] == "invalid_grant"
    world.close()
