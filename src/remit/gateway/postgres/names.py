"""The names of one session: what is prepared, bound and declared, and under which name at the database.

A name at the database is the gate's own and is used once: a name that a client gives again, or that the database
skipped in a failed pipeline, can therefore never mean what it meant before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.statement import Kind, Statement, calls, read, session
from remit.gateway.postgres.tree import refused
from remit.gateway.postgres.value import NAMED, OIDS, OTHER, UNKNOWN, Bound, Slot, bind, family

PREPARED: Final = 1000
"""How many statements a session may hold, and how many portals."""
BOUND: Final = 64 * 1024 * 1024
"""How many octets the parameters of its portals may have together."""
OFTEN: Final = 8
_HOLDS: Final = 0x20
"""The flag of WITH HOLD in the options of DECLARE (CURSOR_OPT_HOLD)."""


@dataclass(slots=True)
class Prepared:
    """A statement under a name: what it is, its name at the database, and its parameters' types.

    `refers` is what its text names there, when it executes, fetches or declares.
    """

    statement: Statement | None
    own: str
    types: tuple[int, ...] = ()
    refers: "Prepared | Portal | None" = None


@dataclass(slots=True)
class Portal:
    """A statement with its parameters, ready to run, any number of times.

    `declared`: it is a cursor of SQL, `holds` one that outlives its transaction. `earlier` are other parameters that it
    may have at the database, where it was declared more than once.
    """

    prepared: Prepared
    own: str
    bound: tuple[Bound, ...] = ()
    declared: bool = False
    size: int = 0
    holds: bool = False
    earlier: list[tuple[Bound, ...]] = field(default_factory=list, repr=False)
    told: int = 0
    """In which stretch between two rests it was last declared; 0 when never."""

    def declare(self, bound: tuple[Bound, ...], stretch: int) -> None:
        """It is declared with these parameters; where the database may have it already, those before may hold too."""
        if self.told != stretch and not (self.told and self.holds):
            self.earlier.clear()
        elif self.bound != bound:
            if len(self.earlier) >= OFTEN:
                raise many(f"A cursor is declared {OFTEN} times with other parameters by one prepared statement.")
            self.earlier.append(self.bound)
        self.bound, self.told = bound, stretch
        self.size = sum(len(one.data) for each in (bound, *self.earlier) for one in each if one.data is not None)


@dataclass(slots=True)
class Resolved:
    """A statement with the text that will be sent, in which names are those at the database."""

    statement: Statement
    text: str
    refers: Prepared | Portal | None = None


class Names:
    """Owned by one session."""

    def __init__(self, resource: str) -> None:
        self.statements: dict[str, Prepared] = {}
        self.portals: dict[str, Portal] = {}
        self._stretch = 1
        self._resource = resource
        self._number = 0

    def fresh(self) -> str:
        """A name that was never used at the database."""
        self._number += 1
        return f"remit_{self._number}"

    def stale(self, catalogue: Catalogue) -> bool:
        """Whether something that is prepared, bound or declared means other calls by this catalogue."""
        held = [*self.statements.values(), *(one.prepared for one in self.portals.values())]
        return any(_other(one.statement, catalogue) for one in held if one.statement is not None)

    def place(self) -> None:
        """Refuse another prepared statement where there are too many (`statement_many`)."""
        if len(self.statements) >= PREPARED:
            raise many(f"A session may hold {PREPARED} prepared statements.")

    def room(self, size: int) -> None:
        """Refuse another portal with parameters of so many octets where that is too much (`statement_many`)."""
        if len(self.portals) >= PREPARED or size + sum(one.size for one in self.portals.values()) > BOUND:
            raise many(f"A session may hold {PREPARED} portals, with parameters of {BOUND} octets together.")

    def rest(self) -> None:
        """No transaction is open: portals are gone, but for what was declared to outlive it."""
        for name in [name for name, one in self.portals.items() if not one.holds]:
            del self.portals[name]
        self._stretch += 1

    def resolve(self, one: Statement) -> Resolved:
        """Write a statement's text with names at the database (`prepared_unknown`, `portal_unknown`)."""
        if one.kind is Kind.PREPARE:
            self.place()
            made = Prepared(one, self.fresh(), one.types)
            self.statements[one.name] = made
            return Resolved(one, one.renamed(made.own), made)
        if one.kind is Kind.DECLARE:
            self.room(0)
            own = self.fresh()
            holds = bool(one.tree.stmts[0].stmt.declare_cursor_stmt.options & _HOLDS)
            return Resolved(one, one.renamed(own), Portal(Prepared(one, own), own, declared=True, holds=holds))
        if one.kind is Kind.EXECUTE:
            held = self.statements.get(one.name)
            if held is None or held.statement is None:
                raise no_statement()
            return Resolved(one, one.renamed(held.own), held)
        if one.kind is Kind.FETCH:
            portal = self.portals.get(one.name)
            if portal is None or portal.prepared.statement is None:
                raise no_portal()
            if portal.prepared.statement.kind not in (Kind.QUERY, Kind.DECLARE):
                # What executes or reads on runs something else, and FETCH would run it.
                raise refused("FETCH and MOVE take a cursor, or the portal of a query.")
            return Resolved(one, one.renamed(portal.own), portal)
        if one.kind is Kind.DEALLOCATE or (one.kind is Kind.CLOSE and one.name):
            gone = (self.statements if one.kind is Kind.DEALLOCATE else self.portals).get(one.name)
            return Resolved(one, one.renamed(gone.own if gone else self.fresh()))
        return Resolved(one, one.text)

    def calls(self, one: Resolved, bound: Sequence[Bound]) -> list[Call]:
        """The calls that a statement is when it runs; what it changes of the names is kept."""
        statement, refers = one.statement, one.refers
        self._change(statement)
        if statement.kind in (Kind.RESET, Kind.PREPARE):
            return [session(self._resource, statement.label)]
        if isinstance(refers, Portal):
            if statement.kind is Kind.DECLARE:
                refers.declare(tuple(bound), self._stretch)
                self.portals[statement.name] = refers
            return self.of_cursor(refers)
        if isinstance(refers, Prepared) and refers.statement is not None:
            found = calls(self._resource, refers.statement, given(statement, bound, refers.types))
            return found + calls(self._resource, statement, bound) if statement.acts else found
        if statement.kind in (Kind.FREE, Kind.DEALLOCATE, Kind.CLOSE):
            return []
        return calls(self._resource, statement, bound)

    def of_cursor(self, portal: Portal) -> list[Call]:
        """The calls of reading on from a cursor: those of its query, with all parameters that it may have."""
        held = portal.prepared.statement
        if held is None:
            return []
        found = [call for bound in (portal.bound, *portal.earlier) for call in calls(self._resource, held, bound)]
        return list({call.digest: call for call in found}.values())

    def _change(self, one: Statement) -> None:
        if one.kind is Kind.DEALLOCATE:
            self.statements.pop(one.name, None)
        elif one.kind is Kind.CLOSE and one.name:
            self.portals.pop(one.name, None)
        elif one.kind is Kind.CLOSE:
            self.portals.clear()
        elif one.kind is Kind.RESET:
            self.statements.clear()
            self.portals.clear()


def joins(one: Statement) -> bool:
    """Whether a statement may stand in one text with others: queries, but no COPY of rows; settings; CLOSE ALL."""
    free = one.kind in (Kind.QUERY, Kind.SESSION) or (one.kind is Kind.CLOSE and not one.name)
    return free and not one.control and not one.takes_rows


def _other(one: Statement, catalogue: Catalogue) -> bool:
    try:
        (found,) = read(one.text, catalogue)
    except RemitError:
        return True
    return found.acts != one.acts


def many(what: str) -> RemitError:
    """The fault for what is too much at a time."""
    return RemitError("statement_many", what, "Send each by itself.")


def no_statement() -> RemitError:
    """The fault for a prepared statement that is not there."""
    return RemitError("prepared_unknown", "There is no prepared statement of this name.", "Prepare it first.")


def no_portal() -> RemitError:
    """The fault for a portal or cursor that is not there."""
    return RemitError("portal_unknown", "There is no portal or cursor of this name.", "Bind or declare it first.")


def given(statement: Statement, bound: Sequence[Bound], types: Sequence[int]) -> tuple[Bound, ...]:
    """The values of an EXECUTE as parameters of these types; one that is not plain is none that a limit passes."""
    found = []
    for place, one in enumerate(statement.given):
        oid = types[place] if place < len(types) else 0
        value = bind(one, bound) if isinstance(one, Slot) else one.value
        if isinstance(value, dict | list):
            found.append(Bound(b"", binary=True, oid=OTHER))
        elif value is None:
            found.append(Bound(None))
        else:
            said = "true" if value is True else "false" if value is False else str(value)
            found.append(Bound(said.encode(), oid=oid if isinstance(value, str) else _typed(value, oid)))
    return tuple(found)


def _typed(value: Json, oid: int) -> int:
    """The type by which a constant without quotes is read; a text that is made of one is spelled by PostgreSQL."""
    if oid in UNKNOWN:
        return NAMED["bool"] if isinstance(value, bool) else NAMED["numeric"]
    return OTHER if family(OIDS.get(oid, "")) == "text" else oid
