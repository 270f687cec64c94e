"""`remit scan`: look for agents' servers and secrets that lie outside governance. No server, store or account."""

import json
import os
import time
from collections import Counter
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec

from remit.cli.output import NO, columns, emit, forms, many, say
from remit.core.errors import RemitError
from remit.core.finding import Severity
from remit.core.shown import shown
from remit.scan import accepted, kept, shapes
from remit.scan.accepted import Marked, State, Suppression
from remit.scan.remedy import remedy
from remit.scan.report import report
from remit.scan.rooted import Rooted
from remit.scan.sarif import sarif
from remit.scan.walk import Scan
from remit.scan.walk import scan as walk


@click.command()
@click.argument("places", metavar="PATH...", nargs=-1, type=click.Path(exists=True))
@click.option("--home", is_flag=True, help="Look below your home folder, too.")
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in Severity]),
    help="Exit with 1 on a new finding this severe or worse, and on any file that could not be read. With --fix --write"
    " what is left counts; where nothing is written, all that is found.",
)
@click.option("--baseline", type=click.Path(exists=True, dir_okay=False), help="Findings that were known before.")
@click.option("--write-baseline", type=click.Path(dir_okay=False), help="Write all that is found now as known.")
@click.option(
    "--suppress", type=click.Path(exists=True, dir_okay=False), help="Findings that somebody answers for, until a day."
)
@click.option(
    "--anew", is_flag=True, help="Read every file again, also those that have not changed since the last scan."
)
@click.option("--enroll", is_flag=True, help="Show the agents that were met beside those that are registered.")
@click.option("--fix", is_flag=True, help="Show as a patch what can be mended with no risk; nothing is written.")
@click.option("--write", is_flag=True, help="With --fix: do it. With --enroll: propose those that are not registered.")
@click.option("--patch", type=click.Path(), help="With --fix: a new file, yours alone, for what git apply takes.")
@click.option("--values", type=click.Path(), help="With --write or --patch: a new file, yours alone, for secrets.")
@click.option("--briefs", type=click.Path(file_okay=False), help="With --enroll: write drafts of briefs into it.")
@click.option("--owner", default="", help="With --write: the person who answers for what is proposed.")
@click.option("--review", default="30d", show_default=True, help="With --write: when it must be looked at.")
@forms("table", "json", "sarif", "html")
@click.pass_context
def scan(
    ctx: click.Context,
    *,
    places: tuple[str, ...],
    home: bool,
    fail_on: str | None,
    baseline: str | None,
    write_baseline: str | None,
    suppress: str | None,
    anew: bool,
    enroll: bool,
    fix: bool,
    write: bool,
    patch: str | None,
    values: str | None,
    briefs: str | None,
    owner: str,
    review: str,
    form: str,
) -> None:
    """Find secrets, risky servers and wide grants in what agents are set up with, below each PATH.

    Read are MCP clients' settings, .env files, shell profiles, Compose, Kubernetes, GitHub Actions, systemd units,
    Terraform, CloudFormation, cloud policies and agents' Python. Nothing that is found is run, tried or printed.
    What lies in the scanned tree never says what to leave out: a baseline and suppressions are named here, or there
    are none.
    """
    if home:
        places = (*places, str(Path.home()))
    if not places:
        raise click.UsageError("Name a PATH, or --home.")
    _sensible(ctx.params)
    today = datetime.now(UTC).date()
    known = accepted.baseline(Path(baseline).read_bytes()) if baseline else frozenset()
    answered = accepted.suppressions(Path(suppress).read_bytes(), today) if suppress else ()
    found, marked = _look(places, known, answered, today, anew=anew)
    if enroll:
        from remit.cli.enrolling import enroll as put_forward

        put_forward(ctx, found, places, owner=owner, review=review, write=write, briefs=briefs, form=form)
    elif fix:
        from remit.cli.mending import mending

        mending(ctx, places, marked, write=write, values=values, into=patch, form=form)
        if write and fail_on:
            found, marked = _look(places, known, answered, today, anew=anew)
    else:
        _print(form, found, marked)
    _warn(answered, today)
    if write_baseline:
        _keep(Path(write_baseline), accepted.written(marked))
    new = [one.finding.rule.severity.rank for one in marked if one.state is State.NEW]
    if fail_on and (found.unread or any(rank >= Severity(fail_on).rank for rank in new)):
        ctx.exit(NO)


def _keep(file: Path, data: bytes) -> None:
    """Write a baseline anew, whole or not at all. Through no link: whoever writes in a tree could lead it anywhere."""
    if file.is_symlink():
        raise RemitError(
            "baseline_invalid",
            f"{shown(str(file))} is a link, and nothing is written through one.",
            "Name the file itself, or another one.",
        )
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as made:
        made.write(data)
    part.replace(file)


def _sensible(given: dict[str, Any]) -> None:
    """Refuse options that say nothing together."""
    fix, enroll, write, patch = (given[name] for name in ("fix", "enroll", "write", "patch"))
    if (fix or enroll) and given["form"] not in ("table", "json"):
        raise click.UsageError("--fix and --enroll are told as a table or as JSON.")
    if (fix and enroll) or (patch and (not fix or write)) or (write and not (fix or enroll)):
        raise click.UsageError("--write goes with --fix or with --enroll, and --patch with --fix and not with --write.")
    if given["values"] and not (fix and (write or patch)):
        raise click.UsageError("--values goes with --fix --write, or with --fix --patch.")
    if given["write_baseline"] and (fix or enroll):
        raise click.UsageError("--write-baseline goes with neither --fix nor --enroll.")


def _look(
    places: tuple[str, ...], known: frozenset[str], answered: tuple[Suppression, ...], today: date, *, anew: bool
) -> tuple[Scan, tuple[Marked, ...]]:
    """What is found now, and which of it is new."""
    place = None if anew else kept.folder(dict(os.environ), places)
    found = walk(places, kept.Kept(place, places, time.time_ns()) if place else None)
    return found, accepted.mark(found.findings, known, answered, today, Rooted(places))


def _print(form: str, found: Scan, marked: tuple[Marked, ...]) -> None:
    if form == "sarif":
        click.echo(json.dumps(sarif(found, marked, version("remit")), indent=2, sort_keys=True))
        return
    told = report(found, marked)
    if form == "html":
        from remit.scan.page import page

        click.echo(page(told))
        return
    emit(form, msgspec.to_builtins(told), lambda: _lines(marked))
    if form == "table":
        for one in found.unread:
            say(f"not read: {shown(one.file)}: {one.reason}")
        count = Counter(one.state for one in marked)
        old = {"known": count[State.KNOWN], "answered for": count[State.SUPPRESSED]}
        parts = ", ".join(f"{so_many} {word}" for word, so_many in old.items() if so_many)
        rest = f" ({parts})" if parts else ""
        say(f"{many(len(marked), 'finding')}{rest} in {many(found.read, 'file')} read, of {found.met} met.")
        say(shapes.told(found.shapes))


def _lines(marked: tuple[Marked, ...]) -> list[str]:
    rows = [
        (one.kind, one.rule.severity, f"{one.evidence.file}:{one.evidence.line}", one.evidence.said, remedy(one))
        for one in (each.finding for each in marked if each.state is State.NEW)
    ]
    return columns(("code", "severity", "where", "what", "fix"), rows) if rows else []


def _warn(answered: tuple[Suppression, ...], today: date) -> None:
    for one in answered:
        if one.until < today:
            say(f"over since {one.until}: {shown(one.owner)} no longer answers for {one.code} in {shown(one.file)}")
