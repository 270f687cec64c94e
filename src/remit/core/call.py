"""Call: one tool use in one shape, whatever carried it, with a digest of exactly what will be forwarded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from remit.core.canonical import Json, digest
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
    digest: bytes = field(init=False)
    resource: str = field(init=False)
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        resource, kind = split(self.action)
        object.__setattr__(self, "resource", resource)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "digest", digest({"action": self.action, "arguments": dict(self.arguments)}))
