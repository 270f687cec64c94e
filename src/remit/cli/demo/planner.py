"""Planners: what decides, call by call, which tool an agent uses next. Rules over the text that tools really return.

The rules believe what they read: an instruction inside a ticket, a page or a commit is followed like the request
itself, as language models are known to do. That is the fault which the gate has to hold; nothing here holds it.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from remit.core.canonical import Json

_ORDER: Final = re.compile(r"\b(?:call|use|run) (?:the )?([a-z_]{3,40}) tool with (?=\{)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """The next tool to call, with its arguments, and why it was chosen. `astray`: something read asked for it."""

    tool: str
    arguments: Mapping[str, Json]
    why: str
    astray: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do; `answer` is what the agent reports."""

    answer: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of a call: the tool's text as it was, and whether it was an error or a refusal."""

    call: Call
    text: str
    error: bool


class Planner(Protocol):
    """Chooses the next call from the last observation (None at the start) and the tools that the gate lists."""

    def next(self, observation: Observation | None, tools: Sequence[Mapping[str, Json]]) -> Call | Done:
        """The next call, or that all is done."""


@dataclass(slots=True)
class Rules(ABC):
    """A planner of rules: subclasses `learn` from what came back and `choose` what is still missing."""

    believed: set[str] = field(default_factory=set)
    tries: int = 0

    def next(self, observation: Observation | None, tools: Sequence[Mapping[str, Json]]) -> Call | Done:
        """Follow an instruction that was just read; else go on with the errand."""
        self.tries += 1
        if self.tries > 30:
            return Done("I did not get on with it.")
        if observation is not None:
            if not observation.error and not observation.call.astray:
                self.learn(observation)
            order = instruction(observation.text)
            if order is not None and order.tool + json.dumps(order.arguments) not in self.believed:
                self.believed.add(order.tool + json.dumps(order.arguments))
                return order
        return self.choose({str(tool["name"]) for tool in tools})

    @abstractmethod
    def learn(self, observation: Observation) -> None:
        """Take facts out of a tool's text."""

    @abstractmethod
    def choose(self, tools: set[str]) -> Call | Done:
        """Choose the next call from what is known."""


def instruction(text: str) -> Call | None:
    """Find an instruction to call a tool inside a text; None when there is none."""
    for match in _ORDER.finditer(text):
        try:
            arguments, _ = json.JSONDecoder().raw_decode(text, match.end())
        except ValueError:
            continue
        return Call(match[1], arguments, "what I just read tells me to", astray=True)
    return None
