"""What one who acts in an account can do: every action on every place that a policy names. Pure.

An actor has statements of its own, and limits above them: a boundary, and the controls of the organisation. A place is
an ARN or a pattern of ARNs. What is allowed under a condition that nobody can judge counts as possible; a Deny takes
away only what it surely takes. Its twin, tests/oracle/aws, tries every action on every ARN.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.core.reach.aws.pattern import covers, overlaps
from remit.core.reach.aws.policy import Context, Statement, asked, judged, resolved
from remit.core.reach.aws.verbs import Verbs

NO: Final = 0
PERHAPS: Final = 1
YES: Final = 2
_UNKNOWN: Final = "\x00"
"""Where a key is not known: no value is this."""


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What a statement says to somebody: whether it holds (None: nobody can tell), and at which places, if surely."""

    one: Statement
    holds: bool | None
    where: list[tuple[str, bool]]


class Judge:
    """Judges the actors of one account. `unjudged` gathers the condition keys that could not be told."""

    def __init__(self, verbs: Verbs) -> None:
        self.verbs = verbs
        self.unjudged: set[str] = set()
        self.places: dict[str, set[str]] = {service: set() for service in verbs.rooms}
        self._told: dict[int, tuple[int, int, Statement]] = {}
        self._keys: dict[int, tuple[tuple[str, ...], Statement]] = {}
        self._heard: dict[tuple[int, tuple[str | None, ...]], Heard] = {}
        self._gives: dict[int, list[Given]] = {}
        self._away: dict[tuple[int, str], tuple[int, int]] = {}
        self._inside: dict[tuple[str, str], list[str]] = {}
        self._able: dict[int, tuple[Actor, Able]] = {}
        self._seen: set[int] = set()

    def keys(self, one: Statement) -> tuple[str, ...]:
        """The keys that a statement's word to somebody rests on."""
        held = self._keys.get(id(one))
        if held is None:
            held = self._keys[id(one)] = asked(one), one
        return held[0]

    def heard(self, one: Statement, context: Context) -> Heard:
        """What a statement says to somebody; told once to all of whom the same is known of what it asks."""
        mark = id(one), tuple(context.get(key, _UNKNOWN) for key in self.keys(one))
        found = self._heard.get(mark)
        if found is None:
            where = [resolved(place, context) for place in one.resources]
            found = self._heard[mark] = Heard(one, judged(one, context, self.unjudged), where)
        return found

    def see(self, actor: Actor) -> None:
        """Note each place that an actor's policies name."""
        for one in actor.every():
            said = self.heard(one, actor.context)
            if id(said) in self._seen:
                continue
            self._seen.add(id(said))
            mask = self._possible(one)
            listed = [place for place, _ in said.where]
            for place in ("*", *listed) if "Resource" in one.but else listed:
                for service, _ in self.verbs.apart(mask & self.verbs.at(place)):
                    self.places[service].add(place)
        self._inside.clear()

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
        found: list[Given] = []
        for one in statements:
            if one.allow:
                said = self.heard(one, context)
                gives = self._gives.get(id(said))
                if gives is None:
                    gives = self._gives[id(said)] = [each for each in self._gave(said) if each.mask]
                found += gives
        return found

    def _gave(self, said: Heard) -> Iterator[Given]:
        """What one statement allows to whom it says this."""
        one, sure = said.one, said.holds is True
        mask = self._possible(one)
        if said.holds is False:
            return
        if "Resource" in one.but:
            but = tuple(place for place, certain in said.where if certain)
            yield Given("*", mask, sure and len(but) == len(said.where), but)
            return
        for place, certain in said.where:
            yield Given(place, mask & self.verbs.at(place), certain and sure)

    def able(self, actor: Actor, given: Sequence[Given]) -> dict[tuple[str, str], Able]:
        """Each place that somebody's policy names, by service, with what the actor can do in all of it."""
        sure: dict[tuple[str, str], int] = {}
        possible: dict[tuple[str, str], int] = {}
        for one in given:
            plain = not one.but and not one.part
            for service, part in self.verbs.apart(one.mask):
                for place in self._within(service, one.place):
                    if plain or one.reaches(place):
                        key = service, place
                        possible[key] = possible.get(key, 0) | part
                        if one.sure:
                            sure[key] = sure.get(key, 0) | part
        denied = [one for one in actor.every() if not one.allow]
        found, away = {}, dict[str, tuple[int, int]]()
        for (service, place), mask in possible.items():
            if place not in away:
                away[place] = self._denied(denied, place, actor.context) if denied else (0, 0)
            surely, perhaps = away[place]
            left = mask & ~surely & self.verbs.at(place)
            if left:
                certain = sure.get((service, place), 0) & ~perhaps
                found[service, place] = Able(left, left & ~certain)
        return found

    def _within(self, service: str, outer: str) -> list[str]:
        """The places of a service that lie in one."""
        found = self._inside.get((service, outer))
        if found is None:
            listed = self.places[service]
            found = self._inside[service, outer] = [one for one in listed if one == outer or covers(outer, one)]
        return found

    def _denied(self, denied: Iterable[Statement], place: str, context: Context) -> tuple[int, int]:
        """The actions that are surely denied in all of a place, and those that may be denied in some of it."""
        surely = perhaps = 0
        for one in denied:
            said = self.heard(one, context)
            away = self._away.get((id(said), place))
            if away is None:
                away = self._away[id(said), place] = self._takes_away(said, place)
            surely, perhaps = surely | away[0], perhaps | away[1]
        return surely, perhaps

    def _takes_away(self, said: Heard, place: str) -> tuple[int, int]:
        """What one statement surely denies in all of a place, and what it may deny in some of it."""
        one = said.one
        if said.holds is False:
            return 0, 0
        meets = any(overlaps(other, place) for other, _ in said.where)
        within = any(sure and covers(other, place) for other, sure in said.where)
        whole, part = (not meets, not within) if "Resource" in one.but else (within, meets)
        return self._certain(one) if whole and said.holds else 0, self._possible(one) if part else 0

    def somewhere(self, actor: Actor) -> Able:
        """What an actor can do in some place."""
        held = self._able.get(id(actor))
        if held is None:
            held = self._able[id(actor)] = actor, self._somewhere(actor)
        return held[1]

    def _somewhere(self, actor: Actor) -> Able:
        given = self.given(actor)
        mask = sure = 0
        if actor.bare():
            for one in given:
                mask |= one.mask
                sure |= one.mask if one.sure else 0
            return Able(mask, mask & ~sure)
        for able in self.able(actor, given).values():
            mask |= able.mask
            sure |= able.mask & ~able.perhaps
        return Able(mask, mask & ~sure)

    def may(self, actor: Actor, action: str, place: str, more: Context | None = None) -> int:
        """Whether an actor can do one thing at one ARN: NO, PERHAPS or YES."""
        return self.asking(actor, action, more)(place)

    def asking(self, actor: Actor, action: str, more: Context | None = None) -> Callable[[str], int]:
        """What tells, ARN by ARN, whether an actor can do one thing there."""
        number = self.verbs.number(action)
        if number is None:
            return lambda _: NO
        context = {**actor.context, **more} if more else actor.context
        layers = [self.speaking(one, number, context) for one in (actor.statements, *actor.limits)]
        if not all(any(said.one.allow for said, _ in layer) for layer in layers):
            return lambda _: NO
        return lambda place: min(says(layer, place) for layer in layers)

    def speaking(self, statements: Iterable[Statement], number: int, context: Context) -> list[tuple[Heard, bool]]:
        """The statements of one layer that may speak of an action, and whether each surely does."""
        bit, found = 1 << number, []
        for one in statements:
            possible, certain = self._masks(one)
            if possible & bit:
                said = self.heard(one, context)
                if said.holds is not False:
                    found.append((said, said.holds is True and bool(certain & bit)))
        return found

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


def says(layer: Iterable[tuple[Heard, bool]], place: str) -> int:
    """What one layer of policies says of an action at one ARN, by what may speak of it: NO, PERHAPS or YES."""
    found, perhaps = NO, False
    for said, sure in layer:
        word = speaks(said, place, sure=sure)
        if said.one.allow:
            found = max(found, word)
        elif word == YES:
            return NO
        else:
            perhaps = perhaps or word == PERHAPS
    return min(found, PERHAPS) if perhaps else found


def speaks(said: Heard, place: str, *, sure: bool) -> int:
    """Whether a statement that may speak of an action does so at one ARN: NO, PERHAPS or YES."""
    meets = [certain for other, certain in said.where if covers(other, place)]
    if "Resource" in said.one.but:
        if any(meets):
            return NO
        return YES if sure and not meets else PERHAPS
    if not meets:
        return NO
    return YES if sure and any(meets) else PERHAPS


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
