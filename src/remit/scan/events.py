"""What an app of Slack needs because of the events that it listens to (AG110). Pure.

Source: Slack's reference of events, each with the scope that it asks for.
"""

import re
from collections.abc import Iterator
from typing import Final

_HEARS: Final = re.compile(r"\.message\(|[\"']message(?:\.\w+)?[\"']|[\"']app_home_opened[\"']")
_NEEDS: Final = (
    (re.compile(r"[\"']reaction_(?:added|removed)[\"']|\.reaction\("), "reactions:read"),
    (re.compile(r"[\"'](?:team_join|user_change|user_profile_changed)[\"']"), "users:read"),
    (
        re.compile(r"[\"'](?:channel_\w+|member_joined_channel|member_left_channel|group_\w+|im_\w+)[\"']"),
        "conversations:read",
    ),
    (re.compile(r"[\"']file_\w+[\"']"), "files:read"),
    (re.compile(r"[\"']pin_\w+[\"']"), "pins:read"),
    (re.compile(r"[\"']subteam_\w+[\"']"), "usergroups:read"),
    (re.compile(r"[\"'](?:team_rename|team_domain_change)[\"']"), "team:read"),
)


def needs(text: str) -> Iterator[str]:
    """The families of scopes that the events of a text need."""
    if _HEARS.search(text):
        yield "conversations:read"
    for shape, need in _NEEDS:
        if shape.search(text):
            yield need
