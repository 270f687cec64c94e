"""Refusals and faults as PostgreSQL clients read them: ErrorResponse with SQLSTATE, our code in its detail."""

from typing import Final

from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.permit import Fault, Unknown
from remit.gateway.postgres.frame import frame, text

REFUSED: Final = "42501"
"""insufficient_privilege: what every refusal is that has no nearer SQLSTATE."""
STATES: Final = {
    "statement_syntax": "42601",
    "statement_long": "54000",
    "statement_many": "0A000",
    "relation_unknown": "42P01",
    "column_unknown": "42703",
    "prepared_unknown": "26000",
    "portal_unknown": "34000",
    "frame_invalid": "08P01",
    "startup_refused": "08P01",
    "upstream_refused": "08001",
    "upstream_login": "08004",
    "upstream_closed": "08006",
    "credential_missing": "28000",
    "credential_ended": "28000",
    "credential_expired": "28000",
    "invalid_token": "28P01",
    "tls_required": "28000",
    "connections_full": "53300",
    "answer_large": "54000",
    "answer_withheld": "42501",
    "rows_exceeded": "53400",
    "uses_spent": "53400",
    "rows_spent": "53400",
    "rate_exceeded": "53400",
    "total_exceeded": "53400",
    "cut": "57P01",
    "closing": "57P01",
}
RENEW: Final = "Get a new credential for this resource."
HINTS: Final = {
    "possession_missing": "Connect with sslcert and sslkey, the certificate that it is bound to; one that is bound to a"
    " DPoP key is for HTTP.",
}
"""What may be done about a credential that is not taken, where a new one alone does not help."""
Why = Deny | Fault | Unknown | RemitError


def response(why: Why, severity: str = "ERROR") -> bytes:
    """An ErrorResponse: what was refused, what may be done instead, and our code."""
    code, said, hint = _parts(why)
    state = STATES.get(code, "58000" if isinstance(why, Fault) else REFUSED)
    fields = [(b"S", severity), (b"V", severity), (b"C", state), (b"M", said), (b"D", f"code {code}")]
    if hint:
        fields.append((b"H", hint))
    return frame(b"E", b"".join(kind + text(_shown(value)) for kind, value in fields) + b"\0")


def _parts(why: Why) -> tuple[str, str, str]:
    if isinstance(why, Deny):
        return why.code, why.what, why.may
    if isinstance(why, RemitError):
        return why.code, why.message, why.remedy
    if isinstance(why, Unknown):
        return (
            "invalid_token",
            f"{why.what} ({why.code})",
            HINTS.get(why.code, "Get a new credential for this resource."),
        )
    return why.code, why.what, ""


def _shown(value: str) -> str:
    return value.replace("\0", "?")


def fields(body: bytes) -> dict[str, str]:
    """What an ErrorResponse from a server says, by field."""
    found = {}
    for part in body.split(b"\0"):
        if part:
            found[chr(part[0])] = part[1:].decode(errors="replace")
    return found
