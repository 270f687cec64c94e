"""Law 1: faults in what a call rests on besides its own task: who handed it on, who vouches, and how fresh that is."""

from tests.kit.planted import Planted, each_goes_red
from tests.laws.test_law_1_decide import SINGLE

DELEGATION, FRESH = "core/delegation.py", "core/freshness.py"
FAULTS = (
    Planted(
        "givers skipped",
        DELEGATION,
        "if givers is None or below.parent:",
        "if givers is None:",
        SINGLE,
        "credentials above",
    ),
    Planted(
        "a giver's end skipped",
        DELEGATION,
        'or one.state != "active":',
        "or not one.state:",
        SINGLE,
        "credentials above",
    ),
    Planted(
        "a giver a moment late",
        DELEGATION,
        "if now >= one.expires:",
        "if now > one.expires:",
        SINGLE,
        "credentials above",
    ),
    Planted(
        "agents above skipped", DELEGATION, 'one.state != "active" or now >= one', "now >= one", SINGLE, "agents above"
    ),
    Planted("owners above skipped", DELEGATION, "if not owned:", "if owned is None:", SINGLE, "owners above here"),
    Planted(
        "ceilings above skipped", DELEGATION, "if not one.reaches(action):", "if not one.id:", SINGLE, "ceilings above"
    ),
    Planted("the person's rights skipped", DELEGATION, "and not person.may(action)", "and False", SINGLE, "person may"),
    Planted(
        "a binding's end skipped",
        FRESH,
        'for one in bindings if one.state == "active"}',
        "for one in bindings}",
        SINGLE,
        "attested by",
    ),
    Planted(
        "the agent's age skipped",
        FRESH,
        "if fresh.agent and any(",
        "if fresh.agent and not any(",
        SINGLE,
        "fresh enough",
    ),
    Planted(
        "the owner a moment late",
        FRESH,
        "now - owner_seen >= fresh.owner",
        "now - owner_seen > fresh.owner",
        SINGLE,
        "fresh enough",
    ),
    Planted("a session that is over counts", FRESH, " and now < one.until]", "]", SINGLE, "fresh enough"),
    Planted("how they signed in skipped", FRESH, "if not fresh.acr or acr in fresh.acr]", "]", SINGLE, "fresh enough"),
    Planted(
        "the person a moment late",
        FRESH,
        "now - max(sure) >= fresh.person",
        "now - max(sure) > fresh.person",
        SINGLE,
        "fresh enough",
    ),
)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
