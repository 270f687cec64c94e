"""Judge: who vouches for each argument of a call, whether the request means the act, and what follows.

Deny beats ask, ask beats allow. An act that the request does not mean is refused; one that it may mean is asked. A
value that nobody vouches for is asked (or refused, as the brief says), and refused where the request itself settled it
or where the act is in doubt as well. Pure: the same call, rules and evidence have the same finding.
"""

import hashlib
from typing import Final, NamedTuple

import msgspec

from remit.core.call import Call
from remit.core.canonical import Json, b64
from remit.core.connector import Shape
from remit.core.lineage import request, source
from remit.core.lineage.argument import PRONE, leaves, shape_of, wanted
from remit.core.lineage.request import Act
from remit.core.lineage.rules import Rules
from remit.core.lineage.vouch import NAMED, NOBODY, Evidence, Sources, Voucher

__all__ = ["Evidence", "Finding", "Ruling", "Voucher", "judge", "shape_of", "wanted"]

STRENGTH: Final = ("request", "parameter", "trusted", "minted", "service", "flow", "agent", NOBODY)
"""The kinds of voucher, the strongest first. `agent` is text that people will read, and that names no address."""
PLACES: Final = 100
WIDEST: Final = 500
"""Values that one call may give; more are refused."""


class Ruling(NamedTuple):
    """What follows: `allow`, `ask` or `refuse`, why, and what may be done instead."""

    answer: str
    code: str = ""
    what: str = ""
    may: str = ""


ALLOW: Final = Ruling("allow")
_ELSE: Final = "Do without it, or ask who opened the task."
_YES: Final = "Wait for a yes, or use a value that the request or a declared source names."


class Finding(msgspec.Struct, frozen=True):
    """What lineage says of a call: what follows, how the act is meant, and who vouches for each value."""

    ruling: Ruling
    act: str = ""
    vouchers: tuple[Voucher, ...] = ()
    counted: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """`allow`, `ask` or `refuse`."""
        return self.ruling.answer

    @property
    def code(self) -> str:
        """Why it is asked or refused; empty when it is allowed."""
        return self.ruling.code

    def seen(self) -> dict[str, Json]:
        """As policy sees it: how the act is meant, and for each argument the kind of its weakest voucher."""
        kinds: dict[str, str] = {}
        for one in self.vouchers:
            name = one.place.split("/", 2)[1]
            if name not in kinds or STRENGTH.index(one.kind) > STRENGTH.index(kinds[name]):
                kinds[name] = one.kind
        return {"act": self.act, "from": kinds, "unvouched": len(self.unvouched)}

    def written(self) -> dict[str, Json]:
        """As a receipt says it: each place with its kind of voucher and the call that answered it; never a value."""
        found = {}
        for one in self.vouchers[:PLACES]:
            plain = len(one.place) <= 128 and one.place.isascii()
            place = one.place if plain else b64(hashlib.sha256(one.place.encode("utf-8", "replace")).digest())
            found[place] = f"{one.kind}:{one.call}" if one.call else one.kind
        return {"act": self.act, "from": found}

    @property
    def unvouched(self) -> tuple[str, ...]:
        """The places that nobody vouches for."""
        return tuple(one.place for one in self.vouchers if one.kind == NOBODY)


def judge(call: Call, shape: Shape, rules: Rules, evidence: Evidence) -> Finding:
    """Say what lineage makes of a call."""
    given = list(leaves(shape, call.arguments))
    if not shape.reaches:
        return Finding(ALLOW, act="read")
    if len(given) > WIDEST:
        return Finding(Ruling("refuse", "value_undeclared", f"It gives more than {WIDEST} values.", _ELSE))
    return Case(call, shape, rules, evidence, given).finding()


class Case(Sources):
    """One call while it is judged."""

    def finding(self) -> Finding:
        """Say what follows."""
        values = tuple(str(one.content) for one in self.given if one.role.role in PRONE)
        act = self._act(values)
        vouchers = tuple(self.voucher(one, act) for one in self.given if one.role.role != "free")
        if act.how == "may" and any(one.kind == NAMED for one in vouchers):
            act = Act("meant", act.clauses, act.count or len(act.clauses) or 1)
        vouchers = tuple(Voucher(one.place, "service" if one.kind == NAMED else one.kind, one.call) for one in vouchers)
        bare = [one for one in vouchers if one.kind == NOBODY]
        return self._ruled(act, vouchers, bare)

    def _act(self, values: tuple[str, ...]) -> Act:
        if self.rules.acts == "plan":
            return Act("meant", self.reading.clauses)
        if self.shape.effect == "read":
            spoken = any(request.speaks(self.reading, noun) for noun in self.shape.nouns) or self.reading.open
            return Act("open" if spoken else "unspoken", self.reading.clauses)
        return request.act(self.reading, self.shape.verbs, self.shape.nouns, values)

    def _ruled(self, act: Act, vouchers: tuple[Voucher, ...], bare: list[Voucher]) -> Finding:
        where = ", ".join(one.place for one in bare[:4])
        ruling = (self._reads if self.shape.effect == "read" else self._writes)(act, bare, where)
        counted: tuple[str, ...] = ()
        if self.shape.effect != "read" and ruling.answer != "refuse":
            undirected = () if any(one.role.role in PRONE for one in self.given) else ("undirected",)
            counted = (f"act:{self.call.action}", *undirected)
        return Finding(ruling, act.how, vouchers, counted)

    def _reads(self, act: Act, bare: list[Voucher], where: str) -> Ruling:
        """A read that reaches outside: only where to counts."""
        if not bare:
            return ALLOW
        if not self._hinted(bare) and (act.how != "open" or self._settled(bare, act)):
            return Ruling(
                "refuse", "value_undeclared", f"Nobody vouches for {where}, and the request does not mean it.", _ELSE
            )
        return Ruling(self.rules.unvouched, "value_undeclared", f"Nobody vouches for {where}.", _YES)

    def _writes(self, act: Act, bare: list[Voucher], where: str) -> Ruling:
        refused = self._refused(act, bare, where)
        if refused is not None:
            return refused
        directed = any(one.role.role in PRONE for one in self.given)
        if bare:
            return Ruling(self.rules.unvouched, "value_undeclared", f"Nobody vouches for {where}.", _YES)
        if act.how in {"may", "open"}:
            return Ruling("ask", "act_doubtful", "The request may mean this act, and does not say so.", _YES)
        if not directed and self.evidence.undirected >= self.rules.undirected:
            return Ruling("ask", "act_spent", "This task has written as often as it may without saying where to.", _YES)
        if act.count is not None and self.evidence.used >= act.count:
            return Ruling("ask", "act_spent", "The request means this act fewer times.", _YES)
        return ALLOW

    def _refused(self, act: Act, bare: list[Voucher], where: str) -> Ruling | None:
        """What nobody is asked about: the request does not mean it, or says otherwise."""
        if act.how == "no":
            return Ruling("refuse", "act_undeclared", "The request does not mean this act.", _ELSE)
        if act.how == "may" and bare:
            return Ruling(
                "refuse", "act_undeclared", f"The request hardly means this act, and nobody vouches for {where}.", _ELSE
            )
        if act.how != "meant" or self.rules.acts == "plan":
            return None
        if self._contradicts(act) or (self._settled(bare, act) and not self._hinted(bare)):
            return Ruling(
                "refuse", "request_settled", "The request itself says what goes here, and this is another value.", _ELSE
            )
        return None

    def _contradicts(self, act: Act) -> bool:
        """Whether the request gives the words of this act, and the call writes others."""
        texts = self.texts()
        quoted = request.given(self.reading, act.clauses)
        return bool(texts) and bool(quoted) and not request.said(quoted, texts)

    def _settled(self, bare: list[Voucher], act: Act) -> bool:
        """Whether a destination that nobody vouches for is of a kind that the request names by itself.

        A name is settled only where something else of the call is bare as well: names are not told apart by kind.
        """
        places = {one.place for one in bare}
        kinds = {one.role.kind for one in self.given if one.place in places and one.role.role == "destination"}
        if self.reading.open or not kinds:
            return False
        if kinds & self.reading.kinds & {"email", "url"}:
            return True
        return "name" in kinds and len(bare) > 1 and any(request.proper(self.reading, clause) for clause in act.clauses)

    def _hinted(self, bare: list[Voucher]) -> bool:
        """Whether one of these stands in an answer that the request pointed at: no voucher, but worth a question."""
        places = {one.place for one in bare}
        for leaf in self.given:
            if leaf.place in places:
                forms = source.forms(leaf.content, leaf.role)
                held = (one for form in forms for one in self.together(form))
                if any(one.grade & (source.SELECTED | source.NAMED | source.NEAR) for one in held):
                    return True
        return False
