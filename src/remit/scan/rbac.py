"""Roles and bindings of a Kubernetes cluster that give it away (AG111), wherever they are written. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan.launch import Told
from remit.scan.node import Node

KINDS: Final = frozenset({"ClusterRoleBinding", "RoleBinding", "ClusterRole", "Role", "ConfigMap"})


def in_cluster(root: Node) -> Iterator[Told]:
    """What a cluster's own document gives of the cluster."""
    yield from _cluster(root)
    yield from _mapped(root)


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
        for one in root["rules"].items:
            yield from rule(one)


def _mapped(root: Node) -> Iterator[Told]:
    """A map that makes somebody one of the cluster's masters, as EKS reads it."""
    if root["kind"].text == "ConfigMap":
        for one in root["data"].members.values():
            for number, line in enumerate(one.text.split("\n"), one.line + 1):
                if re.search(r"\bsystem:masters\b", line.partition("#")[0]):
                    yield Kind.ADMIN, number, "its subjects are the cluster's masters"


def rule(part: Node) -> Iterator[Told]:
    """What a rule of a role for the whole cluster gives of it."""
    verbs = {one.text for one in part["verbs"].items}
    resources = {one.text for one in part["resources"].items}
    groups = {one.text for key in ("apiGroups", "api_groups") for one in part[key].items}
    names = [*part["resourceNames"].items, *part["resource_names"].items]
    if "*" in verbs and "*" in resources and "*" in groups:
        yield Kind.ADMIN, part["verbs"].line, "every verb on everything in the cluster is allowed"
    elif (verbs & {"escalate", "bind"} and resources & {"clusterroles", "*"}) or (
        "*" in verbs and "clusterroles" in resources
    ):
        yield Kind.ADMIN, part["verbs"].line, "it may give itself any role of the cluster"
    elif "impersonate" in verbs and resources & {"users", "groups", "*"} and not names:
        yield Kind.ADMIN, part["verbs"].line, "it may act as anybody in the cluster"
