"""Transaction tokens (draft-ietf-oauth-transaction-tokens): what a service behind a gate is told of the call, signed.

Each trust path has a key of its own for them, and none of it signs anything else. A token is for one call, lives for a
minute, opens nothing by itself, and never reaches an agent. docs/spec/transaction.md is its page.
"""

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, b64, canon
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.signer import TRANSACTION_PURPOSES, Signer

TYPE: Final = "txntoken+jwt"
LIFE: Final = 60
"""Seconds."""
TAIL: Final = 20
"""Octets of the signature's beginning that are taken out of answers: 120 bits that nobody guesses."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a token says. `subject` is the person by opaque id on the delegated path, on the own path the agent."""

    issuer: str
    audience: str
    call: str
    subject: str
    agent: str
    task: str
    plan: int
    path: TrustPath
    action: str
    requester: str
    brief: str


def issue(said: Transaction, signer: Signer, now: Instant) -> str:
    """Sign with the transaction key of its path (`key_missing`)."""
    key = signer.active(TRANSACTION_PURPOSES[said.path])
    issued = now // 1000
    payload: dict[str, Json] = {
        "iss": said.issuer,
        "aud": said.audience,
        "iat": issued,
        "exp": issued + LIFE,
        "txn": said.call,
        "sub": said.subject,
        "scope": said.action,
        "req_wl": said.agent,
        "tctx": {"task": said.task, "plan": said.plan, "path": said.path.value},
        "rctx": {"requester": said.requester, "brief": said.brief},
    }
    if said.path is TrustPath.DELEGATED:
        payload["act"] = {"sub": said.agent}
    header = canon({"alg": "ES256", "kid": key.kid, "typ": TYPE})
    text = f"{b64(header)}.{b64(canon(payload))}"
    return f"{text}.{b64(key.sign(text.encode()))}"


def hidden(token: str) -> bytes:
    """What of a token must not come back in an answer."""
    return token.rpartition(".")[2][:TAIL].encode()
