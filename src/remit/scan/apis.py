"""Services whose scopes say whether they write, and how each is called: all but the largest three (AG110). Pure.

Sources: each service's page of OAuth scopes and its libraries' reference. A scope that writes is broader than observed
where all that is called of its service reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WORDS: Final = re.compile(r"[\s,+]+|%20|%2C")


@dataclass(frozen=True, slots=True)
class _Api:
    """A service: how a text speaks of it, its scopes that write, its addresses, its libraries' calls."""

    name: str
    hint: re.Pattern[str]
    scope: re.Pattern[str]
    host: re.Pattern[str]
    library: re.Pattern[str] | None
    reads: re.Pattern[str] | None
    writes: re.Pattern[str] | None


def _api(name: str, hint: str, scope: str, host: str, library: str = "", reads: str = "", writes: str = "") -> _Api:
    made = [re.compile(one) if one else None for one in (library, reads, writes)]
    return _Api(name, re.compile(hint), re.compile(rf"^(?:{scope})$"), re.compile(rf"^https://(?:{host})"), *made)


_APIS: Final = (
    _api("GitLab", r"(?i)gitlab|/api/v4\b", r"api|write_repository|write_registry|sudo|admin_mode", r"[\w.-]+/api/v4/",
         r"^\s*import gitlab\b|@gitbeaker/", r"\.(?:list|get|all|show)\(",
         r"\.(?:create|save|delete|edit|remove|merge|approve|play|cancel)\("),
    _api("Atlassian", r"atlassian", r"(?:write|manage|delete):[\w:.-]+",
         r"api\.atlassian\.com/|[\w-]+\.atlassian\.net/",
         r"jira\.js|confluence\.js|\bfrom (?:atlassian|jira) import\b",
         r"\.(?:search\w*|get\w*|jql|find\w*|issue|projects?)\(",
         r"\.(?:create|update|delete|add|edit|transition|assign|do|issue_(?:create|update|add|trans)|set)\w*\("),
    _api("Linear", r"linear", r"write|issues:create|comments:create|timeSchedule:write|admin",
         r"api\.linear\.app/never",
         r"@linear/sdk|api\.linear\.app", r"LinearClient\(|query\b",
         r"\.(?:create|update|delete|archive|unarchive|remove)(?:[A-Z]\w*)?\(|\bmutation\b"),
    _api("Spotify", r"(?i)spotif|spotipy",
         r"playlist-modify-\w+|user-(?:library|follow)-modify|user-modify-playback-state|ugc-image-upload",
         r"api\.spotify\.com/", r"spotipy|@spotify/|spotify-web-api", r"\.\w*(?:playlist|search|saved|top|track"
         r"|album)\w*\(",
         r"\.\w*(?:add|remove|replace|change|create|follow|unfollow|upload|reorder|delete|start|pause|next"
         r"|previous|seek|volume)"
         r"\w*\("),
    _api("Dropbox", r"(?i)dropbox",
         r"(?:files\.(?:content|metadata)|sharing|account_info|file_requests|contacts)\.write|files\.permanent_delete",
         r"api\.dropboxapi\.com/never", r"(?i)[\"'\s]dropbox\b|api\.dropboxapi\.com",
         r"(?i)\.(?:files|sharing|users)_?(?:list|get|search|download)|/2/files/(?:list|get|search|download)",
         r"(?i)\b(?:files|sharing)[_/]?(?:upload|delete|move|copy|create|save|restore|permanently|add|remove"
         r"|update|unshare"
         r"|share)"),
    _api("HubSpot", r"(?i)hubspot|hubapi", r"[\w.-]+\.write|content|automation", r"api\.hubapi\.com/",
         r"hubspot|@hubspot/", r"\.(?:get\w*|search\w*|doSearch|getPage|do_search|get_page|read)\(",
         r"\.(?:create|update|archive|delete|merge|upsert)\w*\("),
    _api("Zoom", r"(?i)zoom", r"[\w:]+:write(?::\w+)*", r"api\.zoom\.us/"),
    _api("Airtable", r"(?i)airtable", r"[\w.]+:(?:write|manage)", r"api\.airtable\.com/",
         r"airtable", r"\.(?:select|find|all|first|get|iterate)\(",
         r"\.(?:create|update|replace|destroy|delete|batch_\w+)\("),
    _api("Bitbucket", r"(?i)bitbucket", r"\w+:(?:write|admin|delete)", r"api\.bitbucket\.org/"),
    _api("Miro", r"(?i)miro", r"\w+:write", r"api\.miro\.com/"),
    _api("Figma", r"(?i)figma", r"\w+:write", r"api\.figma\.com/"),
    _api("Asana", r"(?i)asana", r"\w+:(?:write|delete)", r"app\.asana\.com/api/"),
    _api("Todoist", r"(?i)todoist", r"data:(?:read_write|delete)|task:add", r"api\.todoist\.com/",
         r"todoist", r"\.get\w*\(", r"\.(?:add|update|close|reopen|delete|move|complete)\w*\("),
    _api("Zendesk", r"(?i)zendesk", r"write|\w+:write", r"[\w-]+\.zendesk\.com/api/"),
    _api("X", r"(?i)twitter|tweet", r"(?:tweet|like|follows|dm|bookmark|mute|block|list|space|media)\.write",
         r"api\.(?:twitter|x)\.com/", r"tweepy|twitter-api-v2",
         r"\.(?:get_\w+|search\w*|home_timeline|user\w*|tweets?|me|userTimeline)\(",
         r"\.(?:create|delete|post|tweet|reply|like|follow|retweet|send|upload|update)\w*\("),
    _api("Reddit", r"(?i)reddit", r"submit|edit|vote|save|modposts|modconfig|privatemessages|subscribe",
         r"oauth\.reddit\.com/"),
    _api("Strava", r"(?i)strava", r"\w+:write", r"www\.strava\.com/api/"),
    _api("Box", r"(?i)\bbox", r"root_readwrite|manage_\w+", r"api\.box\.com/",
         r"box-(?:node|typescript)-sdk|boxsdk|box_sdk_gen", r"\.(?:get\w*|search\w*|download\w*)\(",
         r"\.(?:create|update|delete|upload|copy|add|move|rename|set)\w*\("),
    _api("LinkedIn", r"(?i)linkedin", r"w_\w+|rw_\w+", r"api\.linkedin\.com/"),
    _api("Trello", r"(?i)trello", r"write|account", r"api\.trello\.com/"),
    _api("Twitch", r"(?i)twitch", r"\w+:(?:manage|edit)[:\w]*", r"api\.twitch\.tv/"),
    _api("Shopify", r"(?i)shopify", r"write_\w+", r"[\w.-]+\.myshopify\.com/admin/"),
    _api("Sentry", r"(?i)sentry", r"\w+:(?:write|admin)", r"(?:[\w-]+\.)?sentry\.io/api/"),
    _api("Calendly", r"(?i)calendly", r"\w+:write", r"api\.calendly\.com/"),
    _api("Pipedrive", r"(?i)pipedrive", r"\w+:full", r"[\w.-]+\.pipedrive\.com/"),
    _api("Monday", r"(?i)monday", r"\w+:write", r"api\.monday\.com/never",
         r"api\.monday\.com", r"query\b", r"\bmutation\b"),
)  # fmt: skip
HOSTS: Final = r"|".join(one.host.pattern.removeprefix("^https://") for one in _APIS)
HINT: Final = re.compile(
    rf"https://(?:{HOSTS})|@gitbeaker/|jira\.js|@linear/sdk|api\.linear\.app|spotipy|@spotify/|[\"' ]dropbox\b"
    rf"|hubspot|tweepy"
    r"|twitter-api-v2|airtable|todoist|boxsdk|box_sdk_gen|api\.(?:dropboxapi|monday)\.com|import gitlab"
    r"|auth\.atlassian\.com"
)
_ASKED: Final = re.compile(r"(?i)scope|authoriz|oauth|consent")


def of_url(url: str, *, writes: bool) -> tuple[str, bool] | None:
    """The service that an address is of, and whether it is written to; None for another's."""
    found = next((one for one in _APIS if one.host.match(url)), None)
    return (f"api:{found.name}", writes) if found else None


def asked(text: str) -> list[_Api]:
    """The services that a text may ask for scopes of."""
    return [one for one in _APIS if one.hint.search(text)] if HINT.search(text) and _ASKED.search(text) else []


def granted(services: list[_Api], words: list[str]) -> Iterator[str]:
    """The scopes among the words of one text that write, each behind its service's name."""
    for one in services:
        yield from (f"{one.name}: {word}" for word in words if one.scope.match(word))


def used(text: str) -> Iterator[tuple[str, bool]]:
    """What is called of services by their libraries."""
    for one in _APIS if HINT.search(text) else ():
        if one.library and one.library.search(text):
            if one.writes and one.writes.search(text):
                yield f"api:{one.name}", True
            elif one.reads and one.reads.search(text):
                yield f"api:{one.name}", False
