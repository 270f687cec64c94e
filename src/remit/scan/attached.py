"""Policies, roles and actions of clouds that give the account away (AG111), in documents and in code. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import tier
from remit.scan.launch import Told
from remit.scan.node import Node

_EVERYWHERE: Final = ("subscription", "managementgroups", "management_group", "tenant")
_OWNERS: Final = {
    "owner": "Owner",
    "user access administrator": "User Access Administrator",
    "role based access control administrator": "Role Based Access Control Administrator",
}
OWNER_IDS: Final = {
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
}
CLUSTERS: Final = {
    "azure kubernetes service rbac cluster admin": "Azure Kubernetes Service RBAC Cluster Admin",
    "azure kubernetes service cluster admin role": "Azure Kubernetes Service Cluster Admin Role",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": "Azure Kubernetes Service Cluster Admin Role",
}
"""Roles of Azure that give a cluster away, wherever they are given."""
_ATTACHED: Final = re.compile(r"(?i)^(?!.*(?:bound|den[iy]|forbid|block|exclu)).*polic")
"""Members that attach a policy; a boundary and a list of what is refused give nothing."""
_TOP: Final = frozenset({"ACCOUNTADMIN", "ORGADMIN"})
_ROLE: Final = re.compile(r"(?i)(?:^|[_-])(?:default_?)?role(?:_?name)?$")
_KEPT: Final = re.compile(r"^(?:\*|iam:)")
_SET_POLICY: Final = re.compile(r"^resourcemanager\.(?:projects|folders|organizations)\.setIamPolicy$")
_ESCALATES: Final = re.compile(
    r"^iam:(?:(?:Attach|Put)(?:User|Role|Group)Policy|CreatePolicyVersion|SetDefaultPolicyVersion|AddUserToGroup"
    r"|UpdateAssumeRolePolicy|CreateLoginProfile|UpdateLoginProfile|CreateAccessKey|(?:Attach|Put)\*)$"
)
"""Actions by which their holder gives itself any other, where they are allowed on every resource."""
_EVERY: Final = re.compile(r"^(?:\*|arn:[^:]*:iam::[^:]*:(?:\*|(?:user|role|group|policy)/\*))$")
_SCOPES: Final = ("AssignableScopes", "assignableScopes", "assignable_scopes")
_ASSIGNS: Final = re.compile(r"(?i)^(?:\*|microsoft\.authorization/(?:\*|roleassignments/(?:\*|write)))$")
"""Actions of Azure by which their holder gives itself any role."""


def in_part(part: Node) -> Iterator[Told]:
    """What one object of a cloud's document, or of code that plans one, gives."""
    yield from _policies(part)
    yield from _listed(part)
    yield from _statement(part)
    yield from _role(part)
    yield from _azure(part)
    yield from _defined(part)


def _policies(part: Node) -> Iterator[Told]:
    """Managed policies that an object attaches."""
    for name, value in part.members.items():
        if not _ATTACHED.search(name) or ":" in name:
            continue
        for one in (*value.items, *value.members.values()):
            named = one if one.text else next((one[key] for key in ("PolicyArn", "Fn::Sub") if one[key].text), one)
            if tier.aws(named.text.strip("${}")):
                yield Kind.ADMIN, named.line, f"{named.text.rpartition('/')[2]} is attached"
        if value.text.endswith("cluster-access-policy/AmazonEKSClusterAdminPolicy") and _is_whole(part):
            yield Kind.ADMIN, value.line, "the policy of the cluster's administrators is given for the whole cluster"


def _listed(part: Node) -> Iterator[Told]:
    """Groups and permissions that an object lists."""
    for key in ("groups", "kubernetes_groups", "kubernetesGroups", "KubernetesGroups"):
        for one in part[key].items:
            if one.text == "system:masters":
                yield Kind.ADMIN, one.line, "its subjects are the cluster's masters"
    for key in ("permissions", "includedPermissions"):
        for one in part[key].items:
            if _SET_POLICY.match(one.text):
                yield Kind.ADMIN, one.line, f"{one.text} lets it give itself any role"


def _role(part: Node) -> Iterator[Told]:
    """A role that an object gives, and to whom."""
    if part["role"].text and (part["members"].items or part["member"].text) and tier.gcp(part["role"].text):
        yield Kind.ADMIN, part["role"].line, f"{part['role'].text} is granted"
    for name, value in part["bindings"].members.items():
        if tier.gcp(name) and value.items:
            yield Kind.ADMIN, value.line, f"{name} is granted"
    for name, value in part.members.items():
        if value.text[-5:].upper() == "ADMIN" and value.text.upper() in _TOP and _ROLE.search(name):
            yield Kind.ADMIN, value.line, "its role is the account's administrator"
        for one in value.items if name in ("environment", "args") else ():
            key, mark, text = one.text.partition("=")
            if mark and text.upper() in _TOP and _ROLE.search(key):
                yield Kind.ADMIN, one.line, "its role is the account's administrator"


def _is_whole(part: Node) -> bool:
    """Say whether a policy of a cluster's access is given for the whole cluster, and not for a namespace."""
    scopes = [one for key in ("access_scope", "accessScope", "AccessScope") for one in part[key].items]
    kinds = [(one["type"].text or one["Type"].text) for one in scopes]
    return "cluster" in kinds


def _statement(part: Node) -> Iterator[Told]:
    actions = part["Action"].items or part["actions"].items
    whole = any(_EVERY.match(one.text) for one in part["Resource"].items or part["resources"].items)
    effect = part["Effect"].text or part["effect"].text or "Allow"
    spared = part["NotAction"].items or part["not_actions"].items
    named = part["Principal"].value is not None or bool(part["principals"].items)
    if spared and whole and effect == "Allow" and not named and not any(_KEPT.match(one.text) for one in spared):
        yield Kind.ADMIN, spared[0].line, "all but a list is allowed, and the list spares nothing of IAM"
    wide = next((one for one in actions if one.text in ("*", "*:*", "iam:*", "organizations:*")), None)
    limited = part["Condition"].members or part["condition"].items or part["conditions"].value is not None
    if wide is None and not limited:
        wide = next((one for one in actions if _ESCALATES.match(one.text)), None)
    if wide is not None and whole and effect == "Allow":
        yield Kind.ADMIN, wide.line, f"{wide.text} is allowed on every resource"


def _defined(part: Node) -> Iterator[Told]:
    """A role of Azure's own that may assign roles, for a whole subscription or above."""
    if part.members.keys().isdisjoint(_SCOPES):
        return
    scopes = [one.text.lower() for key in _SCOPES for one in part[key].items]
    if not any(
        one == "/" or (any(at in one for at in _EVERYWHERE) and "resourcegroup" not in one.replace("_", ""))
        for one in scopes
    ):
        return
    for group in (part, *part["permissions"].items):
        for one in (*group["Actions"].items, *group["actions"].items):
            if _ASSIGNS.match(one.text):
                yield Kind.ADMIN, one.line, f"{one.text} lets it give itself any role of the subscription"


def _azure(part: Node) -> Iterator[Told]:
    properties = part["properties"] if part["properties"].members else part
    for key in ("roleDefinitionName", "role_definition_name", "roleDefinitionId", "role_definition_id"):
        given = properties[key].text
        name = _OWNERS.get(given.lower(), "") or next((one for at, one in OWNER_IDS.items() if at in given), "")
        scope = properties["scope"].text.lower()
        above = scope == "/" or (
            any(one in scope for one in _EVERYWHERE) and "resourcegroups" not in scope and "resource_group" not in scope
        )
        cluster = next((one for at, one in CLUSTERS.items() if at in given.lower()), "")
        if cluster:
            yield Kind.ADMIN, properties[key].line, f"the role {cluster} is granted"
        elif name and above:
            yield Kind.ADMIN, properties[key].line, f"the role {name} is granted on all that the scope holds"
