"""Writes src/remit/custody/scopes.tsv anew: `python -m tests.kit.scopes_table WHEEL PERMISSIONS SLACK`.

WHEEL is that of google-api-python-client (Apache-2.0), whose discovery documents name the scopes of each method;
PERMISSIONS is permissions/new/permissions.json of microsoftgraph/microsoft-graph-devx-content (MIT); SLACK is the
OpenAPI document of slackapi/slack-api-specs (MIT, of 2021). GitHub's few scopes stand below, from its documentation.
"""

import json
import re
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

PLACE = Path(__file__).resolve().parents[2] / "src" / "remit" / "custody" / "scopes.tsv"
WIDE = 6
"""Where a scope is for more APIs than this, each is told as a whole."""
GITHUB = {
    "repo": "code:rw issues:rw pulls:rw hooks:rw statuses:rw deployments:rw invitations:rw collaborators:rw secrets:rw",
    "public_repo": "public-code:rw public-issues:rw public-pulls:rw statuses:rw deployments:rw stars:rw",
    "repo:status": "statuses:rw", "repo_deployment": "deployments:rw", "repo:invite": "invitations:rw",
    "security_events": "code-scanning:rw", "admin:repo_hook": "hooks:rw", "write:repo_hook": "hooks:rw",
    "read:repo_hook": "hooks:r", "admin:org": "organization:rw teams:rw members:rw",
    "write:org": "organization-projects:rw members:rw", "read:org": "organization:r teams:r members:r",
    "admin:public_key": "public-keys:rw", "write:public_key": "public-keys:rw", "read:public_key": "public-keys:r",
    "admin:org_hook": "organization-hooks:rw", "gist": "gists:rw", "notifications": "notifications:rw",
    "user": "profile:rw emails:r follows:rw", "read:user": "profile:r", "user:email": "emails:r",
    "user:follow": "follows:rw", "project": "projects:rw", "read:project": "projects:r",
    "delete_repo": "repositories:w", "write:packages": "packages:rw", "read:packages": "packages:r",
    "delete:packages": "packages:w", "admin:gpg_key": "gpg-keys:rw", "write:gpg_key": "gpg-keys:rw",
    "read:gpg_key": "gpg-keys:r", "codespace": "codespaces:rw", "workflow": "workflows:rw",
    "read:audit_log": "audit-log:r", "admin:enterprise": "enterprise:rw", "manage_runners:org": "runners:rw",
}  # fmt: skip


SLACK = {
    "chat:write": "chat:w", "chat:write.public": "chat:w", "chat:write.customize": "chat:w",
    "channels:read": "conversations:r", "channels:history": "conversations.messages:r",
    "channels:join": "conversations:w", "channels:manage": "conversations:w", "channels:write": "conversations:w",
    "channels:write.invites": "conversations:w", "groups:read": "conversations:r",
    "groups:history": "conversations.messages:r", "groups:write": "conversations:w", "im:read": "conversations:r",
    "im:history": "conversations.messages:r", "im:write": "conversations:w", "mpim:read": "conversations:r",
    "mpim:history": "conversations.messages:r", "mpim:write": "conversations:w", "files:read": "files:r",
    "files:write": "files:w", "remote_files:read": "files.remote:r", "remote_files:write": "files.remote:w",
    "remote_files:share": "files.remote:w", "users:read": "users:r", "users:read.email": "users:r",
    "users:write": "users:w", "users.profile:read": "users.profile:r", "users.profile:write": "users.profile:w",
    "reactions:read": "reactions:r", "reactions:write": "reactions:w", "pins:read": "pins:r", "pins:write": "pins:w",
    "bookmarks:read": "bookmarks:r", "bookmarks:write": "bookmarks:w", "reminders:read": "reminders:r",
    "reminders:write": "reminders:w", "team:read": "team:r", "usergroups:read": "usergroups:r",
    "usergroups:write": "usergroups:w", "commands": "commands:r", "incoming-webhook": "chat:w",
    "app_mentions:read": "conversations.messages:r", "links:read": "links:r", "links:write": "chat:w",
    "emoji:read": "emoji:r", "dnd:read": "dnd:r", "dnd:write": "dnd:w", "search:read": "search:r",
    "canvases:read": "canvases:r", "canvases:write": "canvases:w", "lists:read": "lists:r", "lists:write": "lists:w",
    "conversations.connect:read": "conversations.connect:r", "conversations.connect:write": "conversations.connect:w",
    "conversations.connect:manage": "conversations.connect:w", "metadata.message:read": "conversations.messages:r",
    "assistant:write": "assistant:w", "team.preferences:read": "team:r", "calls:read": "calls:r",
    "calls:write": "calls:w",
}  # fmt: skip
"""Scopes that came, or changed their names, after that document; its own are kept where it has them."""


def google(wheel):
    """The newest stable version of each API, by collections of methods: how many read, how many write."""
    newest, found = {}, defaultdict(lambda: defaultdict(lambda: [0, 0]))
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if "discovery_cache/documents/" not in name or not name.endswith(".json"):
                continue
            form = json.loads(packed.read(name))
            if form.get("kind") != "discovery#restDescription":
                continue
            stable = not re.search("alpha|beta", form["version"])
            rank = (stable, [int(one) for one in re.findall(r"\d+", form["version"])])
            if form["name"] not in newest or rank > newest[form["name"]][0]:
                newest[form["name"]] = (rank, form)
    waiting = [form for _, form in newest.values()]
    for part in waiting:
        waiting += part.get("resources", {}).values()
        for method in part.get("methods", {}).values():
            for scope in method.get("scopes", ()):
                # What a scope for reading lets be posted (a watch, a search) changes nothing that is read.
                writes = method["httpMethod"] != "GET" and not re.search("read-?only", scope)
                found[scope][method["id"].rpartition(".")[0]][writes] += 1
    return {scope: (0, 0, narrowed(places)) for scope, places in found.items()}


def narrowed(places):
    """What a scope is for: collections of methods, or, where there are many, what they are within, up to whole APIs."""
    apis = len({name.partition(".")[0] for name in places})
    if apis > WIDE:
        return merged(places, 1)
    return merged(places, 2 if len(places) > 4 * WIDE else 3)


def merged(places, parts):
    found = defaultdict(lambda: [0, 0])
    for name, (reads, writes) in places.items():
        one = found[".".join(name.split(".")[:parts])]
        one[0], one[1] = one[0] + reads, one[1] + writes
    return found


def graph(file):
    """Each permission of Microsoft Graph with its privilege for a person's and an app's own use, by first segments."""
    found = {}
    for name, one in json.loads(Path(file).read_text())["permissions"].items():
        levels = {kind: scheme.get("privilegeLevel", 0) for kind, scheme in one["schemes"].items()}
        places = defaultdict(lambda: [0, 0])
        for paths in one.get("pathSets", ()):
            for path in paths["paths"]:
                parts = [part for part in re.split(r"[/(]", path) if part and not part.startswith(("{", "microsoft."))]
                parts = ["users", *parts[1:]] if parts[:1] == ["me"] else [part for part in parts if part != "me"]
                for method in paths["methods"]:
                    places[".".join(parts[:2]) or "root"][method != "GET"] += 1
        places = merged(places, 1 if len(places) > 3 * WIDE else 2)
        delegated = max((level for kind, level in levels.items() if kind != "Application"), default=0)
        found[name] = (delegated, levels.get("Application", 0), places)
    return found


def slack(file):
    """Each scope of Slack with the families of methods that it is for."""
    found = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for path, methods in json.loads(Path(file).read_text())["paths"].items():
        for verb, one in methods.items():
            for security in one.get("security", ()) if isinstance(one, dict) else ():
                for scope in (scope for scopes in security.values() for scope in scopes if scope != "none"):
                    found[scope][path.strip("/").rpartition(".")[0] or "api"][verb != "get"] += 1
    return flagged(SLACK) | {scope: (0, 0, places) for scope, places in found.items()}


def flagged(table):
    """Scopes with what each is for, to read (r) and to write (w)."""
    flags = lambda text: [int("r" in text), int("w" in text)]  # noqa: E731
    pairs = {scope: [one.split(":") for one in text.split()] for scope, text in table.items()}
    return {scope: (0, 0, {name: flags(text) for name, text in listed}) for scope, listed in pairs.items()}


def written(tables):
    """A line for each scope: provider, scope, privilege for a person and for an app, and its places with counts."""
    for provider, table in tables.items():
        for scope, (delegated, own, places) in sorted(table.items()):
            listed = " ".join(f"{name}:{reads}:{writes}" for name, (reads, writes) in sorted(places.items()))
            yield f"{provider}\t{scope}\t{delegated}\t{own}\t{listed}\n"


if __name__ == "__main__":
    wheel, permissions, openapi = sys.argv[1:]
    made = {"google": google(wheel), "graph": graph(permissions), "slack": slack(openapi), "github": flagged(GITHUB)}
    PLACE.write_text("".join(written(made)), encoding="utf-8")
