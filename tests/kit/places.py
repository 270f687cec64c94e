"""The targets at which mints are killed, each as a `Place`: real servers, and the stand-ins where there are none."""

import contextlib
import functools
from collections.abc import Iterator

import psycopg

from tests.kit import moto, openbao, postgres
from tests.kit.dying import Place
from tests.kit.github import APP, INSTALLATION, GitHub, pem
from tests.kit.google import Google
from tests.kit.kubernetes import ADMIN, Kubernetes
from tests.kit.mariadb import SERVERS
from tests.kit.provider import CLIENT, provided


@contextlib.contextmanager
def at_postgres() -> Iterator[Place]:
    """A database of the shared server."""
    url = postgres.fresh()

    def standing() -> set[str]:
        with psycopg.connect(url) as conn:
            return _ours(conn)

    yield Place("postgres", url.encode(), {}, standing)


@contextlib.contextmanager
def at_openbao() -> Iterator[Place]:
    """A server, and the database behind it: what stands are tokens of ours, and roles that it made."""
    with contextlib.closing(openbao.with_a_shop()) as bao:

        def standing() -> set[str]:
            keys = bao.done("LIST", "auth/token/accessors")["data"]["keys"]
            asked = [bao.ask("POST", "auth/token/lookup-accessor", {"accessor": one})[1] for one in keys]
            tokens = {(one.get("data", {}).get("meta") or {}).get("name") for one in asked} - {None}
            with psycopg.connect(bao.url_of_shop) as conn:
                roles = conn.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'").fetchall()
            return tokens | {name for (name,) in roles}

        settings = {
            "address": bao.url, "policy": "orders", "token_role": "remit", "read.read_note": "database/creds/orders",
            "read.write_note": "database/creds/orders", "read.wipe": "database/creds/orders",
            "env.PGPASSWORD": "{password}",
        }  # fmt: skip
        yield Place("openbao", bao.token.encode(), settings, standing, later=True)


@contextlib.contextmanager
def at_kubernetes() -> Iterator[Place]:
    """A stand-in's accounts and bindings."""
    with contextlib.closing(Kubernetes()) as cluster:
        settings = {"address": cluster.url, "namespace": "agents"}
        settings |= {f"role.{kind}": "Role/reader,ClusterRole/other" for kind in KINDS}
        yield Place(
            "kubernetes", ADMIN.encode(), settings, lambda: {f"{kind}/{name}" for kind, _, name in cluster.objects}
        )


@contextlib.contextmanager
def at_github() -> Iterator[Place]:
    """A stand-in. GitHub lists no tokens: a lost one is held by nobody and ends within the hour."""
    with contextlib.closing(GitHub()) as github:
        settings = {"address": github.url, "app": APP, "installation": INSTALLATION}
        settings |= {f"allow.{kind}": "contents:read docs" for kind in KINDS}
        yield Place("github", pem(github.key), settings, None, left=True)


@contextlib.contextmanager
def at_google() -> Iterator[Place]:
    """A stand-in. Google lists no tokens, and takes none back."""
    with contextlib.closing(Google()) as google:
        settings = {"token": f"{google.url}/token", "sts": f"{google.url}/v1/token"}
        settings |= {f"allow.{kind}": "roles/storage.objectViewer reports" for kind in KINDS}
        yield Place("google", google.key().encode(), settings, None, left=True)


@contextlib.contextmanager
def at_oauth(how: str = "keep") -> Iterator[Place]:
    """A certified provider. It lists no tokens: a lost one is held by nobody and ends when it expires."""
    with provided(how) as found:
        at = found["issuer"]
        settings = {"client": "remit", "token": f"{at}/token", "revoke": f"{at}/token/revocation"}
        settings |= {"introspect": f"{at}/token/introspection", "longest": "600"}
        settings |= {f"scope.{kind}": "notes.read" for kind in KINDS}
        yield Place("oauth", CLIENT, settings, None, found["people"]["ann"].encode(), left=True)


@contextlib.contextmanager
def at_aws() -> Iterator[Place]:
    """Moto's server. AWS lists no sessions, and takes none back: a lost one is held by nobody and ends by itself."""
    with moto.served() as settings:
        allowed = {f"allow.{kind}": "s3:GetObject arn:aws:s3:::reports/*" for kind in KINDS}
        yield Place("aws", moto.KEYS, settings | allowed, None, left=True)


@contextlib.contextmanager
def at_mysql(kind: str) -> Iterator[Place]:
    """A server of MariaDB or MySQL with its scheduler on: what stands are users, rows and events."""
    with contextlib.closing(SERVERS[kind]("--event-scheduler=ON")) as server:
        with contextlib.closing(server.connect()) as conn, conn.cursor() as cursor:
            cursor.execute("CREATE TABLE orders (id int)")
            cursor.execute("SELECT user FROM mysql.user")
            others = {name for (name,) in cursor.fetchall()}

        def standing() -> set[str]:
            with contextlib.closing(server.connect()) as conn, conn.cursor() as cursor:
                cursor.execute("SELECT user FROM mysql.user")
                told = {f"user {name}" for (name,) in cursor.fetchall() if name not in others}
                cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'remit'")
                if cursor.fetchall() != ((0,),):
                    cursor.execute("SELECT name FROM remit.lease")
                    told |= {f"row {name}" for (name,) in cursor.fetchall()}
                    cursor.execute("SELECT event_name FROM information_schema.events")
                    told |= {f"event {name}" for (name,) in cursor.fetchall()}
                return told

        allowed = {f"allow.{one}": "select orders" for one in KINDS}
        yield Place(kind, server.url().encode(), allowed, standing)


KINDS = ("read_note", "write_note", "wipe")
"""The kinds of action that the plan of a killed mint holds."""
PLACES = {
    "postgres": at_postgres, "openbao": at_openbao, "kubernetes": at_kubernetes, "github": at_github,
    "google": at_google, "oauth": at_oauth,
}  # fmt: skip
PEERS = {"aws": at_aws} | {kind: functools.partial(at_mysql, kind) for kind in SERVERS}
"""Those that need a program which `make test` has not."""


def _ours(conn: "psycopg.Connection[tuple[str]]") -> set[str]:
    return {name for (name,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'remit\\_%'").fetchall()}
