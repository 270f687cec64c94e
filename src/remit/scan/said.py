"""How a rule or a tool's name is told in a finding: short, and with no secret that may stand in it. Pure."""

import re

from remit.scan import hide, secret
from remit.scan.node import Node


def secretive(text: str) -> bool:
    """Say whether a secret may stand in a rule or a tool's name."""
    words = re.split(r"[\s=:,;\"'()]+", text)
    inner = text.partition("(")[2].removesuffix(")") or text
    if hide.may(inner.removesuffix(":*")):
        return True
    return secret.is_known(text) or any(secret.is_literal(one) and re.search(r"\d", one) for one in words)


def short(text: str) -> str:
    """A rule or a tool's name in few characters; of a rule that a secret may stand in, only its head."""
    if secretive(text):
        text = f"{text.partition('(')[0]}(…)" if "(" in text else "a rule with a secret in it"
    return "".join(c for c in text if c.isprintable())[:60]


def named(nodes: list[Node]) -> str:
    """The first of many names."""
    return ", ".join(short(one.text) for one in nodes[:3]) + (" and more" if len(nodes) > 3 else "")
