"""The desk: one command's hold on the local store. Opened from the settings, closed when the command ends."""

import contextlib
import getpass
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from remit.cli import memory
from remit.cli import settings as rules
from remit.cli.output import say
from remit.cli.settings import Settings
from remit.control import agent as agents
from remit.control import connection as connections
from remit.control.authority import FILE, Authority, open_authority
from remit.control.batch import Batch
from remit.control.change import Change, missing
from remit.control.lessor import Lessor
from remit.control.target import Inline
from remit.core.agent import Agent
from remit.core.errors import RemitError
from remit.core.principal import Service
from remit.core.record import Record
from remit.custody.root import Root, open_root
from remit.store import lease as leases
from remit.store import log, payload
from remit.store.opening import SCHEMES, open_db
from remit.store.record import Reader

T = TypeVar("T")
R = TypeVar("R", bound=Record)

END_TENTHS: Final = 50
"""Tenths of a second that a command waits for the ends that it began at targets."""
LOCAL: Final = "local"
"""The issuer of people who are known to this machine only."""


class Desk:
    """One command's hold on the store: `act` changes, `reader` reads, `by` is who it is recorded to be.

    Whoever can open the store and its root key is the operator; the operating system says who that is.
    """

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self.settings = settings
        self.authority = authority
        self.batch = Batch(authority)
        self.reader = Reader(authority.view)
        self.by = payload.person_at(authority.view, LOCAL, operator()) or "operator"

    def act(self, work: Callable[[Change], T]) -> T:
        """Do one change, durably and with its receipt, and return its result."""
        return self.batch.act(work)

    def end_at_targets(self) -> None:
        """Carry out at the targets what this command ended, and say what is not proven dead after five seconds.

        Whoever serves goes on with it, and so does the next command.
        """
        mine = {one.id for one in leases.ending(self.authority.view) if one.ender == self.authority.node}
        parted = {one.id for one in connections.leaving(self.reader) if one.state == "ended"}
        if not mine and not parted:
            return
        inline = Inline()
        lessor = Lessor(self.authority, self.batch, inline.post)

        def over() -> bool:
            ended = not any(one.id in mine for one in leases.ending(self.authority.view))
            return ended and not any(one.id in parted for one in connections.leaving(self.reader))

        inline.work(lessor, over, END_TENTHS)
        lessor.close()
        if kept := [one for one in connections.leaving(self.reader) if one.id in parted]:
            say(f"{len(kept)} connections are not proven ended at their providers yet: remit status.")
        if not mine:
            return
        left = [one for one in leases.ending(self.authority.view) if one.id in mine]
        said = f"{len(mine) - len(left)} leases were ended at their targets and proven dead"
        say(f"{said}; {len(left)} are not yet: remit status." if left else f"{said}.")

    def need(self, kind: type[R], identity: str) -> R:
        """Read a record that must be there (`not_found`)."""
        found = self.reader.get(kind, identity)
        if found is None:
            raise missing(kind, identity)
        return found

    def agent(self, name: str) -> Agent:
        """Find an agent by id or by name (`not_found`)."""
        found = self.reader.get(Agent, name) if name.startswith("agt_") else None
        found = found or agents.named(self.reader, name)
        if found is None:
            raise RemitError("not_found", f"There is no agent {name}.", "List them: remit agent show.")
        return found

    def principal(self, name: str) -> str:
        """Find a person or service: an id, a service's name, or a person's subject, here or as ISSUER#SUBJECT."""
        if name.startswith(("per_", "svc_")):
            return name
        service = next(self.reader.where(Service, "name = ?", (name,)), None)
        if service is not None:
            return service.id
        issuer, mark, subject = name.rpartition("#")
        found = payload.person_at(self.authority.view, issuer if mark else LOCAL, subject)
        if found is None:
            raise RemitError("not_found", f"There is no person or service {name}.", "Add them: remit person add.")
        return found

    def dispatcher(self, name: str) -> str:
        """The principal who opens a task: the named one, else whoever runs the command (`not_found`)."""
        if name:
            return self.principal(name)
        if not self.by.startswith("per_"):
            raise RemitError(
                "not_found",
                "Who runs this command is not registered as a person.",
                "Run remit up once, or name one with --as.",
            )
        return self.by


def operator() -> str:
    """Who runs this command, as the operating system says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


def settings_of(ctx: click.Context, **flags: Any) -> Settings:
    """The settings of this command line; flags of the group and of the command go before all."""
    given = ctx.find_root().obj or {}
    return rules.load(rules.environment(), {"data": given.get("data")} | flags, given.get("config"))


def store_path(settings: Settings) -> Path:
    """Where the embedded store's file is."""
    return settings.data / FILE


def place_of(settings: Settings) -> Path | str:
    """Where the store is: the data folder, or the database that the settings name or refer to."""
    if not settings.store:
        return settings.data
    if settings.store.startswith(SCHEMES):
        return settings.store
    url = rules.read_reference(settings.store, rules.environment()).decode(errors="replace").strip()
    if not url.startswith(SCHEMES):
        raise RemitError("setting_invalid", "What store refers to is no postgresql:// URL.", "Correct what is there.")
    return url


def is_set_up(settings: Settings) -> bool:
    """Say whether the store has its tables."""
    place = place_of(settings)
    if isinstance(place, Path):
        return store_path(settings).exists()
    db = open_db(place)
    try:
        return "migration" in db.tables()
    finally:
        db.close()


def root_of(settings: Settings) -> Root:
    """The root key that the settings name."""
    return open_root(settings.key_reference, rules.environment())


def open_desk(settings: Settings, *, checked: bool = True) -> Desk:
    """Open a store that was set up before (`not_set_up`), and that was not put back since (`store_restored`)."""
    if not is_set_up(settings):
        raise RemitError(
            "not_set_up",
            f"There is no store in {settings.data if not settings.store else 'that database'}.",
            "Set one up: remit up. Or name the folder: remit --data FOLDER.",
        )
    return Desk(settings, opened(settings, checked=checked))


def opened(settings: Settings, *, checked: bool = True) -> Authority:
    """Open or create the store. A ledger keeps the name that its first head gave it, whatever the address is now."""
    authority = open_authority(place_of(settings), root_of(settings), settings.origin, settings.ledger_name)
    try:
        if checked:
            memory.check(settings.data, authority)
        first = log.heads(authority.view, -1, 1)
        if first:
            authority.name = first[0].note.partition("\n")[0]
    except RemitError:
        close(authority)
        raise
    return authority


def close(authority: Authority) -> None:
    """Close both connections."""
    authority.view.close()
    authority.db.close()


@contextlib.contextmanager
def at_desk(ctx: click.Context) -> Iterator[Desk]:
    """Work on the local store for the length of one command."""
    desk = open_desk(settings_of(ctx))
    try:
        yield desk
        desk.end_at_targets()
    finally:
        memory.remember(desk.settings.data, desk.authority)
        close(desk.authority)
