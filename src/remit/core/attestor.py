"""Attestors vouch for agents: their signed tokens say which workload speaks. A binding says whose agent that is.

Trust is bound to the issuer and to claims: an agent is who shows a token of exactly this issuer, for exactly this
audience, whose claims have exactly these values. Nothing is matched by pattern.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core import ids
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.moment import Instant, instant
from remit.core.record import Record

LIFE: Final = Lifecycle("attestor", {"active": {"removed": "removed"}, "removed": {"added": "active"}})
BOUND: Final = Lifecycle("binding", {"active": {"unbound": "ended"}, "ended": {}})
NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "oidc": (("sub",),),
    "kubernetes": (("sub",), ("kubernetes.io>namespace", "kubernetes.io>serviceaccount>name")),
    "github": (
        ("sub",),
        *(
            (repository, place)
            for repository in ("repository", "repository_id")
            for place in ("environment", "ref", "job_workflow_ref")
        ),
    ),
    "google": (("sub",),),
    "aws": (("sub",),),
    "azure": (("sub",), ("oid",)),
    "spiffe": (("sub",),),
}
"""Of each kind of attestor, the claims of which a binding names one group at least: fewer would let strangers in."""
ISSUERS: Final[Mapping[str, str]] = {
    "github": "https://token.actions.githubusercontent.com",
    "google": "https://accounts.google.com",
}
"""The only issuer of a kind that has but one."""
SECRET: Final = "secret"  # noqa: S105 - the name of a way in, not a secret
"""Stands for an attestor where an agent proves itself by a shared secret: weak, and shown as such."""
WITHIN: Final = ">"
"""Leads from a claim into it: `kubernetes.io>namespace`."""
_LARGEST: Final = 32 * 1024


class Attestor(Record, frozen=True, kw_only=True, tag_field="noun", tag="attestor"):
    """Who vouches for agents. Owned by the operator.

    `issuer` is exact: a URL, or `spiffe://TRUST-DOMAIN`. `audience` is what its tokens must be for, and for nothing
    else. Its keys are published (found by OpenID discovery, at `keys_url`), or pinned here (`keys`, a JWK set as text).
    With `once` each token counts once.
    """

    name: str
    kind: str
    issuer: str
    audience: str
    keys_url: str = ""
    keys: str = ""
    once: bool = False
    state: str = "active"

    def __post_init__(self) -> None:
        ids.name("attestor", self.name)
        if self.name == SECRET or self.kind not in NEEDED or self.state not in LIFE.table:
            raise _invalid("This name, kind or state is not one.", f"Use one of the kinds {', '.join(sorted(NEEDED))}.")
        spiffe = self.issuer.startswith("spiffe://")
        if spiffe is not (self.kind == "spiffe") or (spiffe and not trust_domain(self.issuer[9:])):
            raise _invalid("Its issuer is not one of its kind.", "Give a URL; for spiffe, spiffe://TRUST-DOMAIN.")
        if self.issuer != ISSUERS.get(self.kind, self.issuer):
            raise _invalid("This kind has one issuer only.", f"Use {ISSUERS.get(self.kind, '')}, or the kind oidc.")
        if not self.audience or len(self.audience) > 512 or len(self.keys) > _LARGEST or len(self.issuer) > 512:
            raise _invalid("Its audience, issuer or keys are missing or too long.", "Give an audience of its own.")
        if bool(self.keys) and bool(self.keys_url):
            raise _invalid("Its keys are pinned and published at once.", "Give one of the two.")
        if spiffe and not (self.keys or self.keys_url):
            raise _invalid("A trust domain has no discovery.", "Give its bundle, or the URL of its bundle endpoint.")


class Binding(Record, frozen=True, kw_only=True, tag_field="noun", tag="binding"):
    """That whoever shows an attestor's token with these claims is this agent. Owned by the operator.

    `digest` is that of a shared secret, when there is no attestor but that.
    """

    id: str
    agent: str
    attestor: str
    made: Instant
    claims: dict[str, str] = msgspec.field(default_factory=dict)
    digest: str = ""
    state: str = "active"

    def __post_init__(self) -> None:
        ids.parse("bnd", self.id)
        ids.parse("agt", self.agent)
        ids.name("attestor", self.attestor)
        instant(self.made)
        if (self.attestor == SECRET) is not bool(self.digest) or bool(self.digest) is bool(self.claims):
            raise _invalid("A binding has claims of an attestor, or a secret.", "Name the claims that must hold.")
        if len(self.claims) > 16 or any(not k or len(k) > 128 or not v or len(v) > 512 for k, v in self.claims.items()):
            raise _invalid("Its claims are too many, empty or too long.", "Name up to 16, with their exact values.")
        if self.state not in BOUND.table:
            raise _invalid("This state is not one.", "Use active or ended.")

    def holds(self, payload: Mapping[str, Json]) -> bool:
        """Say whether a token's claims are just these."""
        return bool(self.claims) and all(claim(payload, name) == value for name, value in self.claims.items())


def narrow(kind: str, claims: Mapping[str, str]) -> None:
    """Refuse claims that more than one workload could meet (`binding_invalid`)."""
    groups = NEEDED[kind]
    if not any(set(group) <= claims.keys() for group in groups):
        wanted = "; or ".join(" and ".join(group) for group in groups)
        raise _invalid(f"These claims do not name one workload of the kind {kind}.", f"Name {wanted}.")


def claim(payload: Mapping[str, Json], name: str) -> str | None:
    """The value of a claim as text, also of one within another; None for what is none or has no exact text."""
    found: Json = payload
    for part in name.split(WITHIN):
        if not isinstance(found, dict | Mapping) or part not in found:
            return None
        found = found[part]
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int) else None


def trust_domain(text: str) -> bool:
    """Say whether this can be a SPIFFE trust domain."""
    return 0 < len(text) <= 255 and all(c.islower() or c.isdigit() or c in "._-" for c in text) and text.isascii()


def spiffe_id(text: object) -> str | None:
    """The trust domain of a SPIFFE id of a workload; None for what is no such id (SPIFFE-ID section 2)."""
    if not isinstance(text, str) or not text.startswith("spiffe://") or len(text) > 2048 or not text.isascii():
        return None
    domain, slash, path = text[9:].partition("/")
    if not slash or not trust_domain(domain):
        return None
    for segment in path.split("/"):
        if segment in ("", ".", "..") or not all(c.isalnum() or c in "._-" for c in segment):
            return None
    return domain


def _invalid(why: str, remedy: str) -> RemitError:
    return RemitError("binding_invalid", f"This was refused. {why}", remedy)
