"""Call: one tool use in one shape, whatever carried it, with a digest of exactly what will be forwarded."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from remit.core.canonical import Json, canon
from remit.core.resource import split


@dataclass(frozen=True, slots=True)
class Call:
    """One use of one action with these arguments.

    Built once, at the gate, from parsed bytes; the digest is over action and arguments in canonical form and is what a
    Permit names. Refuses an action that cannot be one (`action_invalid`) and arguments without canonical form
    (`json_invalid`).
    """

    action: str
    arguments: Mapping[str, Json]
    text: bytes = field(init=False, repr=False, compare=False)
    """The arguments in canonical form."""
    digest: bytes = field(init=False)
    resource: str = field(init=False)
    kind: str = field(init=False)
    relation: str = field(init=False)
    """The relation or function that a SQL call is on, whose pin it rests on besides its verb's; else empty."""

    def __post_init__(self) -> None:
        resource, kind = split(self.action)
        object.__setattr__(self, "resource", resource)
        object.__setattr__(self, "kind", kind)
        on = self.arguments.get("relation") if self.action.startswith("sql:") and kind[0] != "@" else ""
        object.__setattr__(self, "relation", on if isinstance(on, str) else "")
        text = canon(dict(self.arguments))
        # RFC 8785 orders members by name: this is the canonical form of an object with these two.
        whole = b'{"action":%b,"arguments":%b}' % (canon(self.action), text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "digest", hashlib.sha256(whole).digest())
