"""`remit ledger`: verify, export, show, replay and prove the record."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import NO, columns, emit, format_option, moment, pairs, say
from remit.cli.verify import Found, examine, exported, verdict_lines
from remit.control import decision, receipt
from remit.control import join as joins
from remit.core import target_log
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.receipt import DECIDED, OUTCOME, decode
from remit.core.shown import shown
from remit.core.target_log import Act
from remit.ledger import note
from remit.store import log

PART: Final = 1000


@click.group()
def ledger() -> None:
    """Verify, export, show, replay and prove the record of every decision and every change."""


@ledger.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False))
@click.option("--live", is_flag=True, help="Verify the store itself instead of an export.  [default without DIR]")
@click.option(
    "--key", "vkeys", multiple=True, metavar="VKEY", help="A verifier key of the ledger.  [default: all of this store]"
)
@click.option(
    "--expect", type=click.Path(dir_okay=False), help="A signed head that must be in it, as it was kept elsewhere."
)
@click.option(
    "--witness", "witnesses", multiple=True, metavar="VKEY", help="A witness's verifier key; say what it cosigned."
)
@format_option
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    folder: str | None,
    live: bool,
    vkeys: tuple[str, ...],
    expect: str | None,
    witnesses: tuple[str, ...],
    form: str,
) -> None:
    """Verify an exported ledger in DIR, or the live one; name the first bad entry by number.

    Exit code 0: everything holds. 1: something does not. 2: nothing was checked, because there is no ledger in DIR.
    DIR and --key together need no store at all; so does the program remit-verify.
    """
    if folder and live:
        raise click.UsageError("Name DIR or --live, not both.")
    head = Path(expect) if expect else None
    if folder and vkeys:
        found = examine(exported(Path(folder)), vkeys, None, head, witnesses)
    else:
        with at_desk(ctx) as desk:
            keys = vkeys or desk.authority.verifiers()
            if folder:
                found = examine(exported(Path(folder)), keys, None, head, witnesses)
            else:
                found = _live(desk, keys, head, witnesses)
    emit(form, found.to_json(), lambda: verdict_lines(found))
    ctx.exit(0 if found.ok else NO)


def _live(desk: Desk, keys: tuple[str, ...], expect: Path | None, witnesses: tuple[str, ...]) -> Found:
    if not log.newest(desk.authority.view).size:
        raise RemitError("ledger_empty", "The ledger has no entry yet.", "Do something first.")
    with tempfile.TemporaryDirectory(prefix="remit-verify-") as scratch:
        write(desk, Path(scratch))
        return examine(exported(Path(scratch)), keys, None, expect, witnesses)


@ledger.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@format_option
@click.pass_context
def export(ctx: click.Context, *, folder: str, form: str) -> None:
    """Write the whole ledger into DIR as C2SP tlog-tiles, for whoever verifies it without us."""
    place = Path(folder)
    if place.exists() and any(place.iterdir()):
        raise RemitError("folder_used", f"{folder} is not empty.", "Name a folder that is empty or not there yet.")
    with at_desk(ctx) as desk:
        files, size = write(desk, place)
        data = {"folder": folder, "files": files, "entries": size, "key": desk.authority.verifier()}
        emit(form, data, lambda: pairs(data))


def write(desk: Desk, place: Path) -> tuple[int, int]:
    """Write every file of the log into a folder; how many files, and how many entries."""
    count = 0
    for path, data in receipt.files(desk.authority.view):
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        count += 1
    return count, receipt.head_size((place / "checkpoint").read_text(encoding="utf-8"))


def _by(act: Act) -> str:
    """What the target calls who acted: the lease's name, its token's digest, or the actor."""
    return act.name or act.mark or act.user


@ledger.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--slack", type=click.IntRange(0), default=2_000, show_default=True, help="Milliseconds between clocks.")
@click.option("--actor", default="", help="Who is ours there, such as an App's bot: all of it must be explained.")
@format_option
@click.pass_context
def join(ctx: click.Context, *, file: str, slack: int, actor: str, form: str) -> None:
    """Hold a target's own log in FILE against the ledger, and show what no decision explains. Exit code 1 if any.

    It reads PostgreSQL's csvlog and jsonlog (pgaudit too), CloudTrail, and GitHub's audit log (JSON, or JSON lines).
    Acts under no name and by no token of ours are only counted.
    """
    try:
        kind, acts = target_log.read(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise RemitError("log_unknown", f"{file} cannot be read as text.", "Name a target's log.") from fault
    with at_desk(ctx) as desk:
        found = joins.join(desk.authority.view, acts, slack, actor)
    gaps = [
        {"line": g.act.line, "at": g.act.at, "name": _by(g.act), "what": g.act.what, "why": g.why} for g in found.gaps
    ]
    data = {
        "kind": kind,
        "explained": [
            {"line": act.line, "at": act.at, "name": _by(act), "entry": leaf} for act, leaf in found.explained
        ],
        "gaps": gaps,
        "others": found.others,
    }

    def table() -> list[str]:
        members = {"log": kind, "explained": len(found.explained), "gaps": len(gaps), "under other names": found.others}
        rows = [(g.act.line, moment(g.act.at), shown(_by(g.act), 60), shown(g.act.what, 60), g.why) for g in found.gaps]
        return [*pairs(members), *(columns(("line", "at", "name", "what", "why"), rows) if rows else [])]

    emit(form, data, table)
    if not acts:
        say(f"Not one act was read in {file}, taken for a log of {kind}: see that it is whole and that it is that log.")
    ctx.exit(NO if gaps else 0)


@ledger.command()
@click.argument("number", metavar="[N]", type=click.IntRange(0), required=False)
@click.option("--task", "task_id", help="Only what concerns this task.")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest.")
@format_option
@click.pass_context
def show(ctx: click.Context, *, number: int | None, task_id: str | None, last: int, form: str) -> None:
    """Show entry N whole, or list the newest ones."""
    with at_desk(ctx) as desk:
        if number is not None:
            _one(desk, form, number)
            return
        found = list(_of_task(desk, task_id)) if task_id else list(_newest(desk, last))
        found = found[-last:]
        rows = [(n, moment(r["at"]), r["kind"], _about(r), _said(r)) for n, r in found]
        data = [{"entry": n, "receipt": r} for n, r in found]
        emit(form, data, lambda: columns(("entry", "at", "kind", "about", "said"), rows))


def _one(desk: Desk, form: str, number: int) -> None:
    view = desk.authority.view
    found = list(log.entries(view, number, number + 1))
    if not found:
        raise RemitError("not_found", f"The ledger has no entry {number}.", f"It has {log.newest(view).size} entries.")
    body = decode(found[0])
    data: Json = {"entry": number, "receipt": body}
    if body["kind"] == DECIDED:
        data["payload"] = decision.shown(desk.authority, body["call"]) if body["args"] else {}
    emit(form, data, lambda: json.dumps(data, indent=2, sort_keys=True).splitlines())


def _newest(desk: Desk, last: int) -> Iterator[tuple[int, dict[str, Json]]]:
    size = log.newest(desk.authority.view).size
    start = max(0, size - last)
    for number, body in enumerate(log.entries(desk.authority.view, start, size), start):
        yield number, decode(body)


def _of_task(desk: Desk, task_id: str) -> Iterator[tuple[int, dict[str, Json]]]:
    view = desk.authority.view
    size, calls = log.newest(view).size, set()
    for start in range(0, size, PART):
        for number, body in enumerate(log.entries(view, start, min(start + PART, size)), start):
            if task_id.encode() not in body and b'"call.outcome"' not in body:
                continue
            one = decode(body)
            record = one.get("record") or {}
            if one.get("task") == task_id:
                calls.add(one.get("call"))
            names = {record.get(name) for name in ("task", "id", "parent", "target")}
            if one.get("task") == task_id or task_id in names or (one["kind"] == OUTCOME and one["call"] in calls):
                yield number, one


def _about(one: dict[str, Json]) -> str:
    record = one.get("record") or {}
    return str(
        one.get("action") or one.get("call") or record.get("id") or record.get("name") or record.get("task") or "-"
    )


def _said(one: dict[str, Json]) -> str:
    if "decision" in one:
        return f"{one['decision']} {one.get('code', '')}".strip()
    return str(one.get("result") or one.get("code") or (one.get("record") or {}).get("state") or "-")


@ledger.command()
@format_option
@click.pass_context
def replay(ctx: click.Context, *, form: str) -> None:
    """Rebuild every table from the ledger alone and compare. Exit code 1 when a row is not explained by it."""
    with at_desk(ctx) as desk, tempfile.TemporaryDirectory(prefix="remit-replay-") as scratch:
        differs = receipt.replay(desk.authority, Path(scratch) / "twin.db")
        data = {"ok": not differs, "differs": differs}
        emit(form, data, lambda: differs or ["Every table is what the ledger says."])
    ctx.exit(NO if differs else 0)


@ledger.command()
@click.argument("number", metavar="N", type=click.IntRange(0))
@click.option("--to", "stem", required=True, help="Write STEM.tlog-proof and STEM.json, the proof and the entry.")
@format_option
@click.pass_context
def prove(ctx: click.Context, *, number: int, stem: str, form: str) -> None:
    """Write a self-contained proof that entry N is in the ledger; remit-verify checks it."""
    with at_desk(ctx) as desk:
        proof = receipt.prove(desk.authority, number)
        body = next(iter(log.entries(desk.authority.view, number, number + 1)))
        Path(f"{stem}.tlog-proof").write_bytes(proof)
        Path(f"{stem}.json").write_bytes(body)
        data = {
            "entry": number,
            "proof": f"{stem}.tlog-proof",
            "record": f"{stem}.json",
            "key": desk.authority.verifier(),
        }
        emit(form, data, lambda: pairs(data))


@ledger.command()
@click.option("--all", "every", is_flag=True, help="Print those that signed before, too, a line each.")
@format_option
@click.pass_context
def key(ctx: click.Context, *, every: bool, form: str) -> None:
    """Print the ledger's verifier key. Hand it, and now and then a signed head, to whoever will check us."""
    with at_desk(ctx) as desk:
        text = desk.authority.verifier()
        head = log.newest(desk.authority.view)
        keys = list(desk.authority.verifiers())
        data = {"key": text, "keys": keys, "origin": note.parse_vkey(text).name, "size": head.size, "head": head.note}
        emit(form, data, lambda: keys if every else [text])
