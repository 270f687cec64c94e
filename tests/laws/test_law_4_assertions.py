"""Law 4 for what a person's provider says: it lets their agent act once, and a refused try was that once."""

import json
from pathlib import Path

from remit.control import brief, principal
from remit.core.task import Task
from remit.web.settings import Issuer
from tests.kit.planted import Planted, each_goes_red
from tests.kit.site import idp, site
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def an_assertion_counts_once_whatever_became_of_it(folder: Path) -> None:
    with idp() as provider, site(folder, issuers=(Issuer(provider.url, "remit", assertions=True),)) as place:
        bot, now = place.agent("bot"), place.world.authority.clock.now() // 1000
        pia = place.act(lambda c: principal.add_person(c, provider.url, "pia", "Pia", (), "operator")).id
        wide = place.world.a_brief(agents=(bot,), dispatchers=(pia,))
        place.act(lambda c: brief.apply(c, wide, "operator"))
        kid, key = provider.keys[0]
        said = {"iss": provider.url, "sub": "pia", "aud": ISSUER, "client_id": bot, "iat": now, "exp": now + 300}

        def asked(name: str, under: str) -> tuple[int, str]:
            text = peer_sign(key, {"alg": "RS256", "kid": kid, "typ": "oauth-id-jag+jwt"}, said | {"jti": name})
            detail = json.dumps([{"type": "remit_task", "brief": under}])
            given = {"grant_type": BEARER, "assertion": text, "authorization_details": detail}
            answer = place.form("/oauth/token", given | place.client(bot))
            return answer.status, answer.json.get("error", "")

        assert asked("j1", "notes") == (200, "")
        assert asked("j1", "notes") == (400, "invalid_grant"), "an assertion that was used gave a credential"
        assert asked("j2", "gone") == (400, "invalid_grant")
        assert asked("j2", "notes") == (400, "invalid_grant"), "an assertion that was tried in vain gave a credential"
        assert len(place.act(lambda c: list(c.reader.where(Task)))) == 1


LAW = an_assertion_counts_once_whatever_became_of_it
WHERE = "web/oauth/identity.py"
FAULTS = (
    Planted(
        "an assertion is used up only by what it gave",
        WHERE,
        "    return await giving.answer(site, request, client, make, spend)",
        "    return await giving.answer(site, request, client, lambda c, t: (spend(c), make(c, t))[1])",
        LAW,
        "that was used",
        web=True,
    ),
    Planted(
        "its use is undone with what it gave",
        WHERE,
        "    return await giving.answer(site, request, client, make, spend)",
        "    def both(c: Change, t: str) -> tuple[Issued, Plan]:\n"
        "        found = spend(c)\n"
        "        if found is not None:\n"
        "            raise found\n"
        "        return make(c, t)\n\n"
        "    return await giving.answer(site, request, client, both)",
        LAW,
        "tried in vain",
        web=True,
    ),
)


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
