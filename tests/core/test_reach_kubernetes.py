"""Kubernetes: what a survey says that subjects become is what a twin finds that reads every binding anew."""

import json
import random

import pytest

from remit.core.errors import RemitError
from remit.core.reach.kubernetes import rbac
from remit.core.reach.kubernetes.become import Becoming
from remit.core.reach.kubernetes.survey import survey
from tests.oracle import rbac as oracle

RBAC = oracle.RBAC
SPACES = ("a", "b")
SUBJECTS = ["serviceaccount/a/x", "serviceaccount/a/y", "serviceaccount/b/z", "user/u", "user/v", "group/g"]
WIDE = (
    (["create"], "", "serviceaccounts/token"), (["create"], "", "pods"), (["patch"], "apps", "deployments"),
    (["get"], "", "pods/exec"), (["*"], "", "*/exec"), (["get", "create"], "", "secrets"), (["get"], "", "secrets"),
    (["impersonate"], "", "users"), (["impersonate"], "", "groups"), (["impersonate"], "", "serviceaccounts"),
    (["escalate", "update"], RBAC, "clusterroles"), (["escalate"], RBAC, "roles"), (["patch"], RBAC, "roles"),
    (["bind"], RBAC, "clusterroles"), (["bind"], RBAC, "roles"), (["create"], RBAC, "rolebindings"),
    (["create", "update"], RBAC, "clusterrolebindings"), (["get"], "", "nodes/proxy"), (["get"], "", "configmaps"),
    (["*"], RBAC, "*"), (["bind", "escalate"], "*", "roles"),
)  # fmt: skip
NAMES = {"users": ["u", "v"], "groups": ["g", "system:masters"], "serviceaccounts": ["x", "z"],
         "secrets": ["tok", "db"], "serviceaccounts/token": ["x"],
         "clusterroles": ["c0", "c1"], "roles": ["r0"]}  # fmt: skip


def drawn(seed):
    """A small cluster: roles of few rules, and bindings of them."""
    draw = random.Random(seed)

    def rule():
        verbs, group, resource = draw.choice(WIDE)
        found = {"verbs": verbs, "apiGroups": [group], "resources": [resource]}
        if resource in NAMES and draw.random() < 0.5:
            found["resourceNames"] = [draw.choice(NAMES[resource])]
        return found

    def subject(name):
        kind, _, rest = name.partition("/")
        if kind == "serviceaccount":
            return dict(zip(("kind", "namespace", "name"), ("ServiceAccount", *rest.split("/")), strict=True))
        return {"kind": kind.title(), "name": rest}

    items = [
        {"kind": "ServiceAccount", "metadata": {"name": "x", "namespace": "a"}, "secrets": [{"name": "tok"}]},
        {"kind": "ServiceAccount", "metadata": {"name": "y", "namespace": "a"}},
        {"kind": "ServiceAccount", "metadata": {"name": "z", "namespace": "b"}},
    ]
    for n in range(2):
        for kind, space in (("ClusterRole", ""), *(("Role", space) for space in SPACES)):
            meta = {"name": f"{kind[0].lower()}{n}"} | ({"namespace": space} if space else {})
            items.append({"kind": kind, "metadata": meta, "rules": [rule() for _ in range(draw.choice((1, 2)))]})
    for n in range(draw.choice((3, 5, 8))):
        space = draw.choice(("", *SPACES))
        kind = "ClusterRole" if not space or draw.random() < 0.4 else "Role"
        reference = {"kind": kind, "name": f"{kind[0].lower()}{draw.randrange(2)}"}
        meta = {"name": f"b{n}"} | ({"namespace": space} if space else {})
        names = draw.sample([*SUBJECTS, "group/system:authenticated", "group/system:serviceaccounts:a"], 1)
        items.append({"kind": "RoleBinding" if space else "ClusterRoleBinding", "metadata": meta, "roleRef": reference,
                      "subjects": [subject(name) for name in names]})  # fmt: skip
    return items


def became(seen, start):
    """Whom a survey lets one become, and everything else it has."""
    leaving = {}
    for source, target, _, _ in seen.edges:
        leaving.setdefault(source, []).append(target)
    waiting = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", start)]
    for one in waiting:
        waiting += [other for other in dict.fromkeys(leaving.get(one, ())) if other not in waiting]
    return {seen.nodes[n][1] for n in waiting if seen.nodes[n][0] in ("role", "rights")}


def wrong(seed):
    """Where survey and twin differ about who becomes whom."""
    items = drawn(seed)
    seen = survey(json.dumps({"items": items}).encode())
    named = {name for kind, name, _ in seen.nodes if kind == "role"}
    subjects = [one for one in SUBJECTS if one in named]
    found = []
    for start in subjects:
        mine, whole = oracle.becomes(items, start, subjects, SPACES, {"serviceaccount/a/x": ["tok"]})
        said = became(seen, start)
        expected = set(subjects) if whole else mine
        if said & set(subjects) != expected or ("everything" in said) != whole:
            found.append((start, sorted(expected ^ (said & set(subjects))), whole, "everything" in said))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_who_becomes_whom_is_what_the_twin_finds(seed):
    assert wrong(seed) == []


def test_planted_faults_are_seen(monkeypatch):
    for name in ("_account", "_acting", "_binding"):
        with monkeypatch.context() as patch:
            patch.setattr(Becoming, name, lambda *_: ())
            assert any(wrong(seed) for seed in range(60)), name
    monkeypatch.setattr(Becoming, "writes", lambda *_: False)
    assert any(wrong(seed) for seed in range(60)), "writes"


def told(*items):
    seen = survey(json.dumps({"kind": "List", "items": list(items)}).encode())
    names = [name for _, name, _ in seen.nodes]
    return {(names[a], names[b]): (label, writes) for a, b, label, writes in seen.edges}, seen


def role(name, *rules, kind="ClusterRole", **more):
    return {"kind": kind, "metadata": {"name": name, **more}, "rules": list(rules)}


def binding(name, subject, space="", kind="ClusterRole"):
    meta = {"name": name} | ({"namespace": space} if space else {})
    return {"kind": "RoleBinding" if space else "ClusterRoleBinding", "metadata": meta, "subjects": [subject],
            "roleRef": {"kind": kind, "name": name}}  # fmt: skip


USER = {"kind": "User", "name": "ann"}
CI = {"kind": "ServiceAccount", "name": "ci", "namespace": "prod"}


def test_a_cluster_is_told_in_namespaces_names_and_addresses():
    edges, seen = told(
        role("reader", {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"]},
             {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
        role("writer", {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"]}),
        binding("reader", USER), binding("writer", CI, "prod"), binding("gone", USER, "prod"),
        {"kind": "Deployment", "metadata": {"name": "web", "namespace": "prod"}, "spec": {"rules": 3}},
    )  # fmt: skip
    assert edges["clusterrole/reader", "*/configmaps"] == ("get, list", False)
    assert edges["clusterrole/reader", "url /metrics"] == ("get", False)
    assert edges["clusterrole/writer in prod", "prod/deployments.apps/web"] == ("*", True)
    assert edges["serviceaccount/prod/ci", "clusterrole/writer in prod"] == ("is bound to", False)
    assert any("clusterrole/gone" in note for note in seen.notes)
    assert ("clusterrole/gone in prod", "prod/deployments.apps/web") in edges
    assert ("clusterrole/reader", "prod/deployments.apps/web") not in edges


def test_pods_tell_who_runs_and_aggregated_roles_are_gathered():
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "prod"}, "spec": {"serviceAccountName": "ci"}}
    part = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}
    whole = {"kind": "ClusterRole", "metadata": {"name": "sum"}, "rules": None,
             "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "sum"}}]}}  # fmt: skip
    edges, _ = told(
        whole, role("part", part, labels={"to": "sum"}), binding("sum", USER, "prod"), pod,
        {"kind": "ServiceAccount", "metadata": {"name": "ci", "namespace": "prod"}},
        {"kind": "ServiceAccount", "metadata": {"name": "idle", "namespace": "prod"}},
    )  # fmt: skip
    assert edges["clusterrole/sum in prod", "serviceaccount/prod/ci"] == ("gets into a pod of", False)
    assert ("clusterrole/sum in prod", "serviceaccount/prod/idle") not in edges
    assert ("clusterrole/sum in prod", "pods of prod") in edges


def test_what_is_no_cluster_is_refused():
    for form in (
        [], {}, {"items": []}, {"items": [{"kind": "RoleBinding"}]},
        {"items": [{"kind": "RoleBinding", "metadata": {"name": "x"}}]},
    ):  # fmt: skip
        with pytest.raises(RemitError) as fault:
            rbac.cluster(json.dumps(form).encode())
        assert fault.value.code == "reach_invalid"
