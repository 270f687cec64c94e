"""What a new plan is against the one in force: equal, narrower, wider, by another path, or outside the brief.

Deterministic, and one-sided: a plan is called equal or narrower only when each of its steps is shown to lie within a
step of the plan before, with what the steps that share it use up counted together. What cannot be shown is wider.
The twin that a solver reads is tests/oracle/plans.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from remit.core.grant import Refusal, Usage, draw
from remit.core.limit.counts import MOST_RATE, add
from remit.core.step import Step


class Kind(StrEnum):
    """How a plan moved."""

    EQUAL = "equal"
    NARROWER = "narrower"
    WIDER = "wider"
    OTHER_PATH = "other_path"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Moved:
    """A new plan's steps, by number from 0, as they stand to the plan in force and to the ceiling.

    `sources` names the ceiling's step that covers each; `widened` are those whose action the plan before holds by the
    same path, within less; `added` those whose action it does not hold by this path; `crossed` those of `added` whose
    path or whose action it holds by the other path alone. `refusal` says why the plan is outside.
    """

    kind: Kind
    sources: tuple[int, ...] = ()
    widened: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    crossed: tuple[int, ...] = ()
    refusal: Refusal | None = None

    @property
    def narrows(self) -> bool:
        """Whether it gives nothing that the plan before did not give."""
        return self.kind in (Kind.EQUAL, Kind.NARROWER)


def classify(ceiling: Sequence[Step], before: Sequence[Step], after: Sequence[Step]) -> Moved:
    """Say what `after` is, where `before` is in force and `ceiling` is what may be planned at all."""
    sources, refusals = draw(ceiling, after)
    if refusals:
        return Moved(Kind.OUTSIDE, refusal=refusals[0])
    held = draw(before, after)[0]
    beyond = [number for number, source in enumerate(held) if source < 0]
    if not beyond:
        back = draw(after, before)[1]
        return Moved(Kind.NARROWER if back else Kind.EQUAL, sources)
    paths = {one.path for one in before}
    acts = {one.action for one in before}
    same = {(one.action, one.path) for one in before}
    widened = tuple(n for n in beyond if (after[n].action, after[n].path) in same)
    added = tuple(n for n in beyond if n not in widened)
    crossed = tuple(n for n in added if after[n].path not in paths or after[n].action in acts)
    return Moved(Kind.OTHER_PATH if crossed else Kind.WIDER, sources, widened, added, crossed)


def inherits(before: Sequence[Step], after: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    """The steps of the plan before whose use each new step goes on from, so that no later plan gets it back (law 3).

    A step that lies within one goes on from that one; a wider one from all of its action and path.
    """
    drawn = draw(before, after)[0]
    alike = (
        tuple(n for n, old in enumerate(before) if (old.action, old.path) == (new.action, new.path)) for new in after
    )
    return tuple((source,) if source >= 0 else same for source, same in zip(drawn, alike, strict=True))


def together(step: Step, spent: Sequence[tuple[Step, Usage]]) -> Usage | None:
    """What a new step has used already: what the steps that it goes on from have, by name of each total."""
    if not spent:
        return None
    sums = {total.argument: Decimal(0) for total in step.totals}
    for old, used in spent:
        for total, amount in zip(old.totals, used.totals, strict=False):
            if total.argument in sums:
                sums[total.argument] = add(sums[total.argument], amount)
    recent = sorted(at for _, used in spent for at in used.recent)[-MOST_RATE:]
    return Usage(
        uses=sum(used.uses for _, used in spent),
        totals=tuple(sums.values()),
        recent=tuple(recent),
        rows=sum(used.rows for _, used in spent),
    )
