"""Permissions that give the tenant, the organisation or the cluster away (AG111), in documents and in code. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import asked, attached, document, grant, rbac, tier, worded, yamldoc
from remit.scan.launch import Told
from remit.scan.node import Node

_SCOPED: Final = re.compile(
    r"(?i)scopes?$|^permissions?$|permissions$|^roles?$|roles?$|^grants?$|^value$|^access$|^multivalue$"
    r"|claims?$|^privileges?$|^app[-_ ]?role"
    r"|^delegated$|^role[-_ ]?(?:definition|template)[-_ ]?ids?$|^role[-_ ]?(?:names?|display[-_ ]?name)$"
    r"|^application$|^name$"
    r"|^resourceaccess$|^(?:bot|user|granted|approved|consented)$"
)
_RUN: Final = re.compile(
    r"kubectl\s[^\n]{0,80}create\s+clusterrolebinding\s[^\n]{0,200}--clusterrole[= ]cluster-admin\b"
    r"|gcloud\s[^\n]{0,120}add-iam-policy-binding\s[^\n]{0,300}--role[= ][\"']?roles/(?:owner|resourcemanager\.\w+Admin"
    r"|iam\.securityAdmin)\b"
    r"|aws\s+iam\s+attach-\w+-policy\s[^\n]{0,200}policy/(?:AdministratorAccess|IAMFullAccess)\b"
    r"|az\s+role\s+assignment\s+create\s(?![^\n]{0,400}resourceGroups)[^\n]{0,300}--role[= ][\"']?"
    r"(?:Owner|User Access Administrator)\b"
    r"(?=[^\n]{0,300}/subscriptions/|[^\n]{0,300}managementGroups)"
    r"|oc\s+adm\s+policy\s+add-cluster-role-to-(?:user|group)\s[^\n]{0,40}cluster-admin\b"
    r"|gh\s+auth\s+(?:login|refresh)\s[^\n]{0,100}(?:-s|--scopes)[= ][^\n ]*(?:admin:org|admin:enterprise|site_admin)\b"
    r"|az\s+ad\s+app\s+permission\s+(?:add|grant)\s[^\n]{0,300}RoleManagement\.ReadWrite\.Directory"
    r"|(?:eksctl\s|aws\s+eks\s)[^\n]{0,300}(?:--group[= ][\"']?system:masters\b"
    r"|AmazonEKSClusterAdminPolicy\b(?=[^\n]{0,200}type=cluster))"
)
"""Commands that give such a permission."""
_COMMANDS: Final = frozenset({"run", "script", "command", "commands", "args", "inlineScript", "cmds"})
_GOOGLE_BINDING: Final = re.compile(r"^google_(?:project|folder|organization)_iam_(?:member|binding)$")
_QUOTED: Final = re.compile(r"[\"']([\w:./-]{5,100})[\"']")
_INNER: Final = re.compile(r"\"scopes?\"\s*:\s*\"([^\"]{1,600})\"")
"""The scopes in metadata that a bridge is given as JSON."""
HINT: Final = re.compile(
    r"(?i)admin|roleAssignments/|Microsoft\.Authorization/|NotAction|not_actions|scope=|ClusterRole|owner|ReadWrite|FullControl|ManageAsApp|\*|AccessAsUser|IAMFullAccess|impersonate|escalate"
    r"|system:masters|members|scim|setIamPolicy|"
    + "|".join(one[:8] for one in (*tier.GRAPH_IDS, *tier.ROLE_IDS, *attached.OWNER_IDS, *attached.CLUSTERS))
)


def told(path: str, text: str) -> Iterator[Told]:
    """What such permissions a document gives."""
    if not HINT.search(text):
        return
    scoped = "scope=" in text or "-scope" in text or 'scope\\"' in text
    for root in document.read(path, text):
        if root["apiVersion"].text and root["kind"].text:
            yield from rbac.in_cluster(root)
            yield from _scopes(root["data"], person=True) if root["kind"].text == "ConfigMap" else ()
            if root["kind"].text in rbac.KINDS:
                continue
        for part in _parts(root) if path.endswith(".tf") else grant.live(root):
            yield from _scopes(part, person=not path.endswith((".tf", ".tf.json")))
            yield from _given(part) if scoped else ()
            yield from _app(part)
            yield from _changed(part)
            yield from attached.in_part(part)
            yield from _run(part)
        if path.endswith((".tf", ".tf.json")):
            yield from _terraform(document.blocks(root))


def _parts(root: Node) -> Iterator[Node]:
    """The parts of a file of Terraform, less what is only looked for."""
    left = [root]
    while left:
        one = left.pop()
        yield one
        if isinstance(one.value, dict):
            left.extend(value for name, value in reversed(one.value.items()) if not grant.aside(name))
        elif isinstance(one.value, list):
            left.extend(reversed(one.value))


def _given(part: Node) -> Iterator[Told]:
    """Scopes that a server is started with, or that an address asks for."""
    words = part["args"].items
    for before, one in zip([Node(0, None), *words], words, strict=False):
        name, mark, told = one.text.partition("=")
        name, told = (name, told) if mark else (before.text, one.text)
        inner = _INNER.search(one.text)
        for word in asked.SPLIT.split(inner[1]) if inner else ():
            if tier.scope(word):
                yield Kind.ADMIN, one.line, f"{word} is asked for"
        if name.startswith("-") and re.search(r"scopes?$", name):
            yield from (
                (Kind.ADMIN, one.line, f"{word} is asked for") for word in asked.SPLIT.split(told) if tier.scope(word)
            )
    for value in part.members.values():
        for one in value.items:
            found = asked.ASKED.search(one.text) if "scope=" in one.text else None
            for word in asked.SPLIT.split(found[1].replace("%3A", ":")) if found else ():
                if tier.scope(word):
                    yield Kind.ADMIN, one.line, f"{word} is asked for"


def _scopes(part: Node, *, person: bool) -> Iterator[Told]:
    for name, value in part.members.items():
        if not _SCOPED.search(name) or grant.aside(name) or (value.members and name.lower() in ("user", "bot")):
            continue
        for word, line in grant.words(value):
            if word == "admin" and not re.search(r"(?i)scope|^(?:bot|user|granted|approved|consented|value)$", name):
                continue
            if name.lower() in ("name", "value") and not re.search(r"[:._-]|[a-z][A-Z]", word):
                continue
            if tier.scope(word, person=person):
                yield Kind.ADMIN, line, f"{tier.GRAPH_IDS.get(word, word)} is granted"
        for one in value.items:
            whole = one.text.lower()
            if whole in tier.ROLES or whole in tier.ROLE_IDS:
                yield Kind.ADMIN, one.line, f"the role {tier.ROLE_IDS.get(whole, one.text)} is granted"


_CHANGED: Final = frozenset(
    {
        "AppRole.Value",
        "DelegatedPermissionGrant.Scope",
        "ConsentAction.Permissions",
        "Role.DisplayName",
        "Role.TemplateId",
    }
)


def _changed(part: Node) -> Iterator[Told]:
    """What a change in Entra's audit log gave, and the role of an assignment that was exported with it."""
    role = part["roleDefinition"]
    if role["displayName"].text.lower() in tier.ROLES or role["templateId"].text in tier.ROLE_IDS:
        yield Kind.ADMIN, role["displayName"].line, f"the role {role['displayName'].text} is granted"
    if part["displayName"].text in _CHANGED and part["newValue"].text:
        line = part["newValue"].line
        whole = part["newValue"].text.strip('" ')
        for word in (whole, *re.split(r"[\s,;:\[\]]+", whole)):
            if tier.scope(word) or word.lower() in tier.ROLES or word in tier.ROLE_IDS:
                yield Kind.ADMIN, line, f"{word} was granted"


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


def _run(part: Node) -> Iterator[Told]:
    """Commands that a step runs."""
    for name, value in part.members.items():
        for one in value.items if name in _COMMANDS else ():
            script = re.sub(r"\\\n", "  ", one.text) if " " in one.text else ""
            for found in _RUN.finditer(script):
                block = 1 if "\n" in one.text else 0
                at = one.line + block + script.count("\n", 0, found.start())
                yield Kind.ADMIN, at, "a command gives the account or the cluster away"


_PERMITS: Final = re.compile(r"\baz\s+ad\s+app\s+permission\s+(?:add|grant)\s")
_ID: Final = re.compile(r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


def in_script(text: str) -> Iterator[Told]:
    """Commands of a script, or of a unit, that give such a permission."""
    for line, command in worded.commands(text):
        if _RUN.search(command):
            yield Kind.ADMIN, line, "a command gives the account or the cluster away"
        elif _PERMITS.search(command):
            named = next((tier.GRAPH_IDS[one] for one in _ID.findall(command) if one in tier.GRAPH_IDS), "")
            if named:
                yield Kind.ADMIN, line, f"{named} is asked for"


_MEMBERSHIPS: Final = {"github_membership": ("role", "admin"), "gitlab_group_membership": ("access_level", "owner")}


_EACH: Final = re.compile(r"[\"']((?:arn:aws[\w-]*:iam::aws:policy/|roles/)[\w./-]{1,80})[\"']")
_ASIDE: Final = re.compile(r"(?i)den[iy]|forbid|block|bound|exclu|refus")


def _each(root: Node) -> Iterator[Told]:
    """Policies and roles that are given one by one, out of a set that an expression or a local makes."""
    given = [(name, one) for block in root["locals"].items for name, one in block.members.items()]
    for one in root["resource"].items:
        kind = _sort(one)
        if one["for_each"].value is not None and re.search(r"policy_attachment$|_iam_(?:member|binding)$", kind):
            given.append(("for_each", one["for_each"]))
    used = any("each." in part.text or "local." in part.text for one in root["resource"].items for part in one.inside())
    for name, value in given if used else ():
        for part in () if _ASIDE.search(name) else value.inside():
            for found in _EACH.finditer(part.text if part.text.startswith("${") else f'"{part.text}"'):
                if tier.aws(found[1]) or tier.gcp(found[1]):
                    line = part.line + part.text.count("\n", 0, found.start())
                    yield Kind.ADMIN, line, f"{found[1].rpartition('/')[2]} is given"


def _manifests(root: Node) -> Iterator[Told]:
    """A cluster's documents that Terraform applies, as objects or as texts."""
    for part in root.inside():
        if part["apiVersion"].text and part["kind"].text:
            yield from rbac.in_cluster(part)
        if part["yaml_body"].text:
            for inner in yamldoc.read(part["yaml_body"].text) or ():
                yield from rbac.in_cluster(inner.below(part["yaml_body"].line))


def _terraform(root: Node) -> Iterator[Told]:
    yield from _manifests(root)
    yield from _each(root)
    for one in root["data"].items:
        if _sort(one) == "aws_iam_policy" and tier.aws(one["name"].text):
            yield Kind.ADMIN, one["name"].line, f"{one['name'].text} is looked up, to be attached"
    for one in (*root["resource"].items, *root["module"].items):
        kind = _sort(one)
        if _GOOGLE_BINDING.match(kind) and tier.gcp(one["role"].text):
            yield Kind.ADMIN, one["role"].line, f"{one['role'].text} is granted"
        elif kind.startswith("kubernetes_cluster_role"):
            yield from _role(one)
        elif kind.startswith("azuread_"):
            yield from _directory(one)
        else:
            yield from _owner(kind, one)


def _sort(block: Node) -> str:
    return block["$labels"].items[0].text if block["$labels"].items else ""


def _role(resource: Node) -> Iterator[Told]:
    """A role of a cluster, or who is bound to one."""
    for ref in resource["role_ref"].items:
        if ref["name"].text == "cluster-admin":
            yield Kind.ADMIN, ref["name"].line, "cluster-admin is bound for the whole cluster"
    for part in resource["rule"].items:
        yield from rbac.rule(part)


def _owner(kind: str, resource: Node) -> Iterator[Told]:
    """A membership that owns the organisation: GitHub's, GitLab's, Okta's."""
    key, level = _MEMBERSHIPS.get(kind, ("$", ""))
    if level and resource[key].text == level:
        yield Kind.ADMIN, resource[key].line, "it is an owner of the whole organisation"
    top = next((part for part in resource.inside() if part.text == "SUPER_ADMIN"), None)
    if kind.startswith("okta_") and top is not None:
        yield Kind.ADMIN, top.line, "it is an administrator of the whole organisation"


def _directory(resource: Node) -> Iterator[Told]:
    for part in resource.inside():
        for found in _QUOTED.finditer(part.text):
            if tier.scope(found[1]):
                yield Kind.ADMIN, part.line, f"{found[1]} is granted"
        name = tier.GRAPH_IDS.get(part.text) or tier.ROLE_IDS.get(part.text) or part.text
        if name != part.text or name in tier.GRAPH or name.lower() in tier.ROLES:
            yield Kind.ADMIN, part.line, f"{name} is granted"
