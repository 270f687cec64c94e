"""No token of one path, audience, task or key is accepted for another: all pairs, and only the diagonal allows.

Each planted fault takes one check away, and must turn the square red.
"""

import itertools
from dataclasses import replace

import pytest

from remit.core.canonical import b64, canon
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody import token as subject
from remit.custody.jwk import PublicKey
from remit.custody.signer import TOKEN_PURPOSES, KeyState, Purpose, Signer
from remit.custody.token import Claims, Memory, issue, verify
from tests.kit.tokens import CRM, GIT, ISSUER, NOW, claims, forge, header, payload, signer

SIGNERS = {"ours": signer("ours"), "theirs": signer("theirs")}
PLACES = list(itertools.product(SIGNERS, TrustPath, (GIT, CRM), ("a", "b")))


def accepts(place, text, memory):
    """What one place accepts: its keys, its path, its audience, its task."""
    keys, path, audience, task = place
    found = verify(text, issuer=ISSUER, audience=audience, now=NOW, keys=SIGNERS[keys], memory=memory)
    return isinstance(found, Claims) and found.path is path and found.task == claims(task=task).task


def minted():
    """Every token, and every token that claims one path under the other path's key (which belongs nowhere)."""
    for keys, path, audience, task in PLACES:
        made, ours = claims(path, audience, task), SIGNERS[keys]
        yield (keys, path, audience, task), issue(made, ours)
        other = next(p for p in TrustPath if p is not path)
        yield None, forge(ours, header(ours, other), payload(made), other)


TOKENS = list(minted())


def off_the_diagonal():
    """Every pair of a token and a place that is decided wrongly."""
    memory = Memory()
    return [(home, at) for home, text in TOKENS for at in PLACES if accepts(at, text, memory) is not (at == home)]


def test_only_the_diagonal_allows():
    assert off_the_diagonal() == []


def any_audience(monkeypatch):
    class Anything(tuple):
        __slots__ = ()

        def __contains__(self, _):
            return True

    real = subject._read

    def read(said):
        found = real(said)
        return replace(found, audience=Anything(found.audience))

    monkeypatch.setattr(subject, "_read", read)


def any_path_key(monkeypatch):
    delegated = TOKEN_PURPOSES[TrustPath.DELEGATED]
    shared = dict.fromkeys(TrustPath, delegated)
    real = Signer.find

    def find(ring, kid):
        key = real(ring, kid)
        return key and replace(key, row=replace(key.row, purpose=delegated))

    monkeypatch.setattr(subject, "TOKEN_PURPOSES", shared)
    monkeypatch.setattr(Signer, "find", find)


def any_ring(monkeypatch):
    everything = {kid: key for ring in SIGNERS.values() for kid, key in ring._ring.items()}
    monkeypatch.setattr(Signer, "find", lambda _, kid: everything.get(kid))


def any_signature(monkeypatch):
    ring = SIGNERS["ours"]
    monkeypatch.setattr(PublicKey, "verifies", lambda *_: True)
    monkeypatch.setattr(Signer, "find", lambda *_: ring.active(Purpose.TOKEN_OWN))


def one_task(monkeypatch):
    real = subject._read
    monkeypatch.setattr(subject, "_read", lambda said: real({**said, "remit_task": claims(task="a").task}))


@pytest.mark.parametrize("fault", [any_audience, any_path_key, any_ring, any_signature, one_task])
def test_a_planted_fault_turns_the_square_red(fault, monkeypatch):
    fault(monkeypatch)
    assert off_the_diagonal(), f"nothing notices {fault.__name__}"


@pytest.mark.parametrize("state", list(KeyState))
def test_a_key_counts_only_while_active_or_retiring(state):
    ours = signer(f"state/{state}")
    text = issue(claims(), ours)
    kid = ours.active(Purpose.TOKEN_DELEGATED).kid
    following = next(
        k for k in ours._ring.values() if (k.row.purpose, k.row.state) == (Purpose.TOKEN_DELEGATED, "next")
    )
    match state:
        case KeyState.NEXT:
            head = header(ours) | {"kid": following.kid}
            said = f"{b64(canon(head))}.{b64(canon(payload(claims())))}"
            text = f"{said}.{b64(following.sign(said.encode()))}"
        case KeyState.RETIRING:
            ours.rotate(Purpose.TOKEN_DELEGATED, NOW, keep=1000)
        case KeyState.RETIRED:
            ours.retire(kid, NOW)
        case KeyState.ACTIVE:
            pass
    found = verify(text, issuer=ISSUER, audience=GIT, now=Instant(NOW + 999), keys=ours, memory=Memory())
    assert isinstance(found, Claims) is (state in {KeyState.ACTIVE, KeyState.RETIRING})
