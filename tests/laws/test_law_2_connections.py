"""Law 2 for connections: what is lent on the delegated path is of the task's own person, and of nobody else."""

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.control import brief, connection, principal
from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.permit import Fault, Permit
from remit.core.resource import Minting
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Minted
from tests.kit.planted import Planted, each_goes_red
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time
from tests.kit.world import read_call

LAW = settings(
    max_examples=25, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
WHO = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("connect"), WHO), st.tuples(st.just("end"), WHO), st.tuples(st.just("call"), WHO),
        st.tuples(st.just("own"), WHO), st.tuples(st.just("open"), WHO), st.tuples(st.just("renew"), WHO),
        st.tuples(st.just("lose"), WHO),
    ),
    min_size=4, max_size=16,
)  # fmt: skip


def what_is_lent_is_of_the_tasks_own_person(folder: Path) -> None:
    runs = iter(range(1000))

    def one(steps):
        place = folder / str(next(runs))
        place.mkdir(mode=0o700)
        time = Time()
        world = Lending(place, place.with_suffix(".target"), ByHand(time)).settle()
        world.register(minting=Minting(kind="oauth", settings={"revoke": "https://idp.example/revoke"}))
        ray = world.act(lambda c: principal.add_person(c, "local", "ray", "Ray", (), "operator"))
        people = [world.owner, world.person, ray]
        open_to = world.a_brief(dispatchers=tuple(each.id for each in people))
        world.act(lambda c: brief.apply(c, open_to, "operator"))
        tokens, tasks, count, ended = {}, {}, 0, []
        renews, loses = renewing(world, tokens)
        for what, who in steps:
            time.on(1)
            person = people[who].id
            if what == "connect":
                count += 1
                tokens[person] = f"token-{who}-{count}".encode()
                given = {"person": person, "resource": "notes", "scopes": ("a",), "by": person}
                world.act(lambda c, p=person, g=given: connection.connect(c, token=Secret(tokens[p]), **g))
            elif what == "end":
                for held in world.act(lambda c, p=person: connection.live(c.reader, p)):
                    world.act(lambda c, i=held.id: connection.end(c, i, "operator"))
                ended += [tokens.pop(person)] if person in tokens else []
                world.settle_targets()
                taken = [each.reveal() for each in world.source.parted]
                assert taken == ended, "the provider took back another token than the one that ended"
            elif what in ("renew", "lose"):
                (renews if what == "renew" else loses).add(person)
            elif what == "open" or person not in tasks:
                tasks[person] = world.a_task(requester=person, by=person, person=person)
            if what in ("call", "own"):
                called(world, tasks[person], person, tokens.get(person), delegated=what == "call")
        world.close()

    one([("connect", 0), ("connect", 1), ("call", 0), ("call", 1), ("end", 0), ("call", 0), ("own", 1), ("call", 1)])
    one([("connect", 0), ("connect", 1), ("renew", 0), ("call", 0), ("open", 0), ("call", 0), ("open", 1), ("call", 1)])
    one([("connect", 0), ("connect", 1), ("lose", 0), ("call", 0), ("open", 0), ("call", 0), ("open", 1), ("call", 1)])
    one([("connect", 2), ("renew", 2), ("call", 2), ("connect", 1), ("end", 2), ("call", 1), ("end", 1)])
    LAW(given(STEPS)(one))()


def renewing(world, tokens):
    """Have the provider exchange the refresh token of whoever is in a set at their next mint, as many do.

    The mint of whoever is in the second set fails after that.
    """
    whom, loses, mint = set(), set(), world.source.mint

    def minting(intent):
        found = mint(intent)
        if intent.person not in whom | loses:
            return found
        tokens[intent.person] = intent.held.reveal() + b"+"
        if intent.person in loses:
            loses.discard(intent.person)
            world.source.became[intent.held.reveal()] = Secret(tokens[intent.person])
            raise RemitError("target_declined", "It was lost on the way.", "Try again.")
        whom.discard(intent.person)
        return Minted(found.name, found.until, found.secret, Secret(tokens[intent.person]))

    world.source.mint = minting
    return whom, loses


def called(world, errand, person, token, *, delegated):
    """Decide one call, and hold what was minted and lent for it to its own person."""
    path = TrustPath.DELEGATED if delegated else TrustPath.OWN
    paper = world.a_credential(errand.id, path, person if delegated else "")
    before = len(world.source.minted)
    found = world.decide(read_call(), world.enter(paper.text))
    if not delegated or token is None:
        assert isinstance(found, (Deny, Fault)), "something was lent without the person's connection"
        return
    for intent in world.source.minted[before:]:
        assert intent.person == person, "a mint was for another person"
        assert intent.held is not None, "a mint had no token"
        assert intent.held.reveal() == token, "a mint was given another person's token"
    if isinstance(found, Permit):
        lease = next(one for one in world.leases() if one.id == found.lease)
        assert lease.person == person, "what was lent is another person's"
    else:
        assert found.code in ("lease_ending", "target_declined"), f"a person who is connected was refused: {found}"


FAULTS = (
    Planted(
        "any connection at the resource will do",
        "control/connection.py",
        "person = ? AND state = 'live'\", (person,))",
        "? <> '' AND state = 'live'\", (person,))",
        what_is_lent_is_of_the_tasks_own_person,
        "a person who is connected was refused",
    ),
    Planted(
        "a mint takes the first connection that it finds",
        "control/lessor.py",
        "found = connections.live(Reader(self._authority.reading()), one.person, one.resource)",
        "found = sorted(Reader(self._authority.reading()).where(connections.Connection), key=lambda c: c.at)",
        what_is_lent_is_of_the_tasks_own_person,
        "another person's token",
    ),
    Planted(
        "what the provider renewed is kept for whoever connected last",
        "control/lessor.py",
        "renewed = (connection, later) if",
        "every = Reader(self._authority.reading()).where(connections.Connection)\n"
        "        renewed = (max(every, key=lambda c: c.at).id, later) if",
        what_is_lent_is_of_the_tasks_own_person,
        "another",
    ),
    Planted(
        "what the provider renewed in a mint that failed is not kept",
        "control/lease.py",
        "    _renew(change, renewed)\n    one = change.reader.get(Lease, identity)\n    if one is not None and",
        "    one = change.reader.get(Lease, identity)\n    if one is not None and",
        what_is_lent_is_of_the_tasks_own_person,
        "another person's token",
    ),
    Planted(
        "a call needs no connection",
        "control/lease.py",
        "if resource.minting.kind == CONNECTED and not _connected(",
        "if not resource.minting.kind and not _connected(",
        what_is_lent_is_of_the_tasks_own_person,
        "without the person's connection",
    ),
)


def test_law(tmp_path):
    what_is_lent_is_of_the_tasks_own_person(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
