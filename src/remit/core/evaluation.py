"""Evaluation: an AuthZEN 1.0 access evaluation, read once into a Call and the credential it is asked with.

The names in a request say what is asked about; they never say who asks: that is the agent's credential in
`context.credential`, and `subject.id` must be its subject. Names follow the COAZ-MCP binding: the action is the MCP
method, the resource the tool, resource or prompt. What the specification calls an invalid request is refused
(`evaluation_invalid`); what is well formed and means nothing here is a Deny.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from remit.core import ids
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.permit import BARE, Manner
from remit.core.resource import TOOL

MOST: Final = 100
MEMBERS: Final = ("subject", "action", "resource", "context")
KINDS: Final = {"tools/call": "tool", "resources/read": "resource", "prompts/get": "prompt"}
"""Each MCP method that can be asked about, and the type of what it is done to."""
SUBJECTS: Final = {"identity": ("per", "agt"), "person": ("per",), "user": ("per",), "agent": ("agt",)}
LONGEST: Final = 4_096
PROOF: Final = frozenset({"dpop", "method", "url"})


class Semantic(StrEnum):
    """How a list of evaluations is gone through (section 7.1.2 of the specification)."""

    ALL = "execute_all"
    DENY = "deny_on_first_deny"
    PERMIT = "permit_on_first_permit"


@dataclass(frozen=True, slots=True)
class Question:
    """One evaluation: the call asked about, as whom it is said to be made, and the credential's text."""

    call: Call
    subject: str
    agent: str
    credential: str = field(repr=False)
    manner: Manner = BARE


def parts(value: Json) -> tuple[Semantic, list[Json]] | None:
    """A list of evaluations, each with the defaults of the whole filled in; None for a single evaluation.

    A member of an item replaces that default whole. Refuses a list that is none, is too long, or comes with options
    that are not known (`evaluation_invalid`).
    """
    if not isinstance(value, dict):
        raise _invalid("The body is not an object.")
    items, options = value.get("evaluations"), value.get("options", {})
    if not isinstance(options, dict):
        raise _invalid("options is not an object.")
    try:
        semantic = Semantic(options.get("evaluations_semantic", Semantic.ALL))
    except ValueError as fault:
        raise _invalid("evaluations_semantic is not known.") from fault
    if items is None or items == []:
        return None
    if not isinstance(items, list) or len(items) > MOST:
        raise _invalid(f"evaluations is not a list of up to {MOST}.")
    defaults = {name: value[name] for name in MEMBERS if name in value}
    return semantic, [{**defaults, **one} if isinstance(one, dict) else one for one in items]


def question(value: Json) -> Question | Deny:
    """Read one evaluation. Refuses what is no evaluation (`evaluation_invalid`)."""
    if not isinstance(value, dict):
        raise _invalid("An evaluation is not an object.")
    subject = _entity(value, "subject", ("type", "id"))
    action = _entity(value, "action", ("name",))
    resource = _entity(value, "resource", ("type", "id"))
    context = value.get("context", {})
    if not isinstance(context, dict):
        raise _invalid("context is not an object.")
    credential, agent, arguments = context.get("credential", ""), context.get("agent", ""), context.get("arguments")
    if (
        not isinstance(credential, str)
        or not isinstance(agent, str)
        or not isinstance(context.get("arguments", {}), dict)
    ):
        raise _invalid("context.credential and context.agent are texts, context.arguments is an object.")
    kinds = SUBJECTS.get(subject["type"], ())
    if not subject["id"].startswith(tuple(f"{kind}_" for kind in kinds) or ("\n",)):
        return Deny("subject_other", "This subject is nobody that a credential can be of.", "Name its own subject.")
    if not credential:
        return Deny("credential_missing", "Names alone grant nothing.", "Send the agent's credential in the context.")
    call = _call(action["name"], resource, arguments)
    return call if isinstance(call, Deny) else Question(call, subject["id"], agent, credential, _manner(context))


def _manner(context: Mapping[str, Json]) -> Manner:
    """How the agent showed its credential where the asking service stands: with a DPoP proof, for that request."""
    proof = context.get("proof")
    if proof is None:
        return BARE
    if not isinstance(proof, dict) or proof.keys() != PROOF or not all(isinstance(one, str) for one in proof.values()):
        raise _invalid(f"context.proof is an object of the texts {', '.join(sorted(PROOF))}.")
    return Manner("dpop", (proof["dpop"],), proof["method"], proof["url"])


def _call(method: str, resource: Mapping[str, Json], arguments: Mapping[str, Json] | None) -> Call | Deny:
    properties = resource.get("properties", {})
    server, name = properties.get("server"), resource["id"]
    if server is None and resource["type"] == "tool":
        server, _, name = name.partition("/")
    try:
        ids.name("resource", server)
    except RemitError:
        server = None
    if server is None or KINDS.get(method) != resource["type"] or (method == "tools/call" and not TOOL.fullmatch(name)):
        return Deny(
            "action_unmapped",
            "This action on this resource is nothing that is decided here.",
            "Ask about tools/call, resources/read or prompts/get, at a named server.",
        )
    if method == "tools/call":
        return Call(f"mcp:{server}/{name}", arguments or {})
    if method == "resources/read":
        return Call(f"mcp:{server}/@read", {"uri": name})
    return Call(
        f"mcp:{server}/@prompt", {"name": name} if arguments is None else {"name": name, "arguments": arguments}
    )


def _entity(value: Mapping[str, Json], member: str, texts: tuple[str, ...]) -> Mapping[str, Json]:
    found = value.get(member)
    if not isinstance(found, dict) or not isinstance(found.get("properties", {}), dict):
        raise _invalid(f"{member} is not an object, or its properties are none.")
    if any(not isinstance(found.get(one), str) or not 0 < len(found[one]) <= LONGEST for one in texts):
        raise _invalid(f"{member} needs {' and '.join(texts)}, each a text.")
    return found


def _invalid(why: str) -> RemitError:
    return RemitError(
        "evaluation_invalid",
        f"This is no access evaluation. {why}",
        "Send it as AuthZEN 1.0 and docs/spec/access.md say.",
    )
