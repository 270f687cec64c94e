"""GitHub: for each task an installation token of an App, narrowed to the repositories and permissions of its steps.

The secret is the App's private key (PEM). Settings: `app` (its client id), `installation` (a number), for each kind of
action `allow.KIND` = `PERMISSION:LEVEL,… REPOSITORY,…`, and optional: `address` (of a server of your own), and
`variable`, where a program that Remit runs looks for the token. A token whose answer was lost is held by nobody, and
ends by itself within the hour.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.step import Step
from remit.custody.asserting import signed_by
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, bearer, late, unknown
from remit.custody.sources.rest import Answer, Api, after, unbounded, unset
from remit.custody.sources.static import VariableShape

KIND: Final = "github"
HOUR_MS: Final = 3_600_000
"""GitHub ends every installation token after it."""
ADDRESS: Final = "https://api.github.com"
LEVELS: Final = ("read", "write", "admin")
ALWAYS: Final = "metadata"
"""The permission that GitHub adds to every token, to read."""
MOST: Final = 500
SAYS: Final = (
    "A token for each task, narrowed to repositories and permissions of its steps. It revokes itself, and that is"
    " proven by its use."
)
_PERMISSION = re.compile(r"([a-z_]{1,64}):(read|write|admin)", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)

Allowed = tuple[dict[str, str], frozenset[str]]


@final
class GitHubSource:
    """One installation of one App. `now` is the instant that its assertions are signed at."""

    def __init__(self, secret: Secret, settings: Mapping[str, str], now: Callable[[], Instant]) -> None:
        self._key, self._now, self._app = secret, now, settings.get("app", "")
        signed_by(secret, {})
        self._api = Api(KIND, "GitHub", settings.get("address", ADDRESS), settings.get("ca_file", ""))
        variable, installation = settings.get("variable", ""), settings.get("installation", "")
        self._variable = VariableShape(variable).name if variable else ""
        self._allow = {kind: _allowed(text) for kind, text in after(settings, "allow.").items()}
        if not self._app or not installation.isdecimal() or not self._allow:
            raise unset(KIND, "app, installation (a number), and at least one allow.KIND")
        self._installation = f"/app/installations/{installation}"

    def describe(self) -> Description:
        """Say that GitHub takes a token back when it is asked with that token. Shown against a stand-in: partial."""
        return Description(
            KIND, Rung.PER_TASK, dynamic=True, revocable=True, says=SAYS, longest=HOUR_MS, shown="partial"
        )

    def mint(self, intent: Intent) -> Minted:
        """Ask for a token with these permissions on these repositories. One that can do more is revoked and refused."""
        permissions, repositories = self._wanted(intent.steps)
        if intent.left() <= 0:
            raise late()
        wanted: dict[str, Json] = {"permissions": dict(permissions), "repositories": sorted(repositories)}
        answer = self._asserting("POST", f"{self._installation}/access_tokens", wanted)
        token, ends = answer.text("token"), _instant(answer.text("expires_at"))
        if answer.status != 201 or not token or ends is None:
            raise self._api.declined(answer, "give an installation token")
        given = answer.member("permissions")
        held = given if isinstance(given, dict) else {}
        body = json.dumps({"token": token, "permissions": held}).encode()
        minted = Minted(intent.name, Instant(min(intent.until, ends)), Secret(body), None, ends, _mark(token))
        listed = {str(one.get("name")) for one in answer.objects("repositories")}
        more = not _within(held, permissions) or not listed <= repositories or not listed
        if more or intent.left() <= 0:
            self.drop(minted)
            if not more:
                raise late()
            raise RemitError(
                "target_declined", "GitHub gave another token than was asked for.", "Look at the App's installation."
            )
        return minted

    def lend(self, minted: Minted) -> Lent:
        """The Authorization header, and the variable of a program that Remit runs for the task."""
        return bearer(Secret(_token(minted).encode()), self._variable)

    def drop(self, minted: Minted) -> None:
        """Let the token revoke itself; one that is not known any more has done so."""
        if minted.secret is None:
            return
        answer = self._using(minted, "DELETE", "/installation/token")
        if answer.status not in (204, 401):
            raise self._api.declined(answer, "revoke a token")

    def probe(self, minted: Minted) -> Gone:
        """Use the token: only that GitHub does not know it (401) is an end; any other refusal proves nothing."""
        if minted.secret is None:
            return Gone.UNKNOWN
        answer = self._using(minted, "GET", "/installation/repositories?per_page=1")
        if answer.status == 200:
            return Gone.LIVE
        if answer.status == 401:
            return Gone.GONE
        raise self._api.declined(answer, "say whether a token is good")

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """Each permission that GitHub gave, on each repository that it says the token sees."""
        if minted.secret is None:
            return ()
        answer = self._using(minted, "GET", "/installation/repositories?per_page=100")
        held = json.loads(minted.secret.reveal())["permissions"]
        places = sorted(str(one.get("full_name")) for one in answer.objects("repositories"))
        return tuple(f"{name}:{level} on {place}" for place in places for name, level in sorted(held.items()))

    def found(self) -> tuple[str, ...]:
        """GitHub lists no tokens; that it knows App and installation is asked."""
        answer = self._asserting("GET", self._installation)
        if answer.status != 200:
            raise self._api.declined(answer, "show the installation")
        return ()

    def close(self) -> None:
        """Forget the key."""
        self._key = Secret(b"")

    def _wanted(self, steps: tuple[Step, ...]) -> Allowed:
        """One set of permissions on one set of repositories: GitHub's tokens know no pairs, so neither may be mixed."""
        kinds = sorted({split(step.action)[1] for step in steps})
        missing = [one for one in kinds if one not in self._allow]
        if missing or not kinds:
            raise unbounded(KIND, "allow", f"nothing is allowed for {missing[0] if missing else 'it'}")
        mine = [self._allow[kind] for kind in kinds]
        places = [repositories for _, repositories in mine]
        levels = [permissions for permissions, _ in mine]
        if any(one != places[0] for one in places) and any(one != levels[0] for one in levels):
            raise unbounded(KIND, "allow", "its steps need different permissions on different repositories")
        merged: dict[str, str] = {}
        for one in levels:
            for name, level in one.items():
                merged[name] = max(level, merged.get(name, "read"), key=LEVELS.index)
        return merged, frozenset().union(*places)

    def _asserting(self, method: str, path: str, sent: dict[str, Json] | None = None) -> Answer:
        """Ask as the App: an assertion of its key that lives for nine minutes."""
        now = self._now() // 1000
        claims: dict[str, str | int] = {"iat": now - 60, "exp": now + 480, "iss": self._app}
        return self._ask(method, path, signed_by(self._key, claims), sent)

    def _using(self, minted: Minted, method: str, path: str) -> Answer:
        return self._ask(method, path, _token(minted))

    def _ask(self, method: str, path: str, bearer: str, sent: dict[str, Json] | None = None) -> Answer:
        heads = {"authorization": f"Bearer {bearer}", "accept": "application/vnd.github+json"}
        return self._api.ask(method, path, heads | {"x-github-api-version": "2022-11-28"}, sent=sent)


def _allowed(text: str) -> Allowed:
    said, _, places = text.partition(" ")
    matches = [_PERMISSION.fullmatch(one) for one in said.split(",")]
    repositories = frozenset(one.strip() for one in places.split(","))
    if not all(matches) or not all(map(_REPOSITORY.fullmatch, repositories)) or len(repositories) > MOST:
        raise unset(KIND, "allow.KIND as PERMISSION:LEVEL,… REPOSITORY,…, such as contents:read,issues:write docs")
    return {one[1]: one[2] for one in matches if one}, repositories


def _within(given: Mapping[str, Json], wanted: Mapping[str, str]) -> bool:
    """Say whether no permission is there that was not asked for, and none at a higher level."""
    return all(
        level in LEVELS and name in allowed and LEVELS.index(level) <= LEVELS.index(allowed[name])
        for allowed in ({ALWAYS: "read"} | dict(wanted),)
        for name, level in given.items()
    )


def _token(minted: Minted) -> str:
    if minted.secret is None:
        raise unknown()
    return str(json.loads(minted.secret.reveal())["token"])


def _mark(token: str) -> str:
    """What GitHub's audit log calls a token: its SHA-256, in base64."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def _instant(text: str) -> Instant | None:
    try:
        return Instant(int(datetime.fromisoformat(text).timestamp() * 1000))
    except ValueError:
        return None
