"""Signers, claims and forged tokens for tests of custody."""

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import replace

from joserfc import jws as peer
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from remit.core import ids
from remit.core.canonical import b64
from remit.core.ids import CredentialId, TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.root import Root
from remit.custody.secret import Secret
from remit.custody.signer import TOKEN_PURPOSES, Signer
from remit.custody.token import Claims, acting
from tests.kit.rows import MemoryKeyRows

NOW = Instant(1_790_000_000_000)
ISSUER = "https://remit.test"
GIT, CRM = "https://remit.test/mcp/git", "https://remit.test/mcp/crm"


def dice(seed: str) -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""
    drawn = 0

    def random(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}/{drawn}".encode()).digest(size)

    return random


def signer(seed: str = "signer", rows: MemoryKeyRows | None = None) -> Signer:
    """A signer whose keys are all there."""
    made = Signer(rows or MemoryKeyRows(), [Root(Secret(dice(f"root/{seed}")(32)))], dice(seed))
    made.ensure(NOW)
    return made


def claims(path: TrustPath = TrustPath.DELEGATED, audience: str = GIT, task: str = "a", **changes: object) -> Claims:
    """A credential of ten minutes."""
    made = Claims(
        issuer=ISSUER,
        audience=(audience,),
        subject="per_alice",
        client="agt_bot",
        issued=NOW,
        expires=Instant(NOW + 600_000),
        id=CredentialId(ids.make("crd", dice(f"crd/{path}/{audience}/{task}")(16))),
        task=TaskId(ids.make("tsk", dice(f"tsk/{task}")(16))),
        plan=1,
        path=path,
    )
    return replace(made, **changes)


def payload(made: Claims) -> dict[str, object]:
    """What a token of these claims says."""
    return {
        "iss": made.issuer,
        "aud": list(made.audience),
        "sub": made.subject,
        "client_id": made.client,
        "iat": made.issued // 1000,
        "exp": made.expires // 1000,
        "jti": made.id,
        "remit_task": made.task,
        "remit_plan": made.plan,
        "remit_path": made.path.value,
        **({"act": acting((made.actor, *made.prior))} if made.actor else {}),
    }


def forge(ours: Signer, header: dict[str, object] | bytes, body: dict[str, object] | bytes, path: TrustPath) -> str:
    """A token over any bytes whatever, under a genuine signature of our key of this path."""
    head, said = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, body))
    text = f"{b64(head)}.{b64(said)}"
    return f"{text}.{b64(ours.sign(TOKEN_PURPOSES[path], text.encode()).value)}"


def header(ours: Signer, path: TrustPath = TrustPath.DELEGATED, **more: object) -> dict[str, object]:
    """The header of a good token, and more."""
    return {"alg": "ES256", "kid": ours.active(TOKEN_PURPOSES[path]).kid, "typ": "at+jwt", **more}


def peer_sign(key: ECKey | RSAKey | OKPKey, head: dict[str, object], body: dict[str, object]) -> str:
    """Sign with joserfc, an implementation that is not ours."""
    registry = peer.JWSRegistry(algorithms=["ES256", "RS256", "EdDSA", "Ed25519"], strict_check_header=False)
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; agents still sign under the old name.
        warnings.simplefilter("ignore", SecurityWarning)
        return peer.serialize_compact(head, json.dumps(body).encode(), key, registry=registry)
