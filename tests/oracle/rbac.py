"""What a cluster lets whom do and become, slowly and obviously: every binding is read anew for each question."""


def rules(items, reference, space):
    """The rules of the role that a binding names."""
    for one in items:
        there = one["metadata"].get("namespace", "") == (space if reference["kind"] == "Role" else "")
        if one["kind"] == reference["kind"] and one["metadata"]["name"] == reference["name"] and there:
            return one["rules"]
    return [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def bound(items, names):
    """Every role that is bound to one of these subjects, by kind, namespace and name, and in which namespace."""
    found = []
    for one in items:
        if not one["kind"].endswith("Binding"):
            continue
        space = one["metadata"].get("namespace", "")
        for subject in one["subjects"]:
            name = f"{subject['kind'].lower()}/{subject['name']}"
            if subject["kind"] == "ServiceAccount":
                name = f"serviceaccount/{subject['namespace']}/{subject['name']}"
            if name in names:
                reference = one["roleRef"]
                role = (reference["kind"], space if reference["kind"] == "Role" else "", reference["name"])
                found.append((role, space, rules(items, reference, space)))
    return found


def lets(held, verb, space, group, resource, name="", *, some=False):
    """Whether what is held lets a verb be done, on one name or on whatever there is; or on `some` name or other."""
    for _, where, listed in held:
        for rule in listed if where in ("", space) else ():
            verbs, groups = rule["verbs"], rule["apiGroups"]
            parts = {resource, "*", *([f"*/{resource.split('/')[1]}"] if "/" in resource else [])}
            names = rule.get("resourceNames", [])
            spoken = {verb, "*"} & set(verbs) and {group, "*"} & set(groups) and parts & set(rule["resources"])
            if spoken and (some or not names or name in names):
                return True
    return False


def groups(name):
    if name.startswith("serviceaccount/"):
        space = name.split("/")[1]
        return {
            name,
            "group/system:serviceaccounts",
            f"group/system:serviceaccounts:{space}",
            "group/system:authenticated",
        }
    return {name, "group/system:authenticated"} if name.startswith("user/") else {name}


STARTS = (("", "pods"), ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "daemonsets"),
          ("apps", "statefulsets"), ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"))  # fmt: skip
ENTERS = (("create", "pods/exec"), ("get", "pods/exec"), ("create", "pods/attach"), ("get", "pods/attach"),
          ("update", "pods/ephemeralcontainers"), ("patch", "pods/ephemeralcontainers"))  # fmt: skip
RBAC = "rbac.authorization.k8s.io"


def runs(items):
    """The accounts that pods run as; None where no pods are known."""
    pods = [one for one in items if one["kind"] == "Pod"]
    return {
        f"serviceaccount/{one['metadata']['namespace']}/{one['spec']['serviceAccountName']}" for one in pods
    } or None


def starts(held, space):
    """Whether pods can be started as anybody: made, or had made by what makes them."""
    makes = any(lets(held, "create", space, group, one) for group, one in STARTS)
    changes = [(verb, group, one) for verb in ("update", "patch") for group, one in STARTS if one != "pods"]
    return makes or any(lets(held, verb, space, group, one, some=True) for verb, group, one in changes)


def takes(held, subject, stored, running, spaces):
    """Whether what is held gives the place of a subject at once."""
    kind, _, rest = subject.partition("/")
    space, _, name = rest.partition("/") if kind == "serviceaccount" else ("", "", rest)
    if lets(held, "impersonate", space, "", f"{kind}s", name):
        return True
    if kind != "serviceaccount":
        return False
    there = running is None or subject in running
    enters = [*ENTERS, ("update", "pods"), ("patch", "pods")]
    return (
        lets(held, "create", space, "", "serviceaccounts/token", name)
        or starts(held, space)
        or (there and any(starts(held, one) for one in spaces))
        or (there and any(lets(held, verb, space, "", one, some=True) for verb, one in enters))
        or (there and any(lets(held, verb, "", "", "nodes/proxy", some=True) for verb in ("get", "create")))
        or any(lets(held, verb, space, "", "secrets") for verb in ("get", "list", "watch"))
        or any(lets(held, verb, space, "", "secrets", one) for one in stored for verb in ("get", "list", "watch"))
    )


def whole(space):
    return ("any", "", "any"), space, [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def becomes(items, start, subjects, spaces, stored):
    """Every subject that one can become, and whether it comes to everything, until nothing is added."""
    roles = [(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"], one["rules"])
             for one in items if one["kind"] in ("Role", "ClusterRole")]  # fmt: skip
    mine, gained = {start}, []
    while True:
        before = len(mine), len(gained)
        for name in sorted(mine):
            held = bound(items, groups(name)) + gained
            mine |= {one for one in subjects if takes(held, one, stored.get(one, ()), runs(items), spaces)}
            if lets(held, "impersonate", "", "", "groups", "system:masters"):
                gained = add(gained, whole(""))
            for one in roles:
                gained = spread(gained, items, mine, held, one, spaces)
        if (len(mine), len(gained)) == before:
            return mine, any(role == ("any", "", "any") and not space for role, space, _ in gained)


def spread(gained, items, mine, held, role, spaces):
    """What one role adds: where it can be bound, and, where it can be written, everything where anybody has it."""
    for space in [role[1]] if role[1] else ["", *spaces]:
        gained = add(gained, (role[:3], space, role[3])) if binds(held, role, space) else gained
    if rewrites(held, role):
        known = [other for name in sorted(mine) for other in bound(items, groups(name))] + gained
        for other, space, _ in known:
            gained = add(gained, whole(space)) if other == role[:3] else gained
    return gained


def binds(held, role, space):
    bindings = "rolebindings" if space else "clusterrolebindings"
    writes = any(lets(held, verb, space, RBAC, bindings) for verb in ("create", "update", "patch"))
    return writes and lets(held, "bind", space, RBAC, f"{role[0].lower()}s", role[2])


def rewrites(held, role):
    kind, home, name, _ = role
    writes = any(lets(held, verb, home, RBAC, f"{kind.lower()}s", name) for verb in ("update", "patch"))
    removes = lets(held, "delete", home, RBAC, f"{kind.lower()}s", name)
    writes = writes or (removes and lets(held, "create", home, RBAC, f"{kind.lower()}s"))
    return writes and lets(held, "escalate", home, RBAC, f"{kind.lower()}s", name)


def add(gained, one):
    return gained if any(one[:2] == other[:2] for other in gained) else [*gained, one]
