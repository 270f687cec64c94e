"""Roles of clouds and clusters, and what the clouds' own Python libraries are called for: the rest of AG110. Pure.

A role that writes is broader than observed where the code beside it imports its service's library, calls it to read and
never calls it to write.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.scan import document, syntax, tier
from remit.scan.node import Node
from remit.scan.sight import Granted, Used


@dataclass(frozen=True, slots=True)
class _Service:
    """A service: how its library is imported, which roles of it write, and which calls of it read and write."""

    name: str
    imports: re.Pattern[str]
    roles: re.Pattern[str]
    reads: re.Pattern[str]
    writes: re.Pattern[str]


def _service(name: str, imports: str, roles: str, reads: str, writes: str) -> _Service:
    return _Service(name, re.compile(imports), re.compile(roles, re.IGNORECASE), re.compile(reads), re.compile(writes))


_SERVICES: Final = (
    _service(
        "Google storage", r"google\.cloud(?:\.|:)storage",
        r"^roles/(?:storage\.(?:admin|objectAdmin|objectUser|objectCreator|legacyBucketOwner|legacyBucketWriter)"
        r"|editor)$",
        r"^(?:download_\w+|list_blobs|get_blob|get_bucket|exists|open)$",
        r"^(?:upload_\w+|delete\w*|copy_blob|rename_blob|compose|rewrite|patch|update\w*|create\w*|make_public|write)$",
    ),
    _service(
        "BigQuery", r"google\.cloud(?:\.|:)bigquery",
        r"^roles/(?:bigquery\.(?:admin|dataEditor|dataOwner)|editor)$",
        r"^(?:query|query_and_wait|list_rows|get_table|list_tables|list_datasets|get_dataset)$",
        r"^(?:insert_rows\w*|load_table_\w+|create_\w+|delete_\w+|update_\w+|copy_table)$",
    ),
    _service(
        "Firestore", r"google\.cloud(?:\.|:)firestore",
        r"^roles/(?:datastore\.(?:owner|user)|editor)$",
        r"^(?:get|stream|get_all|list_documents|collections)$",
        r"^(?:set|add|update|delete|create|commit|batch|transaction|bulk_writer)$",
    ),
    _service(
        "Secret Manager", r"google\.cloud(?:\.|:)secretmanager",
        r"^roles/(?:secretmanager\.(?:admin|secretVersionManager)|editor)$",
        r"^(?:access_secret_version|get_secret\w*|list_secret\w*)$",
        r"^(?:add_secret_version|create_secret|delete_secret|destroy_secret_version|update_secret|disable_\w+)$",
    ),
    _service(
        "Pub/Sub", r"google\.cloud(?:\.|:)pubsub",
        r"^roles/(?:pubsub\.(?:admin|editor|publisher)|editor)$",
        r"^(?:pull|subscribe|acknowledge|list_\w+)$", r"^(?:publish|create_\w+|delete_\w+|update_\w+)$",
    ),
    _service(
        "Azure storage", r"azure\.storage\.blob",
        r"^(?:Storage Blob Data (?:Contributor|Owner)|Storage Account Contributor|Contributor)$",
        r"^(?:download_blob|list_blobs|list_blob_names|walk_blobs|get_blob_properties|list_containers|exists)$",
        r"^(?:upload_\w+|delete_\w+|create_container|set_\w+|start_copy\w*|append_block|stage_block\w*|commit_\w+)$",
    ),
    _service(
        "Key Vault", r"azure\.keyvault\.secrets",
        r"^(?:Key Vault (?:Administrator|Secrets Officer|Contributor)|Contributor)$",
        r"^(?:get_secret|list_properties_of_\w+)$",
        r"^(?:set_secret|begin_delete_secret|begin_recover\w*|update_secret_properties|purge_\w+|restore_\w+"
        r"|backup_\w+)$",
    ),
    _service(
        "Cosmos DB", r"azure\.cosmos",
        r"^(?:Cosmos DB (?:Built-in Data Contributor|Operator)|DocumentDB Account Contributor|Contributor)$",
        r"^(?:read_item|query_items|read_all_items|read_many_items)$",
        r"^(?:create_\w+|upsert_item|replace_item|delete_\w+|patch_item)$",
    ),
    _service(
        "Azure Search", r"azure\.search\.documents",
        r"^(?:Search (?:Index Data Contributor|Service Contributor)|Contributor)$",
        r"^(?:search|get_document|suggest|autocomplete|get_document_count)$",
        r"^(?:upload_documents|merge\w*_documents|delete_\w+|create_\w+|index_documents)$",
    ),
    _service(
        "Azure tables", r"azure\.data\.tables",
        r"^(?:Storage Table Data Contributor|Storage Account Contributor|Contributor)$",
        r"^(?:get_entity|query_entities|list_entities|list_tables|query_tables)$",
        r"^(?:create_\w+|upsert_entity|update_entity|delete_\w+|submit_transaction)$",
    ),
    _service(
        "App Configuration", r"azure\.appconfiguration",
        r"^(?:App Configuration (?:Data Owner|Contributor)|Contributor)$",
        r"^(?:get_configuration_setting|list_\w+)$",
        r"^(?:add_configuration_setting|set_\w+|delete_configuration_setting)$",
    ),
    _service(
        "Service Bus", r"azure\.servicebus",
        r"^(?:Azure Service Bus Data (?:Owner|Sender)|Contributor)$",
        r"^(?:receive_messages|peek_messages|get_queue_receiver|get_subscription_receiver)$",
        r"^(?:send_messages|schedule_messages|get_queue_sender|get_topic_sender)$",
    ),
    _service(
        "Google logging", r"google\.cloud(?:\.|:)logging",
        r"^roles/(?:logging\.(?:admin|configWriter)|editor)$",
        r"^(?:list_entries|list_\w+)$", r"^(?:log_\w+|log|create\w*|delete\w*|update\w*|setup_logging)$",
    ),
)  # fmt: skip
_SQL: Final = re.compile(r"(?i)^\s*(?:insert|update|delete|merge|create|drop|alter|truncate|grant)\b")
_CLUSTER: Final = re.compile(
    r"^(list|read|get|watch|create|patch|replace|delete|connect)_(?:\w+_)?(?:namespaced|node|persistent|cluster"
    r"|custom)\w*"
)
_CHANGES: Final = {
    "create": "create", "delete": "delete", "deletecollection": "delete", "patch": "change", "update": "change",
}  # fmt: skip
_BINDING: Final = re.compile(r"^google_\w+_iam_(?:member|binding)$")


def used(path: str, tree: ast.AST) -> Iterator[Used]:
    """What code calls of the clouds' libraries and of a cluster."""
    imports = " ".join(_imports(tree))
    services = [one for one in _SERVICES if one.imports.search(imports)]
    if not services and "kubernetes" not in imports:
        return
    calls = [one.func.attr for one in syntax.every(tree, ast.Call) if isinstance(one.func, ast.Attribute)]
    loud = any(_SQL.match(str(one.value)) for one in syntax.every(tree, ast.Constant))
    for service in services:
        for call in calls:
            if service.writes.match(call) or (service.reads.match(call) and loud and "query" in call):
                yield Used(path, f"sdk:{service.name}", "", writes=True)
            elif service.reads.match(call):
                yield Used(path, f"sdk:{service.name}", "", writes=False)
    if "kubernetes" in imports:
        for call in calls:
            found = _CLUSTER.match(call)
            if found:
                yield from in_cluster(path, found[1])


def in_cluster(path: str, act: str) -> Iterator[Used]:
    """What a call of a cluster needs of a role: a verb."""
    verb = {"patch": "change", "replace": "change", "connect": "create"}.get(act, act)
    yield Used(path, "sdk:cluster", verb, writes=verb in _CHANGES.values())


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in syntax.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}:{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def granted(path: str, text: str) -> Iterator[Granted]:
    """The roles and rules that a document gives and that such calls are held to."""
    for root in document.read(path, text):
        if root["apiVersion"].text and root["kind"].text in ("Role", "ClusterRole"):
            for rule in root["rules"].items:
                yield from _verbs(path, rule)
        elif path.endswith((".tf", ".tf.json")):
            yield from _roles(path, document.blocks(root))
        if root["kind"].text in ("RoleBinding", "ClusterRoleBinding"):
            yield from _bound(path, root["roleRef"]["name"])


def started(path: str, text: str) -> Iterator[Used]:
    """What `kubectl` is started for in a cluster's workloads."""
    for root in document.read(path, text) if "kubectl" in text else ():
        for part in root.inside() if root["apiVersion"].text else ():
            words = " ".join(one.text for key in ("command", "args") for one in part[key].items)
            for found in _KUBECTL.finditer(words):
                act = _ACTS.get(found[1])
                if act:
                    yield Used(path, "sdk:cluster", act, writes=act in _CHANGES.values())


_KUBECTL: Final = re.compile(r"\bkubectl(?:\s+-{1,2}[\w-]+(?:[= ][\w./-]+)?)*\s+([a-z]+)")
_ACTS: Final = {
    "get": "get", "describe": "get", "logs": "get", "top": "get", "wait": "get", "explain": "get", "apply": "change",
    "patch": "change", "edit": "change", "label": "change", "annotate": "change", "set": "change", "scale": "change",
    "rollout": "change", "replace": "change", "autoscale": "change", "cordon": "change",
    "drain": "delete", "delete": "delete",
    "create": "create", "run": "create", "expose": "create", "exec": "create", "cp": "create", "attach": "create",
}  # fmt: skip
_WIDE: Final = frozenset({"edit", "admin", "cluster-admin"})
"""The roles that each cluster has, and that write."""


def _bound(path: str, role: Node) -> Iterator[Granted]:
    if role.text in _WIDE:
        yield Granted(path, role.line, "sdk:cluster", f"the role {role.text}", writes=True)


def _verbs(path: str, rule: Node) -> Iterator[Granted]:
    for one in rule["verbs"].items:
        if one.text in _CHANGES:
            yield Granted(path, one.line, "sdk:cluster", f"{one.text} in the cluster", writes=True)


def _of_cluster(path: str, one: Node) -> Iterator[Granted]:
    """The verbs and roles of a cluster, and the permissions of Graph, that a resource of Terraform gives."""
    first = one["$labels"].items[0].text if one["$labels"].items else ""
    if re.match(r"kubernetes_(?:cluster_)?role(?:_v1)?$", first):
        for rule in one["rule"].items:
            yield from _verbs(path, rule)
    if re.match(r"kubernetes_(?:cluster_)?role_binding(?:_v1)?$", first):
        for ref in one["role_ref"].items:
            yield from _bound(path, ref["name"])
    if first == "azuread_app_role_assignment":
        for found in re.finditer(r"[\"']([A-Z][\w-]+\.[\w.]+)[\"']", one["app_role_id"].text):
            yield Granted(path, one["app_role_id"].line, "project:graph", found[1], tier.writes(found[1]))


def _roles(path: str, root: Node) -> Iterator[Granted]:
    for one in root["resource"].items:
        yield from _of_cluster(path, one)
        kind = one["$labels"].items[0].text if one["$labels"].items else ""
        role = one["role"] if _BINDING.match(kind) else one["role_definition_name"]
        if not role.text:
            continue
        for service in _SERVICES:
            if service.roles.match(role.text):
                yield Granted(path, role.line, f"sdk:{service.name}", role.text, writes=True)


def needs(scope: str) -> str:
    """What a rule of a cluster lets be done: a verb of the code's, by its own."""
    return _CHANGES.get(scope.partition(" ")[0], "")
