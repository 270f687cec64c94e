"""Registering a database: it is logged in to, and asked what it holds, as the gate will do it."""

import asyncio
from collections.abc import Iterable

from remit.cli.desk import Desk
from remit.control import resource as resources
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.permit import Lent
from remit.core.resource import Injection, Resource, Upstream
from remit.gateway.postgres.catalogue import catalogue, definitions, offered, schemas
from remit.gateway.serve.postgres.place import parse
from remit.gateway.serve.postgres.target import PASSWORD, asked_once, pinned


def secret_of(secret: str | None) -> tuple[Injection, ...]:
    """How a database's password is lent: under the name that PostgreSQL's own programs know."""
    return (Injection(secret=secret, variable=PASSWORD),) if secret else ()


def ask_database(
    desk: Desk, upstream: Upstream, injections: tuple[Injection, ...], path: Iterable[str], *, catalogs: bool
) -> dict[str, Json]:
    """What a database holds in these schemas: verbs, relations with their columns, functions (`resource_invalid`)."""
    place = parse(upstream.url)
    question = schemas(path, catalogs=catalogs)
    path = tuple(path)
    held = [desk.authority.vault.get(resources.SECRETS, one.secret).reveal() for one in injections]
    lent = Lent(password=held[0] if held else b"")
    rows = asyncio.run(asked_once(place, lent, pinned(path, "registration", ()), question))
    found = definitions(offered(rows))
    if not catalogue(found).relations:
        raise RemitError(
            "resource_invalid", "The database holds no relation in these schemas.", "Name others with --schema."
        )
    return found


def ask_again(desk: Desk, one: Resource, pins: dict[str, Json]) -> dict[str, Json]:
    """What a registered database holds now, in the schemas that it was registered with."""
    known = catalogue(pins)
    catalogs = any(name.startswith(("pg_catalog.", "information_schema.")) for name in known.relations)
    return ask_database(desk, one.upstream, one.injections, known.path, catalogs=catalogs)
