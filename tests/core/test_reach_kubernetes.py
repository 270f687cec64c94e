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
    (["delete", "create", "escalate"], RBAC, "roles"), (["update"], "", "pods"), (["patch"], "batch", "cronjobs"),
    (["*"], RBAC, "*"), (["bind", "escalate"], "*", "roles"),
)  # fmt: skip
NAMES = {"users": ["u", "v"], "groups": ["g", "system:masters"], "serviceaccounts": ["x", "z"],
         "secrets": ["tok", "db"], "serviceaccounts/token": ["x"],
         "deployments": ["web"], "pods": ["web-0"], "pods/exec": ["web-0"], "nodes/proxy": ["n1"],
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
    if draw.random() < 0.6:
        items += [pod(*draw.choice((("a", "x"), ("a", "y"), ("b", "z")))) for _ in range(draw.choice((1, 2)))]
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


def pod(space, account):
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": space}, "spec": {"serviceAccountName": account}}


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
    part = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}
    whole = {"kind": "ClusterRole", "metadata": {"name": "sum"}, "rules": None,
             "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "sum"}}]}}  # fmt: skip
    edges, _ = told(
        whole, role("part", part, labels={"to": "sum"}), binding("sum", USER, "prod"), pod("prod", "ci"),
        {"kind": "ServiceAccount", "metadata": {"name": "ci", "namespace": "prod"}},
        {"kind": "ServiceAccount", "metadata": {"name": "idle", "namespace": "prod"}},
    )  # fmt: skip
    assert edges["clusterrole/sum in prod", "serviceaccount/prod/ci"] == ("gets into a pod of", False)
    assert ("clusterrole/sum in prod", "serviceaccount/prod/idle") not in edges
    assert ("clusterrole/sum in prod", "pods of prod") in edges


def account(name, space="prod"):
    return {"kind": "ServiceAccount", "metadata": {"name": name, "namespace": space}}


WAYS = [
    # A pipeline that changes one deployment has it run as whoever it likes: nothing of that was told.
    ("patch", "apps", "deployments", ["web"], {"prod/idle": "has what starts pods run as"}),
    ("update", "batch", "cronjobs", [], {"prod/idle": "has what starts pods run as"}),
    ("get", "", "pods/exec", ["web-0"], {"prod/ci": "gets into a pod of"}),
    ("get", "", "secrets", [], {"prod/idle": "may read a stored token of (perhaps)"}),
]


@pytest.mark.parametrize(("verb", "group", "kind", "names", "ways"), WAYS)
def test_whoever_gets_at_something_of_a_kind_is_told_whose_place_that_gives(verb, group, kind, names, ways):
    rule = {"verbs": [verb], "apiGroups": [group], "resources": [kind], "resourceNames": names}
    accounts = [account("ci"), account("idle"), account("root", "ops")]
    edges, _ = told(role("acts", rule), binding("acts", USER, "prod"), pod("prod", "ci"), pod("ops", "root"), *accounts)
    for name, how in ways.items():
        assert edges["clusterrole/acts in prod", f"serviceaccount/{name}"][0] == how
    nodes = ("clusterrole/acts in prod", "nodes") in edges
    assert nodes is (kind in ("deployments", "cronjobs")), (
        "what starts pods may have their nodes, and all that runs there"
    )
    assert edges["nodes", "serviceaccount/ops/root"] == ("run pods as", False)
    assert ("nodes", "serviceaccount/prod/idle") not in edges


def test_what_was_not_given_of_a_cluster_is_named():
    """A right that could not be read leaves a kind out of the list, and nothing in it says so."""
    reads = role("reads", {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]})
    _, seen = told(reads, binding("reads", USER, "prod"))
    said = "Not given, so what comes of it is not known: ClusterRoleBinding, ServiceAccount."
    assert said in seen.notes
    _, seen = told(reads, binding("reads", USER, "prod"), binding("reads", USER), account("ci"))
    assert not any(note.startswith("Not given") for note in seen.notes)
    page = {"items": [binding("reads", USER)], "metadata": {"continue": "more"}}
    broken = {"kind": "User", "name": "system:serviceaccount:x"}
    edges, _ = told(reads, binding("reads", broken))
    assert ("user/system:serviceaccount:x", "clusterrole/reads") in edges
    with pytest.raises(RemitError, match="does not read"):
        told(binding("reads", USER), {"kind": "Pod", "metadata": {"name": "p"}, "spec": 5})
    with pytest.raises(RemitError, match="one page of several"):
        rbac.cluster(json.dumps(page).encode())


def test_what_is_no_cluster_is_refused():
    for form in (
        [], {}, {"items": []}, {"items": [{"kind": "RoleBinding"}]},
        {"items": [{"kind": "RoleBinding", "metadata": {"name": "x"}}]},
    ):  # fmt: skip
        with pytest.raises(RemitError) as fault:
            rbac.cluster(json.dumps(form).encode())
        assert fault.value.code == "reach_invalid"
