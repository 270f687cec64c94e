"""What code plans of clouds and clusters: constructs of CDK, cdk8s, CDK for Terraform and Pulumi (AG111, AG112). Pure.

A construct is a call that is given an object (TypeScript) or arguments by name (Python). Its members are called as
in the cloud's own documents, less the difference between `roleRef` and `role_ref`, so that the same rules read them.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import attached, cloud, rbac, syntax, tsobject
from remit.scan.launch import Told
from remit.scan.node import NOTHING, Node, line_at

_HINT: Final = re.compile(
    r"[\"'](?:aws-cdk-lib|@aws-cdk/|@pulumi/|cdktf|@cdktf/|cdk8s|@kubernetes/client-node)|\b(?:aws_cdk|pulumi\w*|cdktf\w*|cdk8s\w*|kubernetes)\b"
)
_BINDING: Final = re.compile(r"ClusterRoleBinding(?:V1|Patch|Args)?$|create_cluster_role_binding$")
_ROLE: Final = re.compile(r"(?:^|\.)(?:Kube|Api)?ClusterRole(?:V1|Patch)?$|V1ClusterRole$")
_LOOSE: Final = (
    (re.compile(r"\b(?:add_masters_role|addMastersRole)\s*\("), "its role is one of the cluster's masters"),
    (
        re.compile(r"\b(?:groups|kubernetes_?[gG]roups)[\"']?\s*[:=]\s*\[[^\]]{0,300}[\"']system:masters[\"']"),
        "its subjects are the cluster's masters",
    ),
    (
        re.compile(r"AmazonEKSClusterAdminPolicy[\"'][^;]{0,200}AccessScopeType\.CLUSTER"),
        "the policy of the cluster's administrators is given for the whole cluster",
    ),
    (
        re.compile(r"\brole[\"']?\s*[:=]\s*[\"'](?:ACCOUNTADMIN|ORGADMIN)[\"']"),
        "its role is the account's administrator",
    ),
)
_WORD: Final = re.compile(r"[\"'`]([^\"'`\n]{1,100})[\"'`]")
_GRANTED: Final = re.compile(r"\.grant\(\s*[\w.]{1,80},\s*[\"']([\w-]{1,40}:\*|\*)[\"']")


_ADDED: Final = re.compile(r"(?<!\w)(\w+)\.(?:addActions|add_actions)\(([^()]{1,900})\)")
_ALL: Final = r"\.(?:addAllResources|add_all_resources)\(|\.(?:addResources|add_resources)\([^()]{0,300}[\"']\*[\"']"


_ARRAY: Final = re.compile(r"\[\s*(?:[\"'`][a-z][\w-]{1,40}:[A-Z*][\w*]{0,60}[\"'`]\s*+,?\s*+){1,40}\]")
_NOT: Final = re.compile(r"(?i)deny|notactions|not_actions|forbid|blocked|exclud|refuse|guard|never")


def _arrays(text: str) -> Iterator[Told]:
    """Lists of AWS's actions with a whole service among them, whatever builds a statement of them."""
    for one in _ARRAY.finditer(text):
        wide = re.search(r"([a-z][\w-]*:\*)[\"'`]", one[0])
        around = text[max(0, one.start() - 160) : one.start()].rpartition(";")[2].rpartition("Statement(")[2]
        if wide and wide[1] == "kms:*" and "rincipals" in text[max(0, one.start() - 300) : one.end() + 300]:
            continue  # a key's own policy, where `*` is the key
        if wide and not _NOT.search(around) and not _NOT.search(text[one.end() : one.end() + 120].partition(")")[0]):
            yield Kind.WILDCARD, line_at(text, one.start() + wide.start()), f"{wide[1]} is allowed"


def _added(text: str) -> Iterator[Told]:
    """What is added to a statement, action by action, where it is none that refuses."""
    for one in _ADDED.finditer(text):
        name = re.escape(one[1])
        if re.search(rf"\b{name}\b[^;\n]{{0,80}}=[^;]{{0,200}}\bDENY\b|\b{name}\.effect\s*=[^;\n]{{0,60}}DENY", text):
            continue
        found = re.search(rf"\b{name}\s*(?:{_ALL})", text)
        actions = Node(
            line_at(text, one.start(2)),
            [Node(line_at(text, one.start(2) + word.start()), word[1]) for word in _WORD.finditer(one[2])],
        )
        resources = [Node(line_at(text, found.start()), "*")] if found else []
        yield from cloud.statement(
            Node(actions.line, {"Effect": Node(0, "Allow"), "Action": actions, "Resource": Node(0, [*resources])})
        )


def told(path: str, text: str, tree: ast.AST | None = None) -> Iterator[Told]:
    """What such code gives that gives the account or the cluster away, or that has a wildcard."""
    for shape, said in _LOOSE:
        for one in shape.finditer(text):
            yield Kind.ADMIN, line_at(text, one.end()), said
    if not _HINT.search(text):
        return
    for one in _GRANTED.finditer(text):
        yield Kind.WILDCARD, line_at(text, one.start(1)), f"{one[1]} is allowed"
    yield from _added(text)
    yield from _arrays(text)
    for part in cloud.roots(path, text):
        if (part["effect"].text or part["Effect"].text) != "Deny":
            yield from attached.in_part(part)
    for name, made in _built(tree) if tree is not None else tsobject.built(text):
        yield from _construct(name, made)


def _construct(name: str, made: Node) -> Iterator[Told]:
    if _BINDING.search(name):
        ref = _of(made, "roleRef", "role_ref")
        if ref["name"].text == "cluster-admin":
            yield Kind.ADMIN, ref["name"].line, "cluster-admin is bound for the whole cluster"
        return
    if made["apiVersion"].text and made["kind"].text:
        yield from rbac.in_cluster(made)
        return
    for one in made.inside():
        if one["verbs"].items and _of(one, "apiGroups", "api_groups").items:
            yield from cloud.rule(one)
            yield from rbac.rule(one) if _ROLE.search(name) else ()
    for part in made.inside():
        if part.members:
            yield from cloud.azure(part)
            yield from attached.in_part(part)


def _of(node: Node, *names: str) -> Node:
    return next((node[name] for name in names if node[name].value is not None), NOTHING)


def _built(tree: ast.AST) -> Iterator[tuple[str, Node]]:
    """The calls that are given something by name, each by its dotted name; one within another is a member of it."""
    inside: set[ast.AST] = set()
    for node in syntax.every(tree, ast.Call):
        if node.keywords and node not in inside:
            inside.update(one for one in syntax.walk(node) if one is not node)
            name = syntax.said(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
            yield name, _node(node, 0)


def _node(node: ast.expr, depth: int) -> Node:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Node(node.lineno, node.value)
    if depth < 8:
        if isinstance(node, ast.Call) and node.keywords:
            return Node(node.lineno, {one.arg: _node(one.value, depth + 1) for one in node.keywords if one.arg})
        if isinstance(node, ast.Dict):
            pairs = [
                (key, one) for key, one in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
            ]
            return Node(node.lineno, {str(key.value): _node(one, depth + 1) for key, one in pairs})
        if isinstance(node, ast.List | ast.Tuple):
            return Node(node.lineno, [_node(one, depth + 1) for one in node.elts])
    return Node(node.lineno, "${" + syntax.said(node)[:200] + "}")
