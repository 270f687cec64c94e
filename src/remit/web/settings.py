"""What the web face is told by the composition root. It reads no settings itself."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from remit.control.stream import Receiver
from remit.core.errors import RemitError
from remit.custody.secret import Secret

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider whose ID tokens for `audience` say who a person is.

    Without `jwks` its key set is found by OIDC discovery. `auto_register` takes in people who are not known yet;
    `groups` says that its tokens carry people's groups, in `groups_claim`. With `sign_in` people sign in there:
    `audience` is then our client id, proved by `secret`, by `key` (PEM, `private_key_jwt`) or, without both, by PKCE
    alone. With `assertions` its identity assertions (ID-JAG) let people's agents act; `vouches_to` are the agents, by
    name or id, that may show plain assertions of it (RFC 7523), which need not say who may act. With `userinfo` groups
    that the ID token does not say are read from its userinfo endpoint at a sign-in, and stay until the next. With
    `acts` whoever holds an ID token of it is the person at `/v1`; else it is for token exchange alone.
    Refuses plain http beyond loopback (`issuer_invalid`).
    """

    url: str
    audience: str
    jwks: str = ""
    auto_register: bool = False
    groups: bool = True
    groups_claim: str = "groups"
    sign_in: bool = False
    assertions: bool = False
    vouches_to: tuple[str, ...] = ()
    userinfo: bool = False
    acts: bool = False
    name: str = ""
    scopes: str = "openid profile"
    acr_values: str = ""
    secret: Secret | None = None
    key: Secret | None = None

    def __post_init__(self) -> None:
        if not self.audience or not safe(self.url) or (self.jwks and not safe(self.jwks)):
            raise RemitError(
                "issuer_invalid",
                "An issuer needs an audience and https URLs; plain http is for loopback only.",
                "Correct the issuer in the settings.",
            )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What may differ between installations.

    `client_registration` and `client_documents` let clients come that nobody added: they stand for the agent named
    `client_agent`, or each is put forward as an agent of its own. `door_rate` is how often a minute one address may
    knock at the door, `client_rate` how often a client may ask from there. `certificates` says that clients can show
    one; the ports are those of the gates before databases and for programs that know a proxy, 0 for none, and
    `secured` says that these speak TLS.
    """

    issuers: tuple[Issuer, ...] = ()
    public_log: bool = False
    client_registration: bool = False
    client_documents: bool = False
    client_agent: str = ""
    door_rate: int = 600
    client_rate: int = 1200
    weak_client_secrets: bool = False
    certificates: bool = False
    receivers: tuple[Receiver, ...] = ()
    postgres_port: int = 0
    forward_port: int = 0
    secured: bool = False


def safe(url: str) -> bool:
    """Say whether we would fetch from this URL: https, or http on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return (
        bool(host) and not parts.username and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
    )
