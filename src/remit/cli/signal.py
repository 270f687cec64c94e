"""`remit signal`: who may tell us of people, and what they told."""

import click

from remit.cli.desk import at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, moment, pairs, written
from remit.control import signal as signals
from remit.core.signal import Signal, Transmitter


@click.group(cls=Listing)
def signal() -> None:
    """Let identity providers tell us of people (OpenID Shared Signals), and see what they told."""


@signal.command()
@click.argument("name")
@click.option("--issuer", required=True, help="Who signs its events.")
@click.option("--keys-url", required=True, help="Where its key set is: jwks_uri of its configuration.")
@click.option("--audience", default="", help="Whom its events are for.  [default: this origin]")
@click.option("--about", multiple=True, help="Another issuer whose subjects it speaks of; repeatable.")
@click.option("--email", is_flag=True, help="It may name people by e-mail, where that is their subject.")
@format_option
@click.pass_context
def add(
    ctx: click.Context,
    *,
    name: str,
    issuer: str,
    keys_url: str,
    audience: str,
    about: tuple[str, ...],
    email: bool,
    form: str,
) -> None:
    """Let somebody push security events to /ssf/events, or be polled for them where a [[transmitters]] table says so.

    An event ends at once what it must.
    """
    with at_desk(ctx) as desk:
        aud = audience or desk.authority.issuer
        wanted = Transmitter(name=name, issuer=issuer, audience=aud, keys_url=keys_url, about=about, email=email)
        made = desk.act(lambda c: signals.add(c, wanted, desk.by))
        members = {"name": made.name, "issuer": made.issuer, "audience": made.audience}
        asked = [one.poll for one in desk.settings.transmitters if one.name == made.name]
        members |= {"polled at": asked[0]} if asked else {"push to": f"{desk.authority.issuer}/ssf/events"}
        emit(form, written(made), lambda: pairs(members))


@signal.command()
@click.argument("name")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def remove(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """Hear somebody no more."""
    with at_desk(ctx) as desk:
        gone = desk.act(lambda c: signals.remove(c, name, desk.by, because))
        emit(form, written(gone), lambda: pairs({"name": gone.name, "state": gone.state}))


@signal.command()
@format_option
@click.pass_context
def show(ctx: click.Context, *, form: str) -> None:
    """List who may tell, and what was heard."""
    with at_desk(ctx) as desk:
        sources, heard = list(desk.reader.where(Transmitter)), list(desk.reader.where(Signal))
        rows = [(s.name, s.state, s.issuer, s.audience) for s in sources]
        told = [(s.id, moment(s.told), s.transmitter, s.event.rpartition("/")[2], s.person, s.ends) for s in heard]

        def table() -> list[str]:
            lines = columns(("name", "state", "issuer", "audience"), rows)
            return [*lines, "", *columns(("signal", "told", "by", "event", "person", "ended"), told)]

        emit(form, {"transmitters": [written(s) for s in sources], "signals": [written(s) for s in heard]}, table)
