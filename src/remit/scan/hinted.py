"""Words without which code shows no sign-in, no service whose scopes are known, no register of agents. Pure data.

They are looked for before any pattern is, for most files of a tree hold none of them.
"""

from typing import Final

_WORDS: Final = (
    "oauth", "OAuth", "passport", "authlib", "next-auth", "better-auth", "allauth", "social_core", "arctic",
    "openid-client", "fastapi_sso", "roleManagement/directory", "googleapis", "google.oauth2", "google.auth",
    "google.apps", "google.cloud", "@google-cloud", "graph.microsoft.com", "msgraph", "msal", "O365",
    "microsoftonline", "api.github.com", "github.com/login", "from github import", "octokit", "slack_sdk",
    "slack_bolt", "slack.com", "@slack/", "boto3", "@aws-sdk", "kubernetes", "azure.", "@azure/", "/api/v3",
    "/api/v4", "gitlab", "@gitbeaker", "atlassian", "jira", "spotify", "spotipy", "ropbox", "hubapi", "hubspot",
    "zoom.us", "airtable", "bitbucket", "miro.com", "figma.com", "asana.com", "todoist", "zendesk", "twitter",
    "tweepy", "api.x.com", "reddit.com", "strava.com", "box.com", "boxsdk", "box_sdk", "linkedin.com", "trello.com",
    "twitch.tv", "myshopify.com", "sentry.io", "calendly.com", "pipedrive.com", "monday.com", "new GitHub(",
    "AgentRecord", "AgentEntry", "AgentSpec", "AgentProfile", "AgentRegistration", "AgentIdentity", "AgentCard",
    "AgentInfo", "AgentDefinition", "AGENTS", "agents:", "agents :", "linear.app", "@linear/",
)  # fmt: skip


def may(text: str) -> bool:
    """Say whether a text may be of such code: one that holds none of the words is not."""
    return any(word in text for word in _WORDS)
