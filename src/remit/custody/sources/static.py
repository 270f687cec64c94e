"""A stored secret that is injected upstream: as a header, or as an environment value of a server that Remit starts.

The weakest source, and it says so: nothing is minted, so nothing can be dropped at the target. What ends with the
task is the lending; the agent never held the value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from remit.core.errors import RemitError
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung

SHORTEST: Final = 8
"""Bytes: a shorter value could not be redacted from answers without shredding them."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_PLACE: Final = "{secret}"
_HEADERS_OF_OURS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "trailer", "keep-alive", "expect"}
)
_LOADERS = re.compile(r"LD_.*|DYLD_.*|PATH|PYTHON.*|NODE_OPTIONS|BASH_ENV|ENV|IFS|GIT_SSH.*|REMIT_.*", re.ASCII)


@dataclass(frozen=True, slots=True)
class HeaderShape:
    """Inject `name: template`, where `{secret}` stands once in the template."""

    name: str
    template: str

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.name) or self.name.lower() in _HEADERS_OF_OURS:
            raise _refused("the header name is not one that can be injected")
        if self.template.count(_PLACE) != 1 or not _plain(self.template.encode()):
            raise _refused("the template must hold {secret} once, in printable ASCII")


@dataclass(frozen=True, slots=True)
class VariableShape:
    """Set the environment variable `name` of a server that Remit starts to the secret."""

    name: str

    def __post_init__(self) -> None:
        if not _VARIABLE.fullmatch(self.name) or _LOADERS.fullmatch(self.name):
            raise _refused("the environment variable is not a name, or one that changes what is run")


def register(secret: Secret, shape: HeaderShape | VariableShape) -> None:
    """Refuse a value that this shape could not carry (`injection_refused`). Call it before the secret is stored."""
    _fill(secret, shape)


STANDING: Final = Description(
    "static",
    Rung.BROKERED,
    dynamic=False,
    revocable=False,
    says="A standing secret: lent to calls, never minted or dropped. Rotate it at the target to end it there.",
)
"""What every stored secret is."""


@final
class StaticSource:
    """Lends one stored secret in one shape. `fetch` opens it in the vault, each time anew."""

    __slots__ = ("_fetch", "_shape")

    def __init__(self, shape: HeaderShape | VariableShape, fetch: Callable[[], Secret]) -> None:
        self._shape, self._fetch = shape, fetch

    def describe(self) -> Description:
        """Say that this secret outlives its leases."""
        return STANDING

    def mint(self, intent: Intent) -> Minted:
        """Nothing is made: check that the secret is there and can be carried."""
        _fill(self._fetch(), self._shape)
        return Minted(intent.name, intent.until, None)

    def lend(self, minted: Minted) -> Lent:
        """Return the header or variable, checked again: what is stored may have changed since it was registered."""
        del minted
        value = _fill(self._fetch(), self._shape)
        if isinstance(self._shape, HeaderShape):
            return Lent(headers=((self._shape.name, value),))
        return Lent(environ=((self._shape.name, value),))

    def secrets(self) -> tuple[Secret, ...]:
        """The values to redact from answers: the bare secret, and the value as it was injected."""
        secret = self._fetch()
        return (secret, _fill(secret, self._shape))

    def drop(self, minted: Minted) -> None:
        """Nothing was made at the target, so nothing is dropped there."""
        del minted

    def probe(self, minted: Minted) -> Gone:
        """Say so: `nothing`, which is not `gone`."""
        del minted
        return Gone.NOTHING

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """Whatever the secret can do: nothing at the target narrows it to a task."""
        del minted
        return ("everything that the standing secret can do",)

    def found(self) -> tuple[str, ...]:
        """Nothing of ours stands at the target."""
        return ()

    def close(self) -> None:
        """Forget how to open the secret."""
        self._fetch = _closed


def _closed() -> Secret:
    raise RemitError("target_closed", "This target was closed.", "Open it again.")


def _fill(secret: Secret, shape: HeaderShape | VariableShape) -> Secret:
    if len(secret) < SHORTEST:
        raise _refused("the secret is shorter than 8 bytes")
    if isinstance(shape, VariableShape):
        value = secret.reveal()
        if b"\0" in value or b"\r" in value or b"\n" in value:
            raise _refused("the secret holds a line break or a NUL")
        return secret
    if not _plain(secret.reveal()):
        raise _refused("the secret holds a control character, or something beyond ASCII")
    return Secret(shape.template.encode().replace(_PLACE.encode(), secret.reveal()))


def _plain(value: bytes) -> bool:
    return all(0x20 <= b < 0x7F for b in value) and value == value.strip()


def _refused(why: str) -> RemitError:
    return RemitError("injection_refused", f"This injection was refused: {why}.", "Correct the resource's credential.")
