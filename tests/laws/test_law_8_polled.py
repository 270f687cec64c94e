"""Law 8 for what is polled: an event is acknowledged when what it ends has ended, and not before; it is never lost."""

import asyncio
import time
from pathlib import Path

import pytest

from remit.control import brief, principal, signal
from remit.control.poller import Source
from remit.core import poll as rules
from remit.core.signal import CAEP, Signal, Transmitter
from remit.core.task import Task
from remit.web import keysets, listening
from remit.web.listening import Listening
from tests.kit.asking import opened
from tests.kit.planted import Planted, each_goes_red
from tests.kit.site import site
from tests.kit.transmitting import Transmitter as Other
from tests.kit.world import ISSUER


def what_is_acknowledged_has_ended_and_what_has_not_is_told_again(folder: Path) -> None:
    other = Other()
    try:
        with pytest.MonkeyPatch.context() as quick, site(folder) as place:
            quick.setattr(listening, "REST_S", 0.05)
            quick.setattr(rules, "FIRST_MS", 4)
            quick.setattr(keysets, "AGAIN_MS", 10)
            bot = place.agent("bot")
            pia = place.act(lambda c: principal.add_person(c, other.url, "pia", "Pia", (), "operator")).id
            listed = (place.world.owner.id, pia)
            place.act(lambda c: brief.apply(c, place.world.a_brief(agents=(bot,), dispatchers=listed), "operator"))
            known = Transmitter(name="idp", issuer=other.url, audience=ISSUER, keys_url=f"{other.url}/jwks")
            place.act(lambda c: signal.add(c, known, "operator"))
            _polled(place, other, bot, pia)
    finally:
        other.close()


def _polled(place, other, bot, pia):
    errand, now = opened(place, bot, requester=pia), place.world.authority.clock.now() // 1000
    about = {"format": "iss_sub", "iss": other.url, "sub": "pia"}
    said = {"iss": other.url, "aud": ISSUER, "iat": now, "sub_id": about, "events": {f"{CAEP}session-revoked": {}}}
    seen = []

    def state():
        return place.act(lambda c: c.need(Task, errand)).state

    other.on_ack = lambda name: seen.append((name, state()))
    other.keys = False
    other.tell(said | {"jti": "one"})
    made = Listening(place.world.authority, place.world.batch, (Source("idp", other.url),), lambda _: None)
    place.loop.call_soon_threadsafe(made.start, place.loop)
    try:
        _until(lambda: len(other.asked) >= 3 or seen)  # the third poll comes when all of the second was taken
        assert (seen, other.errors) == ([], {}), "an event was given up that could not be judged yet"
        other.keys = True
        _until(lambda: seen)
        assert seen == [("one", "ended")], "an event was acknowledged before it was done"
        other.tell(said | {"jti": "two", "aud": "https://elsewhere.test"})
        _until(lambda: other.errors or len(seen) > 1)
        assert list(other.errors) == ["two"], "an event for somebody else was taken"
        found = place.act(lambda c: list(c.reader.where(Signal)))
        assert [one.jti for one in found] == ["one"], "what was told is not what was recorded"
    finally:
        asyncio.run_coroutine_threadsafe(made.stop(), place.loop).result(20)


def _until(true):
    end = time.monotonic() + 60
    while not true() and time.monotonic() < end:
        time.sleep(0.01)


LAW = what_is_acknowledged_has_ended_and_what_has_not_is_told_again
WHERE = "web/listening.py"
FAULTS = (
    Planted(
        "what could not be done is acknowledged",
        WHERE,
        "            return fault.message\n        if wrong",
        "            self._round.done(name)\n            return fault.message\n        if wrong",
        LAW,
        "given up",
        web=True,
    ),
    Planted(
        "an event is acknowledged and not done",
        WHERE,
        "wrong = await self._hearing.hear(source, text, name)",
        "wrong = None",
        LAW,
        "given up",
        web=True,
    ),
    Planted(
        "the audience of what is polled does not matter",
        "web/hearing.py",
        "audience=source.audience,",
        "audience=(__import__('remit.custody.assertion').custody.assertion.claimed(text) or {}).get('aud'),",
        LAW,
        "was taken",
        web=True,
    ),
    Planted(
        "what is told is heard and ends nothing",
        "control/signal.py",
        "    _end(change, person.id, what, made.id)\n    return made",
        "    return made",
        LAW,
        "before it was done",
        web=True,
    ),
)


def test_law(tmp_path):
    tmp_path.chmod(0o700)
    LAW(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
