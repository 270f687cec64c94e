"""Signing keys turn while agents ask and act: nobody is refused, and what an old key signed counts until its end."""

import base64
import json
import threading
import time

from remit.control import key
from remit.custody.signer import Purpose

TURNS = 4
CLIENTS = 3


def kid(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


class Load:
    """Agents that ask for credentials, act with the newest and the oldest, and look at what became of them."""

    def __init__(self, place):
        self.place, self.stop, self.lock = place, threading.Event(), threading.Lock()
        self.faults, self.tokens = [], []
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]

    def proved(self):
        with self.lock:
            return self.place.client(self.place.bot)

    def run(self):
        while not self.stop.is_set():
            self.once()

    def once(self):
        place, asked = self.place, {"grant_type": "client_credentials", "task": self.place.task}
        answer = place.form("/oauth/token", asked | self.proved())
        if answer.status != 200:
            self.faults.append(answer.body)
            return
        token = answer.json["access_token"]
        self.tokens.append(token)
        acts = [place.get("/v1/tasks", old).status for old in (token, self.tokens[0])]
        looks = place.form("/oauth/introspect", {"token": token} | self.proved()).json["active"]
        if (acts, looks) != ([200, 200], True):
            self.faults.append((acts, looks))

    def more(self):
        have, until = len(self.tokens), time.monotonic() + 120
        while len(self.tokens) < have + CLIENTS and time.monotonic() < until:
            time.sleep(0.01)


def test_keys_turn_under_load_and_nobody_is_refused(place):
    load = Load(place)
    for one in load.threads:
        one.start()
    for _ in range(TURNS):
        load.more()
        for purpose in (Purpose.TOKEN_OWN, Purpose.STATE, Purpose.LEDGER):
            place.act(lambda c, purpose=purpose: key.rotate(c, purpose, "op"))
    load.more()
    load.stop.set()
    for one in load.threads:
        one.join(60)
    assert load.faults == []
    published = {one["kid"] for one in place.get("/oauth/jwks", "").json["keys"]}
    used = {kid(token) for token in load.tokens}
    assert len(used) >= TURNS, "each turn signed with its own"
    assert used <= published, "a reader finds every key whose tokens still count"
    assert kid(load.tokens[0]) != kid(load.tokens[-1])
