"""Which act a call of mail is, where each act has a scope of its own: sending, drafts, erasing (AG110). Pure.

Sources: Google's page of Gmail's scopes and the reference of its methods, Microsoft Graph's permissions of mail. An act
is written behind its part: `gmail|gmail.send`; one that is not known has none.
"""

import re
from collections.abc import Iterable
from typing import Final

_GMAIL: Final = (
    ("send", re.compile(r"(?:messages|drafts)(?:/[^/]*)?/send$")),
    ("purge", re.compile(r"(?:messages|threads)(?:/[^/]+)?/delete$|messages/batchDelete$")),
    ("draft", re.compile(r"drafts(?:/[^/]*)?/(?:create|update|delete)$")),
    ("insert", re.compile(r"messages/(?:insert|import_?)$")),
    ("labels", re.compile(r"labels(?:/[^/]*)?/(?:create|update|patch|delete)$")),
    ("settings", re.compile(r"settings/")),
    ("modify", re.compile(r"(?:messages|threads)(?:/[^/]*)?/(?:modify|batchModify|trash|untrash)$")),
)
"""Gmail's methods that write, by the ends of their names."""
_SENT: Final = re.compile(r"(?i)/(?:send_?mail|send|reply|reply_?all|forward)/?$")
_LETS: Final = {
    "https://mail.google.com/": frozenset({"send", "purge", "draft", "insert", "labels", "modify", "settings", "read"}),
    "gmail.modify": frozenset({"send", "draft", "insert", "labels", "modify", "read"}),
    "gmail.compose": frozenset({"send", "draft"}),
    "gmail.send": frozenset({"send"}),
    "gmail.insert": frozenset({"insert"}),
    "gmail.labels": frozenset({"labels"}),
    "gmail.settings.basic": frozenset({"settings"}),
    "gmail.settings.sharing": frozenset({"settings"}),
    "gmail.readonly": frozenset({"read"}),
    "gmail.metadata": frozenset({"read"}),
    "Mail.Send": frozenset({"send"}),
    "Mail.Send.Shared": frozenset({"send"}),
    "Mail.ReadWrite": frozenset({"modify", "read"}),
    "Mail.ReadWrite.Shared": frozenset({"modify", "read"}),
    "Mail.Read": frozenset({"read"}),
    "Mail.ReadBasic": frozenset({"read"}),
}
"""What each scope of mail lets be done."""
_WIDE: Final = frozenset({"https://mail.google.com/", "gmail.modify", "Mail.ReadWrite", "Mail.ReadWrite.Shared"})


def of_gmail(chain: str, *, writes: bool) -> str:
    """The part and the act of a method of Gmail, by its dotted name or its path."""
    path = re.sub(r"\(\)", "", chain).replace(".", "/")
    act = next((name for name, shape in _GMAIL if shape.search(path)), "") if writes else "read"
    return f"gmail|gmail.{act}" if act else "gmail"


def of_graph(part: str, path: str, *, writes: bool) -> str:
    """The part of Graph with its act, where it is mail."""
    if part != "Mail":
        return part
    act = "read" if not writes else "send" if _SENT.search(path) else "modify"
    return f"Mail|Mail.{act}"


def more(scope: str, others: frozenset[str], touched: Iterable[str]) -> str:
    """Why a scope of mail is broader than the acts that were seen; "" when it is not, or an act is not known."""
    bare = _bare(scope)
    lets = _LETS.get(bare)
    seen = [one.rpartition("|")[2].rpartition(".")[2] if "|" in one else "" for one in touched]
    done = frozenset(seen)
    if lets is None or not done or "" in done:
        return ""
    if not lets & done and (lets != {"read"} or not _WIDE.intersection(map(_bare, others))):
        return f"what was seen is to {_listed(done)}"
    if bare not in _WIDE:
        return ""
    if done == {"send"}:
        return "mail was only sent"
    rest = frozenset[str]().union(*(_LETS.get(_bare(one), frozenset()) for one in others if _bare(one) not in _WIDE))
    if done <= rest:
        return "narrower scopes beside it let all be done that was seen"
    if bare.startswith("https:") and not done & {"purge", "settings"} and done - {"read"}:
        return "nothing was erased for good, which is all that gmail.modify does not let be done"
    return ""


def _bare(scope: str) -> str:
    return re.sub(r"^https://(?:www\.googleapis\.com/auth/|graph\.microsoft\.com/)", "", scope.strip())


def _listed(done: frozenset[str]) -> str:
    return " and ".join(sorted(done))
