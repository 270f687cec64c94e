"""Hook: what leaves for another system when people are asked or have answered, and how it is signed.

A notice names the ask and where it is answered; it carries no value, no name and no secret, and nothing that anybody
answers to it is read. The signature is that of Standard Webhooks (v1, HMAC-SHA256).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError

KIND: Final = b'"kind":"approval.'
FIRST_MS: Final = 2_000
LONGEST_MS: Final = 3_600_000
_BARE: Final = range(32, 1025)
_KEY: Final = range(24, 65)


def name(url: str) -> str:
    """What a hook is called in the store: 16 bytes of its address's digest. An address can be a secret itself."""
    return b64(hashlib.sha256(url.encode()).digest()[:16])


def notice(leaf: int, receipt: Mapping[str, Json], issuer: str) -> tuple[str, bytes]:
    """The id of a notice, the same each time it is sent, and its bytes."""
    one = receipt["record"]
    body: dict[str, Json] = {
        "type": receipt["kind"],
        "entry": leaf,
        "at": receipt["at"],
        "approval": one["id"],
        "task": one["task"],
        "action": one["action"],
        "groups": one["groups"],
        "until": one["until"],
        "url": f"{issuer}/console/approvals/{one['id']}",
    }
    return f"msg_{one['id'][4:]}_{leaf}", canon(body)


def key(secret: bytes) -> bytes:
    """The signing key that a secret is: `whsec_` and base64, or 32 characters and more as they stand (`hook_weak`)."""
    text = secret.strip()
    if text.startswith(b"whsec_"):
        try:
            raw = base64.b64decode(text.removeprefix(b"whsec_"), validate=True)
        except ValueError:
            raw = b""
        if len(raw) in _KEY:
            return raw
    elif len(text) in _BARE:
        return text
    raise RemitError("hook_weak", "The secret of a hook is too short, or is none.", "Use 32 random bytes or more.")


def signature(secret: bytes, identity: str, at: int, body: bytes) -> str:
    """What signs a notice that is sent at this POSIX second."""
    told = hmac.new(secret, b"%s.%d.%s" % (identity.encode(), at, body), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(told).decode()}"


def again(tries: int) -> int:
    """Milliseconds to wait after so many tries that failed: twice as long each time, up to an hour, for ever."""
    return int(min(FIRST_MS << min(tries, 20), LONGEST_MS))
