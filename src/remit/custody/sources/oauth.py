"""OAuth: for each task an access token of the person's own connection, narrowed to the scopes of the plan's steps.

The secret is the client's; settings: `client`, `token` (endpoint), `revoke` (RFC 7009), `introspect` (RFC 7662), and
for each kind of action that plans may hold `scope.KIND`, the scopes that it needs. `longest` are the seconds that a
token may live when the provider does not say (3,600). How people connect, `sources/connecting` says; how a token is
narrowed (`by`), `sources/exchanging`. The person's refresh token comes with the intent and from nowhere else. A token
whose answer was lost is held by nobody, and ends by itself. What was given in a mint that failed, and was not taken
back at once, is owed: each drop of that lease tries it again, by whichever node, as it was recorded (`owed`).
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from typing import Final, final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.step import Step
from remit.custody.secret import Secret
from remit.custody.source import OWED, Description, Gone, Intent, Lent, Minted, Rung, bearer, late, unknown
from remit.custody.sources.exchanging import Exchanging, Owing
from remit.custody.sources.provider import refused, setting

SCOPE: Final = "scope."
PROVEN: Final = "A token for each task, narrowed to its steps; revoked at the provider and proven by introspection."
ENDS: Final = (
    "A token for each task, narrowed to its steps; the provider cannot prove its end: it lives until it expires."
)


@final
class OAuthSource:
    """One client at one provider.

    Keeps refresh tokens as far as the provider renewed them while it ran, and what is owed of a mint by its name.
    """

    def __init__(self, secret: Secret, settings: Mapping[str, str], now: Callable[[], Instant]) -> None:
        self._way = Exchanging(secret, settings, now)
        self._home, self._there = self._way.home, self._way.there
        self._scopes = {
            name.removeprefix(SCOPE): tuple(text.split()) for name, text in settings.items() if name.startswith(SCOPE)
        }
        longest = settings.get("longest", "3600")
        self._longest = 1000 * int(longest) if longest.isdecimal() and len(longest) < 9 else 0
        self._renewed: dict[bytes, Secret] = {}
        self._owed: dict[str, list[Owing]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        if not self._home.client or not self._scopes or not self._longest:
            raise setting("client, at least one scope.KIND, and longest in seconds")

    def describe(self) -> Description:
        """Say whether the provider takes tokens back, and proves it."""
        proves = bool(self._there.revoke and self._there.introspect)
        rung = Rung.PER_TASK if proves else Rung.SHORT
        return Description(
            "oauth", rung, dynamic=True, revocable=proves, says=PROVEN if proves else ENDS, longest=self._longest
        )

    def mint(self, intent: Intent) -> Minted:
        """Get a token of fewer scopes. Refuses one that can do more than was asked for."""
        wanted = self._wanted(intent.steps)
        if intent.held is None or not intent.person:
            raise RemitError("connection_missing", "The person has not connected this account.", "Ask them to.")
        if intent.left() <= 0:
            raise late()
        owed: list[Owing] = []
        try:
            with self._turn(intent.person):
                held = self.newest(intent.held)
                said = self._way.token(held, wanted, lambda token: self._renew(held, token), owed.append)
                renewed = self.newest(held)
            if owed:
                owed.append(Owing(self._there, str(said.get("access_token") or ""), "access_token"))
                raise _owing("It was asked to in vain.")
        finally:
            self._owe(intent.name, owed)
        if not isinstance(said.get("access_token"), str):
            raise refused(200, said)
        token = Secret(said["access_token"].encode())
        ends = Instant(intent.until - intent.life + self._lives(said.get("expires_in")))
        minted = Minted(
            intent.name, Instant(min(intent.until, ends)), token, None if renewed == intent.held else renewed, ends
        )
        given = set(str(said.get("scope", " ".join(wanted))).split())
        if not given <= set(wanted) or str(said.get("token_type", "")).lower() != "bearer" or intent.left() <= 0:
            self._owe(intent.name, [Owing(self._there, said["access_token"], "access_token")])
            self._settle(intent.name)
            if intent.left() <= 0:
                raise late()
            raise RemitError(
                "target_declined", "The provider gave another token than was asked for.", "Ask the provider."
            )
        return minted

    def lend(self, minted: Minted) -> Lent:
        """The Authorization header."""
        if minted.secret is None:
            raise unknown()
        return bearer(minted.secret)

    def drop(self, minted: Minted) -> None:
        """Revoke the token at the provider (RFC 7009), and what else is owed of this lease."""
        if minted.owed is not None:
            known = [
                Owing(self._there if there else self._home, token, kind)
                for there, token, kind in json.loads(minted.owed.reveal())
            ]
            with self._lock:
                self._owed.setdefault(minted.name, known)
        self._settle(minted.name)
        if minted.secret is not None:
            self._there.give_back(minted.secret.reveal().decode(), "access_token")

    def probe(self, minted: Minted) -> Gone:
        """Ask the provider about the token (RFC 7662). What it cannot say is not known."""
        said = self._asked(minted)
        if said is None:
            return Gone.UNKNOWN
        return Gone.LIVE if said.get("active") is True else Gone.GONE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """The scopes that the provider says it has."""
        said = self._asked(minted)
        if said is None or said.get("active") is not True:
            return ()
        scopes = sorted(str(said.get("scope", "")).split())
        return tuple(f"scope {one}" for one in scopes) or (
            "the scopes that it was given; the server does not say them",
        )

    def part(self, held: Secret) -> Gone:
        """Have the provider take back what a person gave (RFC 7009), and ask it, or try, whether it did."""
        newest = self.newest(held)
        form = {"token": newest.reveal().decode(), "token_type_hint": "refresh_token"}
        home = self._home
        if not home.revoke:
            return Gone.UNKNOWN
        status, said = home.provider.post(home.revoke, form)
        if status != 200:
            raise refused(status, said)
        if home.introspect:
            status, said = home.provider.post(home.introspect, form)
            if status == 200 and type(said.get("active")) is bool:
                return Gone.LIVE if said["active"] else Gone.GONE
        status, said = home.provider.post(
            home.token, {"grant_type": "refresh_token", "refresh_token": newest.reveal().decode()}
        )
        self._renew(newest, said.get("refresh_token"))
        return Gone.GONE if status == 400 and said.get("error") == "invalid_grant" else Gone.LIVE

    def found(self) -> tuple[str, ...]:
        """A provider lists no tokens."""
        return ()

    def close(self) -> None:
        """Forget what was renewed."""
        with self._lock:
            self._renewed.clear()

    def owed(self, name: str) -> Secret | None:
        """The tokens that are owed of a mint, each with where it is to be taken back and its kind."""
        with self._lock:
            found = [(one.place is self._there, one.token, one.kind) for one in self._owed.get(name, ())]
        return Secret(json.dumps(found).encode()) if found else None

    def _owe(self, name: str, owed: list[Owing]) -> None:
        if owed:
            with self._lock:
                self._owed.setdefault(name, []).extend(owed)

    def _settle(self, name: str) -> None:
        """Have all that is owed of a lease taken back; a fault while some of it is not."""
        with self._lock:
            owed = self._owed.get(name, ())
        left = [(one, fault) for one in owed if (fault := one.settled()) is not None]
        with self._lock:
            if left:
                self._owed[name] = [one for one, _ in left]
            else:
                self._owed.pop(name, None)
        if left:
            raise _owing(left[0][1].message)

    def _wanted(self, steps: tuple[Step, ...]) -> list[str]:
        kinds = {split(step.action)[1] for step in steps}
        unknown = sorted(kinds - self._scopes.keys())
        if unknown or not kinds:
            raise RemitError(
                "rights_unbounded",
                f"No scope is set for {unknown[0] if unknown else 'this plan'}.",
                "Set it: remit lease mint RESOURCE oauth --set scope.KIND=SCOPES.",
            )
        return sorted({scope for kind in kinds for scope in self._scopes[kind]})

    def _lives(self, seconds: Json) -> int:
        """How many milliseconds a token lives, as the provider says; the longest that it may when it does not say."""
        return 1000 * seconds if type(seconds) is int and 0 < seconds <= 31_536_000 else self._longest

    def _turn(self, person: str) -> threading.Lock:
        """One refresh of a person at a time: two at once look like a stolen token to a provider that renews them."""
        with self._lock:
            return self._locks.setdefault(person, threading.Lock())

    def newest(self, held: Secret) -> Secret:
        """What a person's token has become, where the provider exchanged it for another at a use."""
        with self._lock:
            while (later := self._renewed.get(_mark(held))) is not None:
                held = later
        return held

    def _renew(self, held: Secret, token: Json) -> None:
        later = Secret(token.encode()) if isinstance(token, str) and token else held
        if later != held:
            with self._lock:
                self._renewed[_mark(held)] = later

    def _asked(self, minted: Minted) -> dict[str, Json] | None:
        if minted.secret is None or not self._there.introspect:
            return None
        form = {"token": minted.secret.reveal().decode(), "token_type_hint": "access_token"}
        status, said = self._there.provider.post(self._there.introspect, form)
        if status != 200 or type(said.get("active")) is not bool:
            raise refused(status, said)
        return said


def _owing(why: str) -> RemitError:
    return RemitError(OWED, f"The provider has not taken back what it gave besides. {why}", "Look at the provider.")


def _mark(held: Secret) -> bytes:
    return hashlib.sha256(held.reveal()).digest()
