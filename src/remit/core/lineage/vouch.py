"""Vouch: which source vouches for a value, the strongest first, or nobody."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.connector import Argument, Shape
from remit.core.lineage import request, source, value
from remit.core.lineage.argument import PRONE, Given, days_before, lengths, links
from remit.core.lineage.request import Act
from remit.core.lineage.rules import Rules
from remit.core.lineage.source import Hold

NOBODY: Final = "nobody"
NAMED: Final = "named"
"""A service's field in a record that the request names: told as `service`."""


class Evidence(msgspec.Struct, frozen=True):
    """What a finding may look at besides the call: the request's text, and which earlier answers hold which atom.

    `used` is how often this act was allowed in the task, `undirected` how often a write with neither destination nor
    object was. With `complete` false the outcome of an earlier call is unknown, and no answer vouches.
    `accounts` are the digests of who the delegating person is at this resource, and `own` of "whoever it acts for".
    """

    request: str = ""
    holds: Mapping[str, tuple[Hold, ...]] = msgspec.field(default_factory=dict)
    used: int = 0
    undirected: int = 0
    complete: bool = True
    version: int = 0
    accounts: frozenset[bytes] = frozenset()
    own: bytes = b""
    key: bytes = b""


class Voucher(NamedTuple):
    """Who vouches for the value at one place of the arguments: a kind of source, and the call that answered it."""

    place: str
    kind: str
    call: str = ""


class Sources:
    """One call with all that may vouch for what it gives."""

    def __init__(self, call: Call, shape: Shape, rules: Rules, evidence: Evidence, given: list[Given]) -> None:
        self.call, self.shape, self.rules, self.evidence, self.given = call, shape, rules, evidence, given
        self.reading = request.read(evidence.request)
        self.holds = evidence.holds if evidence.complete else {}

    def voucher(self, leaf: Given, act: Act) -> Voucher:
        """Who vouches for this value."""
        if leaf.role.role == "content":
            return self._content(leaf)
        if self._requested(leaf, act):
            return Voucher(leaf.place, "request")
        atoms = source.forms(leaf.content, leaf.role)
        if any(self._given_by_brief(form) for form in atoms):
            return Voucher(leaf.place, "parameter")
        best: tuple[int, str, str] | None = None
        for form in atoms:
            for place in self.together(form):
                found = self._grade(place, leaf, act)
                if found and (best is None or found[0] < best[0]):
                    best = found
        if best is None and leaf.role.role == "setting":
            best = self._apart(leaf, atoms)
        return Voucher(leaf.place, best[1], best[2]) if best else Voucher(leaf.place, NOBODY)

    def _given_by_brief(self, form: tuple[str, ...]) -> bool:
        own = {atom for given in self.rules.parameters.values() for one in given for atom in source.whole(one, "text")}
        return bool(form) and all(atom in own for atom in form)

    def together(self, form: tuple[str, ...]) -> Iterator[Hold]:
        """The places that hold all of these atoms in one record."""
        if not form:
            return
        rest = [{(one.leaf, one.record) for one in self.holds.get(atom, ())} for atom in form[1:]]
        for one in self.holds.get(form[0], ()):
            if all((one.leaf, one.record) in other for other in rest):
                yield one

    def _apart(self, leaf: Given, forms: tuple[tuple[str, ...], ...]) -> tuple[int, str, str] | None:
        """A day and a time of day may each have a voucher of its own."""
        for form in forms:
            if len(form) < 2:
                continue
            found = []
            for atom in form:
                if atom in self.reading.named:
                    found.append((0, "request", ""))
                    continue
                graded = [one for hold in self.together((atom,)) if (one := self._grade(hold, leaf, None))]
                if not graded:
                    break
                found.append(min(graded))
            else:
                return max(found)
        return None

    def _grade(self, hold: Hold, leaf: Given, act: Act | None) -> tuple[int, str, str] | None:
        """For what this place vouches, if it does for this argument."""
        grade, role = hold.grade, leaf.role.role
        if grade & source.TRUSTED:
            return 1, "trusted", hold.call
        if grade & source.MINTED:
            return 2, "minted", hold.call
        if grade & source.SERVICE:
            if role == "object" and grade & (source.NAMED | source.EXTREME):
                return 3, "named", hold.call
            if role == "object" and grade & source.SELECTED:
                return 3, "named", hold.call
            if role == "destination" and grade & (source.NAMED | source.NEAR):
                return 3, "service", hold.call
            if role == "destination" and act is not None and (self._quotes(act) or self._called(leaf.content, act)):
                return 3, "service", hold.call
            if role in {"setting", "content"}:
                return 3, "service", hold.call
        if hold.version == self.evidence.version and self._flows(hold, leaf):
            return 4, "flow", hold.call
        return None

    def _flows(self, hold: Hold, leaf: Given) -> bool:
        bits = hold.grade >> source.FLOWS
        if not bits:
            return False
        pattern = re.sub(r"/\d+(?=/|$)", "/*", leaf.place)
        return any(
            bits >> number & 1 and flow.end == (self.call.action, pattern)
            for number, flow in enumerate(self.rules.flows)
        )

    def _called(self, content: Json, act: Act) -> bool:
        """Whether an address bears a name that the request's act speaks of."""
        if not isinstance(content, str) or value.email(content) is None:
            return False
        parts = [part for part in value.words(content.partition("@")[0]) if len(part) > 2 and not part.isdigit()]
        return bool(parts) and any(self.reading.holds(part, clause) for part in parts[:1] for clause in act.clauses)

    # What the request itself says.

    def _requested(self, leaf: Given, act: Act) -> bool:
        content, role = leaf.content, leaf.role
        for word in role.words.get(str(content), ()):
            if any(self.reading.holds(word, clause) for clause in act.clauses):
                return True
        if role.words:
            return False
        if role.kind == "time" and isinstance(content, str) and self._soon(content):
            return True
        for form in source.forms(content, role):
            typed = [atom for atom in form if not atom.startswith("text:")]
            if typed and len(typed) == len(form) and all(atom in self.reading.named for atom in form):
                return True
        if not isinstance(content, str | int) or isinstance(content, bool):
            return False
        if self._derived(leaf):
            return True
        return self._worded(str(content), role, act)

    def _worded(self, text: str, role: Argument, act: Act) -> bool:
        if role.kind in {"time", "amount", "number", "email", "url"} or value.email(text) or value.url(text):
            return False
        atom = value.phrase(text)
        if re.fullmatch(r"\d{1,4}", text.strip()):
            return atom in self.reading.named
        if role.role not in PRONE or act.how == "open" or self.shape.effect == "read":
            return self.reading.holds(text)
        return any(self.reading.holds(text, clause) for clause in act.clauses)

    def _soon(self, content: str) -> bool:
        """Whether the request names this day by the day that a trusted answer says it is."""
        at = value.moment(content)
        if at is None or at[0] is None or (at[1] and f"time:{at[1]}" not in self.reading.named):
            return False
        trusted = [
            day for day in days_before(content)
            if any(one.grade & source.TRUSTED for one in self.holds.get(f"date:{day}", ()))
        ]  # fmt: skip
        return any(at[0] in value.near(self.evidence.request, day) for day in trusted)

    def _derived(self, leaf: Given) -> bool:
        """Whether a time is another one of this call and a length that the request names, or the object has."""
        for minutes in lengths(leaf, self.given):
            if minutes in self.reading.spans:
                return True
            held = self.holds.get(f"span:{minutes}", ())
            if any(one.grade & source.SERVICE and one.grade & (source.NAMED | source.SELECTED) for one in held):
                return True
        return False

    def _content(self, leaf: Given) -> Voucher:
        """What people will read is the agent's own; but each address in it must be vouched for."""
        kind, call = "agent", ""
        for one in links(leaf.content):
            if one.atom in self.reading.named or self._given_by_brief((one.atom,)):
                continue
            graded = [g for hold in self.holds.get(one.atom, ()) if (g := self._grade(hold, leaf, None))]
            if not graded:
                return Voucher(leaf.place, NOBODY)
            kind, call = min(graded)[1:]
        return Voucher(leaf.place, kind, call)

    def _quotes(self, act: Act) -> bool:
        """Whether all that the call writes is what the request gives word for word: then it cannot carry more."""
        texts = self.texts()
        quoted = request.given(self.reading, act.clauses)
        return act.how == "meant" and bool(texts) and all(request.said(quoted, (one,)) for one in texts)

    def texts(self) -> tuple[str, ...]:
        """What the call writes for people to read."""
        return tuple(str(one.content) for one in self.given if one.role.role == "content")
