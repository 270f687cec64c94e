"""`remit doctor`: everything that can be looked at without changing it, each finding with a code and a remedy."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import click

from remit.cli import memory
from remit.cli import settings as rules
from remit.cli.desk import Desk, close, open_desk, settings_of
from remit.cli.output import NO, emit, format_option, say
from remit.control import receipt, revocation
from remit.control import task as tasks
from remit.control.attestor import shared_secrets
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.signer import ALWAYS
from remit.gateway.upstream import program
from remit.ledger import LedgerFault, note
from remit.ledger.verify import CHECKPOINT, HEADS, audit
from remit.store.fault import Flaw, flaw
from remit.store.migrate import packaged, require_current

Finding = tuple[str, str, str, str]


@click.command()
@click.option("--replay", "deep", is_flag=True, help="Also verify the ledger and rebuild every table from it.")
@click.option(
    "--accept-restore", is_flag=True, help="The store was restored: end everything that it gave out, and go on."
)
@format_option
@click.pass_context
def doctor(ctx: click.Context, *, deep: bool, accept_restore: bool, form: str) -> None:
    """Look for what is wrong with this installation. Exit code 1 when there is something."""
    settings = settings_of(ctx)
    desk = open_desk(settings, checked=False)
    try:
        if accept_restore:
            _restored(desk)
        found = [(name, *_said(problem)) for name, look in checks(desk, deep=deep) for problem in _look(look)]
    finally:
        close(desk.authority)
    names = [name for name, _ in checks(desk, deep=deep)]
    data = {
        "ok": not found,
        "looked_at": names,
        "sqlite": apsw.sqlite_lib_version(),
        "findings": [{"at": at, "code": code, "what": what, "remedy": remedy} for at, code, what, remedy in found],
    }
    emit(form, data, lambda: _table(names, found))
    ctx.exit(NO if found else 0)


def checks(desk: Desk, *, deep: bool) -> list[tuple[str, Callable[[], Iterator[Flaw]]]]:
    """What is looked at, in order."""
    look: list[tuple[str, Callable[[], Iterator[Flaw]]]] = [
        ("store", lambda: iter(desk.authority.view.check())),
        ("migrations", lambda: _quiet(lambda: require_current(desk.authority.view, packaged()))),
        ("clock", lambda: _quiet(desk.authority.clock.now)),
        ("restore", lambda: _quiet(lambda: memory.check(desk.settings.data, desk.authority))),
        ("keys", lambda: _quiet(lambda: [desk.authority.signer.active(purpose) for purpose in ALWAYS])),
        ("secrets", lambda: _secrets(desk)),
        ("files", lambda: _files(desk)),
        ("bind", lambda: _quiet(lambda: rules.check_bind(desk.settings))),
        ("programs", lambda: _programs(desk)),
        ("weakness", lambda: _weak(desk)),
    ]
    if deep:
        look += [("ledger", lambda: _ledger(desk)), ("replay", lambda: _replay(desk))]
    return look


def _look(look: Callable[[], Iterator[Flaw]]) -> list[Flaw]:
    try:
        return list(look())
    except RemitError as fault:
        return [flaw(fault)]
    except LedgerFault as fault:
        return [Flaw(fault.code, fault.message, fault.remedy)]


def _quiet(look: Callable[[], object]) -> Iterator[Flaw]:
    look()
    return iter(())


def _secrets(desk: Desk) -> Iterator[Flaw]:
    for one in desk.reader.where(Resource, "state = 'active'"):
        for injection in one.injections:
            try:
                desk.authority.vault.get("upstream", injection.secret)
            except RemitError as fault:
                yield flaw(fault)


def _files(desk: Desk) -> Iterator[Flaw]:
    for path in sorted(desk.settings.data.iterdir()) if os.name == "posix" else ():
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and not path.name.startswith("remit.db"):
            yield Flaw("key_file_open", f"Others can reach {path} (mode {mode:04o}).", f"Run: chmod 600 {path}")


def _programs(desk: Desk) -> Iterator[Flaw]:
    for one in desk.reader.where(Resource, "state = 'active'"):
        if one.upstream.argv and one.upstream.program:
            seal = program.find(one.upstream.argv, dict(one.upstream.environment), one.upstream.directory or None).seal
            if b64(seal) != one.upstream.program:
                yield Flaw(
                    "server_changed",
                    f"The program of {one.name} or one of its files is not what was registered.",
                    f"Look at what changed, then run: remit resource repin {one.name}",
                )


def _weak(desk: Desk) -> Iterator[Flaw]:
    if desk.settings.weak_client_secrets:
        yield Flaw(
            "secrets_weak", "Agents are let in by shared secrets.", "Unset weak_client_secrets; bind them instead."
        )
    for one in shared_secrets(desk.reader):
        name = desk.need(Agent, one.agent).name
        yield Flaw(
            "secrets_weak", f"{name} has a shared secret.", f"Run: remit agent unbind {one.id}, and give it a key."
        )


def _ledger(desk: Desk) -> Iterator[Flaw]:
    files = dict(receipt.files(desk.authority.view))
    if CHECKPOINT in files and HEADS in files:
        key = note.parse_vkey(desk.authority.verifier())
        found = audit(files.get, key.name, [key])
        if not found:
            where = f"entry {found.index}" if found.index is not None else "the ledger"
            yield Flaw(
                "ledger_bad", f"{where}: {found.what}.", "Stop Remit, keep a copy, and restore the latest backup."
            )


def _replay(desk: Desk) -> Iterator[Flaw]:
    scratch = Path(tempfile.mkdtemp(prefix="remit-replay-"))
    try:
        for line in receipt.replay(desk.authority, scratch / "twin.db"):
            yield Flaw("replay_differs", f"{line}.", "Stop Remit, keep a copy, and restore the latest backup.")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _restored(desk: Desk) -> None:
    """End whatever the restored store gave out: every task, and on both paths every credential from before now."""

    def work(change: Change) -> None:
        for one in list(change.reader.where(Task, "state != 'ended'")):
            tasks.end(change, one.id, "revoked", desk.by)
        for path in TrustPath:
            revocation.revoke(change, "path", path.value, desk.by, "the store was restored")
            revocation.open_path(change, path, desk.by)

    desk.act(work)
    memory.forget(desk.settings.data)
    memory.remember(desk.settings.data, desk.authority)
    say(
        "Every task and credential of this store has ended. Who was suspended or left after the backup is active again:"
    )
    say("suspend and revoke them anew; the restored ledger cannot show what came after it.")


def _said(problem: Flaw) -> tuple[str, str, str]:
    return problem.code, problem.message, problem.remedy


def _table(names: list[str], found: list[Finding]) -> list[str]:
    lines = []
    for name in names:
        mine = [one for one in found if one[0] == name]
        lines += (
            [f"{name:12}ok"] if not mine else [f"{name:12}{what} {remedy} [{code}]" for _, code, what, remedy in mine]
        )
    return lines
