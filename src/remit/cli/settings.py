"""Settings: a flag goes before `REMIT_*`, that before `remit.toml`, that before the default. Secrets by reference only.

Owned by the composition root; nothing else reads a file of settings or the environment. What is not known is refused,
so that a misspelt safeguard never counts as one.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from types import UnionType
from typing import Any, Final
from urllib.parse import urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.custody.root import from_keyring
from remit.store.opening import SCHEMES

FILE: Final = "remit.toml"
PREFIX: Final = "REMIT_"
DEMO: Final = "REMIT_DEMO_"
_REFERENCES: Final = ("env:", "file:", "keyring:")
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider whose people may act here: its issuer URL, our audience there, where its keys are.

    With `sign_in` people sign in there, and `audience` is our client id.
    """

    issuer: str
    audience: str
    jwks_uri: str = ""
    auto_register: bool = False
    sign_in: bool = False
    assertions: bool = False
    vouches_to: str = ""
    userinfo: bool = False
    acts: bool = False
    name: str = ""
    scopes: str = "openid profile"
    groups_claim: str = "groups"
    acr_values: str = ""
    client_secret: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness that heads are sent to: the prefix of its `add-checkpoint`, and its verifier key."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Hooked:
    """Where it is told that people are asked: an address, the reference of the secret that signs, private or not."""

    url: str
    secret: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A service that is told of changes: its name, its audience, where it is pushed to, whose subjects it knows.

    `algorithm` is by which its events are signed: ES256, or RS256 as the CAEP interoperability profile asks.
    """

    service: str
    audience: str
    push: str = ""
    people: str = ""
    authorization: str = ""
    private: bool = False
    algorithm: str = "ES256"


@dataclass(frozen=True, slots=True)
class Polled:
    """A transmitter that is polled: the name it is registered under, its poll endpoint, what is sent along.

    That is an `authorization`, or a token of its `token` endpoint, asked for as `client` with its `secret`.
    """

    name: str
    poll: str
    authorization: str = ""
    private: bool = False
    token: str = ""
    client: str = ""
    secret: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `where` says of each name where its value came from."""

    data: Path = Path(".remit")
    store: str = ""
    bus: str = ""
    host: str = "127.0.0.1"
    port: int = 8787
    issuer: str = ""
    root_key: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    client_certificates: str = ""
    certificate_proxy: str = ""
    public_log: bool = False
    client_registration: bool = False
    client_documents: bool = False
    client_agent: str = ""
    door_rate: int = 600
    client_rate: int = 1200
    weak_client_secrets: bool = False
    dpop_nonce: bool = False
    postgres_port: int = 0
    forward_port: int = 0
    drain_seconds: int = 5
    connections: int = 1000
    connections_peer: int = 200
    issuers: tuple[Issuer, ...] = ()
    witnesses: tuple[Cosigned, ...] = ()
    witness_required: int = 0
    witness_stop: bool = False
    witness_max_age: int = 0
    hooks: tuple[Hooked, ...] = ()
    receivers: tuple[Received, ...] = ()
    transmitters: tuple[Polled, ...] = ()

    @property
    def origin(self) -> str:
        """The canonical URL of this origin: the issuer, or what the address gives."""
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.issuer or f"{scheme}://{host}:{self.port}"

    @property
    def ledger_name(self) -> str:
        """The ledger's origin line (C2SP checkpoint): the origin without its scheme, and /log."""
        return f"{self.origin.split('://', 1)[1]}/log"

    @property
    def key_reference(self) -> str:
        """Where the root key is; by default a file in the data folder."""
        return self.root_key or f"file:{self.data / 'root.key'}"


def load(environ: Mapping[str, str], flags: Mapping[str, Any], config: str | None = None) -> Settings:
    """Read the settings. Refuses, by place, unknown keys and wrong types (`setting_unknown`, `setting_invalid`)."""
    known = {one.name: one.type for one in fields(Settings)}
    values: dict[str, Any] = {}
    named = config or environ.get(f"{PREFIX}CONFIG")
    path = Path(named or FILE)
    if named or path.exists():
        for key, value in _file(path).items():
            values[key] = _typed(key, value, known, _place(path, key))
    for name, text in environ.items():
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG" and not name.startswith(DEMO):
            if key not in known and f"env:{name}" in _references(values, environ, flags):
                continue
            values[key] = _typed(key, _from_text(key, text, known), known, f"The environment variable {name}")
    for key, value in flags.items():
        if value is not None:
            values[key] = _typed(key, value, known, f"The flag --{key.replace('_', '-')}")
    settings = Settings(**values)
    _whole(settings)
    _bounded(settings)
    _enough(settings)
    return settings


def _references(*sources: Mapping[str, Any]) -> set[str]:
    """What the settings refer to: a variable that holds a key may be called as it likes."""
    names = ("root_key", "store", "bus", f"{PREFIX}ROOT_KEY", f"{PREFIX}STORE", f"{PREFIX}BUS")
    issuers = [one for source in sources for one in source.get("issuers") or () if isinstance(one, Issuer)]
    hooks = [one for source in sources for one in source.get("hooks") or () if isinstance(one, Hooked)]
    told = [one for source in sources for one in source.get("receivers") or () if isinstance(one, Received)]
    held = {one.client_secret for one in issuers} | {one.client_key for one in issuers} | {one.secret for one in hooks}
    polled = [one for source in sources for one in source.get("transmitters") or () if isinstance(one, Polled)]
    held |= {one.authorization for one in told} | {one.authorization for one in polled} | {one.secret for one in polled}
    return held | {str(source[name]) for source in sources for name in names if source.get(name)}


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond loopback without TLS and a real issuer (`bind_refused`)."""
    if loopback(settings.host):
        return
    if not (settings.tls_cert and settings.tls_key):
        raise RemitError(
            "bind_refused",
            f"Remit does not listen on {settings.host} without TLS: credentials would travel in the clear.",
            "Set tls_cert and tls_key, or listen on 127.0.0.1 behind a proxy that ends TLS.",
        )
    if not settings.issuer.startswith("https://") or loopback(urlsplit(settings.issuer).hostname or ""):
        raise RemitError(
            "bind_refused",
            f"Remit does not listen on {settings.host} without an issuer that others can reach.",
            "Set issuer to the https URL under which agents reach this server.",
        )


def loopback(host: str) -> bool:
    """Say whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_reference(reference: str, environ: Mapping[str, str]) -> bytes:
    """Read a value by reference: `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`.

    `reference_invalid` when it leads nowhere, `keyring_unavailable` when the keyring does not answer.
    """
    kind, _, name = reference.partition(":")
    try:
        if kind == "env" and name in environ:
            return environ[name].encode()
        if kind == "file" and name:
            return Path(name).read_bytes()
        if kind == "keyring" and (found := from_keyring(name)):
            return found
    except OSError:
        pass
    raise RemitError(
        "reference_invalid",
        "A value given by reference could not be read.",
        "Write env:NAME, file:PATH or keyring:SERVICE/NAME of something that is there.",
    )


def _file(path: Path) -> dict[str, Json]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise RemitError(
            "settings_unreadable", f"{path} cannot be read: {fault.strerror}.", "Check the path."
        ) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RemitError(
            "settings_unreadable", f"{path} is not TOML: {fault}.", "Correct the line that is named."
        ) from fault


def _place(path: Path, key: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.lstrip("[ ").startswith(key)), 0)
    return f"{path}, line {line}" if line else str(path)


_KINDS: Final[Mapping[Any, str]] = {
    int: "a whole number", str: "a text in quotes", bool: "true or false", Path: "a path in quotes",
}  # fmt: skip


def _typed(key: str, value: Any, known: Mapping[str, Any], where: str) -> Any:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1, 0.5)
        raise RemitError(
            "setting_unknown",
            f"{where}: there is no setting {key!r}.",
            f"Did you mean {near[0]!r}?" if near else f"The settings are: {', '.join(sorted(known))}.",
        )
    if key in _TABLES:
        return _tables(key, value, where)
    wanted = known[key]
    if wanted is Path and isinstance(value, str) and value:
        return Path(value)
    if (
        isinstance(wanted, type | UnionType)
        and isinstance(value, wanted)
        and not (wanted is int and isinstance(value, bool))
    ):
        return value
    raise RemitError(
        "setting_invalid",
        f"{where}: {key} does not take this value.",
        f"Give {_KINDS.get(wanted, 'another')}, as docs/guide/settings.md says.",
    )


def _tables(key: str, value: Any, where: str) -> tuple[Any, ...]:
    """Read a list of tables, each by its own rule."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RemitError(
            "setting_invalid", f"{where}: {key} is a list of tables.", f"Write one [[{key}]] table for each."
        )
    kind, fit = _TABLES[key]
    known = {one.name: one.type for one in fields(kind)}
    found: list[Any] = []
    for one in value:
        held = {name: _typed(name, inner, known, where) for name, inner in one.items()}
        fit(held, where, found)
        found.append(kind(**held))
    return tuple(found)


def _issuer(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if not held.get("issuer") or not held.get("audience"):
        raise RemitError("setting_invalid", f"{where}: an issuer has an issuer and an audience.", "Give both.")
    secrets = [held[name] for name in ("client_secret", "client_key") if held.get(name)]
    if len(secrets) > 1 or not all(one.startswith(_REFERENCES) for one in secrets):
        raise RemitError(
            "setting_invalid",
            f"{where}: an issuer takes one of client_secret and client_key, and by reference, never by value.",
            "Write env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )


def _witness(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if set(held) != {one.name for one in fields(Cosigned)} or not _reachable(held["url"]):
        raise RemitError(
            "setting_invalid",
            f"{where}: a witness has a url and a key; plain http is for this very machine only.",
            "Give both, the key as remit witness show prints it.",
        )


def _hook(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if not _reachable(held.get("url", "")) or not str(held.get("secret", "")).startswith(_REFERENCES):
        raise RemitError(
            "setting_invalid",
            f"{where}: a hook has a url and a secret by reference; plain http is for this very machine only.",
            "Give both, the secret as env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )


def _receiver(held: dict[str, Any], where: str, before: list[Any]) -> None:
    secret = held.get("authorization", "")
    fit = not secret or (held.get("push") and secret.startswith(_REFERENCES))
    if (
        not held.get("service")
        or not held.get("audience")
        or not fit
        or held["service"] in {one.service for one in before}
    ):
        raise RemitError(
            "setting_invalid",
            f"{where}: a receiver has a service of its own and an audience, and an authorization by reference.",
            "Give both; the authorization, for a push alone, as env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )
    if held.get("algorithm", "ES256") not in ("ES256", "RS256"):
        raise RemitError("setting_invalid", f"{where}: events are not signed so.", "Use ES256, or RS256.")
    if held.get("push") and not _reachable(held["push"]):
        raise RemitError(
            "setting_invalid",
            f"{where}: nothing is pushed there.",
            "Use https; http is for this very machine only.",
        )


def _transmitter(held: dict[str, Any], where: str, before: list[Any]) -> None:
    secret, poll = held.get("authorization", ""), held.get("poll", "").partition("?")[0]
    fit = not secret or secret.startswith(_REFERENCES)
    if not held.get("name") or not _reachable(poll) or not fit or held["name"] in {one.name for one in before}:
        raise RemitError(
            "setting_invalid",
            f"{where}: a transmitter has a name of its own and the URL of its poll endpoint.",
            "Give both, https or this very machine; the authorization as env:NAME, file:PATH or keyring:NAME.",
        )
    own = [held.get(one, "") for one in ("token", "client", "secret")]
    whole = all(own) and _reachable(own[0].partition("?")[0]) and own[2].startswith(_REFERENCES) and not secret
    if not whole and any((*own, held.get("scope"))):
        raise RemitError(
            "setting_invalid",
            f"{where}: a token is asked for at an endpoint, as a client, with a secret, and instead of authorization.",
            "Give token (https or this very machine), client, and secret as env:NAME, file:PATH or keyring:NAME.",
        )


_TABLES: Final[Mapping[str, tuple[Any, Callable[[dict[str, Any], str, list[Any]], None]]]] = {
    "issuers": (Issuer, _issuer), "witnesses": (Cosigned, _witness), "hooks": (Hooked, _hook),
    "receivers": (Received, _receiver), "transmitters": (Polled, _transmitter),
}  # fmt: skip


def _reachable(url: str) -> bool:
    """Say whether heads may be sent there: https, or http on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        clean = bool(host) and not (parts.username or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return False
    return clean and (parts.scheme == "https" or (parts.scheme == "http" and loopback(host)))


def _from_text(key: str, text: str, known: Mapping[str, Any]) -> Any:
    wanted = known.get(key)
    if wanted is int and text.isascii() and text.isdecimal():
        return int(text)
    return _BOOLEANS.get(text.lower(), text) if wanted is bool else text


def _bounded(settings: Settings) -> None:
    more = [port for port in (settings.postgres_port, settings.forward_port) if port]
    if not all(0 < port < 65536 for port in more) or len({settings.port, *more}) <= len(more):
        raise RemitError(
            "setting_invalid",
            "postgres_port and forward_port are 1 to 65535, each a port of its own; 0 is none.",
            "Correct the one that is not.",
        )
    if not 1 <= settings.connections_peer <= settings.connections <= 100_000:
        raise RemitError(
            "setting_invalid",
            "connections is 1 to 100000, and connections_peer no more than that.",
            "Correct the one that is not.",
        )
    if settings.door_rate < 0 or settings.client_rate < 0:
        raise RemitError("setting_invalid", "door_rate and client_rate are 0 or more.", "Use 0 for no bound at all.")


def _whole(settings: Settings) -> None:
    if not 0 < settings.port < 65536 or not 0 <= settings.drain_seconds <= 300:
        raise RemitError(
            "setting_invalid", "port is 1 to 65535, drain_seconds 0 to 300.", "Correct the one that is not."
        )
    if settings.issuer:
        parts = urlsplit(settings.issuer)
        plain = parts.scheme == "http" and loopback(parts.hostname or "")
        if not (parts.scheme == "https" or plain) or not parts.hostname or parts.path or parts.query or parts.fragment:
            raise RemitError("setting_invalid", "issuer is an https URL without a path.", "Write https://HOST[:PORT].")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise RemitError("setting_invalid", "tls_cert and tls_key go together.", "Set both, or neither.")
    _certificates(settings)
    if settings.store and not settings.store.startswith((*_REFERENCES, *SCHEMES)):
        raise RemitError(
            "setting_invalid",
            "store is a postgresql:// URL, or a reference to one.",
            "Leave it out for the embedded store in the data folder.",
        )
    if settings.store.startswith(SCHEMES) and (urlsplit(settings.store).password or "password=" in settings.store):
        raise RemitError(
            "setting_invalid",
            "store holds a password, and settings hold secrets by reference only.",
            "Use env:NAME or file:PATH for the whole URL, or a password file (PGPASSFILE).",
        )
    plain = settings.bus.startswith(("nats://", "tls://"))
    if settings.bus and not settings.bus.startswith(_REFERENCES) and (not plain or "@" in settings.bus):
        raise RemitError(
            "setting_invalid",
            "bus is a nats:// or tls:// URL without credentials, or a reference to one.",
            "Write nats://HOST:4222, or env:NAME or file:PATH of the whole URL.",
        )
    for name in ("root_key", "tls_cert", "tls_key", "client_certificates"):
        value = getattr(settings, name)
        if value and not value.startswith(_REFERENCES[1:2] if name != "root_key" else _REFERENCES):
            raise RemitError(
                "setting_invalid",
                f"{name} takes a reference, never a value.",
                "Write file:PATH." if name != "root_key" else "Write env:NAME, file:PATH or keyring:SERVICE/NAME.",
            )


def _certificates(settings: Settings) -> None:
    """Who may say which certificate a client has: our own TLS, or the one proxy that is named; never both."""
    if settings.client_certificates and not settings.tls_cert:
        raise RemitError(
            "setting_invalid",
            "client_certificates needs tls_cert and tls_key: only our own TLS can ask for a certificate.",
            "Set them, or name the proxy that ends TLS in certificate_proxy.",
        )
    if not settings.certificate_proxy:
        return
    try:
        ip_address(settings.certificate_proxy)
    except ValueError as fault:
        raise RemitError(
            "setting_invalid", "certificate_proxy is the IP address of one proxy.", "Write its address alone."
        ) from fault
    if settings.client_certificates:
        raise RemitError(
            "setting_invalid",
            "Certificates come from our own TLS or from a proxy, not from both.",
            "Set client_certificates or certificate_proxy.",
        )


def _enough(settings: Settings) -> None:
    if not 0 <= settings.witness_required <= len(settings.witnesses) or settings.witness_max_age < 0:
        raise RemitError(
            "setting_invalid",
            "witness_required is 0 up to the number of witnesses, witness_max_age 0 or more seconds.",
            "Name each witness in a [[witnesses]] table, or require fewer.",
        )


def tls_path(reference: str) -> str | None:
    """The file that a reference names; None for none (`reference_invalid`)."""
    if not reference:
        return None
    path = reference.removeprefix("file:")
    if not Path(path).is_file():
        raise RemitError("reference_invalid", f"There is no file {path}.", "Correct tls_cert and tls_key.")
    return path


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
