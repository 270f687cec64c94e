"""Everything that can be set, and what follows from it."""

from dataclasses import dataclass
from pathlib import Path

from remit.cli.settings.reference import REFERENCES
from remit.cli.settings.tables import Cosigned, Hooked, Issuer, Polled, Received


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

    @property
    def references(self) -> tuple[str, ...]:
        """Everything that leads to a secret: `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME` each, and no value."""
        said = [self.key_reference, self.store, self.bus, self.tls_key]
        said += [one for issuer in self.issuers for one in (issuer.client_secret, issuer.client_key)]
        said += [one.secret for one in self.hooks] + [one.authorization for one in self.receivers]
        said += [one for polled in self.transmitters for one in (polled.authorization, polled.secret)]
        return tuple(dict.fromkeys(one for one in said if one.startswith(REFERENCES)))
