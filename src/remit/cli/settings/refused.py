"""What is refused of settings as a whole, whoever gave them: what no part of them shows alone."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from remit.cli.settings.reference import REFERENCES, loopback
from remit.cli.settings.whole import Settings
from remit.core.errors import RemitError
from remit.store.opening import SCHEMES


def check(settings: Settings) -> None:
    """Refuse settings that do not go together, or that are out of bounds (`setting_invalid`)."""
    _whole(settings)
    _bounded(settings)
    _enough(settings)


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
    if settings.store and not settings.store.startswith((*REFERENCES, *SCHEMES)):
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
    if settings.bus and not settings.bus.startswith(REFERENCES) and (not plain or "@" in settings.bus):
        raise RemitError(
            "setting_invalid",
            "bus is a nats:// or tls:// URL without credentials, or a reference to one.",
            "Write nats://HOST:4222, or env:NAME or file:PATH of the whole URL.",
        )
    for name in ("root_key", "tls_cert", "tls_key", "client_certificates"):
        value = getattr(settings, name)
        if value and not value.startswith(REFERENCES[1:2] if name != "root_key" else REFERENCES):
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
