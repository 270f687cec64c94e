"""An OAuth provider as its client: forms to its endpoints, and what it says of itself. No redirects, no proxies."""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final, final
from urllib.parse import quote_plus, urlencode, urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.custody.bounded import handlers, sent
from remit.custody.secret import Secret

PATIENCE_S: Final = 5
LARGEST: Final = 64 * 1024
FOUND: Final = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "revoke": "revocation_endpoint",
    "introspect": "introspection_endpoint",
}
"""Settings of an oauth source, and what the provider's metadata calls them."""
READ: Final = {"": frozenset(FOUND), "target.": frozenset({"token", "revoke", "introspect"})}
"""What is read of the provider, and of the target's own authorization server."""
NAMES: Final = "authorization_response_iss_parameter_supported"

Prove = Callable[[Mapping[str, str]], dict[str, str]]
"""What a client with a key adds to a form."""


_HTTP: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers())


@final
class Provider:
    """One client at one provider. Called from several threads at once.

    It is proved by its secret (`client_secret_basic`), or by what `prove` puts into each form.
    """

    def __init__(self, client: str, secret: Secret, prove: Prove | None = None) -> None:
        self._client, self._secret, self._prove = client, secret, prove

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, dict[str, Json]]:
        """Send a form as this client; what comes back, as far as it is a JSON object (`target_unavailable`)."""
        if self._prove is not None:
            whole = urlencode({**form, **self._prove(form)}).encode()
            return _sent(urllib.request.Request(url, whole, {"accept": "application/json"}, method="POST"))  # noqa: S310 - see endpoint
        pair = f"{quote_plus(self._client)}:{quote_plus(self._secret.reveal().decode())}"
        heads = {"authorization": f"Basic {b64encode(pair.encode()).decode()}", "accept": "application/json"}
        return _sent(urllib.request.Request(url, urlencode(form).encode(), heads, method="POST"))  # noqa: S310 - see endpoint


def discovered(settings: Mapping[str, str]) -> dict[str, str]:
    """These settings with what `issuer` and `target.issuer` say of themselves where they are silent (RFC 8414).

    Read once, when an operator sets it: what is written down then does not move when the provider is taken over later.
    """
    found: dict[str, str] = {}
    for prefix in ("", "target."):
        issuer = endpoint(settings, f"{prefix}issuer", needed=False)
        if issuer:
            said = _metadata(issuer)
            read = {prefix + name: said.get(member) for name, member in FOUND.items() if name in READ[prefix]}
            found |= {name: value for name, value in read.items() if isinstance(value, str) and value}
            found |= {"names": "yes"} if not prefix and said.get(NAMES) is True else {}
    return found | dict(settings)


def endpoint(settings: Mapping[str, str], name: str, *, needed: bool = True) -> str:
    """An endpoint of the provider: https, or http on this machine (`setting_invalid`)."""
    url = settings.get(name, "")
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    good = parts.hostname and not parts.username and not parts.fragment
    if (url or needed) and not (good and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise setting(f"{name}, an https URL")
    return url


def refused(status: int, said: Mapping[str, Json]) -> RemitError:
    """What the provider says, by its error code alone: a description may hold what was sent."""
    error = said.get("error")
    code = (
        error if isinstance(error, str) and error.replace("_", "").isalpha() and len(error) < 60 else f"status {status}"
    )
    if code == "invalid_grant":
        return RemitError("connection_refused", "The provider no longer takes this connection.", "Connect it anew.")
    return RemitError("target_declined", f"The provider refused: {code}.", "Look at the client's registration there.")


def taken(status: int, said: Mapping[str, Json], kind: str) -> bool:
    """Say whether a provider asked to take back a token of this kind has no more to do (RFC 7009, 2.2.1).

    One that takes back no access tokens says so: such a token ends by itself. A refresh token does not.
    """
    unable = status == 400 and said.get("error") == "unsupported_token_type"
    return status == 200 or (unable and kind == "access_token")


def setting(what: str) -> RemitError:
    """A setting of an oauth source that cannot be."""
    return RemitError("setting_invalid", f"An oauth source must know {what}.", "Set it: remit lease mint … --set.")


def _metadata(issuer: str) -> dict[str, Json]:
    """What this very issuer says of itself, at the address of RFC 8414 or of OpenID Connect Discovery."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    places = (
        f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )
    for place in places:
        status, said = _sent(urllib.request.Request(place, headers={"accept": "application/json"}))  # noqa: S310 - https
        if status == 200 and said.get("issuer") == issuer:
            return said
    raise RemitError(
        "target_unavailable", "The provider does not say of itself what it is.", "Check issuer, or set each endpoint."
    )


def _sent(request: urllib.request.Request) -> tuple[int, dict[str, Json]]:
    try:
        status, body = sent(_HTTP, request, each_s=PATIENCE_S, most=LARGEST)
    except (OSError, ValueError) as fault:
        what = f"The provider cannot be reached ({type(fault).__name__})."
        raise RemitError("target_unavailable", what, "Look at the provider.") from None
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = {}
    return status, said if isinstance(said, dict) else {}
