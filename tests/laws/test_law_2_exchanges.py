"""Law 2 at a provider: whichever way a token is got, it is of the person whose task it is for, with its scopes."""

import itertools
import json
import urllib.parse
import urllib.request
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent
from remit.custody.sources.oauth import OAuthSource
from remit.custody.sources.provider import discovered
from tests.kit.nouns import named
from tests.kit.planted import Planted, each_goes_red
from tests.kit.provider import BOTH, CLIENT, THERE, provided

LAW = settings(
    max_examples=8, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
WAYS = ("refresh", "exchange refresh_token", "exchange access_token", "exchange id_token", "id-jag refresh_token")
WANTED = {("read_note",): "notes.read", ("read_note", "write_note"): "notes.read notes.write"}
STEPS = st.lists(
    st.tuples(st.sampled_from(("ann", "bob")), st.sampled_from(sorted(WANTED)), st.booleans()), min_size=2, max_size=5
)


def every_token_is_of_its_own_person(folder: Path) -> None:
    assert folder.is_dir()
    with provided("rotate") as provider:
        holds(provider)


def holds(provider):
    numbers = itertools.count()
    people = {who: Secret(token.encode()) for who, token in provider["people"].items()}
    sources = {way: opened(provider, way) for way in WAYS}

    def one(way, steps):
        source, says = sources[way]
        alive = []
        for who, kinds, drop in steps:
            minted = source.mint(intent(next(numbers), who, kinds, people[who]))
            people[who] = minted.renewed or people[who]
            said = says(minted.secret.reveal().decode())
            assert said.get("sub") == who, f"by {way} a mint for {who} gave another person's token"
            assert said.get("scope") == WANTED[kinds], f"by {way} a token has other scopes than its steps"
            alive.append(minted)
            if drop:
                source.drop(alive.pop(0))
        assert all(source.probe(each) is Gone.LIVE for each in alive), "a drop ended another lease"

    for way in WAYS:
        one(way, [(who, kinds, False) for who in ("ann", "bob", "ann") for kinds in sorted(WANTED)])
    LAW(given(st.sampled_from(WAYS), STEPS)(one))()
    for source, _ in sources.values():
        source.close()


def opened(provider, way):
    """A source of one way at this provider, and who tells what its tokens are."""
    by, _, subject = way.partition(" ")
    at, there = provider["issuer"], provider["there"]
    given = discovered({"issuer": at, "target.issuer": there}) | {"client": "remit", "target.client": "remit-there"}
    given |= {"by": by, "subject": subject or "refresh_token", "scope.read_note": "notes.read"}
    source = OAuthSource(Secret(BOTH), given | {"scope.write_note": "notes.write"}, lambda: Instant(2**40))
    place = (there, "remit-there", THERE) if by == "id-jag" else (at, "remit", CLIENT)
    return source, lambda token: asked(*place, token)


def asked(issuer, client, secret, token):
    body = urllib.parse.urlencode({"token": token, "client_id": client, "client_secret": secret.decode()}).encode()
    with urllib.request.urlopen(f"{issuer}/token/introspection", body, timeout=60) as answer:
        return json.load(answer)


def intent(number, who, kinds, held):
    steps = tuple(Step.from_json({"action": f"mcp:notes/{one}", "path": "delegated"}) for one in kinds)
    return Intent(
        name=f"remit_{named('tsk')}_del_{number:08d}", task=TaskId(named("tsk")), path=TrustPath.DELEGATED,
        until=Instant(2**41), steps=steps, person=named("per", who[0]), held=held,
    )  # fmt: skip


FAULTS = (
    Planted(
        "what is exchanged is what the first person gave",
        "custody/sources/exchanging.py",
        "subject = held.reveal().decode()",
        "subject = self.__dict__.setdefault('first', held.reveal().decode())",
        every_token_is_of_its_own_person,
        "gave another person's token",
        web=True,
    ),
    Planted(
        "one answer of the target's server serves everybody who asks for the same",
        "custody/sources/exchanging.py",
        'given = self.there.ask({"grant_type": BEARER, "assertion": text, "scope": " ".join(scopes), **resource})',
        'given = self.__dict__.setdefault(" ".join(scopes), '
        'self.there.ask({"grant_type": BEARER, "assertion": text, **resource}))',
        every_token_is_of_its_own_person,
        "by id-jag refresh_token a mint for bob gave another person's token",
        web=True,
    ),
    Planted(
        "the token that the provider renewed last is everybody's",
        "custody/sources/oauth.py",
        "held = self.newest(intent.held)",
        "held = next(reversed(self._renewed.values()), self.newest(intent.held))",
        every_token_is_of_its_own_person,
        "by refresh a mint for bob gave another person's token",
        web=True,
    ),
)


def test_law(tmp_path):
    every_token_is_of_its_own_person(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
