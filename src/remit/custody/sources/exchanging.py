"""How what a person connected becomes a narrower token for one task: by refresh, by exchange, or by an assertion.

`refresh` asks for fewer scopes (RFC 6749 section 6). `exchange` asks the provider's token exchange (RFC 8693). `id-jag`
has the provider assert the person to the target's own authorization server, which gives the token (RFC 7523); there it
ends, too. Nothing is kept between two tokens: each rests on what its own person gave, and on nothing else.
"""

import hashlib
import itertools
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody import asserting
from remit.custody.secret import Secret
from remit.custody.sources.provider import Provider, endpoint, refused, setting, taken

BY: Final = ("refresh", "exchange", "id-jag")
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TYPE: Final = "urn:ietf:params:oauth:token-type:"
SUBJECTS: Final = ("refresh_token", "access_token", "id_token")
ASSERTION_TYPE: Final = "oauth-id-jag+jwt"
Said = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Place:
    """One authorization server, our client there, and its endpoints; those that it does not have are empty."""

    provider: Provider
    client: str
    issuer: str
    token: str
    revoke: str
    introspect: str

    def ask(self, form: Mapping[str, str]) -> Said:
        """What its token endpoint gives for this form (`target_declined`, `connection_refused`)."""
        status, said = self.provider.post(self.token, form)
        if status != 200:
            raise refused(status, said)
        return said

    def give_back(self, token: Json, kind: str) -> None:
        """Have it take back a token (RFC 7009): it says yes to one that it does not know, too (`target_declined`)."""
        if self.revoke and isinstance(token, str) and token:
            status, said = self.provider.post(self.revoke, {"token": token, "token_type_hint": kind})
            if not taken(status, said, kind):
                raise refused(status, said)


@dataclass(frozen=True, slots=True)
class Owing:
    """A token that is to be taken back: where, and of which kind."""

    place: Place
    token: str = field(repr=False)
    kind: str

    def settled(self) -> RemitError | None:
        """What is in the way of it; None when it is taken back."""
        try:
            self.place.give_back(self.token, self.kind)
        except RemitError as fault:
            return fault
        return None


Owe = Callable[[Owing], None]


@final
class Exchanging:
    """The way of one oauth source. `renew` is told of a refresh token that took the place of the one before."""

    def __init__(self, secret: Secret, settings: Mapping[str, str], now: Callable[[], Instant]) -> None:
        mine, theirs = parts(secret)
        self.home = _place(settings, "", settings.get("client", ""), Provider(settings.get("client", ""), mine))
        self.by, self._subject = settings.get("by", "refresh"), settings.get("subject", "refresh_token")
        self._named = {one: settings[one] for one in ("audience", "resource") if settings.get(one)}
        if self.by not in BY or self._subject not in SUBJECTS:
            raise setting(f"by, one of {', '.join(BY)}, and subject, one of {', '.join(SUBJECTS)}")
        self.there = self.home
        if self.by == "id-jag":
            client = settings.get("target.client", "") or self.home.client
            issuer = endpoint(settings, "target.issuer")
            self.there = _place(
                settings, "target.", client, Provider(client, theirs, _prover(theirs, client, issuer, now))
            )

    def token(self, held: Secret, scopes: list[str], renew: Callable[[Json], None], owe: Owe) -> Said:
        """What is said with a token of these scopes, made of what this one person gave.

        `owe` is told of what came along, is not kept, and was not taken back when it was asked to be.
        """
        if self.by == "refresh":
            return self._refreshed(held, scopes, renew)
        subject = held.reveal().decode()
        if self._subject == "refresh_token":
            return self._made(subject, scopes, owe)
        whole = [*scopes, "openid"] if self._subject == "id_token" else scopes
        first = self._refreshed(held, whole, renew)
        try:
            found = first.get(self._subject)
            if not isinstance(found, str) or not found:
                raise declined(f"The provider gave no {self._subject} to exchange.")
            return self._made(found, scopes, owe)
        finally:
            _back(self.home, first.get("access_token"), "access_token", owe)

    def _refreshed(self, held: Secret, scopes: list[str], renew: Callable[[Json], None]) -> Said:
        form = {"grant_type": "refresh_token", "refresh_token": held.reveal().decode(), "scope": " ".join(scopes)}
        said = self.home.ask(form)
        renew(said.get("refresh_token"))
        return said

    def _made(self, subject: str, scopes: list[str], owe: Owe) -> Said:
        """Exchange the subject, for the token itself or for an assertion that the target's server gives one for."""
        form = {
            "grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": TYPE + self._subject,
            "scope": " ".join(scopes), **self._named,
        }  # fmt: skip
        if self.by == "exchange":
            said = self.home.ask(form | {"requested_token_type": TYPE + "access_token"})
            _back(self.home, said.get("refresh_token"), "refresh_token", owe)
            if said.get("issued_token_type") != TYPE + "access_token":
                _back(self.home, said.get("access_token"), "access_token", owe)
                raise declined("The provider gave another kind of token than was asked for.")
            return said
        said = self.home.ask(form | {"requested_token_type": TYPE + "id-jag", "audience": self.there.issuer})
        text = said.get("access_token")
        if said.get("issued_token_type") != TYPE + "id-jag" or not isinstance(text, str):
            raise declined("The provider did not assert this person to the target.")
        _held(text, self.there, scopes)
        resource = {name: value for name, value in self._named.items() if name == "resource"}
        given = self.there.ask({"grant_type": BEARER, "assertion": text, "scope": " ".join(scopes), **resource})
        _back(self.there, given.get("refresh_token"), "refresh_token", owe)
        return given


def parts(secret: Secret) -> tuple[Secret, Secret]:
    """Our secret at the provider, and that at the target's own server: one for both, or an object that names them."""
    if not secret.reveal().startswith(b"{"):
        return secret, secret
    try:
        said = json.loads(secret.reveal())
        return Secret(str(said["provider"]).encode()), Secret(str(said["target"]).encode())
    except (ValueError, KeyError):
        raise setting("as its secret one for both, or an object of provider and target") from None


def _back(place: Place, token: Json, kind: str, owe: Owe) -> None:
    """Have a place take back what came along; what it does not take now is owed."""
    if isinstance(token, str) and token:
        one = Owing(place, token, kind)
        if one.settled() is not None:
            owe(one)


def declined(what: str) -> RemitError:
    """An answer that is not what was asked for."""
    return RemitError("target_declined", what, "Ask the provider.")


def _held(text: str, there: Place, scopes: list[str]) -> None:
    """Hold an assertion to what was asked for, before anybody is shown it: for this server, this client, no more scope.

    Its signature is the target's to check: this came from the provider itself.
    """
    try:
        head, body = (json.loads(urlsafe_b64decode(one + "==")) for one in text.split(".")[:2])
        audience, more = body["aud"], set(body.get("scope", "").split()) - set(scopes)
        good = head["typ"].lower() == ASSERTION_TYPE and body["client_id"] == there.client and not more
    except (ValueError, KeyError, TypeError, AttributeError):
        good, audience = False, ""
    if not good or audience not in (there.issuer, [there.issuer]):
        raise declined("The provider's assertion is for somebody else, or for more than was asked for.")


def _place(settings: Mapping[str, str], prefix: str, client: str, provider: Provider) -> Place:
    found = [endpoint(settings, prefix + name, needed=name == "token") for name in ("token", "revoke", "introspect")]
    return Place(provider, client, settings.get(f"{prefix}issuer", ""), *found)


def _prover(
    secret: Secret, client: str, audience: str, now: Callable[[], Instant]
) -> Callable[[Mapping[str, str]], dict[str, str]] | None:
    """How a client with a private key proves itself (`private_key_jwt`); None for one with a secret."""
    if not secret.reveal().startswith(b"-----BEGIN"):
        return None
    count = itertools.count()

    def proved(form: Mapping[str, str]) -> dict[str, str]:
        at = now()
        once = f"{at} {next(count)} {sorted(form.items())}"
        name = b64(hashlib.sha256(once.encode()).digest()[:18])
        text = asserting.assertion(secret, client=client, audience=audience, id=name, now=at)
        return {"client_id": client, "client_assertion_type": asserting.TYPE, "client_assertion": text}

    return proved
