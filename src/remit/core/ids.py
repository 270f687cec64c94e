"""Identifiers: a three-letter prefix and 16 bytes in base32, random ones or an instant and random ones.

They are look-up keys, never capabilities.
"""

import re
from typing import Final, NewType

from remit.core.errors import RemitError

PersonId = NewType("PersonId", str)
ServiceId = NewType("ServiceId", str)
AgentId = NewType("AgentId", str)
TaskId = NewType("TaskId", str)
CredentialId = NewType("CredentialId", str)
CallId = NewType("CallId", str)
ConnectionId = NewType("ConnectionId", str)
RevocationId = NewType("RevocationId", str)
LoginId = NewType("LoginId", str)
ApprovalId = NewType("ApprovalId", str)
EvidenceId = NewType("EvidenceId", str)
SessionId = NewType("SessionId", str)
ClientId = NewType("ClientId", str)
ConsentId = NewType("ConsentId", str)
CodeId = NewType("CodeId", str)
RefreshId = NewType("RefreshId", str)
LeaseId = NewType("LeaseId", str)
BindingId = NewType("BindingId", str)
SignalId = NewType("SignalId", str)
StreamId = NewType("StreamId", str)
RightsizeId = NewType("RightsizeId", str)
ReviewId = NewType("ReviewId", str)

PREFIXES: Final = {
    "per": PersonId,
    "svc": ServiceId,
    "agt": AgentId,
    "tsk": TaskId,
    "crd": CredentialId,
    "cal": CallId,
    "cnx": ConnectionId,
    "rev": RevocationId,
    "lgn": LoginId,
    "apr": ApprovalId,
    "evd": EvidenceId,
    "ses": SessionId,
    "cli": ClientId,
    "con": ConsentId,
    "cod": CodeId,
    "rfr": RefreshId,
    "lse": LeaseId,
    "bnd": BindingId,
    "sgn": SignalId,
    "str": StreamId,
    "rsz": RightsizeId,
    "rvw": ReviewId,
}

_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = [one + other for one in _DIGITS for other in _DIGITS]
_SHIFTS: Final = range(120, -1, -10)
_ID = re.compile(rf"({'|'.join(PREFIXES)})_[a-z2-7]{{26}}", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def make(prefix: str, random: bytes) -> str:
    """Build an id of this kind from 16 bytes that the caller drew."""
    if prefix not in PREFIXES or len(random) != 16:
        raise RemitError("id_invalid", f"No id can be built for {prefix!r}.", "Use a known prefix and 16 random bytes.")
    bits = int.from_bytes(random, "big") << 2
    return f"{prefix}_{''.join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])}"


def parse(prefix: str, text: object) -> str:
    """Return `text` when it is an id of this kind; refuse anything else (`id_invalid`)."""
    if not isinstance(text, str) or not _ID.fullmatch(text) or text[:3] != prefix:
        raise RemitError(
            "id_invalid", f"This is not an id that starts with {prefix}_.", "Copy the id as Remit printed it."
        )
    return text


def known(prefix: str, text: str) -> bool:
    """Say whether `text` is an id of this kind."""
    return _ID.fullmatch(text) is not None and text[:3] == prefix


def name(kind: str, text: object) -> str:
    """Return `text` when it can name a brief, a resource or a group: lower case, digits and hyphens, 63 at most."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise RemitError(
            "name_invalid",
            f"This cannot be the name of a {kind}.",
            "Use 1 to 63 of a-z, 0-9 and hyphen, starting with a letter or digit.",
        )
    return text
