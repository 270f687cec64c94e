"""What a consent page says: who, for what, on whose authority, touching what, until when; in plain words."""

from typing import Any, Final

from remit.control.consent import Offer
from remit.core.canonical import Json, canon
from remit.core.client import Client, place
from remit.core.resource import split
from remit.core.shown import shown
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.store import payload
from remit.web.console.person import Signed
from remit.web.site import Site

KINDS: Final = {
    "@read": "read its resources",
    "@prompt": "use its prompts",
    "@complete": "complete names",
    "@subscribe": "be told of its changes",
    "@sampling": "let it ask the agent's model",
    "@elicitation": "let it ask the person",
    "@roots": "let it see folder names",
}
LIMITS: Final = {
    "subpath": "within {}",
    "prefix": "beginning with {}",
    "max_length": "at most {} characters",
    "pattern": "of the form {}",
    "one_of": "one of {}",
    "equals": "exactly {}",
}


def told(site: Site, who: Signed, client: Client, uri: str, offers: list[Offer]) -> dict[str, Any]:
    """Everything that the page shows. Text from elsewhere is written so that it does nothing."""
    first = offers[0]
    return {
        "client": shown(client.name, 100),
        "stranger": client.kind != "registered",
        "place": place(uri),
        "agent": first.agent.name,
        "agent_purpose": shown(first.agent.purpose),
        "owner": _name(site, first.agent.owner),
        "person": _name(site, who.person.id),
        "offers": [_offer(one, site.now()) for one in offers],
    }


def _offer(one: Offer, now: int) -> dict[str, Any]:
    purpose, labels, asked = one.shown["purpose"], one.shown["labels"], one.shown.get("parameters", {})
    return {
        "name": one.brief.name,
        "brief": shown(one.brief.purpose),
        "purpose": shown(purpose),
        "labels": [f"{shown(name)}: {shown(value)}" for name, value in sorted(labels.items())],
        "parameters": [shown(f"{name}: {_parameter(value)}") for name, value in sorted(asked.items())],
        "until": now + one.brief.life,
        "life": span(one.brief.life),
        "idle": span(one.brief.idle),
        "over": one.shown.get("over", ()),
        "approvers": one.brief.asked((TrustPath.DELEGATED,)),
        "resources": [
            {
                "name": each.name,
                "domain": each.domain,
                "acts": [said(step) for step in one.planned if split(step.action)[0] == each.name],
            }
            for each in one.resources
        ],
    }


def said(step: Step) -> dict[str, Any]:
    """One step: what may be done, and what holds it back."""
    kind = split(step.action)[1]
    form = step.to_json()
    held = [
        f"{shown(name)} {' and '.join(map(limit, limits))}{', or left out' if name in step.optional else ''}"
        for name, limits in form.get("arguments", {}).items()
    ]
    if step.uses is not None:
        held.append("once" if step.uses == 1 else f"up to {step.uses} times")
    if step.rows is not None:
        held.append(f"up to {step.rows} rows")
    if step.rate is not None:
        held.append(f"rate {canon(form['rate']).decode()}")
    held += [f"in all {canon(one).decode()}" for one in form.get("totals", [])]
    if step.allow_unknown:
        held.append("any others with any values" if step.arguments else "with any values")
    return {"act": KINDS.get(kind, kind), "limits": [shown(one) for one in held]}


def limit(form: Json) -> str:
    """One limit of an argument, in words where there are some."""
    (kind, value), *more = form.items() if isinstance(form, dict) and form else (("limit", form),)
    if not more and kind == "range" and isinstance(value, dict):
        return f"from {value.get('min', 'any')} to {value.get('max', 'any')}"
    text = value if isinstance(value, str) else canon(value).decode()
    if not more and kind in LIMITS:
        return LIMITS[kind].format(text)
    return canon(form).decode()


def _parameter(value: Json) -> str:
    """What a client wants an argument to be, in words."""
    return limit(value) if isinstance(value, dict) else limit({"equals": value})


def span(milliseconds: int) -> str:
    """A length of time as people say it."""
    minutes = max(1, milliseconds // 60_000)
    if minutes < 120:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"


def _name(site: Site, person: str) -> str:
    names = payload.names(site.authority.view, person)
    return shown(names[0][2], 100) if names else person
