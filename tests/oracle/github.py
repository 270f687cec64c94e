"""What people, Apps, tokens and keys can do in an organisation of GitHub, slowly and obviously.

The export is plain JSON. Each question reads all of it anew: who somebody is, which teams that is, what each of them
has. What is not told is taken once at its best (`best`), for what is possible, and once as nothing, for what is sure.
What is answered is a set of (thing, writes): `acme/site contents`, `secret NAME`, `run in acme/site`.
"""

ORDER = ["read", "triage", "write", "maintain", "admin"]
SAME = {"pull": "read", "push": "write"}
ANY = "any repository"
PEOPLE = ("members", "owners", "teams", "organization_roles")
OWNING = ("members", "organization_administration", "organization_custom_roles", "organization_custom_org_roles")
KNOWN = (
    "actions", "actions_variables", "administration", "attestations", "checks", "codespaces",
    "codespaces_lifecycle_admin", "codespaces_metadata", "codespaces_secrets", "contents", "dependabot_secrets",
    "deployments", "discussions", "environments", "issues", "merge_queues", "metadata", "packages", "pages",
    "pull_requests", "repository_advisories", "repository_custom_properties", "repository_hooks",
    "repository_projects", "secret_scanning_alerts", "secrets", "security_events", "single_file", "statuses",
    "vulnerability_alerts", "workflows",
)  # fmt: skip


def places(export):
    """Every repository that is named anywhere, and those to come."""
    found = {one["full_name"] for one in export.get("repositories") or []}
    for name in ("installations", "personal_access_tokens", "secrets", "teams"):
        for holder in export.get(name) or []:
            found |= {one["full_name"] for one in holder.get("repositories") or []}
    return [*sorted(found), ANY]


def teams(export, login):
    """The teams that somebody is in, and those that they are in."""
    known = {one["slug"]: one for one in export.get("teams") or []}
    found = {slug for slug, one in known.items() if login in [each["login"] for each in one.get("members") or []]}
    while True:
        above = {known[slug]["parent"]["slug"] for slug in found if slug in known and known[slug].get("parent")}
        if above <= found:
            return found
        found |= above


def base(export):
    said = (export.get("organization") or {}).get("default_repository_permission")
    return said if said in ["none", *ORDER] else None


def is_owner(export, login):
    return login in [one["login"] for one in export.get("owners") or []]


def is_member(export, login):
    return is_owner(export, login) or login in [one["login"] for one in export.get("members") or []]


def given(one):
    """The levels that a list's entry gives: its words, and the words for the same of its flags."""
    words = [word for word, has in one.get("permissions", {}).items() if has] + [one.get("role_name", "")]
    return {SAME.get(word, word) for word in words} & set(ORDER)


def odd(one):
    """Whether an entry gives something that no level says: a role of the organisation's own, or nothing told."""
    name = SAME.get(one.get("role_name", ""), one.get("role_name", ""))
    return not given(one) or name not in ["", *ORDER]


def entries(export, login, place):
    """What lists say of somebody in a repository, by name and by team."""
    for one in export.get("repositories") or []:
        if one["full_name"] == place:
            yield from (each for each in one.get("collaborators") or [] if each["login"] == login)
    for team in export.get("teams") or []:
        if team["slug"] in teams(export, login):
            yield from (each for each in team.get("repositories") or [] if each["full_name"] == place)


def roles(export, login):
    """The roles of the organisation that somebody has, by name or by team."""
    for one in export.get("organization_roles") or []:
        named = [each["login"] for each in one.get("users", [])]
        if login in named or teams(export, login) & {each["slug"] for each in one.get("teams", [])}:
            yield one


def seen_by(export, place):
    return [one.get("visibility", "") for one in export.get("repositories") or [] if one["full_name"] == place]


def has(export, login, place):
    """Every level that somebody has in a repository, one by one."""
    found = {level for one in entries(export, login, place) for level in given(one)}
    found |= {one.get("base_role") for one in roles(export, login)} & set(ORDER)
    if is_owner(export, login):
        found.add("admin")
    if is_member(export, login):
        found |= {base(export)} & set(ORDER)
        found |= {"read"} if "internal" in seen_by(export, place) else set()
    return found


def told(export, login, place):
    """Whether all that somebody may do in a repository was asked, and told in levels."""
    if is_owner(export, login):
        return True
    known = {one["slug"] for one in export.get("teams") or []}
    asked = [export.get(name) is not None for name in PEOPLE] + [base(export) is not None]
    for one in export.get("teams") or []:
        asked += [one.get("members") is not None, one.get("repositories") is not None]
        asked += [not one.get("parent") or one["parent"]["slug"] in known]
    for one in export.get("repositories") or []:
        asked += [one["full_name"] != place or one.get("collaborators") is not None]
    plain = [not odd(one) for one in entries(export, login, place)]
    return all([*asked, *plain, *(not one.get("permissions") for one in roles(export, login))])


def at(level, place):
    """All that a level lets be done in a repository."""
    found = set()
    if level in ("read", "triage", "write", "maintain", "admin"):
        found |= {("contents", False), ("metadata", False), ("issues", True), ("pull_requests", True)}
    if level in ("write", "maintain", "admin"):
        found |= {("contents", True), ("actions", True), ("deployments", True), ("statuses", True)}
    if level in ("maintain", "admin"):
        found |= {("pages", True)}
    if level == "admin":
        found |= {("administration", True), ("secrets", True)}
    runs = {(f"run in {place}", False)} if level in ("write", "maintain", "admin") else set()
    return {(f"{place} {name}", writes) for name, writes in found} | runs


def owning(export):
    return set().union(*(at("admin", place) for place in places(export)))


def read_by_actions(export, found):
    """With the secrets that are read by what runs."""
    more = set()
    for one in export.get("secrets") or []:
        listed = one.get("repositories")
        where = places(export) if listed is None else [each["full_name"] for each in listed]
        more |= {(f"secret {one['name']}", False) for place in where if (f"run in {place}", False) in found}
    return found | more


def whatever(name):
    return {(f"whatever {name} is for", True)}


def person(export, login, *, best):
    """All that somebody can do, by its own rights and by the tokens that it made."""
    found = set()
    for place in places(export):
        for level in has(export, login, place):
            found |= at(level, place)
        if best and any(odd(one) for one in entries(export, login, place)):
            found |= whatever(f"its role in {place}")
    if is_owner(export, login):
        found |= owning(export)
    if best:
        found |= untold(export, login)
    for one in export.get("personal_access_tokens") or []:
        if one.get("owner", {}).get("login") == login:
            found |= token(export, one, best=best)
    return read_by_actions(export, found)


def untold(export, login):
    """What nobody knows of what somebody has beyond single repositories."""
    known = {one["slug"]: one for one in export.get("teams") or []}
    found = set()
    if is_member(export, login) and base(export) is None:
        found |= whatever("the base permission")
    for slug in teams(export, login):
        if slug not in known or known[slug].get("repositories") is None:
            found |= whatever(f"team/{slug}")
    for role in roles(export, login):
        for name in role.get("permissions", []):
            found |= whatever(name)
    return found


def flat(permissions):
    """Permissions, those of tokens out of their groups."""
    for name, said in permissions.items():
        yield from said.items() if isinstance(said, dict) else [(name, said)]


def where(export, holder):
    """The repositories that something was given, and whether that was told."""
    how, listed = holder.get("repository_selection", "all"), holder.get("repositories")
    if how == "all":
        return places(export), True
    if listed is not None:
        return [one["full_name"] for one in listed], True
    return ([], True) if how == "none" else (places(export), False)


def usable(export, login, place, permission, level):
    """Whether the owner of a token may do this too, if that is known."""
    if permission not in KNOWN or not told(export, login, place):
        return True
    mine = has(export, login, place) | ({"read"} if "public" in seen_by(export, place) else set())
    if level == "read" or permission in ("issues", "pull_requests", "discussions"):
        return bool(mine)
    if permission == "administration":
        return "admin" in mine
    return bool(mine & {"write", "maintain", "admin"})


def holding(export, holder, login, *, best):
    """What an App or a token can do, one permission in one repository after the other."""
    found = set()
    listed, sure = where(export, holder)
    everything = list(flat(holder.get("permissions", {})))
    for place in listed if sure or best else ():
        mine = [(p, one) for p, s in everything if p in KNOWN and s != "none" for one in ("read", s)]
        mine = [(p, s) for p, s in mine if login is None or usable(export, login, place, p, s)]
        found |= {(f"{place} {p}", s != "read") for p, s in mine}
        writes = {p for p, s in mine if s != "read"}
        if {"contents", "workflows"} <= writes or (best and writes & {"contents", "actions"}):
            found.add((f"run in {place}", False))
        if "administration" in writes:
            found |= at("admin", place)
    for permission, said in everything:
        organization = permission.startswith("organization_") or permission in (
            "members", "blocking", "team_discussions", "announcement_banners")  # fmt: skip
        if permission in KNOWN or said == "none":
            continue
        if organization:
            found.add((f"organization {permission}", said != "read"))
        elif best:
            found |= whatever(permission)
        if best and permission in OWNING and said != "read":
            found |= owning(export)
    return read_by_actions(export, found)


def app(export, one, *, best):
    return set() if one.get("suspended_at") else holding(export, one, None, best=best)


def token(export, one, *, best):
    login = one.get("owner", {}).get("login") or None
    return set() if one.get("token_expired") else holding(export, one, login, best=best)


def key(export, place, one):
    """What a deploy key can do."""
    if not one.get("enabled", True):
        return set()
    write = not one.get("read_only", False)
    found = {(f"{place} contents", write)} | ({(f"run in {place}", False)} if write else set())
    return read_by_actions(export, found)
