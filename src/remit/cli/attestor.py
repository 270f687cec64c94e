"""`remit attestor` and `remit agent bind`: who vouches for agents, and by which of their claims each is known."""

import json
from pathlib import Path

import click

from remit.cli.desk import at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, pairs, say, written
from remit.cli.values import labelled
from remit.control import attestor as attestors
from remit.core.attestor import ISSUERS, NEEDED, Attestor, Binding
from remit.core.errors import RemitError


@click.group(cls=Listing)
def attestor() -> None:
    """Register who vouches for agents: platforms that give workloads signed tokens."""


@attestor.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(sorted(NEEDED)), required=True)
@click.option("--issuer", default="", help="Its issuer URL, or spiffe://TRUST-DOMAIN.  [default: that of its kind]")
@click.option("--audience", default="", help="What its tokens must be for, and nothing else.  [default: this origin]")
@click.option("--keys-url", default="", help="Where its key set or trust bundle is.  [default: by OpenID discovery]")
@click.option("--keys", "keys_file", help="File with its key set or trust bundle, to be pinned.")
@click.option("--once", is_flag=True, help="Each token counts once; it needs a jti.")
@format_option
@click.pass_context
def add(
    ctx: click.Context,
    *,
    name: str,
    kind: str,
    issuer: str,
    audience: str,
    keys_url: str,
    keys_file: str | None,
    once: bool,
    form: str,
) -> None:
    """Register an attestor, or put other keys in force for one."""
    with at_desk(ctx) as desk:
        wanted = Attestor(
            name=name,
            kind=kind,
            issuer=issuer or ISSUERS.get(kind, ""),
            audience=audience or desk.authority.issuer,
            keys_url=keys_url,
            keys=_pinned(keys_file),
            once=once,
        )
        made = desk.act(lambda c: attestors.add(c, wanted, desk.by))
        members = {"name": made.name, "kind": made.kind, "issuer": made.issuer, "audience": made.audience}
        emit(form, written(made), lambda: pairs(members | {"keys": _where(made)}))


@attestor.command()
@click.argument("name")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def remove(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """Trust an attestor no more. What agents were given by it counts no more."""
    with at_desk(ctx) as desk:
        gone = desk.act(lambda c: attestors.remove(c, name, desk.by, because))
        emit(form, written(gone), lambda: pairs({"name": gone.name, "state": gone.state}))


@attestor.command()
@format_option
@click.pass_context
def show(ctx: click.Context, *, form: str) -> None:
    """List who vouches, and which agents are known by it."""
    with at_desk(ctx) as desk:
        found, bound = list(desk.reader.where(Attestor)), list(desk.reader.where(Binding, "state = 'active'"))
        rows = [(a.name, a.kind, a.state, a.issuer, a.audience, _where(a)) for a in found]
        bindings = [(b.id, b.agent, b.attestor, _claims(b)) for b in bound]

        def table() -> list[str]:
            lines = columns(("name", "kind", "state", "issuer", "audience", "keys"), rows)
            return [*lines, "", *columns(("binding", "agent", "attestor", "claims"), bindings)]

        emit(form, {"attestors": [written(a) for a in found], "bindings": [written(b) for b in bound]}, table)


@click.command()
@click.argument("name")
@click.option("--attestor", "source", required=True, help="Who vouches.")
@click.option("--claim", multiple=True, required=True, help="NAME=VALUE that its token must say; A>B leads into A.")
@format_option
@click.pass_context
def bind(ctx: click.Context, *, name: str, source: str, claim: tuple[str, ...], form: str) -> None:
    """Let an agent prove itself by tokens of an attestor that say exactly these claims."""
    with at_desk(ctx) as desk:
        agent, claims = desk.agent(name), labelled(claim)
        made = desk.act(lambda c: attestors.bind(c, agent.id, source, claims, desk.by))
        _bound(form, made)


@click.command()
@click.argument("binding")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def unbind(ctx: click.Context, *, binding: str, because: str, form: str) -> None:
    """End a binding. What the agent was given by it counts no more, from now on."""
    with at_desk(ctx) as desk:
        _bound(form, desk.act(lambda c: attestors.unbind(c, binding, desk.by, because)))


@click.command()
@click.argument("name")
@format_option
@click.pass_context
def secret(ctx: click.Context, *, name: str, form: str) -> None:
    """Give an agent a shared secret: weak, and let in only with the setting weak_client_secrets. It is shown once."""
    with at_desk(ctx) as desk:
        agent = desk.agent(name)
        made, text = desk.act(lambda c: attestors.give_secret(c, agent.id, desk.by))
        say("A shared secret is weak: whoever sees it is this agent. Prefer a key of its own, or an attestor.")
        if not desk.settings.weak_client_secrets:
            say("It is not let in until weak_client_secrets is set.")
        emit(form, {"binding": made.id, "secret": text}, lambda: pairs({"binding": made.id, "secret": text}))


def _pinned(file: str | None) -> str:
    if file is None:
        return ""
    try:
        return json.dumps(json.loads(Path(file).read_text(encoding="utf-8")), separators=(",", ":"))
    except (OSError, ValueError) as fault:
        raise RemitError("file_invalid", f"{file} is no JSON that can be read.", "Give a JWK set or bundle.") from fault


def _where(one: Attestor) -> str:
    return "pinned" if one.keys else one.keys_url or "by discovery"


def _claims(one: Binding) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(one.claims.items())) or "a shared secret (weak)"


def _bound(form: str, one: Binding) -> None:
    members = {"binding": one.id, "agent": one.agent, "attestor": one.attestor, "state": one.state}
    emit(form, written(one), lambda: pairs(members | {"claims": _claims(one)}))
