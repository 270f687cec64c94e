"""Settings: a flag goes before `REMIT_*`, that before `remit.toml`, that before the default. Secrets by reference only.

Owned by the composition root; nothing else reads a file of settings or the environment. What is not known is refused,
so that a misspelt safeguard never counts as one.
"""

from remit.cli.settings.reading import load
from remit.cli.settings.reference import environment, loopback, read_reference, tls_path
from remit.cli.settings.refused import check_bind
from remit.cli.settings.tables import Cosigned, Hooked, Issuer, Polled, Received
from remit.cli.settings.whole import Settings

__all__ = [
    "Cosigned", "Hooked", "Issuer", "Polled", "Received", "Settings", "check_bind", "environment", "load", "loopback",
    "read_reference", "tls_path",
]  # fmt: skip
