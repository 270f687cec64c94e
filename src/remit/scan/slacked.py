"""The scopes of Slack that code asks a workspace for: in its installer, its settings, its address (AG110). Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan.node import line_at

_ASKS: Final = re.compile(
    r"generateInstallUrl|installerOptions|InstallProvider|OAuthSettings|AuthorizeUrlGenerator|slack\.com/oauth|passport-slack"
    r"|makeInstallUrl|handleInstallPath"
)
_QUOTED: Final = re.compile(r"([\"'`])((?:(?!\1)[^\n]){3,600})\1")
_SCOPE: Final = re.compile(
    r"(?<![\w:.-])((?:channels|groups|im|mpim|chat|users|files|reactions|pins|bookmarks|reminders"
    r"|usergroups|team):(?:read|history|write|manage|join|read\.email))(?![\w:.-])"
)
_ONLY: Final = re.compile(r"[\w:.,+ %/-]*$|https://slack\.com/oauth\S*$")


def asked(text: str) -> Iterator[tuple[str, int]]:
    """Each scope with its line, where it stands in a text of scopes or in the address of a consent."""
    if not _ASKS.search(text):
        return
    for one in _QUOTED.finditer(text):
        if _ONLY.match(one[2]) and " is " not in one[2]:
            for found in _SCOPE.finditer(one[2].replace("%3A", ":")):
                yield found[1], line_at(text, one.start())
