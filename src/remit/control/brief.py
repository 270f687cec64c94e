"""Briefs: applied by the operator, withdrawn by the operator."""

from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import LIFE, Brief
from remit.core.errors import RemitError
from remit.core.lifecycle import UNUSED
from remit.core.principal import Person, Service
from remit.core.record import changed
from remit.core.resource import Resource, Tool, split


def apply(change: Change, brief: Brief, by: str, *, pinned: bool = True) -> Brief:
    """Put a brief in force; its version is set here.

    Refuses a step whose resource is not registered, or, where `pinned`, whose tool was never pinned (`action_unknown`);
    else each call of such a step is refused until a person has pinned it.
    """
    before, brief = change.reader.get(Brief, brief.name), changed(brief, state="live")
    if before is not None:
        LIFE.after(before.state, "applied")
        if changed(before, version=brief.version) == brief:
            return before
    in_force = before is not None and before.state not in UNUSED
    brief = changed(brief, version=before.version + 1 if before is not None and in_force else 1)
    for agent in (*brief.agents, *brief.subagents):
        change.need(Agent, agent)
    for one in brief.dispatchers:
        if not one.startswith("group:"):
            if one.startswith("svc_"):
                change.need(Service, one)
            else:
                change.need(Person, one)
    for step in brief.steps:
        _known(change, step.action, brief, pinned=pinned)
    change.record("brief.applied", brief, by)
    return brief


def withdraw(change: Change, name: str, by: str, because: str = "") -> Brief:
    """Take a brief out of force for good; its tasks are refused from now on."""
    brief = change.need(Brief, name)
    gone = changed(brief, state=LIFE.after(brief.state, "withdrawn"))
    change.record("brief.withdrawn", gone, by, because)
    return gone


def _known(change: Change, action: str, brief: Brief, *, pinned: bool) -> None:
    place, kind = split(action)
    resource = change.reader.get(Resource, place)
    wanted = pinned and kind[0] != "@"
    unknown = resource is None or resource.state in UNUSED
    if resource is None or unknown or (wanted and change.reader.get(Tool, f"{place}/{kind}") is None):
        raise RemitError(
            "action_unknown",
            f"Nothing registered offers {action}.",
            "Register the resource first, or correct the name: remit resource show.",
        )
    if resource.domain not in brief.domains:
        raise RemitError(
            "domain_outside",
            f"{action} belongs to the data domain {resource.domain}, which this brief does not list.",
            "Add the domain to the brief, or leave the step out.",
        )
