"""The credential an agent holds: an RFC 9068 access token, bound to one task, one plan version and one trust path.

docs/spec/credential.md is its page. Verification here proves what the token says and that we said it; whether agent,
task, plan and key are still live is read by control in the transaction of each decision (law 1).
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol, final

from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError
from remit.core.ids import CredentialId, TaskId, parse
from remit.core.moment import Instant, ahead
from remit.core.trust import TrustPath
from remit.custody import jws
from remit.custody.jws import Refused, TokenRefusal
from remit.custody.signer import TOKEN_PURPOSES, Key, Signer

TYPE: Final = "at+jwt"
LONGEST_LIFE: Final = 24 * 60 * 60
"""Seconds: no credential lives longer."""
DEEPEST: Final = 9
"""Agents in one chain: that of a task, and of up to eight levels above it."""
REMEMBERED: Final = 4096

_SECONDS: Final = 253_402_300_799
CERTIFICATE: Final = "x5t#S256"
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_REQUIRED: Final = frozenset(
    {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "remit_task", "remit_plan", "remit_path"}
)
_OPTIONAL: Final = frozenset({"act", "cnf"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a credential says. Instants are milliseconds here and whole seconds, rounded down, in the token."""

    issuer: str
    audience: tuple[str, ...]
    subject: str
    client: str
    issued: Instant
    expires: Instant
    id: CredentialId
    task: TaskId
    plan: int
    path: TrustPath
    actor: str | None = None
    prior: tuple[str, ...] = ()
    thumbprint: str | None = None
    certificate: str | None = None


class Keys(Protocol):
    """Our own signing keys by name. `Signer` is one."""

    def find(self, kid: str) -> Key | None:
        """Return the key of this name, in whatever state it is."""
        ...


@dataclass(frozen=True, slots=True)
class Proved:
    """A pure fact that time cannot change: the key of this thumbprint signed that text, and it says these claims."""

    kid: str
    thumbprint: str
    claims: Claims


@final
class Memory:
    """Remembers the last proofs by exact token text: two generations, so it is bounded and a hit costs one look-up."""

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, size: int = REMEMBERED) -> None:
        self._half = max(1, size // 2)
        self._young: dict[str, Proved] = {}
        self._old: dict[str, Proved] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, text: str) -> Proved | None:
        """Return what was proved of exactly this text."""
        found = self._young.get(text)
        if found is None:
            found = self._old.pop(text, None)
            if found is not None:
                self.put(text, found)
        return found

    def put(self, text: str, proved: Proved) -> None:
        """Remember a proof; the oldest half is forgotten when full."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[text] = proved


_MEMORY: Final = Memory()


def issue(claims: Claims, signer: Signer) -> str:
    """Sign with the active key of its path. Refuses claims that nobody could verify (`claims_invalid`)."""
    payload: dict[str, Json] = {
        "iss": claims.issuer,
        "aud": list(claims.audience),
        "sub": claims.subject,
        "client_id": claims.client,
        "iat": claims.issued // 1000,
        "exp": claims.expires // 1000,
        "jti": claims.id,
        "remit_task": claims.task,
        "remit_plan": claims.plan,
        "remit_path": claims.path.value,
    }
    if claims.actor is not None:
        payload["act"] = acting((claims.actor, *claims.prior))
    bound = {"jkt": claims.thumbprint, CERTIFICATE: claims.certificate}
    if any(value is not None for value in bound.values()):
        payload["cnf"] = {name: value for name, value in bound.items() if value is not None}
    try:
        _read(payload)
    except Refused as fault:
        raise RemitError(
            "claims_invalid", f"No credential can say this. {fault.refusal.what}", "Mend the claim and issue again."
        ) from None
    key = signer.active(TOKEN_PURPOSES[claims.path])
    header = canon({"alg": "ES256", "kid": key.kid, "typ": TYPE})
    signed = f"{b64(header)}.{b64(canon(payload))}"
    token = f"{signed}.{b64(key.sign(signed.encode()))}"
    if len(token) > jws.LONGEST:
        raise RemitError("claims_invalid", "The credential would be over 8 KiB.", "Name fewer resources.")
    return token


def acting(chain: tuple[str, ...]) -> dict[str, Json]:
    """Write who acts, the newest first and outermost (RFC 8693 section 4.1)."""
    said: dict[str, Json] = {}
    for one in reversed(chain):
        said = {"sub": one, "act": said} if said else {"sub": one}
    return said


def verify(
    token: str, *, issuer: str, audience: str, now: Instant, keys: Keys, memory: Memory = _MEMORY
) -> Claims | TokenRefusal:
    """Read a credential that an agent presents at `audience`; refuse anything but one of ours (RFC 9068 section 4).

    Only "this text is genuinely signed" is remembered; key state, issuer, audience and time are checked every time.
    """
    try:
        proved = memory.get(token)
        key = keys.find(proved.kid) if proved is not None else None
        if key is None or proved is None or key.public is None or key.public.thumbprint != proved.thumbprint:
            proved, key = _prove(token, keys)
            memory.put(token, proved)
    except Refused as fault:
        return fault.refusal
    claims = proved.claims
    if not key.accepts(now):
        return TokenRefusal("token_key_state", "The key that signed this token no longer counts.")
    if key.row.purpose is not TOKEN_PURPOSES[claims.path]:
        return TokenRefusal("token_path_key", "The token's trust path is not the path of the key that signed it.")
    if claims.issuer != issuer:
        return TokenRefusal("token_issuer", "The token is from another issuer.")
    if audience not in claims.audience:
        return TokenRefusal("token_audience", "The token is for another resource.")
    if ahead(claims.issued, now):
        return TokenRefusal("token_iat_future", "The token was issued in the future.")
    if now >= claims.expires:
        return TokenRefusal("token_expired", "The token has expired.")
    return claims


def _prove(token: str, keys: Keys) -> tuple[Proved, Key]:
    parsed = jws.parse(token)
    if parsed.type != TYPE:
        raise Refused("token_type", "The token is not an access token (typ at+jwt).")
    if parsed.header.keys() != {"alg", "kid", "typ"} or parsed.kid is None:
        raise Refused("token_header", "The header of our tokens is alg, kid and typ, no more and no less.")
    key = keys.find(parsed.kid)
    if key is None or key.public is None:
        raise Refused("token_key_unknown", "The token names a key that is not ours.")
    if key.row.purpose not in TOKEN_PURPOSES.values():
        raise Refused("token_key_purpose", "The token names a key that does not sign tokens.")
    if parsed.algorithm not in key.public.algorithms:
        raise Refused("token_algorithm", "The token's algorithm is not that of the key it names.")
    if not key.public.verifies(parsed.signed, parsed.signature):
        raise Refused("token_signature", "The signature is wrong.")
    return Proved(key.kid, key.public.thumbprint, _read(parsed.payload)), key


def _read(payload: dict[str, Json]) -> Claims:
    """Turn a payload into claims: every member known, of exactly its type, in range."""
    issued, expires = seconds(payload, "iat"), seconds(payload, "exp")
    if "nbf" in payload:
        raise Refused("token_nbf", "Our tokens carry no nbf.")
    if missing := _REQUIRED - payload.keys():
        raise Refused("token_claim_missing", f"The claim {min(missing)} is missing.")
    if unknown := payload.keys() - _REQUIRED - _OPTIONAL:
        raise Refused("token_claim_unknown", f"{len(unknown)} claims are none of ours.")
    if not issued < expires <= issued + LONGEST_LIFE:
        raise Refused("token_life", "A token ends after it begins, and within a day.")
    audience, plan = payload["aud"], payload["remit_plan"]
    if not isinstance(audience, list) or not audience or len({_text(a, "aud") for a in audience}) != len(audience):
        raise Refused("token_claim_invalid", "aud is a list of resources, none twice.")
    if type(plan) is not int or not 1 <= plan < 2**31:
        raise Refused("token_claim_invalid", "remit_plan is a version, from 1.")
    try:
        path = TrustPath(payload["remit_path"])
        identity = CredentialId(parse("crd", payload["jti"]))
        task = TaskId(parse("tsk", payload["remit_task"]))
    except (ValueError, RemitError):
        raise Refused("token_claim_invalid", "jti, remit_task or remit_path is not one of ours.") from None
    bound, actors = _bound(payload), _actors(payload)
    return Claims(
        issuer=_text(payload["iss"], "iss"),
        audience=tuple(audience),
        subject=_text(payload["sub"], "sub"),
        client=_text(payload["client_id"], "client_id"),
        issued=Instant(issued * 1000),
        expires=Instant(expires * 1000),
        id=identity,
        task=task,
        plan=plan,
        path=path,
        actor=actors[0] if actors else None,
        prior=actors[1:],
        thumbprint=bound.get("jkt"),
        certificate=bound.get(CERTIFICATE),
    )


def _bound(payload: dict[str, Json]) -> dict[str, str]:
    """What the credential is bound to: one key (RFC 9449 section 6.1) or one certificate (RFC 8705 section 3.1)."""
    if "cnf" not in payload:
        return {}
    value = payload["cnf"]
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"jkt", CERTIFICATE}:
        raise Refused("token_claim_invalid", "cnf holds jkt or x5t#S256 and nothing else.")
    if not all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value.values()):
        raise Refused("token_claim_invalid", "cnf holds a SHA-256 digest in base64url.")
    return value


def _actors(payload: dict[str, Json]) -> tuple[str, ...]:
    """Who acts, the newest first: each one level deeper, none who hands on to itself."""
    found: list[str] = []
    within: dict[str, Json] = payload
    while "act" in within:
        held = within["act"]
        if not isinstance(held, dict) or not {"sub"} <= held.keys() <= {"sub", "act"} or len(found) >= DEEPEST:
            raise Refused("token_claim_invalid", f"act holds sub, and act again for up to {DEEPEST} levels.")
        one = _text(held["sub"], "act.sub")
        if one in found[-1:]:
            raise Refused("token_claim_invalid", "In act, nobody hands on to themselves.")
        found.append(one)
        within = held
    return tuple(found)


def seconds(payload: dict[str, Json], name: str) -> int:
    """Read a NumericDate that is a whole number of seconds up to the year 9999, each fault with a code of its own."""
    value = payload.get(name)
    if value is None:
        raise Refused(f"token_{name}_missing", f"The claim {name} is missing.")
    if type(value) is not int:
        raise Refused(f"token_{name}_type", f"The claim {name} is not a whole number.")
    if value < 0:
        raise Refused(f"token_{name}_negative", f"The claim {name} is before 1970.")
    if value > _SECONDS:
        raise Refused(f"token_{name}_range", f"The claim {name} is after the year 9999.")
    return value


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 2048 or not value.isprintable():
        raise Refused("token_claim_invalid", f"{name} is a printable text.")
    return value
