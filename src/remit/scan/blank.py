"""What a place for an owner, a purpose or an end holds that says nothing, or says "never" (AG140). Pure."""

import re
from typing import Final

from remit.scan.node import Node

_NOTHING: Final = frozenset(
    {
        "", "-", "--", "---", ".", "..", "...", "\u2026", "_", "?", "??", "???", "n/a", "na", "n.a.", "none", "null",
        "nil",
        "unknown", "tbd", "tba", "tbc", "todo", "unassigned", "nobody", "no one", "noone", "not set", "not assigned",
        "not applicable", "not specified", "unspecified", "not defined", "unset", "empty", "blank", "undefined",
        "fixme",
        "no owner", "unowned", "no description", "no description provided", "no purpose", "orphaned", "orphan",
        "to be decided", "to be defined", "to be determined", "to be confirmed", "to be done", "to be assigned",
        "to be announced", "to do", "xxx", "lorem ipsum", "ownerless", "vacant", "pending",
        "unbekannt", "keine", "keiner", "niemand", "offen", "nicht gesetzt", "inconnu", "aucun", "aucune", "personne",
        "ninguno", "ninguna", "nadie", "desconocido", "sin asignar", "nessuno", "sconosciuto", "onbekend", "geen",
        "nenhum",
        "desconhecido", "brak", "nieznany", "ukendt", "ingen", "ok\u00e4nd", "\u672a\u5b9a", "\u672a\u8a2d\u5b9a",
        "\u306a\u3057",
        "\u65e0", "\u5f85\u5b9a", "\u672a\u77e5",
    }
)  # fmt: skip
_NEVER: Final = frozenset(
    {
        "never", "no expiry", "no expiration", "does not expire", "doesn't expire", "never expires", "indefinite",
        "indefinitely", "unlimited", "permanent", "permanently", "forever", "infinite", "infinity", "none", "0", "no",
        "-1",
        "no expiration date", "no end", "no end date", "non-expiring", "not expiring", "unbounded", "perpetual",
        "eternal",
        "neverexpires", "noexpiry", "lifetime", "always", "nie", "niemals", "unbefristet", "jamais", "illimit\u00e9",
        "nunca",
        "mai", "nooit", "aldrig", "nigdy", "\u7121\u671f\u9650", "\u6c38\u4e45", "p100y", "p99y", "p999y",
    }
)  # fmt: skip
_FAR: Final = re.compile(
    r"^(?:2[1-9]\d\d|20[89]\d|[3-9]\d{3})[-/]\d\d?[-/]\d\d?|^\d\d?[-/.]\d\d?[-/.](?:2[1-9]\d\d|20[89]\d|[3-9]\d{3})\b"
    r"|^0001-01-01|^(?:2534022|41024)\d{5,8}$|^(?:2[1-9]\d{4}|[3-9]\d{5}|\d{7,8})h$"
)
"""A date that nobody alive waits for, the first of all days, and hours that last for decades."""
_LEFT: Final = re.compile(
    r"^(?:change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|with\b.*)|fill[-_ ]?(?:me|this|it)?[-_ ]?(?:in|out)"
    r"|placeholder"
    r"|your[-_ ](?:name|team|e-?mail|owner|description|purpose|agent|org|company|group)\b.*"
    r"|(?:team|owner|name|e-?mail|description|purpose)[-_ ](?:here|name|goes here|placeholder)"
    r"|(?:enter|insert|add|write|describe|specify|provide|put)[-_ ]"
    r"(?:(?:a|an|the|your|this|short|brief|agent'?s?|app'?s?)[-_ ]){0,4}"
    r"(?:owner|description|purpose|team|name|goal|e-?mail)(?:[-_ ]here)?"
    r"|describe what (?:this|the|your) (?:agent|app|bot)\b.{0,60}"
    r"|(?:todo|tbd|tba|fixme|tbc)(?:\s*[:(,;].*|\s+[\u2013\u2014-]\s.*)?|description|owner|purpose|team"
    r"|string|text"
    r"|(?:a |an |the )?(?:short |brief )?(?:agent |app )?description(?: of (?:the|your|this) \w+)?|my (?:agent|app|bot)"
    r"|name@(?:example|company|domain)\.\w+|(?:user|owner|someone|you|email|me)@example\.(?:com|org|net))$"
)
"""What a template leaves in a place that is to be filled in."""
_LOUD: Final = "todo|tbd|fixme|tba".upper()
_PART: Final = re.compile(
    r"(?i)^(?:display_?)?(?:name|e-?mail|short|full|long|id|login|team|url|organi[sz]ation|phone|text|value)$"
)
"""What an owner or a description has, where it is an object."""
_SHOUTED: Final = re.compile(rf"^(?:{_LOUD})\b(?!\s+(?:apps?|lists?|items?|tasks?|comments?|agent|bot)\b)")


def says_nothing(name: str, key: str, value: Node) -> bool:
    """Say whether a value of the place `name` (owner, purpose or end), which stands under `key`, says nothing."""
    if isinstance(value.value, list):
        return all(says_nothing(name, key, one) for one in value.value)
    if isinstance(value.value, dict):
        if name == "end" and value["type"].text == "noExpiration":
            return True
        return all(
            isinstance(one.value, str | None) and says_nothing(name, key, one) and bool(_PART.match(part))
            for part, one in value.value.items()
        )
    if value.value is None:
        return True
    if name == "end":
        if re.match(r"(?i)never|no|does", key) and not re.match(r"(?i)not[-_]?after", key):
            return str(value.value).lower() == "true"
        text = str(value.value).strip().lower()
        return text in _NOTHING or text in _NEVER or bool(_FAR.match(text)) or value.value is False
    if not isinstance(value.value, str):
        return False
    text = value.value.strip().strip("<>[](){}#/*").strip()
    bare = text.lower()
    return bare in _NOTHING or bool(_LEFT.match(bare)) or bool(_SHOUTED.match(text))
