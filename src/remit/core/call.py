"""Call: one tool use in one shape, whatever carried it, with a digest of exactly what will be forwarded."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from remit.core.canonical import Json, b64, canon
from remit.core.resource import split

_decode = msgspec.json.Decoder().decode


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
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "digest", _digest(self.action, text))


def kept(action: str, text: bytes, digest: str) -> Call | None:
    """A recorded call again, from its arguments as they were written down; None when its digest is another.

    Text that has the digest is the canonical text that was digested, so it is not written anew. Refuses as `Call` does.
    """
    arguments, found = _decode(text), _digest(action, text)
    if b64(found) != digest:
        # Perhaps the same values, spelled in another way.
        call = Call(action, arguments)
        return call if b64(call.digest) == digest else None
    made = object.__new__(Call)
    resource, kind = split(action)
    on = arguments.get("relation") if action.startswith("sql:") and kind[0] != "@" else ""
    for name, value in (
        ("action", action), ("arguments", arguments), ("text", text), ("digest", found),
        ("resource", resource), ("kind", kind), ("relation", on if isinstance(on, str) else ""),
    ):  # fmt: skip
        object.__setattr__(made, name, value)
    return made


def _digest(action: str, text: bytes) -> bytes:
    # RFC 8785 orders members by name: this is the canonical form of an object with these two.
    return hashlib.sha256(b'{"action":%b,"arguments":%b}' % (_quoted(action), text)).digest()


_quoted = functools.lru_cache(maxsize=8192)(canon)
