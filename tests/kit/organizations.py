"""Random organisations of GitHub, as its REST API lists them: nested teams, custom roles, half-asked lists."""

import random

PLACES = ["acme/site", "acme/wiki", "acme/infra"]
LOGINS = ["ann", "bob", "cat", "dan"]
SLUGS = ["web", "core", "ops", "sec"]
LEVELS = ["read", "triage", "write", "maintain", "admin"]
FLAGS = ["pull", "triage", "push", "maintain", "admin"]
PERMISSIONS = ["contents", "contents", "workflows", "actions", "issues", "administration", "secrets", "metadata",
               "members", "organization_hooks", "telepathy", "organization_administration"]  # fmt: skip


def drawn(seed):
    """One organisation. Some are asked in full, others lack this or that."""
    return Drawing(random.Random(seed)).export()


class Drawing:
    """Draws one organisation."""

    def __init__(self, draw):
        self.draw = draw
        self.full = draw.random() < 0.5

    def export(self):
        draw, asked = self.draw, self.asked
        form = {
            "organization": asked(
                {"login": "acme", "default_repository_permission": draw.choice(["none", *LEVELS[:3]])}
            ),
            "installations": asked([self.app(n) for n in range(draw.randrange(3))]),
            "personal_access_tokens": asked([self.token(n) for n in range(draw.randrange(4))]),
            "repositories": asked([self.repository(one) for one in draw.sample(PLACES, draw.choice([1, 2, 3]))]),
            "secrets": asked([{"name": f"S{n}"} | draw.choice([{}, {"repositories": self.at()}]) for n in range(2)]),
            "members": asked(self.named(LOGINS, 3)),
            "owners": asked(self.named(LOGINS, 1)),
            "teams": asked([self.team(n) for n in range(draw.randrange(5))]),
            "organization_roles": asked([self.role(n) for n in range(draw.randrange(2))]),
        }
        return {name: one for name, one in form.items() if one is not None or draw.random() < 0.5}

    def asked(self, value):
        return value if self.full or self.draw.random() < 0.75 else None

    def entry(self, one):
        """What a list says of a level: by its name, by flags, by a role of the organisation's own, or not at all."""
        rank, form = self.draw.randrange(5), self.draw.randrange(6)
        flags = {"permissions": {FLAGS[n]: n <= rank for n in range(5)}}
        if form == 0:
            return one | {"role_name": LEVELS[rank]}
        if form == 1:
            return one | {"role_name": "press"} | flags
        return one if form == 2 and not self.full else one | {"role_name": LEVELS[rank]} | flags

    def some(self, pool, most=2):
        return self.draw.sample(pool, self.draw.randrange(most + 1))

    def named(self, pool, most=2):
        return [{"login": one} for one in self.some(pool, most)]

    def at(self):
        return [{"full_name": one} for one in self.some(PLACES)]

    def permissions(self):
        draw = self.draw
        return {one: draw.choice(["read", "write", "write", "none"]) for one in draw.sample(PERMISSIONS, 3)}

    def holder(self, number):
        how = self.draw.choice(["all", "selected", "subset", "none", "all"])
        listed = {"repositories": self.at()} if self.draw.random() < 0.6 else {}
        return {"id": number, "repository_selection": how} | listed

    def app(self, number):
        gone = {"suspended_at": "2026-01-01T00:00:00Z"} if self.draw.random() < 0.2 else {}
        return self.holder(number) | {"app_slug": f"bot{number}", "permissions": self.permissions()} | gone

    def token(self, number):
        groups = {"repository": self.permissions(), "organization": self.permissions()}
        said = self.permissions() if self.draw.random() < 0.3 else groups
        form = {"token_name": f"t{number}", "permissions": said, "token_expired": self.draw.random() < 0.15}
        return self.holder(number) | form | {"owner": {"login": self.draw.choice([*LOGINS, "gone"])}}

    def team(self, number):
        above = self.draw.choice([None, None, *SLUGS[:number], *([] if self.full else ["unseen"])])
        members, has = self.asked(self.named(LOGINS)), self.asked([self.entry(one) for one in self.at()])
        return {"slug": SLUGS[number], "parent": above and {"slug": above}, "members": members, "repositories": has}

    def repository(self, name):
        draw = self.draw
        keys = [
            {"id": n, "title": f"k{n}", "read_only": draw.random() < 0.5, "enabled": draw.random() < 0.8}
            for n in range(draw.randrange(3))
        ]
        people = [self.entry(one) for one in self.named([*LOGINS, "guest"], 1)]
        visibility = draw.choice(["private", "private", "internal", "public"])
        form = {"collaborators": self.asked(people), "keys": self.asked(keys)}
        return {"full_name": name, "visibility": visibility} | form

    def role(self, number):
        form = {"users": self.named(LOGINS, 1), "teams": [{"slug": one} for one in self.some(SLUGS[:3], 1)]}
        base = self.draw.choice([None, *LEVELS])
        return {
            "name": f"role{number}",
            "base_role": base,
            "permissions": self.draw.choice([[], ["read_audit"]]),
        } | form
