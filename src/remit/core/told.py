"""What a receipt tells others: which event of CAEP or RISC it is, of whom, and how it came. Pure; nothing says a name.

An event is told only of what the record itself says has happened; what a receipt does not say is not guessed.
"""

from collections.abc import Callable, Mapping
from typing import Final

from remit.core.canonical import Json
from remit.core.principal import GIVEN, GIVEN_AGAIN, REGROUPED
from remit.core.signal import CAEP, RISC

REVOKED: Final = f"{CAEP}session-revoked"
DISABLED: Final = f"{RISC}account-disabled"
CREDENTIAL: Final = f"{CAEP}credential-change"
ASSURANCE: Final = f"{CAEP}assurance-level-change"
CLAIMS: Final = f"{CAEP}token-claims-change"
SUPPORTED: Final = (REVOKED, DISABLED, CREDENTIAL, ASSURANCE, CLAIMS)
ENDS: Final[Mapping[str, str]] = {
    "revoked": "The task was revoked.",
    "agent": "The agent of the task was stopped.",
    "person": "The person no longer stands behind the task.",
    "owner": "The owner of the task's agent is gone.",
    "fault": "The task was stopped after a fault.",
    "refused": "What the task waited for was refused.",
}
"""Why a task ends that was stopped. One that came to its own end tells nobody; one below ends with the one above."""
CHANGES: Final[Mapping[str, str]] = {
    "create": "A credential was registered.",
    "update": "A credential was replaced.",
    "revoke": "A credential was taken away.",
}
Naming = Callable[[str], Json]
"""How the receiver knows a person, by our id: a subject identifier of RFC 9493."""
Said = tuple[str, Json, dict[str, Json]]


def opaque(identity: str) -> dict[str, Json]:
    """The subject identifier of what is known by our id alone."""
    return {"format": "opaque", "id": identity}


def told(receipt: Mapping[str, Json], known_as: Naming) -> Said | None:
    """The event, its subject and its members; None for what nobody is told."""
    tells = _TELLS.get(receipt["kind"])
    found = tells(receipt, receipt["record"], known_as) if tells is not None else None
    if found is None or found[0] == DISABLED:
        return found
    event, subject, said = found
    who = _who(receipt["by"], receipt["record"].get("person", ""))
    return event, subject, {"event_timestamp": receipt["at"] // 1000, "initiating_entity": who, **said}


def _left(_: Mapping[str, Json], one: Json, known_as: Naming) -> Said:
    return DISABLED, known_as(one["id"]), {}


def _stopped(_: Mapping[str, Json], one: Json, __: Naming) -> Said:
    return REVOKED, _application(one["id"]), _because(f"The agent was {one['state']}.")


def _ended(_: Mapping[str, Json], one: Json, known_as: Naming) -> Said | None:
    why = ENDS.get(one.get("because", ""))
    return (REVOKED, _session(one, known_as), _because(why)) if why else None


def _planned(_: Mapping[str, Json], one: Json, known_as: Naming) -> Said:
    """From now on the credentials of this task say another plan; one that says the plan before is refused."""
    return CLAIMS, _session(one, known_as), {"claims": {"remit_plan": one["plan"]}}


def _regrouped(receipt: Mapping[str, Json], one: Json, known_as: Naming) -> Said | None:
    if receipt.get("because") != REGROUPED:
        return None
    return CLAIMS, known_as(one["id"]), {"claims": {"groups": one.get("groups", [])}}


def _signed_in(_: Mapping[str, Json], one: Json, known_as: Naming) -> Said | None:
    """A person proved who they are otherwise than the last time. Which level is higher is not ours to say."""
    if not one.get("before"):
        return None
    levels = {"namespace": one["issuer"], "current_level": one["acr"], "previous_level": one["before"]}
    return ASSURANCE, known_as(one["person"]), levels


def _registered(_: Mapping[str, Json], one: Json, __: Naming) -> Said | None:
    return _credential(_application(one["id"]), "public-key", "create") if one.get("keys") else None


def _bound(receipt: Mapping[str, Json], one: Json, _: Naming) -> Said:
    kind = "client-secret" if one.get("digest") else "workload-identity"
    return _credential(_application(one["agent"]), kind, "create" if receipt["kind"] == "agent.bound" else "revoke")


def _client(receipt: Mapping[str, Json], one: Json, _: Naming) -> Said | None:
    """A client that proves a key of its own; any other proves its agent's, or none."""
    if not one.get("keys") and not one.get("keys_url"):
        return None
    change = "create" if receipt["kind"] == "client.added" else "revoke"
    return _credential(_application(one["agent"]), "public-key", change)


def _service(receipt: Mapping[str, Json], one: Json, _: Naming) -> Said | None:
    changes = {GIVEN: "create", GIVEN_AGAIN: "update"}
    change = changes.get(receipt.get("because", ""))
    return _credential(opaque(one["id"]), "bearer-token", change) if change else None


def _credential(subject: Json, kind: str, change: str) -> Said:
    return CREDENTIAL, subject, {"credential_type": kind, "change_type": change, **_because(CHANGES[change])}


def _because(why: str) -> dict[str, Json]:
    """For whoever audits, as CAEP 1.0 section 2 has it; the interoperability profile (section 3) asks for it."""
    return {"reason_admin": {"en": why}}


def _application(agent: str) -> dict[str, Json]:
    return {"format": "complex", "application": opaque(agent)}


def _session(task: Json, known_as: Naming) -> Json:
    subject: dict[str, Json] = {"format": "complex"}
    subject |= {"user": known_as(task["person"])} if task.get("person") else {}
    return subject | {"application": opaque(task["agent"]), "session": opaque(task["id"])}


def _who(by: str, person: str) -> str:
    """Who began it, in the words of CAEP."""
    if by == person:
        return "user"
    if by.startswith(("agt_", "svc_")):
        return "system"
    return "admin" if by == "operator" or by.startswith("per_") else "policy"


_TELLS: Final[Mapping[str, Callable[[Mapping[str, Json], Json, Naming], Said | None]]] = {
    "person.left": _left,
    "person.changed": _regrouped,
    "session.begun": _signed_in,
    "agent.suspended": _stopped,
    "agent.retired": _stopped,
    "agent.added": _registered,
    "agent.bound": _bound,
    "agent.unbound": _bound,
    "client.added": _client,
    "client.ended": _client,
    "service.changed": _service,
    "task.ended": _ended,
    "task.planned": _planned,
}
KINDS: Final = tuple(_TELLS)
