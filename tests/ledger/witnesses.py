"""Witnesses to test with, with fixed keys, and submissions of the small logs of tests/ledger/logs.py."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.ledger import checkpoint, cosignature, merkle, note
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.log import nodes
from remit.ledger.witness import Submission
from tests.ledger.logs import KEY, ORIGIN, PUBLIC, entry, tiles

NAME = "witness.example/w1"
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
WITNESS_PUBLIC = WITNESS_KEY.public_key().public_bytes_raw()
WITNESS = cosignature.Witness(NAME, WITNESS_PUBLIC)
AT = 1_790_000_000


def log(count, fork=None):
    """The entries of a log; from `fork` on those of another one."""
    return [entry(at) if fork is None or at < fork else b"other %d" % at for at in range(count)]


def head(entries, key=KEY, public=PUBLIC, origin=ORIGIN):
    root = merkle.root([merkle.leaf_hash(one) for one in entries])
    return checkpoint.sign(Checkpoint(origin, len(entries), root), key.sign, public)


def submission(entries, old, **members):
    """What a log with these entries sends to a witness that it believes to be at `old`."""
    _, kept = tiles([merkle.leaf_hash(one) for one in entries])
    get = nodes(len(entries), lambda *place: kept.get(place))
    proof = merkle.consistency_proof(old, len(entries), get) if 0 < old <= len(entries) else []
    return Submission(old, tuple(proof), head(entries, **members))


def checked(entries):
    """The head as a witness keeps it."""
    return checkpoint.parse(note.parse(head(entries)).text)


def cosigned(entries, at=AT):
    """The head with the witness's line under it."""
    signed = head(entries)
    return signed + cosignature.sign(note.parse(signed).text, at, NAME, WITNESS_KEY.sign, WITNESS_PUBLIC).encode()
