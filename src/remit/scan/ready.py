"""Ready-made tools of frameworks, by the names of their classes: what each calls of its service (AG110). Pure.

Sources: the pages of LangChain's integrations, in Python and in JavaScript. A toolkit brings all its tools, also those
that write.
"""

import re
from collections.abc import Iterator
from typing import Final

_TOOLS: Final = {
    "GmailSearch": ("gmail|gmail.read", False), "GmailGetMessage": ("gmail|gmail.read", False),
    "GmailGetThread": ("gmail|gmail.read", False),
    "GmailSendMessage": ("gmail|gmail.send", True), "GmailCreateDraft": ("gmail|gmail.draft", True),
    "GmailToolkit": ("gmail", True),
    "GmailToolSpec": ("gmail", True), "GMailLoader": ("gmail|gmail.read", False),
    "CalendarSearchEvents": ("calendar", False), "GetCalendarsInfo": ("calendar", False),
    "GoogleCalendarViewTool": ("calendar", False), "GoogleCalendarCreateTool": ("calendar", True),
    "CalendarCreateEvent": ("calendar", True), "CalendarUpdateEvent": ("calendar", True),
    "CalendarMoveEvent": ("calendar", True), "CalendarDeleteEvent": ("calendar", True),
    "CalendarToolkit": ("calendar", True), "GoogleCalendarToolSpec": ("calendar", True),
    "GoogleDriveLoader": ("drive", False), "GoogleDriveSearchTool": ("drive", False),
    "O365SearchEmails": ("Mail|Mail.read", False), "O365SearchEvents": ("Calendars", False),
    "O365CreateDraftMessage": ("Mail|Mail.modify", True), "O365SendMessage": ("Mail|Mail.send", True),
    "O365SendEvent": ("Calendars", True),
    "O365Toolkit": ("", True),
}  # fmt: skip
_CALLED: Final = re.compile(r"(?<![\w.])(?:new\s+)?(" + "|".join(_TOOLS) + r")(?:\.from_\w+)?\s*\(")


def used(text: str) -> Iterator[tuple[str, bool]]:
    """Each tool that code builds: the API that it calls, and whether it writes to it."""
    for one in _CALLED.finditer(text):
        yield _TOOLS[one[1]]
