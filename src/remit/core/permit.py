"""What passes between a gate and the side that decides: who enters, what is permitted, what is lent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from remit.core.canonical import Json, b64
from remit.core.lineage.source import Heed
from remit.core.resource import Resource, Upstream
from remit.core.trust import TrustPath


class Manner(msgspec.Struct, frozen=True):
    """How a credential was shown, beside its text: what may prove that its key is there.

    `scheme` is that of the Authorization field, in lower case; `proofs` are the DPoP fields; `method` and `url` those
    of the request, without a query; `certificate` the RFC 8705 `x5t#S256` of the client's certificate, if it showed
    one.
    """

    scheme: str = "bearer"
    proofs: tuple[str, ...] = ()
    method: str = ""
    url: str = ""
    certificate: str = ""


BARE: Final = Manner()
"""A bearer credential, and nothing that proves a key."""


def x5t(der: bytes) -> str:
    """The `x5t#S256` of a certificate (RFC 8705): base64url of SHA-256 over its DER."""
    return b64(hashlib.sha256(der).digest())


class Entry(msgspec.Struct, frozen=True):
    """A credential whose text is genuine and is for this resource. It says who is asking, and allows nothing.

    `thumb` is what it is bound to and was proved to hold; `ticket` the proof that the first decision uses up; `nonce`
    one for the client's next proof.
    """

    credential: str
    task: str
    agent: str
    path: TrustPath
    resource: str
    thumb: str = ""
    ticket: object = None
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A presentation that is no entry: answered 401 with this OAuth error, counted, never written.

    `nonce` is one for the client's next proof.
    """

    error: str
    what: str
    code: str
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Carry:
    """What is remembered of a call whose errand can use both paths: errand, path, key, and what the call was given."""

    root: str
    path: str
    key: bytes = field(repr=False)
    arguments: Mapping[str, Json] = field(repr=False)


class Said(msgspec.Struct, frozen=True):
    """What the decision's transaction knew of a call, for the target: on whose authority, by whom, for what errand."""

    subject: str
    agent: str
    plan: int
    action: str
    requester: str
    brief: str


class Permit(msgspec.Struct, frozen=True):
    """Proof that this very call was allowed and that the ledger says so. The only thing that can forward or borrow.

    Built in one place, after the commit of its receipt. `until` is on the authority's monotonic clock that counts
    suspend, in milliseconds; past it the call is decided again. `visible` are the tools and kinds that a list may show;
    `counted` are the steps whose rows the answer is counted on, with their limits. `target` is the resource as the
    decision's transaction read it: what is borrowed is for that one. `lease` is the one it borrows at the target. With
    `heed` or `carry`, its outcome comes with the answer; `said` is what a transaction token says, where one is wanted.
    """

    call: str
    digest: bytes
    leaf: int
    task: str
    path: TrustPath
    resource: str
    until: int
    visible: frozenset[str] = frozenset()
    counted: tuple[tuple[str, str, int, int], ...] = ()
    target: Resource | None = None
    lease: str = ""
    heed: Heed | None = None
    carry: Carry | None = None
    said: "Said | None" = None

    def at(self, place: Upstream) -> bool:
        """Say whether it is for the resource at this place: what is lent under it goes to no other."""
        return self.target is not None and self.target.upstream == place


class Lent(msgspec.Struct, frozen=True):
    """What is put on the call on its way upstream, and the values that must not come back in an answer.

    `user` and `password` log in at a target that wants that, as a lease says; `key` is the gate's own, by which it is
    let in at a target that wants a token.
    """

    headers: tuple[tuple[bytes, bytes], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    hidden: tuple[bytes, ...] = ()
    user: str = ""
    password: bytes = b""
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate for one host, its private key sealed under a passphrase, both PEM; `until` is where both end."""

    certificate: bytes
    key: bytes = field(repr=False)
    passphrase: bytes = field(repr=False)
    until: int


class Fault(msgspec.Struct, frozen=True):
    """The authority could not decide or note, or the target gave no usable answer: refuse. Never an allow.

    `unsure` says that the call may have been done all the same: it was on its way.
    """

    code: str
    what: str
    unsure: bool = False
