"""Agents: registered with an owner and a next review, reviewed, transferred, suspended, retired. Each is a receipt."""

from remit.control.change import Change
from remit.core.agent import LIFE, Agent
from remit.core.errors import RemitError
from remit.core.moment import Instant, instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.custody.jwk import read_set
from remit.store.record import Reader


def add(
    change: Change,
    *,
    name: str,
    owner: str,
    purpose: str,
    review_due: Instant,
    ceiling: tuple[str, ...],
    keys: tuple[dict[str, str], ...],
    tier: str = "medium",
    by: str,
) -> Agent:
    """Register an agent, active until its first review is due. Refuses a taken name, a missing owner, a past review."""
    owned_by(change, owner)
    _due(change, review_due)
    if keys:
        read_set({"keys": list(keys)})
    agent = Agent(
        id=change.authority.make("agt"),
        name=name,
        owner=owner,
        purpose=purpose,
        review_due=review_due,
        ceiling=ceiling,
        keys=keys,
        tier=tier,
        state="active",
    )
    if any(one.name == name for one in change.reader.where(Agent, "name = ?", (name,))):
        raise RemitError("name_taken", f"There is an agent {name} already.", "Choose another name.")
    change.record("agent.added", agent, by)
    return agent


def propose(change: Change, *, name: str, owner: str, purpose: str, review_due: Instant, by: str) -> Agent:
    """Put an agent forward that may do nothing: without a ceiling, in no brief, until it is reviewed."""
    owned_by(change, owner)
    made = Agent(
        id=change.authority.make("agt"), name=name, owner=owner, purpose=purpose, review_due=review_due, ceiling=()
    )
    if any(one.name == name for one in change.reader.where(Agent, "name = ?", (name,))):
        raise RemitError("name_taken", f"There is an agent {name} already.", "Choose another name.")
    change.record("agent.added", made, by)
    return made


def review(
    change: Change, agent_id: str, review_due: Instant, by: str, ceiling: tuple[str, ...] | None = None
) -> Agent:
    """Say that the agent is still right, until the next review. Wakes a suspended one.

    An agent that was only proposed is given its ceiling here (`ceiling_fixed` for any other).
    """
    agent = change.need(Agent, agent_id)
    if ceiling is not None:
        if agent.state != "proposed":
            raise RemitError("ceiling_fixed", "This agent has a ceiling.", "Register another agent for another one.")
        agent = changed(agent, ceiling=ceiling)
    _due(change, review_due)
    owned_by(change, agent.owner)
    done = changed(agent, state=LIFE.after(agent.state, "reviewed"), review_due=review_due)
    change.record("agent.reviewed", done, by)
    return done


def transfer(change: Change, agent_id: str, owner: str, by: str) -> Agent:
    """Give the agent a new owner."""
    agent = change.need(Agent, agent_id)
    owned_by(change, owner)
    done = changed(agent, state=LIFE.after(agent.state, "transferred"), owner=owner)
    change.record("agent.transferred", done, by)
    return done


def stop(change: Change, agent_id: str, event: str, by: str, because: str = "") -> Agent:
    """Suspend or retire an agent (`event`); its tasks are ended by control.revocation in the same transaction."""
    agent = change.need(Agent, agent_id)
    done = changed(agent, state=LIFE.after(agent.state, event))
    change.record(f"agent.{event}", done, by, because)
    return done


def named(reader: Reader, name: str) -> Agent | None:
    """The agent of this name; None when there is none."""
    return next(reader.where(Agent, "name = ?", (name,)), None)


def owned_by(change: Change, owner: str) -> None:
    """Refuse an owner who is no longer here (`owner_gone`)."""
    if change.need(Person, owner).state != "active":
        raise RemitError("owner_gone", "This owner is no longer here.", "Name a person who is.")


def _due(change: Change, due: Instant) -> None:
    if instant(due) <= change.now:
        raise RemitError("review_past", "The next review must lie in the future.", "Give a later date.")
