"""The settings that are tables, of which there may be several: `[[issuers]]`, `[[witnesses]]` and the like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider whose people may act here: its issuer URL, our audience there, where its keys are.

    With `sign_in` people sign in there, and `audience` is our client id.
    """

    issuer: str
    audience: str
    jwks_uri: str = ""
    auto_register: bool = False
    sign_in: bool = False
    assertions: bool = False
    vouches_to: str = ""
    userinfo: bool = False
    acts: bool = False
    name: str = ""
    scopes: str = "openid profile"
    groups_claim: str = "groups"
    acr_values: str = ""
    client_secret: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness that heads are sent to: the prefix of its `add-checkpoint`, and its verifier key."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Hooked:
    """Where it is told that people are asked: an address, the reference of the secret that signs, private or not."""

    url: str
    secret: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A service that is told of changes: its name, its audience, where it is pushed to, whose subjects it knows.

    `algorithm` is by which its events are signed: ES256, or RS256 as the CAEP interoperability profile asks.
    """

    service: str
    audience: str
    push: str = ""
    people: str = ""
    authorization: str = ""
    private: bool = False
    algorithm: str = "ES256"


@dataclass(frozen=True, slots=True)
class Polled:
    """A transmitter that is polled: the name it is registered under, its poll endpoint, what is sent along.

    That is an `authorization`, or a token of its `token` endpoint, asked for as `client` with its `secret`: sent as
    `proof` says, or a private key, whose assertions are for `token_issuer`.
    """

    name: str
    poll: str
    authorization: str = ""
    private: bool = False
    token: str = ""
    client: str = ""
    secret: str = ""
    scope: str = ""
    proof: str = "client_secret_basic"
    token_issuer: str = ""
