"""What AWS lets a principal do, slowly and obviously: every statement is read anew for each action on each ARN.

Documents are plain JSON. A condition on a key that is not known is taken once at its best, for what is possible, and
once at its worst, for what is certain.
"""

SAID = {"StringEquals": False, "StringNotEquals": True}


def like(pattern, text):
    if not pattern:
        return not text
    if pattern[0] == "*":
        return like(pattern[1:], text) or (text != "" and like(pattern, text[1:]))
    return text != "" and pattern[0] in ("?", text[0]) and like(pattern[1:], text[1:])


def listed(form):
    return form if isinstance(form, list) else [form]


def met(statement, who, best):
    """Whether the conditions hold: of what is not known, `best` says."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            if key.lower() not in who:
                if not best:
                    return False
            elif (who[key.lower()] in listed(values)) == SAID[operator]:
                return False
    return True


def speaks(statement, action, arn, who, best):
    acts = [like(one.lower(), action.lower()) for one in listed(statement.get("Action", statement.get("NotAction")))]
    places = [one.replace("${aws:username}", who.get("aws:username", "?")) for one in
              listed(statement.get("Resource", statement.get("NotResource")))]  # fmt: skip
    there = [like(one, arn) for one in places]
    if any(acts) == ("NotAction" in statement) or any(there) == ("NotResource" in statement):
        return False
    return met(statement, who, best)


def layer(documents, action, arn, who, best):
    """One layer of policies: allowed, and not denied."""
    statements = [one for document in documents for one in listed(document["Statement"])]
    if any(one["Effect"] == "Deny" and speaks(one, action, arn, who, not best) for one in statements):
        return False
    return any(one["Effect"] == "Allow" and speaks(one, action, arn, who, best) for one in statements)


def can(layers, action, arn, who, *, best=True):
    """Whether every layer allows it: at best possible, at worst certain."""
    return all(layer(documents, action, arn, who, best) for documents in layers)


def takes(account, actor, service_sets, writing):
    """Whom an actor (its layers, what is known of it) can become at once, by hand."""
    found = set()
    layers, who = actor
    able = lambda action, arn, **more: can(layers, action, arn, who | more)  # noqa: E731
    anywhere = lambda action: able(action, f"arn:aws:{action.partition(':')[0]}:::x")  # noqa: E731
    for name, arn in account["arns"].items():
        if name.startswith("user/") and any(
            able(one, arn) for one in ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile")
        ):
            found.add(name)
        if name.startswith("role/"):
            if able("iam:UpdateAssumeRolePolicy", arn):
                found.add(name)
            trust = account["trust"][name]
            if trust == "account" and able("sts:AssumeRole", arn):
                found.add(name)
            for service, ways in service_sets.items():
                if trust == service and able("iam:PassRole", arn, **{"iam:passedtoservice": service}):
                    found |= {name} if any(all(anywhere(one) for one in way) for way in ways) else set()
            mine = writing.get(trust.partition(".")[0], ()) if "." in trust else ()
            if any(map(anywhere, mine)) and able("iam:PassRole", arn, **{"iam:passedtoservice": trust}):
                found.add(name)
    return found


def becomes(account, start, service_sets, writing):
    """Everybody that one can become, until nothing is added: each as it is, rewritten, or freed of its boundary."""
    variants = {(start, False, False)}
    while True:
        more = set(variants)
        for one in variants:
            actor = acting(account, *one)
            more |= {(other, False, False) for other in takes(account, actor, service_sets, writing)}
            for name, whole, freed in variants:
                if writes(account, actor, name):
                    more.add((name, True, freed))
                if lifts(account, actor, name):
                    more.add((name, whole, True))
        if more == variants:
            return variants
        variants = more


ANYTHING = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]


def acting(account, name, whole, freed):
    """The layers of somebody, rewritten or freed, and what is known of it."""
    identity = ANYTHING if whole else account["identity"][name]
    return [identity, *limits(account, name, freed)], account["known"][name]


def limits(account, name, freed):
    return [*([] if freed else account["boundary"][name]), *account["controls"]]


def lifts(account, actor, name):
    """Whether an actor can take another's boundary away."""
    kind = "User" if name.startswith("user/") else "Role"
    layers, who = actor
    acts = (f"iam:Delete{kind}PermissionsBoundary", f"iam:Put{kind}PermissionsBoundary")
    return bool(account["boundary"][name]) and any(can(layers, one, account["arns"][name], who) for one in acts)


def writes(account, actor, name):
    """Whether an actor can write what another may do: on itself, on its groups, on a policy that it has."""
    layers, who = actor
    arn = account["arns"][name]
    kind = "User" if name.startswith("user/") else "Role"
    places = [(f"iam:Attach{kind}Policy", arn), (f"iam:Put{kind}Policy", arn)]
    for group in account["groups"].get(name, ()):
        places += [("iam:AttachGroupPolicy", group), ("iam:PutGroupPolicy", group)]
    places += [("iam:CreatePolicyVersion", policy) for policy in account["managed"].get(name, ())]
    return any(can(layers, action, place, who) for action, place in places)
