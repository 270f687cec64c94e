"""Servers that Python opens to all addresses, and whether it asks who calls (AG130). Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import addressed, syntax
from remit.scan.launch import Told

_SERVERS: Final = frozenset({"run", "FastMCP", "run_http_async", "run_async"})


def told(name: str, given: dict[str, ast.expr]) -> Iterator[Told]:
    """A server that listens to all addresses; whether it asks who calls is seen in the file as a whole."""
    if name in _SERVERS and _is(given.get("host"), "0.0.0.0"):  # noqa: S104 - looked for, not bound
        yield Kind.OPEN_REMOTE, given["host"].lineno, addressed.NOBODY
    if name == "launch" and _is(given.get("server_name"), "0.0.0.0"):  # noqa: S104
        yield Kind.OPEN_REMOTE, given["server_name"].lineno, addressed.NOBODY


_KNOWS: Final = re.compile(
    r"(?:HTTP(?:Bearer|Basic|Digest)|OAuth2\w*|APIKey(?:Header|Query|Cookie)|\w*Auth\w*Middleware|\w*Authenticat\w*"
    r"|\w*(?:Token|Auth|JWT)(?:Verifier|Provider|Guard|Bearer)\w*|(?:verify|require|check|validate)_\w*(?:auth|token|key|jwt|user)\w*"
    r"|login_required|jwt_required|auth_required|compare_digest|basic_auth\w*)$"
)
"""What is called where a server asks its callers who they are."""


def asks(node: ast.Call) -> bool:
    """Say whether a call builds a server that asks its callers who they are, or a part that does."""
    names = ("auth", "token_verifier", "auth_server_provider", "middleware", "auth_provider", "authenticate")
    if any(one.arg in names and not _is(one.value, None) for one in node.keywords):
        return True
    given = syntax.last(node.func)
    if given in ("Depends", "Security", "add_middleware", "Middleware", "wraps_with"):
        return bool(node.args) and bool(
            _KNOWS.search(syntax.last(node.args[0]))
            or re.search(r"(?i)auth|token|bearer|verif|user|api_?key", syntax.said(node.args[0]))
        )
    return bool(_KNOWS.match(given))


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value
