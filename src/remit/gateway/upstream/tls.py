"""TLS towards an upstream: one context per upstream identity, made once (building one costs over 20 ms of CPU)."""

import ssl

from remit.core.errors import RemitError


def context(*, authority: str | None = None, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Build a verifying client context: TLS 1.2 or later, name checked, HTTP/1.1 only.

    `authority` is a PEM file to trust instead of the system's, `certificate` and `key` PEM files of our own identity
    (mutual TLS). Raises `upstream_tls` if one of them cannot be read.
    """
    try:
        made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_alpn_protocols(["http/1.1"])
        if certificate is not None:
            made.load_cert_chain(certificate, key)
    except (OSError, ValueError):
        raise RemitError(
            "upstream_tls",
            "A certificate or key for an upstream cannot be read.",
            "Check that the files are PEM, readable, and belong together.",
        ) from None
    return made
