"""What scopes are for, slowly and obviously: the table is read anew, line by line, for each scope of each grant."""

IDENTITY = ("openid", "profile", "email")


def lines(text, scope, provider):
    """The lines of the table that are of a scope: by its name, or without the address that its provider puts before."""
    for line in text.splitlines():
        whose, name, _, _, listed = line.split("\t")
        mine = scope in (name, name.replace("https://www.googleapis.com/auth/", "", 1))
        mine = mine or scope == f"https://graph.microsoft.com/{name}"
        if mine and provider in (None, whose):
            yield whose, listed


def able(text, grant, provider=None):
    """What a grant lets be done: pairs of a place and whether it is written to."""
    found = set()
    for scope in grant:
        if scope == "offline_access":
            continue
        if scope in IDENTITY:
            found.add(("who the person is", False))
            continue
        known = list(lines(text, scope, provider))
        if not known:
            found.add((f"whatever {scope} is for", True))
        for whose, listed in known:
            for one in listed.split():
                place, _, writes = one.rsplit(":", 2)
                found.add((f"{whose} {place}", int(writes) > 0))
    return found


def surely(text, grant, provider=None):
    """The same, without what nobody knows."""
    return {(name, writes) for name, writes in able(text, grant, provider) if not name.startswith("whatever ")}
