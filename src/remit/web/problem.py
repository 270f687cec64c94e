"""Faults as HTTP answers: `{code, message, remedy}` for the API, RFC 6749 errors for OAuth. Neither echoes a token."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from remit.core.errors import RemitError

STATUS: Final = {
    "unauthenticated": 401,
    "invalid_dpop_proof": 401,
    "use_dpop_nonce": 401,
    "forbidden": 403,
    "insufficient_scope": 403,
    "dispatcher_refused": 403,
    "sign_in_refused": 403,
    "rate_exceeded": 429,
    "plan_outside": 403,
    "plan_wider": 403,
    "approval_denied": 403,
    "approval_flood": 409,
    "ends_unproven": 409,
    "reach_over": 403,
    "run_delegated": 403,
    "run_own": 403,
    "sign_in_missing": 403,
    "children_spent": 403,
    "task_waits": 409,
    "credential_refused": 403,
    "target_refused": 403,
    "person_other": 403,
    "task_refused": 403,
    "depth_exceeded": 403,
    "approver_refused": 403,
    "not_found": 404,
    "method_refused": 405,
    "name_taken": 409,
    "connection_live": 409,
    "connection_refused": 403,
    "approval_closed": 409,
    "approval_moved": 409,
    "rightsize_moved": 409,
    "rightsize_unapproved": 403,
    "rightsize_fails": 409,
    "rightsize_unapplied": 409,
    "rightsize_busy": 503,
    "review_moved": 409,
    "review_lacks": 409,
    "ceiling_fixed": 409,
    "ceiling_missing": 409,
    "reach_busy": 503,
    "reach_unknown": 404,
    "idempotency_key_reused": 422,
    "idempotency_unfinished": 409,
    "reach_ambiguous": 409,
    "transition_refused": 409,
    "outcome_unknown_call": 409,
    "outcome_late": 409,
    "parent_ended": 409,
    "body_too_large": 413,
    "media_type": 415,
    "receipt_too_large": 413,
    "internal": 500,
}
UNREADY: Final = (
    "store_",
    "commit_",
    "schema_",
    "clock_",
    "ledger_regressed",
    "queue_full",
    "deadline_passed",
    "key_missing",
    "issuer_unreachable",
)
RULED: Final = ("brief_unknown", "action_unknown", "domain_outside", "owner_gone", "review_past", "policy_", "limit_")
OAUTH: Final = {
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 400,
    "invalid_scope": 400,
    "invalid_target": 400,
    "invalid_authorization_details": 400,
    "invalid_dpop_proof": 400,
    "use_dpop_nonce": 400,
    "unsupported_grant_type": 400,
    "unsupported_token_type": 400,
    "invalid_redirect_uri": 400,
    "invalid_client_metadata": 400,
    "unapproved_software_statement": 400,
    "unsupported_response_type": 400,
    "request_not_supported": 400,
    "access_denied": 403,
    "login_required": 400,
    "consent_required": 400,
}
GRANT: Final = frozenset(
    {
        "credential_refused", "not_found", "id_invalid", "giver_ended", "delegation_loop", "delegation_flood",
        "dispatcher_refused", "person_other", "task_refused", "parent_ended", "depth_exceeded",
    }
)  # fmt: skip
"""Refused of an OAuth client as `invalid_grant`."""
Endpoint = Callable[[Request], Awaitable[Response]]
_UNSAID = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
NO_STORE: Final = {"cache-control": "no-store", "pragma": "no-cache"}


def status(code: str) -> int:
    """The HTTP status of a fault: its own, 503 for what passes by itself, 422 for a rule, else 400."""
    if code in STATUS:
        return STATUS[code]
    if code.startswith(UNREADY):
        return 503
    return 422 if code.startswith(RULED) else 400


def problem(fault: RemitError) -> JSONResponse:
    """A fault as the API answers it."""
    number = status(fault.code)
    headers = dict(NO_STORE)
    if number == 401:
        headers["www-authenticate"] = f'DPoP error="{fault.code}"' if "dpop" in fault.code else "Bearer"
    if number in (429, 503):
        headers["retry-after"] = "60" if number == 429 else "1"
    body = {"code": fault.code, "message": fault.message, "remedy": fault.remedy}
    return JSONResponse(body, number, headers)


def oauth_said(fault: RemitError, *, authorize: bool = False) -> dict[str, str]:
    """A fault as RFC 6749 writes it, sections 5.2 and 4.1.2.1; the remedy is in the description."""
    error = fault.code
    if authorize and error not in OAUTH and status(error) < 500:
        error = "access_denied"
    if error in GRANT:
        error = "invalid_grant"
    elif error == "plan_outside":
        error = "invalid_authorization_details"
    elif error == "target_refused":
        error = "invalid_target"
    elif error not in OAUTH:
        temporary = status(error) in (429, 503)
        error = (
            "temporarily_unavailable" if temporary else "server_error" if status(error) == 500 else "invalid_request"
        )
    return {"error": error, "error_description": _UNSAID.sub("'", f"{fault.message} {fault.remedy}")}


def oauth_problem(fault: RemitError) -> JSONResponse:
    """A fault as an OAuth endpoint answers it."""
    said = oauth_said(fault)
    error = said["error"]
    number = OAUTH.get(error, status(fault.code) if error == "temporarily_unavailable" else 500)
    headers = dict(NO_STORE)
    if number == 401:
        headers["www-authenticate"] = 'Bearer error="invalid_client"'
    return JSONResponse(said, number, headers)


def faults(endpoint: Endpoint, say: Callable[[RemitError], Response] = oauth_problem) -> Endpoint:
    """An endpoint whose faults are answered in its own words: as OAuth errors, unless it has others."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RemitError as fault:
            said = say(fault)
            if fault.code == "invalid_client" and request.headers.get("authorization", "")[:6].lower() == "basic ":
                # RFC 6749 section 5.2: the challenge is of the scheme that the client used.
                said.headers["www-authenticate"] = 'Basic realm="remit"'
            return said

    return answer
