"""A chain of agents, and what of a plan its credential can hand on."""

from remit.core.answer import Deny
from remit.core.delegation import beyond, chain, handed, standing
from remit.core.grant import Step
from remit.core.trust import TrustPath
from tests.kit.nouns import AGENT, CREDENTIAL, NOON, STEP, agent, credential, named, person, task

SUB, LEAF = named("agt", "b"), named("agt", "c")
READ = "mcp:notes/read_note"


def test_a_chain_is_written_newest_first_and_names_nobody_twice_in_a_row():
    assert chain(LEAF, (SUB, AGENT)) == (LEAF, SUB, AGENT)
    assert chain(SUB, (SUB, AGENT, AGENT)) == (SUB, AGENT)
    assert chain(SUB, ()) == (SUB,)


def test_what_stands_above_is_needed_whole():
    above, giver = task(agent=AGENT), credential()
    one = credential(id=named("crd", "b"), parent=CREDENTIAL, agent=SUB, subject=SUB)
    assert standing(one, (above,), (agent(),), (giver,), True, NOON) is None
    for actors, givers, owned in (
        ((), (giver,), True),
        ((agent(state="suspended"),), (giver,), True),
        ((agent(),), (giver,), False),
        ((agent(),), None, True),
        ((agent(),), (), True),
        ((agent(),), (credential(state="ended"),), True),
        ((agent(),), (credential(expires=NOON + 1),), True),
        ((agent(),), (credential(task=named("tsk", "b")),), True),
    ):
        assert isinstance(standing(one, (above,), actors, givers, owned, NOON + 1), Deny)


def test_nobody_hands_on_what_they_lack():
    own, delegated = TrustPath.OWN, TrustPath.DELEGATED
    assert beyond(READ, (agent(),), person(rights=()), own) is None, "a person has no say on the own path"
    found = beyond(READ, (), person(rights=()), delegated)
    assert found is not None
    assert found.code == "person_outside"
    assert beyond(READ, (), person(rights=("mcp:notes/*",)), delegated) is None
    found = beyond(READ, (agent(ceiling=("mcp:mail/*",)),), None, own)
    assert found is not None
    assert found.code == "ceiling_outside"


def test_only_steps_of_its_path_and_audience_are_handed_on():
    own, other = Step.from_json(STEP), Step.from_json(STEP | {"path": "delegated"})
    mail = Step.from_json(STEP | {"action": "mcp:mail/send"})
    assert handed((own, other, mail), credential()) == (own,)
    assert handed((own, other, mail), credential(audience=("mail",))) == (mail,)
