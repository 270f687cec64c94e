"""Permissions that give all away, where code, a variable or an address asks for them (AG111). Pure.

What is refused, only looked for, or taken away gives nothing.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import tier
from remit.scan.launch import Told
from remit.scan.sight import Holder

_QUOTED: Final = re.compile(r"[\"'`]([\w:./,+ %-]{5,400})[\"'`]")
ASKED: Final = re.compile(r"[?&](?:user_)?scope=([\w:./,+%-]{5,400})")
"""The scopes that an address asks for."""
SPLIT: Final = re.compile(r"[\s,+]+|%20|%2C")
_PLAIN: Final = frozenset(
    {"openid", "email", "profile", "offline_access", "repo", "user", "gist", "workflow", "notifications", "delete_repo",
     "public_repo", "project", "codespace", "identify", "bot", "commands"}
)  # fmt: skip
"""Scopes that are plain words."""
_REFUSED: Final = re.compile(
    r"(?i)(?<!\w)\w{0,40}?(?:forbid|den(?:y|ied)|block|banned|never|disallow|danger|risky|refus|not_allowed|protected|sensitive"
    r"|privileged|reject)\w{0,40}\b[^=\n]{0,80}=\s*[^\[{(\n]{0,40}[\[{(]+"
)
"""Where a list of what is refused, or looked for, begins."""
_COMPARED: Final = re.compile(
    r"(?:[=!]=|\bincludes\(|\bhas\(|\bin|[sS]tarts?_?[wW]ith\(|[eE]nds?_?[wW]ith\(|\bcase|\bnot in)\s*$"
)
_CLOSING: Final = {"[": "]", "{": "}", "(": ")"}


def _refused(text: str) -> list[tuple[int, int]]:
    """Where the lists stand of what is refused."""
    found = []
    for one in _REFUSED.finditer(text):
        end = text.find(_CLOSING[one[0][-1]], one.end())
        found.append((one.start(), end if end >= 0 else one.end()))
    return found


def in_code(text: str) -> Iterator[Told]:
    """Such scopes that code asks for, each in one quoted text; what is refused or compared gives nothing."""
    refused: list[tuple[int, int]] | None = None
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        begun, start = start, start + len(line) + 1
        if line.lstrip().startswith(("#", "//")):
            continue
        for found in (*_QUOTED.finditer(line), *(ASKED.finditer(line) if "scope=" in line else ())):
            asked = _asked(found[1].replace("%3A", ":"))
            if not asked and found[1] in tier.ROLE_IDS and _ASSIGNS.search(text):
                asked = tier.ROLE_IDS[found[1]]
            if not asked and not tier.aws(found[1]):
                continue
            refused = _refused(text) if refused is None else refused
            at = begun + found.start()
            if any(low <= at <= high for low, high in refused) or _is_compared(line, found):
                continue
            if _TAKEN.search(text, max(0, at - 250), at) or _is_looked_for(text, at):
                continue
            said = f"{asked} is asked for" if asked else f"{found[1].rpartition('/')[2]} is attached"
            yield Kind.ADMIN, number, said


def _asked(text: str) -> str:
    """The scope of that class in a text that is nothing but scopes; "" when there is none."""
    words = [one for one in SPLIT.split(text) if one]
    if any(one not in _PLAIN and not re.search(r"[:.]", one) for one in words):
        return ""
    return next((one for one in words if tier.scope(one, person=False) and re.search(r"[:.]", one)), "")


def of_holders(holders: tuple[Holder, ...]) -> Iterator[Told]:
    """Such scopes that a variable of a holder names."""
    for one in holders:
        for pair in one.pairs:
            if re.search(r"(?i)(?:^|_)scopes?$", pair.name):
                for word in SPLIT.split(pair.text.strip("\"'")):
                    if tier.scope(word):
                        yield Kind.ADMIN, pair.line, f"{word} is asked for"


SIGNS: Final = re.compile(
    r"oauth2/v2\.0/authorize|login/oauth|o/oauth2/|slack\.com/oauth|\bpassport\b|\bauthlib\b|next-auth|better-auth|OAuth2"
    r"|oauthlib|flask_dance|httpx_oauth|fastapi_sso|\ballauth\b|social_core|oauth4webapi|arctic|openid-client|roleManagement/directory"
)
"""Code that signs people in, or that gives roles of a directory."""
_ASSIGNS: Final = re.compile(
    r"roleManagement/directory/role\w*Assign|role_?[aA]ssignments?\b[^;\n]{0,80}\b(?:post|create)\b"
)
_TAKEN: Final = re.compile(r"(?i)(?:detach|remove|delete|revoke|deny)\w*\(\s*[^;]{0,200}\Z")
"""A call that takes away what it is given."""
_OWNER: Final = re.compile(r"(?m)^\s*(?:export\s+)?(?:const|let|var)?\s*([A-Za-z_]\w*)\b[^=\n]{0,80}=(?!=)")


def _is_looked_for(text: str, at: int) -> bool:
    """Say whether a text stands in a constant that is only held against what somebody has."""
    owners = [one[1] for one in _OWNER.finditer(text, max(0, at - 400), at)]
    name = re.escape(owners[-1]) if owners else ""
    return bool(name) and bool(
        re.search(
            rf"(?:&|\bin|\bnot in)\s+{name}\b|\b{name}\s*&"
            rf"|\b{name}\.(?:has|includes|intersection|isdisjoint|some|test|find)\("
            rf"|\.(?:intersection|isdisjoint|issuperset)\(\s*{name}\b|\bof\s+{name}\b",
            text,
        )
    )


def _is_compared(line: str, found: re.Match[str]) -> bool:
    """Say whether a text is only looked for, or held against another."""
    after = re.match(r"\s*(?:[=!]==?|not in\b|in\b)", line[found.end() :])
    return after is not None or bool(_COMPARED.search(line[: found.start()]))
