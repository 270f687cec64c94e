"""Parameters: what a client asks that arguments of a brief's steps be, for one task: only ever smaller (law 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from remit.core import limit
from remit.core.canonical import Json
from remit.core.limit import ArgumentLimit, Equals, OneOf
from remit.core.limit.naming import segments
from remit.core.limit.shape import invalid
from remit.core.step import Step

MOST: Final = 16
Parameters = Mapping[str, ArgumentLimit]


def read(form: Json) -> Parameters:
    """Read parameters: for each argument's name a value that it must be, or a limit in its form (`limit_invalid`).

    A text, a number, true, false or null is a value; an object is a limit, as docs/spec/limits.md writes it.
    """
    if not isinstance(form, Mapping) or len(form) > MOST:
        raise invalid(f"Parameters are an object of up to {MOST} arguments.")
    for name in form:
        segments(name)
    return {str(name): _one(value) for name, value in form.items()}


def narrowed(steps: Sequence[Step], parameters: Parameters) -> tuple[Step, ...] | None:
    """These steps held to the parameters, or None when that is not within them.

    Each parameter is an argument that some step names, and must be within the limits of every step that names it. What
    a parameter says must then be there: to leave the argument out would be to go round it.
    """
    if not all(any(name in step.arguments for step in steps) for name in parameters):
        return None
    found = [_step(step, parameters) for step in steps]
    return None if None in found else tuple(one for one in found if one is not None)


def _step(step: Step, parameters: Parameters) -> Step | None:
    said = {name: one for name, one in parameters.items() if name in step.arguments}
    if not said:
        return step
    arguments = dict(step.arguments)
    for name, one in said.items():
        held = _held(arguments[name], one)
        if held is None:
            return None
        arguments[name] = held
    return replace(step, arguments=arguments, optional=step.optional - said.keys())


def _held(limits: tuple[ArgumentLimit, ...], one: ArgumentLimit) -> tuple[ArgumentLimit, ...] | None:
    """One argument's limits together with a parameter; None when what it says is not within each of them."""
    if isinstance(one, OneOf):
        return (one,) if all(mine.allows(value) for mine in limits for value in one.values()) else None
    kept = tuple(mine for mine in limits if not mine.covers(one))
    return None if any(mine.tag == one.tag or isinstance(mine, OneOf) for mine in kept) else (one, *kept)


def _one(value: Json) -> ArgumentLimit:
    if value is None or isinstance(value, str | int | float | bool):
        return Equals.from_json(value)
    return limit.from_json(value)
