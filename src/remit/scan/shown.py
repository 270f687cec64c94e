"""Values that say themselves that they open nothing: for show or a test, unsigned, nobody's, only `secret`. Pure."""

import base64
import json
import re
from typing import Any, Final

_LONGEST: Final = 80
"""Characters above which a value is no handful of words."""
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_APART: Final = re.compile(r"[-_.:/]+")
_WORD: Final = re.compile(r"[a-z]{1,20}\d{0,3}|\d{1,4}")
_FOR_SHOW: Final = re.compile(
    r"(?:demos?|mock(?:s|ed|ing)?|[a-z]{0,12}tests|test(?:ed|er|ing)?|invalid|bogus|fixtures?|stub(?:s|bed)?|nonexistent"
    r"|unused|wrong|broken|tutorial)\d{0,3}"
)
"""Words that say that a value was made to be looked at, or to be refused."""
_SAME: Final = re.compile(
    r"passphrase|password|database|postgres|default|private|secret|access|client|passwd|string|admin|mysql|redis|super"
    r"|token|value|auth|pass|root|some|user|very|api|app|for|key|our|the|top|db|my"
)
"""Words that every secret is called by."""


def is_shown(value: str) -> bool:
    """Say whether a value is of plain words, one of which says that it is for show; what is drawn is none."""
    if len(value) > _LONGEST:
        return False
    words = [one for one in _APART.split(_HUMP.sub("-", value).lower()) if one]
    return all(_WORD.fullmatch(one) for one in words) and any(_FOR_SHOW.fullmatch(one) for one in words)


def is_called_secret(value: str) -> bool:
    """Say whether a value only says what it is, in the words that every secret is called by: `secretpassword`."""
    return 0 < len(value) <= _LONGEST and not _SAME.sub("", _APART.sub("", value.lower()))


def is_unsigned(value: str) -> bool:
    """Say whether a value is a token that nobody signed (RFC 7519, section 6): whoever likes makes the same."""
    at = value.find("eyJ")
    parts = value[at:].split(".") if at >= 0 else []
    if len(parts) != 3:
        return False
    header = _part(parts[0])
    return header is not None and str(header.get("alg")).lower() == "none"


def is_anonymous(value: str) -> bool:
    """Say whether a value is a token that says itself that it is nobody's: a client's key, as Supabase gives it."""
    if not value.startswith("eyJ") or value.count(".") != 2:
        return False
    claims = _part(value.split(".")[1])
    return claims is not None and claims.get("role") == "anon"


def _part(text: str) -> dict[str, Any] | None:
    """What a part of a token says (RFC 7519, section 3); None where it is none."""
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
