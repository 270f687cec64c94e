"""What an export's object grants, and whether it still does: what was removed, blocked or asked for does not. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan.node import Node

_WORDS: Final = re.compile(r"[,;|\s]+")
_STATE: Final = re.compile(
    r"(?i)^(?:access|status|state|change[-_ ]?type|app[-_ ]?status|(?:install(?:ation)?|consent|approval"
    r"|trust)[-_ ]?(?:status|state))$"
)
_OVER: Final = re.compile(
    r"(?i)^(?:blocked|revoked|disabled|suspended|removed|denied|expired|uninstalled|inactive|deleted|restricted"
    r"|rejected|retired"
    r"|pending|requested|decommissioned|wiped|archived|resolved|dismissed)$"
)
_ENDED: Final = re.compile(
    r"(?i)^(?:suspended|revoked|deleted|disabled|removed|uninstalled|retired)(?:[-_ ]?(?:at|on|date|time"
    r"|date[-_ ]?time))?$"
)
_ACTIONS: Final = re.compile(
    r"(?i)(?:uninstall|revoke|remov|delet|destroy|denied|restrict|suspend|request_created|token_request)"
)
_SIDES: Final = re.compile(
    r"(?i)^(?:app[-_]?roles?|oauth2permissionscopes|publishedpermissionscopes|restricted[-_]apps|denied[-_]apps"
    r"|blocked[-_]apps|app[-_]requests|requests|denied|revoked|removed"
    r"|deleted|recommended|event[-_]?pattern|request[-_]?parameters"
    r"|proposed|suggested|available[-_](?:scopes|permissions))$"
)


def words(node: Node) -> Iterator[tuple[str, int]]:
    """The scopes that a member names: in a list, or in one text between spaces or commas."""
    for one in node.items:
        if one.text:
            yield from ((word, one.line) for word in _WORDS.split(one.text) if word)
        else:
            for key in ("name", "value", "scope", "permission", "id"):
                if one[key].text:
                    yield one[key].text, one[key].line
                    break


def over(part: Node) -> bool:
    """Say whether an object says that what it grants ended, or was never given."""
    for name, value in part.members.items():
        if _STATE.match(name) and _OVER.match(value.text.strip()):
            return True
        if _ENDED.match(name) and (
            value.value is True or (bool(value.text) and value.text.lower() not in ("false", "no", "never", "null"))
        ):
            return True
        if name in ("accountEnabled", "account_enabled", "enabled", "active", "is_active") and value.value is False:
            return True
        if name in ("token_expired", "expired") and value.value is True:
            return True
    action = part["action"].text or (part["name"].text if part["parameters"].items else "")
    grants = bool(part["parameters"].items) or any(re.search(r"(?i)scope|permission", name) for name in part.members)
    return grants and bool(_ACTIONS.search(action))


def aside(name: str) -> bool:
    """Say whether a member of this name lists what is offered, asked for or refused, and not what is granted."""
    return bool(_SIDES.match(name))


def live(root: Node) -> Iterator[Node]:
    """The node and all below it that is granted still, in the order of the file."""
    left = [root]
    while left:
        one = left.pop()
        if isinstance(one.value, dict):
            if over(one):
                continue
            yield one
            left.extend(value for name, value in reversed(one.value.items()) if not aside(name))
        else:
            yield one
            if isinstance(one.value, list):
                left.extend(reversed(one.value))
