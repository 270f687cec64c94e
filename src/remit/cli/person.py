"""`remit person` and `remit service`: who may own, dispatch and delegate."""

import click

from remit.cli.desk import LOCAL, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, moment, pairs, say, written
from remit.cli.values import keys_of
from remit.control import login, principal
from remit.core.principal import Person, Service
from remit.store import payload


@click.group(cls=Listing)
def person() -> None:
    """Register people, and erase who they are. Receipts only ever hold the opaque id."""


@person.command()
@click.argument("subject")
@click.option("--issuer", default=LOCAL, show_default=True, help="Whose subject: an identity provider's URL, or local.")
@click.option("--name", default="", help="How the person is called.  [default: the subject]")
@click.option("--group", multiple=True, help="A group that they are in; repeatable.")
@format_option
@click.pass_context
def add(ctx: click.Context, *, subject: str, issuer: str, name: str, group: tuple[str, ...], form: str) -> None:
    """Register a person by who they are at an identity provider. Adding one again sets their groups."""
    with at_desk(ctx) as desk:
        made = desk.act(lambda c: principal.add_person(c, issuer, subject, name or subject, group, desk.by))
        emit(form, written(made), lambda: pairs({"id": made.id, "state": made.state, "groups": " ".join(made.groups)}))


@person.command()
@click.argument("name")
@click.argument("resource")
@click.argument("subject", metavar="ACCOUNT")
@format_option
@click.pass_context
def account(ctx: click.Context, *, name: str, resource: str, subject: str, form: str) -> None:
    """Say that NAME is ACCOUNT at RESOURCE: what belongs to it there is theirs, for the limit owned."""
    with at_desk(ctx) as desk:
        identity = desk.principal(name)
        desk.act(lambda c: principal.account(c, identity, resource, subject, desk.by))
        emit(form, {"person": identity, "resource": resource}, lambda: pairs({"person": identity, "at": resource}))


@person.command()
@click.argument("name", required=False)
@format_option
@click.pass_context
def show(ctx: click.Context, *, name: str | None, form: str) -> None:
    """Show one person, or list all."""
    with at_desk(ctx) as desk:
        found = [desk.need(Person, desk.principal(name))] if name else list(desk.reader.where(Person))
        known = {one.id: payload.names(desk.authority.view, one.id) for one in found}
        data = [
            written(one) | {"known_as": [{"issuer": i, "subject": s, "name": n} for i, s, n in known[one.id]]}
            for one in found
        ]
        rows = [
            (
                one.id,
                one.state,
                " ".join(one.groups) or "-",
                "; ".join(f"{n} ({i}#{s})" for i, s, n in known[one.id]) or "erased",
            )
            for one in found
        ]
        emit(form, data[0] if name else data, lambda: columns(("id", "state", "groups", "known as"), rows))


@person.command()
@click.argument("name")
@format_option
@click.pass_context
def confirm(ctx: click.Context, *, name: str, form: str) -> None:
    """Say that a person is still here, as a brief may want of owners."""
    with at_desk(ctx) as desk:
        identity = desk.principal(name)
        made = desk.act(lambda c: principal.confirm(c, identity, desk.by))
        emit(form, written(made), lambda: pairs({"id": made.id, "confirmed": moment(made.confirmed)}))


@person.command()
@click.argument("name")
@click.option("--right", multiple=True, help="An action, or mcp:RESOURCE/*, that can be done for them; repeatable.")
@click.option("--none", "nothing", is_flag=True, help="Nothing can be done for them.")
@click.option("--lift", is_flag=True, help="No limit of their own: policy says what their groups may.")
@format_option
@click.pass_context
def limit(ctx: click.Context, *, name: str, right: tuple[str, ...], nothing: bool, lift: bool, form: str) -> None:
    """Say what agents can do for a person at most, on the delegated path, whatever brief and policy hold besides."""
    if sum((bool(right), nothing, lift)) != 1:
        raise click.UsageError("Give --right, --none or --lift, and one of them only.")
    with at_desk(ctx) as desk:
        identity, rights = desk.principal(name), None if lift else right
        made = desk.act(lambda c: principal.limit(c, identity, rights, desk.by))
        said = "as policy says" if made.rights is None else " ".join(made.rights) or "nothing"
        emit(form, written(made), lambda: pairs({"id": made.id, "rights": said}))


@person.command()
@click.argument("name")
@format_option
@click.pass_context
def erase(ctx: click.Context, *, name: str, form: str) -> None:
    """Erase who a person is. The ledger stays whole; it never held more than the id."""
    with at_desk(ctx) as desk:
        identity = desk.principal(name)

        if desk.need(Person, identity).state == "active":
            say(f"{identity} is still active: revoke the person to end what they own and opened.")
        gone = desk.act(lambda c: principal.erase(c, identity))
        emit(form, {"person": identity, "erased": gone}, lambda: pairs({"person": identity, "erased": f"{gone} names"}))


@person.command()
@click.argument("name")
@format_option
@click.pass_context
def link(ctx: click.Context, *, name: str, form: str) -> None:
    """Print a link that signs a person in at the console once, within 15 minutes: where there is no identity provider.

    Hand it to nobody else: whoever opens it answers as them.
    """
    with at_desk(ctx) as desk:
        identity = desk.principal(name)
        code = desk.act(lambda c: login.issue(c, "link", desk.by, identity))
        data = {"person": identity, "link": f"{desk.settings.origin}/console/enter/{code}"}
        emit(form, data, lambda: pairs(data))


@click.group(cls=Listing)
def service() -> None:
    """Register services that may open tasks or ask for decisions. A service is never an agent."""


@service.command("add")
@click.argument("name")
@click.option("--owner", required=True, help="The person who answers for it.")
@click.option("--key", "key_file", help="File with its public JWK, or JWK set.")
@format_option
@click.pass_context
def add_service(ctx: click.Context, *, name: str, owner: str, key_file: str | None, form: str) -> None:
    """Register a service."""
    with at_desk(ctx) as desk:
        keys, owner_id = keys_of(key_file), desk.principal(owner)
        made = desk.act(lambda c: principal.add_service(c, name, owner_id, keys, desk.by))
        emit(form, written(made), lambda: pairs({"id": made.id, "name": made.name, "owner": made.owner}))


@service.command("token")
@click.argument("name")
@format_option
@click.pass_context
def give_token(ctx: click.Context, *, name: str, form: str) -> None:
    """Give a service a token to ask for decisions with. The one before it ends; this one is shown once."""
    with at_desk(ctx) as desk:
        identity = desk.principal(name)
        made, text = desk.act(lambda c: principal.give_token(c, identity, desk.by))
        emit(form, {"service": made.id, "token": text}, lambda: pairs({"service": made.id, "token": text}))


@service.command("show")
@format_option
@click.pass_context
def show_services(ctx: click.Context, *, form: str) -> None:
    """List all services."""
    with at_desk(ctx) as desk:
        found = list(desk.reader.where(Service))
        rows = [(one.id, one.name, one.state, one.owner) for one in found]
        emit(form, [written(one) for one in found], lambda: columns(("id", "name", "state", "owner"), rows))
