"""Whether a named value is a secret that stands there in full: no reference, no placeholder, no example. Pure."""

import math
import re
from collections import Counter
from typing import Final

SHORTEST: Final = 12
"""Characters below which a value is not held to be a secret."""

LEAST_BITS: Final = 2.8
"""Entropy per character, in bits, below which a value is held to be made up."""

_NAME: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|token|pat|secret|passwd|password|pwd"
    r"|authorization|credentials?)$"
)
_REFERENCE: Final = re.compile(
    r"\$\{|\$[A-Za-z_(]|%[A-Za-z_]+%|\{\{|^(?:env|file|keyring|vault|op|ssm|arn):", re.IGNORECASE
)
_MADE_UP: Final = re.compile(
    r"(?i)your|example|placeholder|change[-_ ]?me|replace|redacted|dummy|sample|fake|insert|todo|x{4,}|\*{3,}|\.{3}"
    r"|^<.*>$|^\[.*\]$|1234567|abcdef0|^(?:test|none|null|true|false)\b"
)
_SCHEME: Final = re.compile(r"(?i)^(?:bearer|token|basic)\s+")


def is_name(name: str) -> bool:
    """Say whether a variable, header or flag of this name carries a secret."""
    return bool(_NAME.search(name.lstrip("-")))


def is_literal(value: str) -> bool:
    """Say whether a value given to such a name is a secret itself."""
    bare = _SCHEME.sub("", value.strip())
    if (
        len(bare) < SHORTEST
        or any(c.isspace() for c in bare)
        or bare.startswith(("/", "~", "./", "http://", "https://"))
    ):
        return False
    return not _REFERENCE.search(bare) and not _MADE_UP.search(bare) and _bits(bare) >= LEAST_BITS


def _bits(text: str) -> float:
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
