"""Permissions that give the tenant, the organisation or the cluster away (AG111), in documents and in code. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, grant, tier
from remit.scan.launch import Told
from remit.scan.node import Node

_SCOPED: Final = re.compile(
    r"(?i)scopes?$|^permissions?$|permissions$|^roles?$|roles?$|^grants?$|^value$|^access$|^multivalue$"
    r"|claims?$|^privileges?$|^app[-_ ]?role"
    r"|^delegated$|^role[-_ ]?(?:definition|template)[-_ ]?ids?$|^role[-_ ]?(?:names?|display[-_ ]?name)$"
    r"|^application$|^name$"
    r"|^resourceaccess$|^(?:bot|user|granted|approved|consented)$"
)
_EVERYWHERE: Final = ("subscription", "managementgroups", "management_group", "tenant")
_OWNERS: Final = {"owner": "Owner", "user access administrator": "User Access Administrator"}
_OWNER_IDS: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
}
_GOOGLE_BINDING: Final = re.compile(r"^google_(?:project|folder|organization)_iam_(?:member|binding)$")
_QUOTED: Final = re.compile(r"[\"']([\w:./-]{5,100})[\"']")
HINT: Final = re.compile(
    r"(?i)admin|ClusterRole|owner|ReadWrite|FullControl|ManageAsApp|\*|AccessAsUser|IAMFullAccess|impersonate|escalate"
    r"|system:masters|members|scim|" + "|".join(one[:8] for one in (*tier.GRAPH_IDS, *tier.ROLE_IDS, *_OWNER_IDS))
)


def told(path: str, text: str) -> Iterator[Told]:
    """What such permissions a document gives."""
    if not HINT.search(text):
        return
    for root in document.read(path, text):
        if root["apiVersion"].text and root["kind"].text:
            yield from _cluster(root)
            yield from _mapped(root)
            continue
        for part in root.inside() if path.endswith(".tf") else grant.live(root):
            yield from _scopes(part)
            yield from _app(part)
            yield from _cloud(part)
        if path.endswith(".tf"):
            yield from _terraform(root)


def _scopes(part: Node) -> Iterator[Told]:
    for name, value in part.members.items():
        if not _SCOPED.search(name) or grant.aside(name):
            continue
        for word, line in grant.words(value):
            if tier.scope(word):
                yield Kind.ADMIN, line, f"{tier.GRAPH_IDS.get(word, word)} is granted"
        for one in value.items:
            whole = one.text.lower()
            if whole in tier.ROLES or whole in tier.ROLE_IDS:
                yield Kind.ADMIN, one.line, f"the role {tier.ROLE_IDS.get(whole, one.text)} is granted"


def _app(part: Node) -> Iterator[Told]:
    """The permissions of a GitHub App, of an installation of one, or of a fine-grained token."""
    everywhere = part["repository_selection"].text == "all"
    if part["uses"].text.startswith("actions/create-github-app-token@"):
        for name, level in part["with"].members.items():
            bare = name.removeprefix("permission-").replace("-", "_")
            if bare != name and tier.app(bare, level.text, everywhere=False):
                yield Kind.ADMIN, level.line, f"{bare} may be changed by it"
    for key in ("permissions", "default_permissions"):
        for group in (part[key], part[key]["organization"], part[key]["repository"]):
            for name, level in group.members.items():
                if tier.app(name, level.text, everywhere=everywhere):
                    yield Kind.ADMIN, level.line, f"{name} may be changed by it"


def _cluster(root: Node) -> Iterator[Told]:
    kind = root["kind"].text
    if kind == "ClusterRoleBinding":
        if root["roleRef"]["name"].text == "cluster-admin":
            yield Kind.ADMIN, root["roleRef"]["name"].line, "cluster-admin is bound for the whole cluster"
        return
    if kind.endswith("Binding"):
        for one in root["subjects"].items:
            if one["name"].text == "system:masters":
                yield Kind.ADMIN, one["name"].line, "its subjects are the cluster's masters"
        return
    if kind == "ClusterRole":
        for rule in root["rules"].items:
            yield from _rule(rule)


def _mapped(root: Node) -> Iterator[Told]:
    """A map that makes somebody one of the cluster's masters, as EKS reads it."""
    if root["kind"].text == "ConfigMap":
        for one in root["data"].members.values():
            for number, line in enumerate(one.text.split("\n"), one.line + 1):
                if re.search(r"\bsystem:masters\b", line.partition("#")[0]):
                    yield Kind.ADMIN, number, "its subjects are the cluster's masters"


def _rule(rule: Node) -> Iterator[Told]:
    verbs = {one.text for one in rule["verbs"].items}
    resources = {one.text for one in rule["resources"].items}
    groups = {one.text for one in rule["apiGroups"].items}
    if "*" in verbs and "*" in resources and "*" in groups:
        yield Kind.ADMIN, rule["verbs"].line, "every verb on everything in the cluster is allowed"
    elif verbs & {"escalate", "bind"} and resources & {"clusterroles", "*"}:
        yield Kind.ADMIN, rule["verbs"].line, "it may give itself any role of the cluster"
    elif "impersonate" in verbs and resources & {"users", "groups", "*"} and not rule["resourceNames"].items:
        yield Kind.ADMIN, rule["verbs"].line, "it may act as anybody in the cluster"


def _cloud(part: Node) -> Iterator[Told]:
    for key in (
        "ManagedPolicyArns",
        "PolicyArn",
        "policy_arn",
        "managed_policy_arns",
        "ManagedPolicies",
        "AttachedManagedPolicies",
    ):
        for one in part[key].items:
            name = one if one.text else one["PolicyArn"]
            if tier.aws(name.text.strip("${}")):
                yield Kind.ADMIN, name.line, f"{name.text.rpartition('/')[2]} is attached"
    actions = part["Action"].items or part["actions"].items
    whole = any(one.text == "*" for one in part["Resource"].items or part["resources"].items)
    effect = part["Effect"].text or part["effect"].text or "Allow"
    wide = next((one for one in actions if one.text in ("*", "*:*", "iam:*")), None)
    if wide is not None and whole and effect == "Allow":
        yield Kind.ADMIN, wide.line, f"{wide.text} is allowed on every resource"
    if part["role"].text and part["members"].items and tier.gcp(part["role"].text):
        yield Kind.ADMIN, part["role"].line, f"{part['role'].text} is granted"
    yield from _azure(part)


def _azure(part: Node) -> Iterator[Told]:
    properties = part["properties"] if part["properties"].members else part
    for key in ("roleDefinitionName", "role_definition_name", "roleDefinitionId", "role_definition_id"):
        given = properties[key].text
        name = _OWNERS.get(given.lower(), "") or next((one for at, one in _OWNER_IDS.items() if at in given), "")
        scope = properties["scope"].text.lower()
        above = scope == "/" or (
            any(one in scope for one in _EVERYWHERE) and "resourcegroups" not in scope and "resource_group" not in scope
        )
        if name and above:
            yield Kind.ADMIN, properties[key].line, f"the role {name} is granted on all that the scope holds"


def _terraform(root: Node) -> Iterator[Told]:
    for one in (*root["resource"].items, *root["module"].items):
        kind = one["$labels"].items[0].text if one["$labels"].items else ""
        if _GOOGLE_BINDING.match(kind) and tier.gcp(one["role"].text):
            yield Kind.ADMIN, one["role"].line, f"{one['role'].text} is granted"
        elif kind.startswith("kubernetes_cluster_role_binding"):
            for ref in one["role_ref"].items:
                if ref["name"].text == "cluster-admin":
                    yield Kind.ADMIN, ref["name"].line, "cluster-admin is bound for the whole cluster"
        elif kind.startswith("azuread_"):
            yield from _directory(one)


def _directory(resource: Node) -> Iterator[Told]:
    for part in resource.inside():
        for found in _QUOTED.finditer(part.text):
            if tier.scope(found[1]):
                yield Kind.ADMIN, part.line, f"{found[1]} is granted"
        name = tier.GRAPH_IDS.get(part.text) or tier.ROLE_IDS.get(part.text) or part.text
        if name != part.text or name in tier.GRAPH or name.lower() in tier.ROLES:
            yield Kind.ADMIN, part.line, f"{name} is granted"


def in_code(text: str) -> Iterator[Told]:
    """Such scopes that code asks for: each stands there as one quoted text."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith(("#", "//")):
            continue
        for found in _QUOTED.finditer(line):
            if tier.scope(found[1], person=False) and (":" in found[1] or "." in found[1]):
                yield Kind.ADMIN, number, f"{found[1]} is asked for"
            if tier.aws(found[1]):
                yield Kind.ADMIN, number, f"{found[1].rpartition('/')[2]} is attached"
