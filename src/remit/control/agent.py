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

    An agent that was only proposed is given its ceiling here, once (`ceiling_fixed` for any other): without one it
    could never use anything, so none is refused (`ceiling_missing`).
    """
    agent = change.need(Agent, agent_id)
    if ceiling and agent.state != "proposed":
        raise RemitError("ceiling_fixed", "This agent has a ceiling.", "Register another agent for another one.")
    if ceiling:
        agent = changed(agent, ceiling=ceiling)
    if agent.state == "proposed" and not agent.ceiling:
        raise RemitError(
            "ceiling_missing",
            f"Nothing says what the agent {agent.name} could ever use, and that is said once.",
            "Give it with the review: --ceiling ACTION, or --ceiling 'mcp:RESOURCE/*'; repeatable.",
        )
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


def lacking(agent: Agent, now: Instant) -> tuple[str, str] | None:
    """Why an agent may do nothing at all now, and what would help; None when it is active and its review is not due."""
    again = f"remit agent review {agent.name} --next 90d"
    if agent.state == "suspended":
        return f"The agent {agent.name} is suspended.", f"When it is right again, wake it: {again}"
    if agent.state == "proposed":
        return f"The agent {agent.name} is only proposed.", (
            f"Look at it in its review (remit review list), or say what it could ever use: {again} --ceiling ACTION"
        )
    if agent.state != "active":
        return f"The agent {agent.name} is {agent.state}, for good.", "Register another one: remit agent add --help"
    if now >= agent.review_due:
        return f"The review of the agent {agent.name} is overdue.", f"If it is still right, say so: {again}"
    return None


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
