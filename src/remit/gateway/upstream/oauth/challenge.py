"""What a target says when it wants a token: `WWW-Authenticate` read (RFC 9110 section 11.6.1), pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_NAME: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAMETER: Final = re.compile(rf'({_NAME})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_NAME}))\s*(?:,|$)\s*')
_SCHEME: Final = re.compile(rf"({_NAME})(?:\s+|$|,\s*)")
LONGEST: Final = 8_192


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its scheme in lower case, and its parameters by lower-case name."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """A parameter's value, or nothing."""
        return self.parameters.get(name, "")


def challenges(values: Iterable[bytes]) -> list[Challenge]:
    """Every challenge of these fields, in order; what cannot be read ends its field."""
    found: list[Challenge] = []
    for value in values:
        text = value[:LONGEST].decode("latin-1").strip()
        while text:
            match = _PARAMETER.match(text)
            if match is not None and found:
                found[-1].parameters.setdefault(match[1].lower(), _plain(match[2]) if match[3] is None else match[3])
            else:
                match = _SCHEME.match(text)
                if match is None:
                    break
                found.append(Challenge(match[1].lower()))
            text = text[match.end() :]
    return found


def wanted(values: Iterable[bytes]) -> Challenge:
    """The challenge for a token: the first of DPoP or Bearer, or an empty bearer one."""
    listed = [one for one in challenges(values) if one.scheme in ("bearer", "dpop")]
    return listed[0] if listed else Challenge("bearer")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
