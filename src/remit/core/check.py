"""Does a step allow this call? The answer is a value either way: what it uses up, or why not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.core.canonical import Json
from remit.core.limit import ArgumentLimit
from remit.core.limit.counts import add, amount
from remit.core.limit.naming import Node, find
from remit.core.moment import Instant
from remit.core.step import Step

MAY_LENGTH: Final = 160
_SHOWN = re.compile(r"[A-Za-z0-9_.:/*-]{1,64}")
_UNSEEN = re.compile("[^ -~]")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a task has used of one step: allowed calls, the sum for each total, recent instants of allows, rows held."""

    uses: int = 0
    totals: tuple[Decimal, ...] = ()
    recent: tuple[Instant, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a stable code, what was refused (never an argument's value) and what is allowed instead."""

    code: str
    what: str
    may: str


@dataclass(frozen=True, slots=True)
class Consumption:
    """What an allowed call uses up: one use, and an amount for each total of the step."""

    uses: int = 1
    amounts: tuple[Decimal, ...] = ()


_ONE_USE: Final = Consumption()


def check(step: Step, arguments: Mapping[str, Json], usage: Usage, now: Instant) -> Refusal | Consumption:
    """Say whether the step allows a call with these arguments now. Nothing is raised; what cannot be read is refused.

    Pure: the caller writes the consumption down in the transaction that it decides in. A step with rows left allows
    the call; whoever reads the answer cuts it at `step.rows - usage.rows`.
    """
    try:
        return _check(step, arguments, usage, now)
    except Exception:  # noqa: BLE001 - the arguments are hostile; whatever breaks while they are read is a refusal
        return Refusal("argument_refused", "An argument could not be read.", "Send plain JSON arguments.")


def _check(step: Step, arguments: Mapping[str, Json], usage: Usage, now: Instant) -> Refusal | Consumption:
    refusal = _spent(step, usage, now)
    if refusal is not None:
        return refusal
    if step.flat is None:
        refusal = _inside(step.root, arguments, free=step.allow_unknown)
    else:
        seen = 0
        for name, limits, optional in step.flat:
            if name in arguments:
                seen += 1
                value = arguments[name]
                for one in limits:
                    if not one.allows(value):
                        return _refused(name, one)
            elif not optional:
                return _missing(name)
        if seen != len(arguments) and not step.allow_unknown:
            refusal = _unknown(next(name for name in arguments if name not in step.arguments))
    if refusal is not None or not step.totals:
        return refusal or _ONE_USE
    return _sums(step, arguments, usage)


def _spent(step: Step, usage: Usage, now: Instant) -> Refusal | None:
    if step.window is not None and not step.window.holds(now):
        when = "It opens later." if now < step.window.start else "It has closed."
        return Refusal("window_closed", "The step's window is not open.", when)
    if step.uses is not None and usage.uses >= step.uses:
        return Refusal("uses_spent", "The step's uses are spent.", f"{step.uses} in all; ask for a new plan.")
    if step.rows is not None and usage.rows >= step.rows:
        return Refusal("rows_spent", "The step's rows are spent.", f"{step.rows} rows in all; ask for a new plan.")
    rate = step.rate
    if rate is not None:
        since = now - rate.seconds * 1000
        if sum(1 for instant in usage.recent if instant > since) >= rate.count:
            wait = f"At most {rate.count} calls in {rate.seconds} s; wait and try again."
            return Refusal("rate_exceeded", "The step is called too often.", wait)
    return None


def _sums(step: Step, arguments: Mapping[str, Json], usage: Usage) -> Refusal | Consumption:
    if usage.totals and len(usage.totals) != len(step.totals):
        return Refusal("total_exceeded", "The step's totals cannot be read.", "Open the task again.")
    amounts = []
    for index, total in enumerate(step.totals):
        value = amount(find(arguments, step.summed[index]))
        allowed = may(f"{total.argument}: numbers that are not negative, {format(total.most, 'f')} in all")
        if value is None:
            return Refusal("argument_refused", f"{_shown(total.argument)} is not an amount.", allowed)
        used = usage.totals[index] if usage.totals else Decimal(0)
        if value > total.most or add(used, value) > total.most:
            return Refusal("total_exceeded", f"The total of {_shown(total.argument)} would be exceeded.", allowed)
        amounts.append(value)
    return Consumption(1, tuple(amounts))


def _inside(node: Node, value: Json, *, free: bool) -> Refusal | None:
    """Check what is inside an object or array; `free` says that members nobody named may be there."""
    members: list[tuple[str, Json, list[Node]]]
    if isinstance(value, Mapping):
        members = [(name, held, [node.inner[name]] if name in node.inner else []) for name, held in value.items()]
        absent = [inner for part, inner in node.inner.items() if part not in value]
    elif isinstance(value, list | tuple):
        names = [str(index) for index in range(len(value))]
        members = [
            (name, held, [node.inner[part] for part in ("*", name) if part in node.inner])
            for name, held in zip(names, value, strict=True)
        ]
        absent = [inner for part, inner in node.inner.items() if part != "*" and part not in names]
    else:
        return _wrong(node)
    refusals = [refusal for inner in absent if (refusal := _absent(inner)) is not None]
    if refusals:
        return refusals[0]
    for name, held, places in members:
        if not places and not free:
            return _unknown(name)
        for place in places:
            refusal = _at(place, held, free=free)
            if refusal is not None:
                return refusal
    return None


def _at(node: Node, value: Json, *, free: bool) -> Refusal | None:
    for one in node.limits:
        if not one.allows(value):
            return _refused(node.name, one)
    return _inside(node, value, free=free or bool(node.limits)) if node.inner else None


def _absent(node: Node) -> Refusal | None:
    """Refuse an absent value that is required, or that a required one lies in."""
    if node.limits:
        if not node.optional:
            return _missing(node.name)
        return None
    return next((refusal for inner in node.inner.values() if (refusal := _absent(inner)) is not None), None)


def _shown(name: str) -> str:
    return f"Argument {name}" if _SHOWN.fullmatch(name) else "An argument"


def may(text: str) -> str:
    """Make a text fit to show to a model: printable ASCII, at most `MAY_LENGTH` characters."""
    safe = _UNSEEN.sub("?", text)
    return safe if len(safe) <= MAY_LENGTH else safe[: MAY_LENGTH - 3] + "..."


def _refused(name: str, one: ArgumentLimit) -> Refusal:
    return Refusal("argument_refused", f"{_shown(name)} is outside its {one.tag} limit.", may(f"{name}: {one.says()}"))


def _missing(name: str) -> Refusal:
    return Refusal("argument_missing", f"{_shown(name)} is missing.", may(f"Send {name}."))


def _unknown(name: str) -> Refusal:
    return Refusal("argument_unknown", f"{_shown(name)} is not named by the step.", "Send only what the step names.")


def _wrong(node: Node) -> Refusal:
    return Refusal("argument_refused", "An argument is not an object or array.", may(f"{node.name}: inside an object"))
