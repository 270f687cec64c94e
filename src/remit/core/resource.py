"""Resource: a registered target, the tools it offers, and the pins that hold their definitions still."""

import functools
import re
from typing import Final

from remit.core import ids
from remit.core.canonical import Json, b64, digest
from remit.core.connector import Shape
from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from remit.core.record import Record

LIFE: Final = Lifecycle(
    "resource",
    {
        "proposed": {"approved": "active", "refused": "refused", "added": "active"},
        "refused": {"added": "active"},
        "active": {"removed": "removed", "changed": "active"},
        "removed": {},
    },
)
TOOL_LIFE: Final = Lifecycle(
    "tool", {"pinned": {"suspended": "suspended", "pinned": "pinned"}, "suspended": {"pinned": "pinned"}}
)
TOOL: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}", re.ASCII)
KINDS: Final = ("read", "prompt", "complete", "subscribe", "sampling", "elicitation", "roots", "session", "list")
SCHEMES: Final = {"mcp": "mcp", "http": "http", "postgres": "sql"}
"""The kinds of resources, and the scheme of each kind's actions."""
_ACTION = re.compile(r"(?:mcp|http|sql):([a-z0-9][a-z0-9-]{0,62})/(\*|@[a-z]{1,20}|[a-zA-Z0-9_.-]{1,128})", re.ASCII)


class Admission(Record, frozen=True, kw_only=True):
    """How the gate itself is let in at a target that wants a token (client credentials with `private_key_jwt`).

    `issuer` is the only authorization server that is trusted with it, `client` the gate's id there, `key` the stored
    secret that holds the private key.
    """

    issuer: str
    client: str
    key: str

    def __post_init__(self) -> None:
        if not self.client or not self.key or not self.issuer.startswith(("https://", "http://")):
            raise RemitError(
                "resource_invalid",
                "An admission needs the issuer's URL, the client's id there and the name of a stored key.",
                "Give all three.",
            )


class Upstream(Record, frozen=True, kw_only=True):
    """Where the target is: a URL over HTTP, or a program over stdio that Remit runs itself, for each task its own."""

    url: str = ""
    argv: tuple[str, ...] = ()
    directory: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    program: str = ""
    modern: bool = False
    admission: Admission | None = None

    def __post_init__(self) -> None:
        if self.admission is not None and not self.url:
            raise RemitError("resource_invalid", "A program wants no token.", "Leave the admission out.")
        if bool(self.url) == bool(self.argv):
            raise RemitError(
                "resource_invalid",
                "A resource has a URL or a program, not both and not neither.",
                "Give one of the two.",
            )


class Injection(Record, frozen=True, kw_only=True):
    """Which stored secret is put where on the way upstream: a header, or an environment value of the program."""

    secret: str
    header: str = ""
    variable: str = ""
    template: str = "{secret}"


class Minting(Record, frozen=True, kw_only=True):
    """How credentials are made at a target: the kind of source, the sealed secret it works with, what it must know.

    `life` is how long, in milliseconds, one lease may last; it never outlives its task. Where it is `over` nothing is
    minted any more: it is kept for as long as what it made is not proven dead.
    """

    kind: str
    secret: str = ""
    settings: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    life: int = 3_600_000
    over: bool = False

    def __post_init__(self) -> None:
        ids.name("source", self.kind)
        if not 1_000 <= self.life <= 7 * 24 * 3_600_000 or len(self.settings) > 32:
            raise RemitError(
                "resource_invalid",
                "The life or the settings of its leases are out of range.",
                "Give a life from 1 second to 7 days.",
            )


class Resource(Record, frozen=True, kw_only=True, tag_field="noun", tag="resource"):
    """A registered target. `domain` is the data domain that its answers belong to, `kind` one of `SCHEMES`.

    `minting` says how leases are made there, if any are. Where `transaction` is not empty, it is the audience of the
    transaction tokens that go along with each call.
    """

    name: str
    upstream: Upstream
    domain: str
    owner: str
    kind: str = "mcp"
    injections: tuple[Injection, ...] = ()
    labels: tuple[str, ...] = ()
    minting: Minting | None = None
    transaction: str = ""
    state: str = "active"

    def __post_init__(self) -> None:
        ids.name("resource", self.name)
        ids.name("data domain", self.domain)
        ids.parse("per", self.owner)
        if self.state not in LIFE.table:
            raise RemitError("resource_invalid", "This state is not known.", "See docs/spec/receipt.md.")
        if self.kind not in SCHEMES:
            raise RemitError("resource_invalid", "This kind is not known.", f"Use one of {', '.join(SCHEMES)}.")
        self._checked()

    def _checked(self) -> None:
        """Refuse what only some kinds of target can be sent."""
        if self.upstream.admission is not None and self.kind != "mcp":
            raise RemitError(
                "resource_invalid", "The gate gets tokens of its own for MCP servers only.", "Lend it a stored secret."
            )
        taken = any(one.header.lower() == "txn-token" for one in self.injections)
        web = bool(self.upstream.url) and self.kind in ("mcp", "http")
        if self.transaction and (taken or not web or not _printable(self.transaction)):
            raise RemitError(
                "resource_invalid",
                "Transaction tokens go to a target over HTTP, in a header that nothing else is put into.",
                "Name their audience in up to 512 printable characters.",
            )

    @property
    def scheme(self) -> str:
        """What the actions of this resource begin with, before the colon."""
        return SCHEMES[self.kind]


class Tool(Record, frozen=True, kw_only=True, tag_field="noun", tag="tool"):
    """One tool of a resource, held to the definition that a person saw: its digest is the pin.

    `shape` is what the operator declared of it for lineage.
    """

    resource: str
    name: str
    pin: str
    reads: bool = False
    state: str = "pinned"
    shape: Shape | None = None

    def __post_init__(self) -> None:
        ids.name("resource", self.resource)
        if not TOOL.fullmatch(self.name) or self.state not in TOOL_LIFE.table:
            raise RemitError(
                "tool_invalid",
                "This is not the name of a tool.",
                "Tool names are 1 to 128 of a-z, A-Z, 0-9, _ . and -.",
            )


def _printable(text: str) -> bool:
    return len(text) <= 512 and text.isascii() and text.isprintable() and " " not in text


def pin(definition: Json) -> str:
    """Digest a tool's whole definition as the server gave it: name, description, schemas, annotations."""
    return b64(digest(definition))


def action(resource: str, kind: str, scheme: str = "mcp") -> str:
    """Build the action of a tool, or of one of `KINDS` with its leading at sign."""
    return f"{scheme}:{resource}/{kind}"


@functools.lru_cache(maxsize=8192)
def split(text: str) -> tuple[str, str]:
    """Take an action apart into resource and kind; refuse what is none (`action_invalid`)."""
    match = _ACTION.fullmatch(text)
    if match is None or (match[2][0] == "@" and match[2][1:] not in KINDS):
        raise RemitError(
            "action_invalid",
            "This is not an action.",
            "Write SCHEME:RESOURCE/TOOL, or for mcp @read, @prompt, @complete, @subscribe and their like.",
        )
    return match[1], match[2]


def selector(text: str) -> str:
    """Return a ceiling entry: an exact action, or `SCHEME:RESOURCE/*` for all of a resource's."""
    split(text)
    return text


def matches(entry: str, wanted: str) -> bool:
    """Say whether a ceiling entry holds an action."""
    return entry == wanted or (entry.endswith("/*") and wanted.startswith(entry[:-1]))
