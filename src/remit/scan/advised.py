"""What a cloud's own analysis says is granted and not used: Access Analyzer of AWS, Google's recommender (AG110). Pure.

Shapes are those of `GetFindingV2`, of policy insights and of role recommendations.
"""

from collections.abc import Iterator

from remit.core.finding import Kind
from remit.scan.launch import Told
from remit.scan.node import Node


def told(part: Node) -> Iterator[Told]:
    """What one object of such an export says."""
    unused = part["unusedPermissionDetails"]
    if unused.members:
        name = unused["serviceNamespace"]
        for one in unused["actions"].items or [unused]:
            at = one["action"] if one["action"].text else name
            yield Kind.UNUSED, at.line, f"{name.text}:{one['action'].text or '*'} is allowed and was not used"
    for key in ("unusedIamRoleDetails", "unusedIamUserAccessKeyDetails", "unusedIamUserPasswordDetails"):
        if part[key].value is not None:
            yield Kind.UNUSED, part[key].line, "it was not used at all"
    exercised = part["exercisedPermissions"]
    if exercised.line and part["role"].text:
        used = len(exercised.items) + len(part["inferredPermissions"].items)
        total = str(part["currentTotalPermissionsCount"].value or "")
        if total.isdigit() and int(total) > used:
            yield Kind.UNUSED, part["role"].line, f"{used} of {total} permissions of {part['role'].text} were used"
    if part["removedRole"].text:
        yield Kind.UNUSED, part["removedRole"].line, f"{part['removedRole'].text} is wider than what was used"
