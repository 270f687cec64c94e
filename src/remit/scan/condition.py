"""What a condition of a policy's statement ties it to: resources of one owner by their tags, one role, one act. Pure.

Keys and operators are those of AWS's policy grammar (service authorization reference, "Condition keys"). A tag that is
asked of what is acted on, or of what is made, names these as an address would; a condition on the way that a call takes
names none.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan.node import Node

_ASKS: Final = re.compile(r"(?i)(?:for(?:any|all)values?:)?(?:string(?:equals(?:ignorecase)?|like)|arn(?:equals|like))")
"""Operators that ask for a value: none that refuses one, and none that passes where the key is absent."""
_NAMES: Final = re.compile(
    r"(?i)[\w-]+:(?:resourcetag|requesttag|requestobjecttag|existingobjecttag)/.+|ec2:createaction|iam:awsservicename"
    r"|elasticloadbalancing:createaction"
)


def ties(part: Node) -> bool:
    """Say whether a statement is for what has one tag, one role or one act only; `*` for a value ties to nothing."""
    return any(
        _ASKS.fullmatch(test) and _NAMES.fullmatch(name) and values and all(one.strip("*?") for one in values)
        for test, name, values in _asked(part)
    )


def _asked(part: Node) -> Iterator[tuple[str, str, list[str]]]:
    """Each condition of a statement: its operator, its key and its values, as blocks or as tables."""
    for key in ("condition", "Condition", "conditions", "Conditions"):
        for one in part[key].items:
            if one["variable"].text:
                yield one["test"].text, one["variable"].text, [value.text for value in one["values"].items]
            else:
                for test, asked in one.members.items():
                    for name, values in asked.members.items():
                        yield test, name, [value.text for value in values.items]
