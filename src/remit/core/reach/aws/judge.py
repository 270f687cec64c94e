"""What one who acts in an account can do: every action on every place that a policy names. Pure.

An actor has statements of its own, and limits above them: a boundary, and the controls of the organisation. A place is
an ARN or a pattern of ARNs. What is allowed under a condition that nobody can judge counts as possible; a Deny takes
away only what it surely takes. Its twin, tests/oracle/aws, tries every action on every ARN.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.core.reach.aws.pattern import covers, overlaps
from remit.core.reach.aws.policy import Context, Statement, judged, resolved
from remit.core.reach.aws.verbs import Verbs

NO: Final = 0
PERHAPS: Final = 1
YES: Final = 2


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a principal, or what it would be with other policies. Boundary and controls must allow it too."""

    name: str
    statements: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None = None
    controls: tuple[tuple[Statement, ...], ...] = ()
    context: Context = field(default_factory=dict)

    @property
    def limits(self) -> tuple[tuple[Statement, ...], ...]:
        """All that must allow what it does."""
        return (*(() if self.boundary is None else (self.boundary,)), *self.controls)

    def bare(self) -> bool:
        """Say that nothing is taken from what its statements allow."""
        return not self.limits and all(one.allow for one in self.statements)

    def every(self) -> Iterable[Statement]:
        """All statements, the limits' too."""
        yield from self.statements
        for limit in self.limits:
            yield from limit


@dataclass(frozen=True, slots=True)
class Given:
    """Actions that are allowed on a place and all that is in it, but on some; `sure` when no condition is left open.

    Where a limit reaches only a part of the place, it stands in `part`: of what lies in the place, only that counts.
    """

    place: str
    mask: int
    sure: bool
    but: tuple[str, ...] = ()
    part: tuple[str, ...] = ()

    def reaches(self, place: str) -> bool:
        """Say that it is for all of a place, as far as it is for the whole of its own."""
        if place != self.place and not all(covers(one, place) for one in (self.place, *self.part)):
            return False
        return not any(covers(one, place) for one in self.but)


@dataclass(frozen=True, slots=True)
class Able:
    """What can be done in one place: actions, and which of them only where a condition holds that cannot be judged."""

    mask: int
    perhaps: int


class Judge:
    """Judges the actors of one account. `unjudged` gathers the condition keys that could not be told."""

    def __init__(self, verbs: Verbs) -> None:
        self.verbs = verbs
        self.unjudged: set[str] = set()
        self.places: dict[str, set[str]] = {service: set() for service in verbs.rooms}
        self._seen: set[int] = set()
        self._told: dict[int, tuple[int, int, Statement]] = {}

    def see(self, actor: Actor) -> None:
        """Note each place that an actor's policies name."""
        for one in actor.every():
            if not one.personal():
                if id(one) in self._seen:
                    continue
                self._seen.add(id(one))
            mask = self._possible(one)
            listed = [place for place, _ in self._where(one, actor.context)]
            for place in ("*", *listed) if "Resource" in one.but else listed:
                for service, _ in self.verbs.apart(mask & self.verbs.at(place)):
                    self.places[service].add(place)

    def given(self, actor: Actor) -> list[Given]:
        """What an actor is allowed, within every limit, before anything is denied."""
        found = self._allowed(actor.statements, actor.context)
        for limit in actor.limits:
            held = self._allowed(limit, actor.context)
            merged: dict[tuple[str, bool, tuple[str, ...], tuple[str, ...]], int] = {}
            for one in found:
                for other in held:
                    both = _both(one, other)
                    if both is not None:
                        key = (both.place, both.sure, both.but, both.part)
                        merged[key] = merged.get(key, 0) | both.mask
            found = [Given(place, mask, sure, but, part) for (place, sure, but, part), mask in merged.items()]
        return found

    def _allowed(self, statements: Iterable[Statement], context: Context) -> list[Given]:
        found = []
        for one in statements:
            holds = judged(one, context, self.unjudged)
            if not one.allow or holds is False:
                continue
            mask = self._possible(one)
            if "Resource" in one.but:
                listed = self._where(one, context)
                but = tuple(place for place, sure in listed if sure)
                found.append(Given("*", mask, holds is True and len(but) == len(listed), but))
                continue
            for place, sure in self._where(one, context):
                found.append(Given(place, mask & self.verbs.at(place), sure and holds is True))
        return [one for one in found if one.mask]

    def able(self, actor: Actor, given: Sequence[Given]) -> dict[tuple[str, str], Able]:
        """Each place that somebody's policy names, by service, with what the actor can do in all of it."""
        sure: dict[tuple[str, str], int] = {}
        possible: dict[tuple[str, str], int] = {}
        for one in given:
            for service, part in self.verbs.apart(one.mask):
                for place in self.places[service]:
                    if one.reaches(place):
                        key = service, place
                        possible[key] = possible.get(key, 0) | part
                        if one.sure:
                            sure[key] = sure.get(key, 0) | part
        denied = [one for one in actor.every() if not one.allow]
        found = {}
        for (service, place), mask in possible.items():
            surely, perhaps = self._denied(denied, place, actor.context) if denied else (0, 0)
            left = mask & ~surely & self.verbs.at(place)
            if left:
                certain = sure.get((service, place), 0) & ~perhaps
                found[service, place] = Able(left, left & ~certain)
        return found

    def _denied(self, denied: Iterable[Statement], place: str, context: Context) -> tuple[int, int]:
        """The actions that are surely denied in all of a place, and those that may be denied in some of it."""
        surely = perhaps = 0
        for one in denied:
            holds = judged(one, context, self.unjudged)
            if holds is False:
                continue
            listed = self._where(one, context)
            meets = [other for other, sure in listed if overlaps(other, place)]
            within = any(sure and covers(other, place) for other, sure in listed)
            if "Resource" in one.but:
                whole, part = not meets, not within
            else:
                whole, part = within, bool(meets)
            if part:
                perhaps |= self._possible(one)
            if whole and holds:
                surely |= self._certain(one)
        return surely, perhaps

    def somewhere(self, actor: Actor) -> Able:
        """What an actor can do in some place."""
        given = self.given(actor)
        if actor.bare():
            mask, sure = 0, 0
            for one in given:
                mask |= one.mask
                sure |= one.mask if one.sure else 0
            return Able(mask, mask & ~sure)
        mask = sure = 0
        for able in self.able(actor, given).values():
            mask |= able.mask
            sure |= able.mask & ~able.perhaps
        return Able(mask, mask & ~sure)

    def may(self, actor: Actor, action: str, place: str, more: Context | None = None) -> int:
        """Whether an actor can do one thing at one ARN: NO, PERHAPS or YES."""
        number = self.verbs.number(action)
        if number is None:
            return NO
        context = {**actor.context, **(more or {})}
        found = YES
        for layer in (actor.statements, *actor.limits):
            found = min(found, self.layer(layer, number, place, context))
        return found

    def layer(self, statements: Iterable[Statement], number: int, place: str, context: Context) -> int:
        """What one layer of policies says of one action at one ARN."""
        found, perhaps = NO, False
        for one in statements:
            says = self.says(one, number, place, context)
            if not one.allow:
                if says == YES:
                    return NO
                perhaps = perhaps or says == PERHAPS
            else:
                found = max(found, says)
        return min(found, PERHAPS) if perhaps else found

    def says(self, one: Statement, number: int, place: str, context: Context) -> int:
        """Whether a statement speaks of one action at one ARN: NO, PERHAPS or YES."""
        bit = 1 << number
        holds = judged(one, context, self.unjudged)
        if holds is False or not self._possible(one) & bit:
            return NO
        sure = holds is True and bool(self._certain(one) & bit)
        listed = self._where(one, context)
        meets = [certain for other, certain in listed if covers(other, place)]
        if "Resource" in one.but:
            if any(meets):
                return NO
            return YES if sure and not meets else PERHAPS
        if not meets:
            return NO
        return YES if sure and any(meets) else PERHAPS

    def _where(self, one: Statement, context: Context) -> list[tuple[str, bool]]:
        """The places of a statement, with what is known of who asks put in."""
        return [resolved(place, context) for place in one.resources]

    def _possible(self, one: Statement) -> int:
        return self._masks(one)[0]

    def _certain(self, one: Statement) -> int:
        return self._masks(one)[1]

    def _masks(self, one: Statement) -> tuple[int, int]:
        """The actions that a statement can mean, and those that it surely means; told once."""
        held = self._told.get(id(one))
        if held is None:
            verbs, possible, certain = self.verbs, 0, 0
            for action in one.actions:
                possible |= verbs.may(action)
                certain |= verbs.sure(action)
            if "Action" in one.but:
                possible, certain = verbs.all & ~certain, verbs.all & ~possible
            held = self._told[id(one)] = (possible, certain, one)
        return held[0], held[1]


def _both(one: Given, other: Given) -> Given | None:
    """What two layers allow together, at the narrower place; nothing when they have nothing in common."""
    mask = one.mask & other.mask
    if not mask or not overlaps(one.place, other.place):
        return None
    place = other.place if covers(one.place, other.place) else one.place
    part = {each for each in (other.place, *one.part, *other.part) if not covers(each, place)}
    if not all(overlaps(each, place) for each in part):
        return None
    but = dict.fromkeys((*one.but, *other.but))
    return Given(place, mask, one.sure and other.sure, tuple(but), tuple(sorted(part)))
