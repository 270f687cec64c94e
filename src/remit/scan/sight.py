"""What one file shows that only means something beside other files: credentials held, scopes granted, uses seen. Pure.

A secret's text never leaves its reader: what is told of it is a digest under a key that one scan makes for itself.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.scan import secret

_SCHEME: Final = re.compile(r"(?i)^(?:bearer|token|basic)\s+")
_ADDRESS: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://([^\s/:@\"']*:[^\s@/\"']+)@")
_ACTIONS: Final = re.compile(r"\$\{\{\s*secrets\.(\w+)\s*\}\}")
_NAMED: Final = re.compile(
    r"\$\{(?:env:|localEnv:)?([A-Za-z_]\w*)(?::?[-?][^}]*)?\}|(?<![\w$])\$([A-Za-z_]\w*)|%([A-Za-z_]\w*)%|\{env:([A-Za-z_]\w*)\}"
)
_PLANNED: Final = re.compile(r"\$\{(?:var|local)\.(\w+)\}")
"""A variable of Terraform."""
_STORED: Final = re.compile(
    r"\$\{(?:secret|input):[^}]+\}|\{file:[^}]+\}|\{\{\s*resolve:[^}]+\}\}|@Microsoft\.KeyVault\([^)]+\)"
    r"|\$\(cat [^)]+\)"
    r"|\b(?:op|vault|keyring|keychain|ssm|sm|awssm|gcpsm|azkv|akv|doppler|infisical|berglas)://?\S+"
    r"|\bsecretref:\S+|\bvault:[\w/.-]+#[\w.-]+"
    r"|\barn:aws[\w-]*:(?:secretsmanager:[\w-]*:\d*:secret:|ssm:[\w-]*:\d*:parameter/)\S+"
    r"|\bprojects/[\w.-]+/secrets/[\w-]+(?:/versions/\w+)?"
)
"""Where a stored secret is, in the words of clients, clouds and vaults."""
_FORMED: Final = re.compile(r"\$\{secret:[^{}]*(?:\{\{|\$[({])")
"""A stored secret whose name is put together where it is used: who is given which, the text does not say."""
_CONNECTION: Final = re.compile(
    r"(?i)(?:^|_)(?:database|db|pg|postgres\w*|mysql|mongo\w*|redis|amqp|warehouse)_?(?:url|uri|dsn)$"
    r"|connection_?string$|_dsn$"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A variable, header or input that a holder is given: its name, its text as it stands, its line."""

    name: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole set of variables that a holder is given: where, in which words, and from which file or stored secret."""

    line: int
    said: str
    source: str = ""


FOLDER: Final = "its folder"
"""What a holder is called that is a folder: nothing that is told may hang on how a place was spelt."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Something that is started with credentials: a server, a service, a workload, a job, a unit, a folder's `.env`.

    `like` says what is started or called, so that one server in two clients' files is one.
    """

    sort: str
    name: str
    line: int
    like: str
    pairs: tuple[Pair, ...]
    wholes: tuple[Whole, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that a holder of a file is given: `what` is the same for the same credential, and tells nothing."""

    file: str
    line: int
    sort: str
    holder: str
    like: str
    name: str
    what: str
    stored: bool
    sure: bool = True
    """Whether it is a secret by its name or shape; what only looks drawn counts beside one that is."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A whole file of variables that is handed on; whether it holds secrets, the file itself says."""

    file: str
    line: int
    holder: str
    said: str
    source: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Envelope:
    """A file of variables, and how many of them are secrets."""

    file: str
    secrets: int


@dataclass(frozen=True, slots=True)
class Granted:
    """A scope, permission or action that an app or role is granted; `writes` when a narrower one reads."""

    file: str
    line: int
    app: str
    scope: str
    writes: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A use that was seen of an app or role: a scope or action by name, or only whether it wrote."""

    file: str
    app: str
    scope: str
    writes: bool | None


@dataclass(frozen=True, slots=True)
class Met:
    """Something that was met which is an agent, or which an agent is given."""

    file: str
    line: int
    sort: str
    name: str


Sight = Held | Handed | Envelope | Granted | Used | Met


def is_credential(name: str) -> bool:
    """Say whether a variable of this name carries a credential: a secret, or an address with one in it."""
    return secret.is_name(name) or (bool(_CONNECTION.search(name)) and "sentry" not in name.lower())


def references(name: str, text: str) -> Iterator[str]:
    """The stored secrets that a variable's text refers to."""
    for found in _ACTIONS.finditer(text):
        if found[1] != "GITHUB_TOKEN":
            yield f"secrets.{found[1]}"
    if _FORMED.match(text):
        return
    bare = _ACTIONS.sub("", text)
    for found in _STORED.finditer(bare):
        yield found[0]
    for found in _PLANNED.finditer(bare):
        if is_credential(name) or is_credential(found[1]):
            yield f"${{{found[0][2:-1]}}}"
    for found in _NAMED.finditer(_STORED.sub("", bare)):
        called = next(one for one in found.groups() if one)
        if is_credential(called) or (is_credential(name) and found[0] == _SCHEME.sub("", text.strip())):
            yield f"${called}"


_PLAIN: Final = re.compile(
    r"(?i)(?:^|[_-])(?:(?:(?<!hook[_-])ur[il]|(?:url|uri)[_-]?base|endpoint|host(?:name)?|address|addr|port|region|location|zone|domain"
    r"|arn|id|name|user(?:name)?|login[_-]?name|e?mail|bucket|cluster|namespace|repo(?:sitory)?|branch|model|deployment"
    r"|version|timeout|folder|dir)$)"
)
"""Names of addresses, of ids, of users and of other settings, which say who, where or which and open nothing."""


def _is_plain(name: str, reference: str) -> bool:
    """Say whether a stored value is an address or an id, as far as its two names tell."""
    stored = re.sub(r"\W+$", "", reference.rpartition(".")[2])
    return bool(_PLAIN.search(name) or _PLAIN.search(stored)) and not is_credential(name) and not is_credential(stored)


def digest(key: bytes, text: str) -> str:
    """What stands for a secret: the same for the same secret and key. The password of an address is its secret."""
    bare = _SCHEME.sub("", text.strip())
    inside = _ADDRESS.search(bare) or secret.ASKED.search(bare)
    return hashlib.blake2b((inside[1] if inside else bare).encode(), key=key, digest_size=16).hexdigest()


def held(path: str, holders: tuple[Holder, ...], key: bytes, *, code: bool = False) -> Iterator[Held]:
    """Every credential that the holders of a file are given. A variable that two programs read need not be one.

    Nor need one that Compose puts in for two folders: each has an env file of its own.
    """
    for one in holders:
        scope = f" in {path}" if code else f" in {path.rpartition('/')[0]}" if one.sort == "service" else ""
        for pair in one.pairs:
            place = path, pair.line, one.sort, one.name, one.like, pair.name
            if secret.is_held(pair.name, pair.text):
                yield Held(*place, digest(key, pair.text), stored=False)
            elif secret.is_random(_SCHEME.sub("", pair.text)):
                yield Held(*place, digest(key, pair.text), stored=False, sure=False)
            else:
                for reference in references(pair.name, pair.text):
                    if not _is_plain(pair.name, reference):
                        yield Held(*place, reference + ("" if reference.startswith("${") else scope), stored=True)
        for whole in one.wholes:
            if whole.source.startswith("${secret:") and not _FORMED.match(whole.source):
                yield Held(path, whole.line, one.sort, one.name, one.like, "every key", whole.source, stored=True)
