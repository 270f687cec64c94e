"""Which receipt is which event, as values."""

import pytest

from remit.core.principal import GIVEN, GIVEN_AGAIN, REGROUPED
from remit.core.receipt import change, decode, encode
from remit.core.told import ASSURANCE, CHANGES, CLAIMS, CREDENTIAL, ENDS, KINDS, REVOKED, SUPPORTED, opaque, told
from tests.kit.nouns import NOON, PERSON, agent, binding, client, named, person, service, session, task

KEY = ({"kty": "EC"},)


def said(tag, record, by="operator", because=""):
    return told(decode(encode(change(tag, record, NOON, by, because))), opaque)


def application(identity):
    return {"format": "complex", "application": opaque(identity)}


@pytest.mark.parametrize(
    ("tag", "record", "because", "kind", "how"),
    [
        ("agent.added", agent(keys=KEY), "", "public-key", "create"),
        ("agent.bound", binding(), "", "workload-identity", "create"),
        ("agent.unbound", binding(state="ended"), "", "workload-identity", "revoke"),
        ("agent.bound", binding(attestor="secret", claims={}, digest="d"), "", "client-secret", "create"),
        ("client.added", client(kind="dynamic", keys=KEY), "", "public-key", "create"),
        ("client.ended", client(kind="dynamic", keys_url="https://c.e", state="ended"), "", "public-key", "revoke"),
        ("service.changed", service(), GIVEN, "bearer-token", "create"),
        ("service.changed", service(), GIVEN_AGAIN, "bearer-token", "update"),
    ],
)  # fmt: skip
def test_a_key_token_or_secret_that_came_or_went_is_a_credential_that_changed(tag, record, because, kind, how):
    event, subject, members = said(tag, record, because=because)
    assert event == CREDENTIAL
    known = opaque(record.id) if tag.startswith("service") else application(getattr(record, "agent", record.id))
    assert subject == known
    assert members == {
        "event_timestamp": NOON // 1000, "initiating_entity": "admin", "credential_type": kind, "change_type": how,
        "reason_admin": {"en": CHANGES[how]},
    }  # fmt: skip


def test_what_was_stopped_says_why_in_words_for_whoever_audits():
    for because, words in ENDS.items():
        event, _, members = said("task.ended", task(state="ended", because=because))
        assert (event, members["reason_admin"]) == (REVOKED, {"en": words})
    for state in ("suspended", "retired"):
        event, _, members = said(f"agent.{state}", agent(state=state))
        assert (event, members["reason_admin"]) == (REVOKED, {"en": f"The agent was {state}."})


def test_what_changed_no_credential_level_or_claim_is_told_to_nobody():
    for tag, record in (
        ("agent.added", agent()), ("client.added", client()), ("client.ended", client(state="ended")),
        ("service.changed", service()), ("person.changed", person()), ("session.begun", session(acr="mfa")),
        ("agent.reviewed", agent()), ("agent.transferred", agent()), ("session.ended", session(state="ended")),
    ):  # fmt: skip
        assert said(tag, record) is None, tag
    assert said("person.changed", person(), because="confirmed that they are here") is None


def test_other_groups_and_another_plan_are_claims_that_changed():
    event, subject, members = said("person.changed", person(groups=("ops",)), PERSON, REGROUPED)
    assert (event, subject, members["claims"]) == (CLAIMS, opaque(PERSON), {"groups": ["ops"]})
    assert said("person.changed", person(groups=()), PERSON, REGROUPED)[2]["claims"] == {"groups": []}
    one = task(plan=3, person=PERSON)
    event, subject, members = said("task.planned", one, named("agt", "b"))
    assert (event, members["claims"], members["initiating_entity"]) == (CLAIMS, {"remit_plan": 3}, "system")
    assert subject == application(one.agent) | {"user": opaque(PERSON), "session": opaque(one.id)}
    assert "user" not in said("task.planned", task(plan=3), named("agt", "b"))[1]


def test_another_level_of_sign_in_is_told_with_both_levels_and_without_a_direction():
    one = session(acr="mfa", before="pwd")
    event, subject, members = said("session.begun", one, one.person)
    assert (event, subject) == (ASSURANCE, opaque(one.person))
    assert members == {
        "event_timestamp": NOON // 1000, "initiating_entity": "user", "namespace": one.issuer,
        "current_level": "mfa", "previous_level": "pwd",
    }  # fmt: skip


def test_each_kind_of_receipt_that_tells_is_a_kind_and_each_event_is_told():
    assert len(set(KINDS)) == len(KINDS)
    assert len(set(SUPPORTED)) == len(SUPPORTED) == 5
