"""Google Cloud Storage: for each task a token of a service account, downscoped to the buckets and roles of its steps.

The secret is the service account's key file (JSON). Settings: for each kind of action `allow.KIND` =
`ROLE,… BUCKET[/PREFIX],…`, and optional: `scope` (of the account's own token), `variable`, where a program that Remit
runs looks for the token, `token` and `sts` (addresses). Google holds such a boundary for Cloud Storage only, and takes
no such token back: it ends by itself within the hour, and is never called dead before.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, final
from urllib.parse import quote, urlsplit

from remit.core.canonical import Json
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.same import same
from remit.core.step import Step
from remit.custody.asserting import signed_by
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, bearer, late, unknown
from remit.custody.sources.rest import Api, after, secure, unbounded, unset
from remit.custody.sources.static import VariableShape

KIND: Final = "google"
HOUR_S: Final = 3_600
TOKEN: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
STS: Final = "https://sts.googleapis.com/v1/token"
SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_write"
JWT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
RULES: Final = 10
"""Rules of one boundary, at most."""
SAYS: Final = (
    "A token for each task, downscoped to its buckets. Google cannot take it back: it lives until it ends by itself."
)
_ROLE = re.compile(r"roles/storage\.[A-Za-z]{1,64}", re.ASCII)
_PLACE = re.compile(r"([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/([A-Za-z0-9!_./~-]{1,512}))?", re.ASCII)


@final
class GoogleSource:
    """One service account. `now` is the instant that its assertions are signed at."""

    def __init__(self, secret: Secret, settings: Mapping[str, str], now: Callable[[], Instant]) -> None:
        try:
            key = json.loads(secret.reveal())
            self._account, pem = str(key["client_email"]), Secret(str(key["private_key"]).encode())
        except (ValueError, KeyError, TypeError):
            raise unset(KIND, "as its secret a service account's key file (JSON)") from None
        self._key, self._now, self._scope = pem, now, settings.get("scope", SCOPE)
        signed_by(pem, {})
        self._token, self._sts = settings.get("token", TOKEN), settings.get("sts", STS)
        self._apis = {url: Api(KIND, "Google", _origin(url)) for url in (self._token, self._sts)}
        variable = settings.get("variable", "")
        self._variable = VariableShape(variable).name if variable else ""
        self._allow = {kind: _rules(text) for kind, text in after(settings, "allow.").items()}
        if not self._allow:
            raise unset(KIND, "at least one allow.KIND")

    def describe(self) -> Description:
        """Say that Google does not take it back. Shown against a stand-in: partial."""
        return Description(
            KIND, Rung.SHORT, dynamic=True, revocable=False, says=SAYS, longest=1000 * HOUR_S, shown="partial"
        )

    def mint(self, intent: Intent) -> Minted:
        """Get the account's own token, exchange it for one within the boundary of the steps, and forget the first."""
        boundary = self.boundary(intent.steps)
        if intent.left() <= 0:
            raise late()
        began = self._now()
        whole, seconds = self._whole()
        form = {
            "grant_type": EXCHANGE, "subject_token": whole, "subject_token_type": ACCESS,
            "requested_token_type": ACCESS, "options": quote(json.dumps(boundary)),
        }  # fmt: skip
        answer = self._apis[self._sts].ask("POST", urlsplit(self._sts).path, {}, form=form)
        token = answer.text("access_token")
        if answer.status != 200 or not token or same(token, whole):
            raise self._apis[self._sts].declined(answer, "downscope a token")
        if intent.left() <= 0:
            raise late()
        ends = Instant(began + 1000 * seconds)
        return Minted(intent.name, Instant(min(intent.until, ends)), Secret(token.encode()), None, ends)

    def lend(self, minted: Minted) -> Lent:
        """The Authorization header, and the variable of a program that Remit runs for the task."""
        if minted.secret is None:
            raise unknown()
        return bearer(minted.secret, self._variable)

    def drop(self, minted: Minted) -> None:
        """Nothing can be ended at Google: it is not lent any more."""
        del minted

    def probe(self, minted: Minted) -> Gone:
        """Nothing that can be asked proves the end of what nobody can end."""
        del minted
        return Gone.UNKNOWN

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """What it is narrowed from; Google does not tell the boundary of a token."""
        del minted
        return (f"at most what {self._account} may do in Cloud Storage, within the boundary of its steps",)

    def found(self) -> tuple[str, ...]:
        """Google lists no tokens; that it takes the account's key is asked."""
        self._whole()
        return ()

    def close(self) -> None:
        """Forget the key."""
        self._key = Secret(b"")

    def boundary(self, steps: tuple[Step, ...]) -> dict[str, Json]:
        """The access boundary of these steps. Refuses a kind that nothing is set for, and too many rules."""
        kinds = sorted({split(step.action)[1] for step in steps})
        missing = [one for one in kinds if one not in self._allow]
        if missing or not kinds:
            raise unbounded(KIND, "allow", f"nothing is allowed for {missing[0] if missing else 'it'}")
        rules: list[Json] = []
        for kind in kinds:
            rules += [one for one in self._allow[kind] if one not in rules]
        if len(rules) > RULES:
            raise unbounded(KIND, "allow", f"it needs more than {RULES} rules")
        return {"accessBoundary": {"accessBoundaryRules": rules}}

    def _whole(self) -> tuple[str, int]:
        """The account's own token, which is kept nowhere, and its seconds."""
        now = self._now() // 1000
        claims: dict[str, str | int] = {
            "iss": self._account, "scope": self._scope, "aud": self._token, "iat": now, "exp": now + HOUR_S,
        }  # fmt: skip
        form = {"grant_type": JWT, "assertion": signed_by(self._key, claims)}
        answer = self._apis[self._token].ask("POST", urlsplit(self._token).path, {}, form=form)
        token, seconds = answer.text("access_token"), answer.member("expires_in")
        if answer.status != 200 or not token:
            raise self._apis[self._token].declined(answer, "take the service account's key")
        return token, seconds if type(seconds) is int and 0 < seconds <= HOUR_S else HOUR_S


def _rules(text: str) -> tuple[dict[str, Json], ...]:
    """The rules of one kind: each place with all of its roles."""
    said, _, places = text.partition(" ")
    roles, found = said.split(","), []
    for place in places.split(","):
        match = _PLACE.fullmatch(place.strip())
        if match is None or not all(map(_ROLE.fullmatch, roles)):
            raise unset(
                KIND, "allow.KIND as ROLE,… BUCKET[/PREFIX],…, such as roles/storage.objectViewer reports/2026/"
            )
        rule: dict[str, Json] = {
            "availableResource": f"//storage.googleapis.com/projects/_/buckets/{match[1]}",
            "availablePermissions": [f"inRole:{one}" for one in roles],
        }
        if match[2]:
            start = f"resource.name.startsWith('projects/_/buckets/{match[1]}/objects/{match[2]}')"
            listed = f"api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('{match[2]}')"
            rule["availabilityCondition"] = {"expression": f"{start} || {listed}"}
        found.append(rule)
    return tuple(found)


def _origin(url: str) -> str:
    parts = urlsplit(secure(KIND, "token and sts", url))
    return f"{parts.scheme}://{parts.netloc}"
