"""Which part of a service a call reaches, by its address or by its method's name, and whether it writes (AG110). Pure.

Sources: the hosts and paths of Google's APIs, Microsoft Graph and GitHub; Octokit's and PyGithub's names of GitHub's
calls.
"""

import re
from typing import Final

from remit.scan import acts, apis, family

KNOWN: Final = re.compile(
    r"https://(?:graph\.microsoft\.(?:com|us)|api\.github\.com|[\w.-]+/api/v3(?=/)"
    r"|[a-z]+\.googleapis\.com)(?=[/\"'`?]|$)"
    rf"|https://(?:{apis.HOSTS})"
)
"""How an address begins of which something is known."""
_GITHUB: Final = re.compile(r"^https://(?:api\.github\.com|[\w.-]+/api/v3)")
_GOOGLE: Final = re.compile(r"^https://([a-z]+)\.googleapis\.com/(?:(?:upload|batch|download)/)?([a-z]*)")
_SEARCHES: Final = re.compile(
    r"/freeBusy\b|/query\b|/queries\b|:(?:search\w*|run\w*Report|batch(?:Run|Get)\w*|query|lookup)\b|/search\b"
    r"|/getSchedule\b|/getByIds\b|/findMeetingTimes\b|/checkMember\w+|/getMember\w+"
)
"""What is asked for by a post, and changes nothing."""
_OCTOKIT: Final = re.compile(
    r"\b(?:\w*[oO]cto\w*|gh|github|client|api)(?:\([^()\n]{0,80}\))?(?:\.rest)?"
    r"\.(repos|issues|pulls|git|actions|checks|search|users|orgs|teams|gists|activity|apps|packages|reactions|meta"
    r"|projects)"
    r"\.(\w+)\b"
)
_ROUTE: Final = re.compile(r"\.request\(\s*[\"'`](GET|HEAD|POST|PUT|PATCH|DELETE) (/[^\"'`\n]{1,300})")
_QUERIED: Final = re.compile(r"\.graphql\b")
_SPACES: Final = {
    "repos": "/repos/x/x/contents", "git": "/repos/x/x/git", "issues": "/repos/x/x/issues", "pulls": "/repos/x/x/pulls",
    "actions": "/repos/x/x/actions", "checks": "/repos/x/x/check-runs", "search": "/search/x",
    "users": "/user", "orgs": "/orgs/x/members", "teams": "/orgs/x/teams", "gists": "/gists",
    "activity": "/notifications", "apps": "/installation/repositories", "packages": "/user/packages",
    "reactions": "/repos/x/x/issues", "meta": "/rate_limit", "projects": "/repos/x/x/projects",
}  # fmt: skip
"""A path of GitHub for each family of Octokit's methods."""
_ASKS: Final = re.compile(r"^(?:get|list|check|search|compare|download|iterator)")
_PYGITHUB: Final = (
    (re.compile(r"^(?:get|create|search)_(?:issues?|comments?|labels?|milestones?)|^add_to_labels|^remove_from_labels"
                r"|^set_labels"), "/repos/x/x/issues"),
    (re.compile(r"^(?:get|create)_(?:pulls?|review\w*)|^merge$"), "/repos/x/x/pulls"),
    (re.compile(r"^(?:get_contents|get_commits?|get_branch\w*|get_readme|get_git_\w+|get_tags|get_\w*releases?"
                r"|create_(?:file|git_\w+)|update_file|delete_file)"), "/repos/x/x/contents"),
    (re.compile(r"^(?:get_workflow\w*|create_dispatch)"), "/repos/x/x/actions"),
    (re.compile(r"^search_\w+"), "/search/x"),
    (re.compile(r"^get_repos?$|^create_repo$"), "/user/repos"),
    (re.compile(r"^(?:get_user|get_emails|get_starred|get_followers|get_following)$"), "/user"),
    (re.compile(r"^(?:get_organizations?|get_orgs|get_members|get_teams?|add_to_members|remove_from_members)$"),
     "/orgs/x/members"),
    (re.compile(r"^(?:get|create)_gists?$"), "/gists"),
    (re.compile(r"^(?:create|add|remove|set|update|delete|replace|enable|disable|edit|merge|lock|unlock|dispatch)(?:_\w+)?$"),
     "?"),
)  # fmt: skip


def of(url: str, method: str) -> tuple[str, bool] | None:
    """What a call of an address touches, and whether it writes; None when nothing is known of its host."""
    path = re.sub(r"^https://[^/?]+", "", url).partition("?")[0]
    writes = method.upper() not in ("GET", "HEAD", "OPTIONS", "") and not _SEARCHES.search(path)
    if "graph.microsoft." in url[:40]:
        return acts.of_graph(family.of_graph(path), path, writes=writes), writes
    if _GITHUB.match(url):
        return "github:" + _GITHUB.sub("", url).partition("?")[0], writes
    if (other := apis.of_url(url, writes=writes)) is not None:
        return other
    google = _GOOGLE.match(url)
    if google:
        api = google[2] if google[1] == "www" else google[1]
        return acts.of_gmail(path, writes=writes) if api == "gmail" else api, writes
    return None


def octokit(text: str) -> list[tuple[str, bool]]:
    """What TypeScript calls of GitHub by Octokit."""
    if "octokit" not in text and "probot" not in text:
        return []
    found = [("github:" + _SPACES[one[1]], not _ASKS.match(one[2])) for one in _OCTOKIT.finditer(text)]
    found += [
        ("github:" + re.sub(r"\{\w+\}", "x", one[2]), one[1] not in ("GET", "HEAD")) for one in _ROUTE.finditer(text)
    ]
    if _QUERIED.search(text):
        found.append(("github:/graphql", "mutation" in text))
    return found


def pygithub(method: str) -> tuple[str, bool] | None:
    """What a method of PyGithub calls; None for one that is not known."""
    path = next((path for shape, path in _PYGITHUB if shape.match(method)), "")
    return (f"github:{path}", not method.startswith(("get_", "search_"))) if path else None
