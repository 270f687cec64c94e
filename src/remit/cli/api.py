"""Registering an HTTP API: its operations as its OpenAPI document describes them now, each pinned."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from remit.cli.desk import Desk
from remit.cli.output import say
from remit.control import resource as resources
from remit.core.canonical import Json, read
from remit.core.resource import Injection, Resource, Upstream
from remit.core.shown import shown
from remit.gateway.api.openapi import read as described
from remit.gateway.upstream.origin import parse

READS: Final = ("GET", "HEAD", "OPTIONS")


def add_api(
    desk: Desk,
    name: str,
    url: str,
    document: Path,
    domain: str,
    owner: str,
    labels: tuple[str, ...],
    injections: tuple[Injection, ...],
    announce: Callable[[Mapping[str, Json]], None],
) -> Resource:
    """Register an API; what its document describes and cannot be decided is told, and left out."""
    parse(url)
    tools, left = described(read(document.read_bytes()))
    announce(tools)
    for one in left:
        say(f"left out: {shown(one, 120)}")
    return desk.act(
        lambda c: resources.add(
            c,
            name=name,
            upstream=Upstream(url=url),
            domain=domain,
            owner=owner,
            tools=tools,
            reads=reads(tools),
            labels=labels,
            injections=injections,
            kind="http",
            by=desk.by,
        )
    )


def reads(tools: Mapping[str, Json]) -> frozenset[str]:
    """The operations that only read, as HTTP says of their methods; what goes through a WebSocket nobody can say."""
    methods = ((name, one.get("http") if isinstance(one, dict) else None) for name, one in tools.items())
    return frozenset(
        name
        for name, said in methods
        if isinstance(said, dict) and said.get("method") in READS and not said.get("upgrade")
    )
