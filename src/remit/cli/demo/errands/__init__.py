"""The demo's three errands: what is asked, what the operator allows for it, real data, and a planner that chooses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from remit.cli.demo.planner import Planner
from remit.core.canonical import Json
from remit.core.trust import TrustPath


@dataclass(frozen=True, slots=True)
class Errand:
    """One agent's errand. Owned by the run that made it, with data of its own under the run's folder.

    `brief` are the operator's steps for this kind of task, `plan` the narrower ones for this very task.
    `bait` is the instruction that a stranger put into the data, `lure` where. `done` looks at the target itself, says
    how the errand was finished, or "" when it was not; `harm` says what the bait would have done and did, or "".
    `environment` may hold `{secret}`: that value is stored in the vault and injected, never given to the agent.
    """

    name: str
    purpose: str
    path: TrustPath
    resource: str
    server: str
    arguments: tuple[str, ...]
    reads: frozenset[str]
    domain: str
    brief: tuple[Json, ...]
    plan: tuple[Json, ...]
    request: str
    planner: Planner
    bait: str
    lure: str
    done: Callable[[str], str]
    harm: Callable[[], str]
    environment: Mapping[str, str]
    folder: Path


def step(action: str, path: TrustPath, arguments: Mapping[str, list[Json]], **more: Json) -> Json:
    """One step in its JSON form."""
    return {"action": action, "path": path.value, "arguments": dict(arguments), **more}
