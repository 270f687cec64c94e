"""Answer: the only three words that a decision can say, each with its grounds."""

import msgspec

from remit.core.grant import Consumption
from remit.core.lineage.judge import Finding


class Charge(msgspec.Struct, frozen=True):
    """What an allowed call uses up: task, scope (`plan:N` or `brief`), step, amounts; and the step's row limit."""

    task: str
    scope: str
    number: int
    used: Consumption
    limit: int | None = None


class Allow(msgspec.Struct, frozen=True):
    """It may happen, if and only if this is durably recorded first.

    `visible` are the tools that a list may show; `counted` names the steps
    whose rows the answer is counted on: task, scope, step and how many in all; `approval` is the one it uses;
    `traced` what lineage found, where the brief has a rule of it.
    """

    step: int
    charges: tuple[Charge, ...] = ()
    grounds: tuple[str, ...] = ()
    visible: frozenset[str] = frozenset()
    counted: tuple[tuple[str, str, int, int], ...] = ()
    approval: str = ""
    traced: Finding | None = None


class Ask(msgspec.Struct, frozen=True):
    """It may happen once somebody of each of these groups says so."""

    groups: tuple[str, ...]
    grounds: tuple[str, ...]
    traced: Finding | None = None


class Deny(msgspec.Struct, frozen=True):
    """It may not happen. `what` says why without naming any argument's value; `may` says what to do instead.

    `approval` is the one that it waits for, if any.
    """

    code: str
    what: str
    may: str = ""
    grounds: tuple[str, ...] = ()
    approval: str = ""
    traced: Finding | None = None

    def told(self) -> str:
        """The refusal as a model reads it: at most 400 characters."""
        tail = f" [{self.code}]"
        return f"{f'Refused: {self.what} {self.may}'.strip()[: 400 - len(tail)]}{tail}"


Decision = Allow | Ask | Deny
