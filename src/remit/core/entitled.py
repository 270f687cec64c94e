"""Entitled: what a narrower brief means elsewhere, as texts for an operator to use: policy, database rights, scopes.

Nothing here is applied by Remit. Before and after stand side by side, each computed by the rules that leases are made
by; what cannot be computed says why.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.resource import SCHEMES, Resource, split
from remit.core.sql_rights import Right, rights
from remit.core.step import Step
from remit.core.trust import TrustPath

SCOPE: Final = "scope."
ALLOW: Final = "allow."


def entitled(old: Brief, new: Brief, resources: Iterable[Resource]) -> dict[str, Json]:
    """What the brief before and the narrower one ask of policy and of each of these resources."""
    found: dict[str, Json] = {"policy": policy(old, new)}
    for one in resources:
        before, after = ([s for s in brief.steps if split(s.action)[0] == one.name] for brief in (old, new))
        if not before:
            continue
        if SCHEMES[one.kind] == "sql":
            found[one.name] = {"rights": [_grants(before), _grants(after)]}
        elif one.minting is not None and one.minting.kind == "oauth":
            found[one.name] = {"scopes": [_scopes(one.minting.settings, each) for each in (before, after)]}
        elif one.minting is not None and one.minting.kind == "aws":
            found[one.name] = {"session": [_session(one.minting.settings, each) for each in (before, after)]}
    return found


def policy(old: Brief, new: Brief) -> dict[str, str]:
    """A Cedar text for each path that forbids tasks of the brief what it no longer holds, whatever else permits it."""
    found = {}
    for path in TrustPath:
        gone = sorted(_acts(old, path) - _acts(new, path))
        if gone:
            listed = ", ".join(f"Action::{json.dumps(one)}" for one in gone)
            found[path.value] = (
                f'@id("rightsize-{new.name}-{path.value}")\n'
                f"forbid (principal, action in [{listed}], resource)\n"
                f"when {{ context.task.brief == {json.dumps(new.name)} }};\n"
            )
    return found


def _acts(brief: Brief, path: TrustPath) -> set[str]:
    return {one.action for one in brief.steps if one.path is path}


def _grants(steps: Sequence[Step]) -> list[str]:
    """The rights of these steps as PostgreSQL grants them, to a role that the operator names."""
    try:
        return [_grant(one) for one in rights(steps)]
    except RemitError as fault:
        return [f"-- {fault.message}"]


def _grant(one: Right) -> str:
    if one.verb == "call":
        return f'-- EXECUTE on the functions "{one.schema}"."{one.table}"'
    columns = ", ".join(f'"{name}"' for name in one.columns)
    return (
        f'GRANT {one.verb.upper()}{f" ({columns})" if columns else ""} ON TABLE "{one.schema}"."{one.table}" TO :role;'
    )


def _scopes(settings: dict[str, str], steps: Sequence[Step]) -> list[str]:
    """The scopes that a token for these steps asks for (see custody/sources/oauth)."""
    kinds = {split(one.action)[1] for one in steps}
    return sorted({scope for kind in kinds for scope in settings.get(SCOPE + kind, "").split()})


def _session(settings: dict[str, str], steps: Sequence[Step]) -> Json:
    """The session policy of these steps (see custody/sources/sts)."""
    kinds = sorted({split(one.action)[1] for one in steps})
    said = [settings[ALLOW + kind].split() for kind in kinds if ALLOW + kind in settings]
    statements = [
        {"Effect": "Allow", "Action": one[0].split(","), "Resource": one[1].split(",")} for one in said if len(one) == 2
    ]
    return {"Version": "2012-10-17", "Statement": statements}
