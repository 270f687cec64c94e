"""Which part of a service a scope opens and a call touches, so that what is granted is held to what is called. Pure.

Sources: Google's list of OAuth scopes and its APIs' names, Microsoft Graph's permissions and resources, GitHub's pages
of OAuth scopes, of the permissions of apps and of its REST paths. A part that is not known has no name: "".
"""

import re
from typing import Final
from urllib.parse import urlsplit

_GOOGLE: Final = (
    (re.compile(r"^(?:drive|drive\.\w+(?:\.\w+)?)$"), "drive"),
    (re.compile(r"^spreadsheets"), "sheets"),
    (re.compile(r"^documents"), "docs"),
    (re.compile(r"^presentations"), "slides"),
    (re.compile(r"^gmail\.|^https://mail\.google\.com/"), "gmail"),
    (re.compile(r"^calendar"), "calendar"),
    (re.compile(r"^(?:contacts|directory\.readonly)"), "people"),
    (re.compile(r"^tasks"), "tasks"),
    (re.compile(r"^youtube|^yt-analytics"), "youtube"),
    (re.compile(r"^webmasters"), "searchconsole"),
    (re.compile(r"^analytics"), "analytics"),
    (re.compile(r"^script\."), "script"),
    (re.compile(r"^photoslibrary"), "photoslibrary"),
    (re.compile(r"^meetings\."), "meet"),
    (re.compile(r"^tagmanager\."), "tagmanager"),
    (re.compile(r"^blogger"), "blogger"),
    (re.compile(r"^keep"), "keep"),
    (re.compile(r"^admin\.directory"), "admin"),
    (re.compile(r"^forms"), "forms"),
    (re.compile(r"^chat\."), "chat"),
    (re.compile(r"^bigquery"), "bigquery"),
    (re.compile(r"^devstorage"), "storage"),
    (re.compile(r"^classroom"), "classroom"),
)
_WIDER: Final = {
    "drive": frozenset({"drive", "sheets", "docs", "slides", "forms"}),
    "Sites": frozenset({"Sites", "Files"}),
    "searchconsole": frozenset({"searchconsole", "webmasters"}),
    "analytics": frozenset({"analytics", "analyticsdata", "analyticsadmin", "analyticsreporting"}),
    "youtube": frozenset({"youtube", "youtubeAnalytics", "youtubeanalytics"}),
}
"""What a part's scope opens besides itself."""
_GRAPH: Final = (
    (re.compile(r"/(?:chats|allmessages)\b"), "Chat"),
    (re.compile(r"/channels\b.*/messages\b"), "ChannelMessage"),
    (re.compile(r"/(?:messages|mailfolders|sendmail|mail_folders|send_mail)\b"), "Mail"),
    (re.compile(r"/(?:events|calendars?|calendarview|calendargroups|calendar_view)\b"), "Calendars"),
    (re.compile(r"/sites\b"), "Sites"),
    (re.compile(r"/(?:drives?|workbook)\b"), "Files"),
    (re.compile(r"/(?:contacts|contactfolders|contact_folders)\b"), "Contacts"),
    (re.compile(r"/(?:todo|planner)\b"), "Tasks"),
    (re.compile(r"/onenote\b"), "Notes"),
)
_GITHUB: Final = (
    (re.compile(r"^/repos/[^/]+/[^/]+/(?:contents|git|commits|branches|merges|releases|compare|zipball|tarball)\b"),
     ("contents",)),
    (re.compile(r"^/repos/[^/]+/[^/]+/(?:issues|labels|milestones|assignees)\b"), ("issues", "pull_requests")),
    (re.compile(r"^/repos/[^/]+/[^/]+/pulls\b"), ("pull_requests", "contents")),
    (re.compile(r"^/repos/[^/]+/[^/]+/actions\b"), ("actions", "secrets", "variables")),
    (re.compile(r"^/repos/[^/]+/[^/]+/(?:check-runs|check-suites)\b"), ("checks",)),
    (re.compile(r"^/repos/[^/]+/[^/]+/statuses\b"), ("statuses",)),
    (re.compile(r"^/repos/[^/]+/[^/]+/deployments\b"), ("deployments",)),
    (re.compile(r"^/repos/[^/]+/[^/]+/hooks\b"), ("repository_hooks", "webhooks")),
    (re.compile(r"^/repos/[^/]+/[^/]+/?$"), ("metadata", "administration")),
    (re.compile(r"^/orgs/[^/]+/(?:members|teams|memberships)\b"), ("members",)),
    (re.compile(r"^/(?:user|users/[^/]+|orgs/[^/]+|rate_limit|installation/repositories)/?$"), ("metadata",)),
)  # fmt: skip
_NEEDS: Final = (
    (re.compile(r"^(?:repo|public_repo|delete_repo|repo:\w+|workflow|admin:repo_hook|write:repo_hook)$"),
     re.compile(r"^/(?:repos|search|user/repos|orgs/[^/]+/repos|users/[^/]+/repos|issues"
                r"|user/issues|installation|graphql|repositories)\b")),
    (re.compile(r"^(?:admin|write):org$"),
     re.compile(r"^/(?:orgs|organizations|teams|user/(?:orgs|memberships|teams)|users/[^/]+/orgs|graphql)\b")),
    (re.compile(r"^user$"),
     re.compile(r"^/(?:user(?!/(?:repos|orgs|memberships|teams|issues|installations))\b|graphql)")),
    (re.compile(r"^gist$"), re.compile(r"^/(?:gists|users/[^/]+/gists)\b")),
    (re.compile(r"^notifications$"), re.compile(r"^/(?:notifications|repos/[^/]+/[^/]+/notifications)\b")),
    (re.compile(r"^(?:admin|write):(?:public_key|gpg_key|ssh_signing_key)$"),
     re.compile(r"^/(?:user|users/[^/]+)/\w*keys\b")),
    (re.compile(r"^(?:write|delete):packages$"), re.compile(r"^/(?:user|users/[^/]+|orgs/[^/]+)/packages\b")),
)  # fmt: skip
"""GitHub's scopes, and the paths that one of them is asked for."""
_NARROWER: Final = re.compile(r"^(?:admin|write|delete):(?:org|repo_hook|public_key|gpg_key|packages)$|^user$")
_GOOGLE_READS: Final = frozenset(
    {"list", "get", "search", "export", "get_media", "download", "query", "batchGet", "list_next", "getProfile",
     "export_media", "listConnections", "instances", "getByDataFilter", "batchGetByDataFilter"}
)  # fmt: skip
_GOOGLE_WRITES: Final = frozenset(
    {"insert", "create", "update", "patch", "delete", "send", "modify", "batchUpdate", "trash", "untrash", "copy",
     "append", "clear", "batchModify", "createContact", "updateContact", "deleteContact", "batchCreateContacts",
     "batchDelete", "move", "import", "import_", "watch", "emptyTrash", "quickAdd", "batchClear",
     "batchUpdateByDataFilter", "makeAdmin", "signOut", "undelete", "rate", "setModerationStatus", "insertAll"}
)  # fmt: skip


_READS: Final = re.compile(r"^(?:search|get|list|batchGet|query|lookup|find|export|run\w*Report)[A-Z]\w*$")
_WRITES: Final = re.compile(
    r"^(?:create|insert|update|delete|patch|send|modify|add|remove|import|batch(?:Update|Delete|Create|Modify))[A-Z]\w*$"
)
"""Methods of Google's APIs by how their names begin; the words behind begin with a capital."""


def google_writes(method: str) -> bool | None:
    """Say whether a method of Google's APIs writes, as its Python and TypeScript clients call it; None: no method."""
    if method in _GOOGLE_READS or _READS.match(method):
        return False
    return True if method in _GOOGLE_WRITES or _WRITES.match(method) else None


def of_scope(scope: str) -> str:
    """The part of its service that a scope or permission opens."""
    bare = re.sub(r"^https://(?:www\.googleapis\.com/auth/|graph\.microsoft\.com/)", "", scope.strip())
    if bare != scope or bare.startswith("https://mail.google.com") or scope.startswith("gmail."):
        found = next((name for shape, name in _GOOGLE if shape.match(bare)), "")
        if found:
            return found
    if re.match(r"^[A-Z]\w+\.(?:Read|Send|FullControl|Manage|Write|Create)", bare):
        return bare.partition(".")[0]
    if re.match(r"^[\w-]+=(?:read|write|admin|maintain)$", bare):
        return bare.partition("=")[0].replace("-", "_")
    return ""


def opens(part: str) -> frozenset[str]:
    """The parts that a scope of this part opens."""
    return _WIDER.get(part, frozenset({part}))


def of_graph(path: str) -> str:
    """The part of Microsoft Graph that a path, or the members that a call goes through, touches."""
    found = [name for shape, name in _GRAPH if shape.search(path.lower())]
    return found[0] if found else ""


def of_github(path: str) -> tuple[str, ...]:
    """The permissions of an app that a path of GitHub's API may need; none when that is not known."""
    return next((names for shape, names in _GITHUB if shape.match(path)), ())


def github_scope(scope: str) -> bool:
    """Say whether this is a scope of GitHub that is held to the paths that are called."""
    return any(shape.match(scope) for shape, _ in _NEEDS)


def github_idle(scope: str, paths: dict[str, bool]) -> str:
    """Why a scope of GitHub is broader than the paths that were called, each with whether it was written; "" if not."""
    need = next(path for shape, path in _NEEDS if shape.match(scope))
    asked = [writes for path, writes in paths.items() if need.match(path)]
    if not asked:
        return "nothing that is called asks for it"
    return "only reads were seen" if _NARROWER.match(scope) and not any(asked) else ""


def path_of(url: str) -> str:
    """The path of an address, less the version that some services begin it with."""
    try:
        return re.sub(r"^/(?:v1\.0|beta|api/v3)(?=/)", "", urlsplit(url).path)
    except ValueError:
        return ""
