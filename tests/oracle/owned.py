"""The limit `owned`, the slow and obvious way: read every answer again, and ask whose each thing was said to be."""

from collections.abc import Iterable, Mapping
from typing import Any

Answer = tuple[str, str, str, list[Mapping[str, Any]]]
"""Resource, trust path, sort of its things, and its records: `id` and `user`; without `user` it is one's own."""


def named(value: Any) -> list[str]:
    """The things that an argument names. A whole number and its digits are one text."""
    return [
        str(int(one)) if isinstance(one, float) else str(one) for one in (value if type(value) is list else [value])
    ]


def touches_only_its_own(
    value: Any, sort: str, resource: str, earlier: Iterable[Answer], accounts: Iterable[str], *, complete: bool = True
) -> bool:
    """Say whether each thing was said to be this person's, and nobody else's, by an answer that can know it."""
    told: list[tuple[str, str, str, Any, str]] = [
        (where, kind, named(record["id"])[0], record.get("user"), path)
        for where, path, kind, records in earlier
        for record in records
    ]
    for thing in named(value):
        said = [(user, path) for where, kind, one, user, path in told if (where, kind, one) == (resource, sort, thing)]
        if not said or not complete:
            return False
        for user, path in said:
            if path != "delegated" if user is None else user not in accounts:
                return False
    return True
