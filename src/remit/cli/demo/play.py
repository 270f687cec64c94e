"""Playing an errand: an agent gets its credential, and then calls what its planner chooses until nothing is left."""

from dataclasses import dataclass, field

from remit.cli.demo.client import Answer, Client
from remit.cli.demo.planner import Call, Done, Observation
from remit.cli.demo.stage import Cast, Stage
from remit.cli.demo.timeline import Timeline
from remit.core.errors import RemitError

MOST: int = 40
"""Calls that an agent may make at most."""


@dataclass(slots=True)
class Played:
    """What became of one errand, as its agent saw it. Owned by the run; `close` it at the end."""

    cast: Cast
    credential: str
    client: Client
    calls: list[Call] = field(default_factory=list)
    refused: list[Call] = field(default_factory=list)
    strayed: int = 0
    answer: str = ""

    @property
    def heard(self) -> bytes:
        """Every byte that the gate sent to the agent."""
        return bytes(self.client.heard)

    def last_call(self) -> Answer:
        """Make the first call of the errand once more, as it was."""
        first = self.calls[0]
        return self.client.call(first.tool, first.arguments)

    def close(self) -> None:
        """Hang up."""
        self.client.close()


def play(stage: Stage, cast: Cast, timeline: Timeline) -> Played:
    """Run one errand to its end. Raises what the gate or the token endpoint cannot do."""
    name = cast.errand.name
    timeline.think(name, f"is asked: {cast.errand.request}")
    credential = stage.credential(cast)
    client = Client(f"{stage.url}/mcp/{cast.errand.resource}", credential)
    client.open()
    tools = client.tools()
    played = Played(cast, credential, client)
    observation: Observation | None = None
    for _ in range(MOST):
        move = cast.errand.planner.next(observation, tools)
        if isinstance(move, Done):
            played.answer = move.answer
            timeline.think(name, f"reports: {move.answer}")
            return played
        timeline.think(name, f"→ {move.tool}: {move.why}")
        answer = client.call(move.tool, move.arguments)
        timeline.catch_up()
        played.calls.append(move)
        played.strayed += move.astray
        observation = Observation(move, answer.text, answer.error)
    raise RemitError("demo_endless", f"{name} did not come to an end.", "Try another seed, or another model.")
