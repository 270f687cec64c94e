"""`remit resource`: register a target as it is now, with every tool pinned to the definition that a person saw."""

import asyncio
import re
import shlex
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from remit.cli.api import add_api
from remit.cli.desk import Desk, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, pairs, say, written
from remit.cli.values import document
from remit.control import resource as resources
from remit.core import connector as connectors
from remit.core.canonical import Json, b64, read
from remit.core.errors import RemitError
from remit.core.record import changed
from remit.core.resource import TOOL, Admission, Injection, Resource, Tool, Upstream, pin
from remit.core.shown import shown
from remit.custody.sources.static import HeaderShape, VariableShape, register
from remit.gateway.upstream.offer import offered
from remit.store import payload

_LOUD: Final = re.compile(
    r"(?i)\b(ignore|disregard|override)\b.{0,40}\b(previous|prior|above|other|all)\b|<\s*/?\s*(important|system|instructions?)\b"
    r"|\bdo not (tell|mention|inform)\b|\bbefore (using|calling) (this|any)\b|\bsystem prompt\b"
)
_TEXT: Final = frozenset({"\n", "\t"})


@click.group(cls=Listing)
def resource() -> None:
    """Register targets, and pin their tools. A tool that changes by itself afterwards is suspended."""


@resource.command()
@click.argument("name")
@click.option("--url", help="Where it answers MCP over Streamable HTTP.")
@click.option("--stdio", is_flag=True, help="It is a program that Remit runs: its command follows --.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.option("--domain", required=True, help="The data domain that its answers belong to.")
@click.option("--owner", required=True, help="The person who answers for it.")
@click.option("--reads", multiple=True, help="A tool that only reads; repeatable.")
@click.option(
    "--connector", type=click.Path(dir_okay=False), help="What its tools are to lineage: a TOML or JSON file."
)
@click.option("--label", multiple=True, help="A label that policy may look at; repeatable.")
@click.option("--secret", help="A stored secret that it wants to see.")
@click.option("--header", help="Put the secret into this header: NAME, or NAME=TEMPLATE with {secret} in it.")
@click.option("--env", "variable", help="Put the secret into this environment variable of the program.")
@click.option(
    "--set", "environment", multiple=True, help="NAME=VALUE for the program's environment; repeatable. No secrets."
)
@click.option("--directory", default="", help="Where the program runs.")
@click.option("--database", metavar="URL", help="It is a PostgreSQL database: postgresql://ROLE@HOST/DATABASE.")
@click.option("--api", metavar="URL", help="It is an HTTP API: where it answers.")
@click.option("--openapi", type=click.Path(exists=True, dir_okay=False), help="The API's OpenAPI 3 document, as JSON.")
@click.option("--schema", multiple=True, help="A schema of the database; repeatable.  [default: public]")
@click.option("--catalogs", is_flag=True, help="Also register the system relations that describe tables and types.")
@click.option("--transaction", default="", help="Send a transaction token for this audience along with each call.")
@click.option("--issuer", help="It wants a token of Remit's own: the authorization server's URL.")
@click.option("--client", help="Remit's client id at that authorization server.")
@click.option("--key", help="The stored secret that holds Remit's private key there (PEM, P-256).")
@click.option("--modern", is_flag=True, help="It speaks revision 2026-07-28; do not try an older one.")
@format_option
@click.pass_context
def add(
    ctx: click.Context,
    *,
    name: str,
    url: str | None,
    stdio: bool,
    argv: tuple[str, ...],
    domain: str,
    owner: str,
    reads: tuple[str, ...],
    connector: str | None,
    label: tuple[str, ...],
    secret: str | None,
    header: str | None,
    variable: str | None,
    environment: tuple[str, ...],
    directory: str,
    database: str | None,
    api: str | None,
    openapi: str | None,
    schema: tuple[str, ...],
    catalogs: bool,
    transaction: str,
    issuer: str | None,
    client: str | None,
    key: str | None,
    modern: bool,
    form: str,
) -> None:
    """Register a target: ask it for its tools, show each, and pin it. Registering it again pins anew."""
    if [bool(url), stdio, bool(database), bool(api)].count(True) != 1 or stdio != bool(argv):
        raise click.UsageError("Give --url URL, --api URL, --database URL, or --stdio -- COMMAND ARGS.")
    if bool(api) != bool(openapi):
        raise click.UsageError("An --api comes with its --openapi document.")
    if api:
        with at_desk(ctx) as desk:
            made = add_api(
                desk, name, api, Path(openapi or ""), domain, desk.principal(owner), label,
                _injections(desk, secret, header, variable), _announce,
            )  # fmt: skip
            _show(desk, form, made)
        return
    if database:
        path = schema or ("public",)
        _add_database(ctx, form, name, database, domain, owner, label, secret, path, catalogs=catalogs)
        return
    fixed = tuple((one.partition("=")[0], one.partition("=")[2]) for one in environment)
    upstream = Upstream(
        url=url or "", argv=whole(argv, directory), directory=directory, environment=fixed, modern=modern,
        admission=_admission(issuer, client, key),
    )  # fmt: skip
    with at_desk(ctx) as desk:
        injections = _injections(desk, secret, header, variable)
        owner_id = desk.principal(owner)
        upstream, tools = ask(desk, upstream, injections)
        _announce(tools)
        strange = sorted(set(reads) - set(tools))
        if strange:
            raise RemitError(
                "tool_unknown", f"{name} offers no tool {strange[0]}.", f"It offers: {', '.join(sorted(tools))}."
            )
        declared = connectors.read(document(connector)) if connector else {}
        only = frozenset(tool for tool, shape in declared.items() if shape.effect == "read")
        made = desk.act(
            lambda c: resources.add(
                c,
                name=name,
                upstream=upstream,
                domain=domain,
                owner=owner_id,
                tools=tools,
                reads=frozenset(reads) | only,
                shapes=declared,
                labels=label,
                injections=injections,
                transaction=transaction,
                by=desk.by,
            )
        )
        _show(desk, form, made)


def _add_database(
    ctx: click.Context,
    form: str,
    name: str,
    url: str,
    domain: str,
    owner: str,
    labels: tuple[str, ...],
    secret: str | None,
    path: tuple[str, ...],
    *,
    catalogs: bool,
) -> None:
    from remit.cli.database import ask_database, secret_of
    from remit.gateway.postgres.catalogue import READS

    with at_desk(ctx) as desk:
        upstream, injections, owner_id = Upstream(url=url), secret_of(secret), desk.principal(owner)
        tools = ask_database(desk, upstream, injections, path, catalogs=catalogs)
        _announce(tools)
        made = desk.act(
            lambda c: resources.add(
                c,
                name=name,
                upstream=upstream,
                domain=domain,
                owner=owner_id,
                tools=tools,
                reads=READS,
                labels=labels,
                injections=injections,
                kind="postgres",
                by=desk.by,
            )
        )
        _show(desk, form, made)


@resource.command()
@click.argument("name", required=False)
@format_option
@click.pass_context
def show(ctx: click.Context, *, name: str | None, form: str) -> None:
    """Show one resource with its tools, or list all."""
    with at_desk(ctx) as desk:
        if name:
            _show(desk, form, desk.need(Resource, name))
            return
        found = list(desk.reader.where(Resource))
        rows = [(r.name, r.state, r.domain, r.owner, r.upstream.url or shlex.join(r.upstream.argv)) for r in found]
        emit(
            form,
            [written(r) for r in found],
            lambda: columns(("name", "state", "domain", "owner", "upstream"), rows),
        )


@resource.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Pin what it offers now. Without it, only the differences are shown.")
@format_option
@click.pass_context
def repin(ctx: click.Context, *, name: str, yes: bool, form: str) -> None:
    """Look at what a resource offers now; with --yes, pin it. Exit code 1 when it differs and was not pinned."""
    with at_desk(ctx) as desk:
        one = _in_force(desk.need(Resource, name))
        known = {tool.name: tool for tool in desk.reader.where(Tool, "resource = ?", (name,))}
        upstream, tools = _offered_now(desk, one, known)
        _announce(tools)
        rows = [(tool, *_difference(known.get(tool), tools.get(tool))) for tool in sorted({*known, *tools})]
        other = [row for row in rows if row[1] != "as pinned"] or upstream != one.upstream
        if yes:
            reads = frozenset(tool.name for tool in known.values() if tool.reads and tool.name in tools)
            shapes = {tool.name: tool.shape for tool in known.values() if tool.shape and tool.name in tools}
            made = desk.act(
                lambda c: resources.add(
                    c,
                    name=name,
                    upstream=upstream,
                    domain=one.domain,
                    owner=one.owner,
                    tools=tools,
                    reads=reads,
                    shapes=shapes,
                    labels=one.labels,
                    injections=one.injections,
                    kind=one.kind,
                    minting=one.minting,
                    transaction=one.transaction,
                    by=desk.by,
                )
            )
            _show(desk, form, made)
            return
        data = [{"tool": tool, "found": found, "pin": digest} for tool, found, digest in rows]
        emit(form, data, lambda: columns(("tool", "found", "pin"), [(t, f, d[:12]) for t, f, d in rows]))
    if other:
        say("It is not what was pinned. Look at the differences; remit resource repin --yes accepts them.")
        ctx.exit(1)


def _in_force(one: Resource) -> Resource:
    """Refuse to ask what nobody put in force (`resource_not_active`): asking runs its program, or sends its secret."""
    if one.state != "active":
        raise RemitError(
            "resource_not_active",
            f"The resource {one.name} is {one.state}, so it is neither asked nor pinned.",
            "Answer its review first: remit review list. Or register it: remit resource add --help.",
        )
    return one


def _offered_now(desk: Desk, one: Resource, known: Mapping[str, Tool]) -> tuple[Upstream, dict[str, Json]]:
    if one.kind == "http":
        raise RemitError(
            "resource_invalid",
            "An API is known by its document, which is not asked for again.",
            "Register it again, with its document of now.",
        )
    if one.kind != "postgres":
        return ask(desk, one.upstream, one.injections)
    from remit.cli.database import ask_again

    return one.upstream, ask_again(desk, one, {name: _definition(desk, tool) for name, tool in known.items()})


def ask(desk: Desk, upstream: Upstream, injections: tuple[Injection, ...]) -> tuple[Upstream, dict[str, Json]]:
    """Ask the target itself for its tools, with its secret; also say what its program stands for on this machine."""
    headers, environment = [], {}
    for one in injections:
        value = one.template.replace(
            "{secret}", desk.authority.vault.get(resources.SECRETS, one.secret).reveal().decode()
        )
        if one.header:
            headers.append((one.header.lower().encode(), value.encode()))
        else:
            environment[one.variable] = value
    own = upstream.admission
    key = desk.authority.vault.get(resources.SECRETS, own.key).reveal() if own else b""
    found = asyncio.run(offered(upstream, headers, environment, key))
    for tool in found.tools:
        if not TOOL.fullmatch(tool):
            raise RemitError(
                "tool_invalid",
                f"It offers a tool with a name that cannot be: {shown(tool, 60)}.",
                "Rename the tool upstream.",
            )
    return changed(upstream, modern=found.modern, program=b64(found.seal) if found.seal else ""), dict(found.tools)


def _admission(issuer: str | None, client: str | None, key: str | None) -> Admission | None:
    if not issuer and not client and not key:
        return None
    if not issuer or not client or not key:
        raise click.UsageError("--issuer, --client and --key go together.")
    return Admission(issuer=issuer, client=client, key=key)


def whole(argv: tuple[str, ...], directory: str) -> tuple[str, ...]:
    """The command as it can be run from anywhere: found by our own PATH now, and files among its arguments in full."""
    if not argv:
        return ()
    base = Path(directory or ".")
    found = shutil.which(argv[0]) or argv[0]
    rest = [str((base / one).absolute()) if (base / one).is_file() else one for one in argv[1:]]
    return (str(Path(found).absolute()) if "/" in found else found, *rest)


def _difference(known: Tool | None, offer: Json) -> tuple[str, str]:
    if offer is None:
        return "gone", known.pin if known else ""
    if known is None:
        return "new", pin(offer)
    same = known.pin == pin(offer)
    return ("as pinned" if same and known.state == "pinned" else "suspended" if same else "changed"), pin(offer)


def flaws(definition: Mapping[str, Json]) -> list[str]:
    """What a person should look at twice in a tool's definition: text that is hidden, or that talks to the model."""
    found = []
    texts = list(_texts(definition))
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn"} and c not in _TEXT for text in texts for c in text):
        found.append("it holds characters that do not show")
    if any(_LOUD.search(text) for text in texts):
        found.append("its text gives orders to the model")
    if sum(map(len, texts)) > 8_000:
        found.append("its text is unusually long")
    return found


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for name, inner in value.items() for text in [str(name), *_texts(inner)]]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []


def _announce(tools: Mapping[str, Json]) -> None:
    for name, definition in sorted(tools.items()):
        say(f"{pin(definition)[:12]}  {shown(name)}  {shown(str(definition.get('description') or ''), 90)}")
        for flaw in flaws(definition):
            say(f"  LOOK: {flaw}; read it whole with -o json before a brief names it.")


def _injections(desk: Desk, secret: str | None, header: str | None, variable: str | None) -> tuple[Injection, ...]:
    if not secret and not header and not variable:
        return ()
    if not secret or bool(header) == bool(variable):
        raise click.UsageError("A --secret goes into a --header or an --env.")
    name, mark, template = (header or "").partition("=")
    made = Injection(secret=secret, header=name, variable=variable or "", template=template if mark else "{secret}")
    shape = HeaderShape(name, made.template) if header else VariableShape(made.variable)
    register(desk.authority.vault.get(resources.SECRETS, secret), shape)
    return (made,)


def _show(desk: Desk, form: str, one: Resource) -> None:
    desk.reader.clear()
    tools = list(desk.reader.where(Tool, "resource = ?", (one.name,)))

    def table() -> list[str]:
        members = {
            "name": one.name,
            "state": one.state,
            "domain": one.domain,
            "owner": one.owner,
            "upstream": one.upstream.url or shlex.join(one.upstream.argv),
            **({} if one.kind != "mcp" else _revision(one)),
            "secrets": " ".join(f"{i.secret} in {i.header or i.variable}" for i in one.injections) or "-",
        }
        rows = [(tool.name, tool.state, "read" if tool.reads else "write", tool.pin[:12]) for tool in tools]
        return [*pairs(members), "", *columns(("tool", "state", "kind", "pin"), rows)]

    data = [written(tool) | {"definition": _definition(desk, tool)} for tool in tools] if form == "json" else []
    emit(form, written(one) | {"tools": data}, table)


def _revision(one: Resource) -> dict[str, str]:
    return {"revision": "2026-07-28" if one.upstream.modern else "2025-11-25 and older"}


def _definition(desk: Desk, tool: Tool) -> Json:
    body = payload.get_blob(desk.authority.view, tool.pin)
    return read(body) if body else None
