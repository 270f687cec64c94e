"""JWT bearer grant: an assertion of the company's identity provider (ID-JAG, or RFC 7523) lets a person's agent act.

The person dispatches by it: they are the requester of the task that it opens, and the brief must list them (law 4).
Such a task is for the person alone: its plan holds the brief's steps of the delegated path.
"""

from typing import Final

from starlette.requests import Request

from remit.control import credential, principal, signal, task
from remit.control.change import Change
from remit.control.credential import Issued, Proved
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.principal import Person
from remit.core.resource import split
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.grant import Granted
from remit.custody.jws import TokenRefusal
from remit.store import payload
from remit.web.client import authenticate
from remit.web.intake import Form, one_of
from remit.web.metadata import DETAILS
from remit.web.oauth import giving
from remit.web.settings import Issuer
from remit.web.site import Site

MEMBERS: Final = frozenset({"type", "task", "brief", "purpose"})


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Give the authenticated agent a delegated credential for the person that the assertion is of."""
    client = await authenticate(site, request, asked)
    text = one_of(asked, "assertion")
    wanted = _detail(asked) if "authorization_details" in asked else {}
    found = await site.issuers.granted(text, site.authority.issuer, client.agent, site.now())
    if isinstance(found, TokenRefusal):
        raise RemitError("invalid_grant", f"The assertion was refused. {found.what}", "Ask the identity provider anew.")
    issuer, said = found
    resources = giving.resources_of(site, asked)
    within = giving.resources_of(site, {"resource": list(said.resources)})
    if said.resources and not set(resources) <= set(within):
        raise RemitError("invalid_target", "The assertion is for other resources.", "Ask for those that it names.")

    def spend(change: Change) -> RemitError | None:
        change.keep()
        if payload.spend(change.db, "grant", f"{said.issuer} {said.id}", said.expires):
            return None
        return RemitError("invalid_grant", "This assertion was used before.", "Ask the identity provider anew.")

    def make(change: Change, thumb: str) -> tuple[Issued, Plan]:
        person = _person(change, issuer, said)
        named = wanted or _fitting(change, client.agent.id, person, resources or within)
        errand = _errand(change, named, client.agent.id, person)
        plan = change.need(Plan, f"{errand.id}:{errand.plan}")
        _within(said, plan.steps)
        proved = client.proved(change)
        made = credential.give(
            change, task_id=errand.id, agent_id=client.agent.id, path=TrustPath.DELEGATED, person_id=person,
            resources=resources or within, thumb=thumb,
            proved=Proved(proved.attested, proved.binding, said.signed_in, said.strength),
        )  # fmt: skip
        return made, plan

    return await giving.answer(site, request, client, make, spend)


def _detail(asked: Form) -> dict[str, str]:
    """The task that is meant, or the brief under which the person opens one."""
    try:
        value = read(one_of(asked, "authorization_details").encode())
        one = value[0] if isinstance(value, list) and len(value) == 1 else None
        if not isinstance(one, dict) or not one.keys() <= MEMBERS or one.get("type") != DETAILS:
            raise giving.details_invalid()
        if ("task" in one) is ("brief" in one) or not all(isinstance(each, str) for each in one.values()):
            raise giving.details_invalid()
        if "task" in one:
            parse("tsk", one["task"])
    except RemitError as fault:
        if fault.code in ("invalid_authorization_details", "invalid_request"):
            raise
        raise giving.details_invalid() from fault
    return {str(name): str(each) for name, each in one.items()}


def _person(change: Change, issuer: Issuer, said: Granted) -> str:
    """The person, known already or taken in where the settings say so. Their groups are not an assertion's to say."""
    found = payload.person_at(change.db, said.issuer, said.subject)
    if found is None and not issuer.auto_register:
        raise RemitError("invalid_grant", "This person is not known here.", "Ask the operator to add them.")
    if found is not None and signal.since(change, found) > said.issued:
        raise RemitError(
            "invalid_grant", "What was told of this person ended this assertion.", "Let them sign in again."
        )
    return found or principal.add_person(change, said.issuer, said.subject, said.subject, (), "issuer").id


def _fitting(change: Change, agent: str, person: str, resources: tuple[str, ...]) -> dict[str, str]:
    """The one brief under which this agent could act for this person at these resources, where none was named.

    A client that knows nothing of briefs says only where it wants to go. Refuses where none fits, or more than one.
    """
    who, acting = change.need(Person, person), change.need(Agent, agent)
    found = []
    for one in change.reader.where(Brief, "state = 'live'"):
        acts = [
            step.action
            for step in one.steps
            if step.path is TrustPath.DELEGATED and acting.reaches(step.action) and who.may(step.action)
        ]
        fits = acts and set(resources) <= {split(action)[0] for action in acts}
        if fits and agent in one.agents and one.dispatched_by(person, who):
            found.append(one.name)
    if len(found) != 1:
        what = "More than one brief fits" if found else "No brief of this agent and person fits"
        raise RemitError(
            "invalid_authorization_details", f"{what}.", "Name one: authorization_details of the type remit_task."
        )
    return {"brief": found[0]}


def _errand(change: Change, wanted: dict[str, str], agent: str, person: str) -> Task:
    if "task" not in wanted:
        under = change.need(Brief, wanted["brief"])
        steps = tuple(step for step in under.steps if step.path is TrustPath.DELEGATED)
        return task.open_task(
            change, brief=under.name, agent=agent, requester=person, person=person, steps=steps,
            purpose=wanted.get("purpose", "")[:500], by=person,
        )  # fmt: skip
    found = change.reader.get(Task, wanted["task"])
    if found is None or found.agent != agent or found.person != person:
        raise RemitError("invalid_grant", "There is no such open task of this agent.", "Ask for the task again.")
    return found


def _within(said: Granted, steps: tuple[Step, ...]) -> None:
    """Refuse a plan that does more on the delegated path than the assertion's scope names."""
    actions = {step.action for step in steps if step.path is TrustPath.DELEGATED}
    if said.scope is not None and not actions <= said.scope:
        raise RemitError(
            "invalid_scope", "The plan does more than the assertion's scope.", "Plan less, or ask for more."
        )
