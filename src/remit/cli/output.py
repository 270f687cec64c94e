"""What a command says: data on stdout as a table or JSON, all else on stderr. Text from others is shown inert."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

from remit.cli import wide
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.record import Record, dump
from remit.core.shown import shown

F = TypeVar("F", bound=Callable[..., Any])

YES: Final = 0
NO: Final = 1
LOCAL: Final = 2
REMOTE: Final = 3
REFUSED: Final = 4
PENDING: Final = 5

_REFUSALS: Final = frozenset(
    {
        "approval_required", "approver_refused", "credential_refused", "depth_exceeded", "dispatcher_refused",
        "parent_ended", "person_other", "plan_outside", "plan_wider", "task_refused", "transition_refused",
        "approval_denied", "approval_flood", "ends_unproven", "task_waits", "reach_over", "children_spent",
        "rightsize_unapproved", "rightsize_wider", "rightsize_fails", "run_delegated", "review_lacks",
        "run_own", "sign_in_missing", "consent_denied", "consent_foreign", "consent_over", "consent_unanswered",
    }
)  # fmt: skip
_REMOTE: Final = ("upstream_", "server_", "store_busy", "queue_full", "deadline_passed")


def exit_code(code: str) -> int:
    """The exit code of a fault: 3 server or network, 4 not permitted, else 2."""
    if code.startswith(_REMOTE):
        return REMOTE
    return REFUSED if code in _REFUSALS else LOCAL


def forms(*names: str) -> Callable[[F], F]:
    """Give a command `-o` with these forms; the first is what it says without."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="Form of the data.",
    )


def format_option(command: F) -> F:
    """Give a command `-o table|json`."""
    return forms("table", "json")(command)


def moment(at: object) -> str:
    """An instant as RFC 3339 in UTC, to the second; a dash when there is none."""
    if not isinstance(at, int) or not at:
        return "-"
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(form: str, data: Json, table: Callable[[], Iterable[str]]) -> None:
    """Write the data: as one JSON document, or as the lines of the table."""
    if form == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=True, sort_keys=True))
        return
    for line in table():
        click.echo(line)


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lay rows out under their heads, as wide as the terminal. Nothing is cut: half an id is of no use."""
    return wide.table(head, [[shown(str(cell)) for cell in row] for row in rows], wide.width())


def text(lines: Iterable[str]) -> list[str]:
    """Sentences, each in as many lines as the terminal needs."""
    return [line for one in lines for line in wide.wrapped(shown(one), wide.width())]


def ways(found: Iterable[Sequence[str]]) -> list[str]:
    """Ways from step to step, each in as many lines as the terminal needs, and no step in two."""
    return [line for steps in found for line in wide.joined([shown(one) for one in steps], " > ", wide.width())]


def pairs(members: Mapping[str, object]) -> list[str]:
    """Lay one thing out: a line for each member, or several in a narrow terminal."""
    most, across = max((len(name) for name in members), default=0), wide.width()
    told = (f"{name.ljust(most)}  {shown(str(value))}" for name, value in members.items())
    return [line for one in told for line in wide.wrapped(one, across, most + wide.GAP)]


def written(record: Record) -> dict[str, Json]:
    """A record as JSON, with its state even where a receipt leaves it out as the first one."""
    state = getattr(record, "state", None)
    return dump(record) | ({"state": state} if state else {})


def many(count: int, word: str) -> str:
    """So many of something, in words: 1 file, 2 files."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def say(text: str) -> None:
    """Say something that is no data, on stderr."""
    click.echo(text, err=True)


def complain(fault: RemitError) -> None:
    """Tell a fault: what and why, what to do, its code."""
    word = "error:"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        word = click.style(word, fg="red", bold=True)
    click.echo(f"{word} {shown(fault.message)}\n  {shown(fault.remedy)} [{fault.code}]", err=True)
