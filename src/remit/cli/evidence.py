"""`remit evidence`: all that the ledger says of one task, in one file that is checked without a server."""

import functools
from pathlib import Path

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import emit, format_option, pairs
from remit.control import evidence as taking
from remit.core.canonical import read
from remit.core.errors import RemitError

AGAIN = 5
"""How often a task that goes on meanwhile is read again."""


@click.command()
@click.argument("task_id", metavar="TASK")
@click.option("--to", "file", type=click.Path(dir_okay=False), help="Write it here.  [default: TASK.json]")
@click.option("--html", "page", type=click.Path(dir_okay=False), help="Write a readable report of it here as well.")
@click.option("--since", type=click.Path(dir_okay=False), help="A signed head, kept elsewhere, that it must continue.")
@format_option
@click.pass_context
def evidence(
    ctx: click.Context, *, task_id: str, file: str | None, page: str | None, since: str | None, form: str
) -> None:
    """Write the evidence of TASK and all below it: receipts with proofs, plans, policies, approvals with their cards.

    remit-verify checks the file with the ledger's key alone, and names the first thing that is wrong.
    """
    with at_desk(ctx) as desk:
        data, count = taken(desk, task_id, Path(since).read_bytes() if since else b"")
        place = Path(file or f"{task_id}.json")
        place.write_bytes(data)
        said = {"file": str(place), "entries": count, "key": desk.authority.verifier()}
        if page:
            from remit.web.console.report import report

            Path(page).write_text(report(read(data)), encoding="utf-8")
            said["html"] = page
        emit(form, said, lambda: pairs(said))


def taken(desk: Desk, task_id: str, since: bytes = b"") -> tuple[bytes, int]:
    """Take evidence, again when the task went on meanwhile; the file, and how many entries it has."""
    for _ in range(AGAIN):
        one = taking.begin(desk.authority, task_id)
        for _ in one.read():
            continue
        try:
            desk.act(functools.partial(taking.made, taking=one))
        except RemitError as fault:
            if fault.code != "evidence_moved":
                raise
        else:
            return taking.written(one, since), len(one.found)
    raise RemitError("evidence_moved", "The task went on while its evidence was taken.", "Take it again.")
