"""Small logs to test on. The key is fixed, so that the same log is the same bytes each time."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.ledger import checkpoint, merkle, note
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.export import export
from remit.ledger.log import Edge

ORIGIN = "ledger.example/test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
VERIFIER = note.Verifier(ORIGIN, PUBLIC)


def entry(index):
    return b'{"n":%d}' % index


def head(size, root):
    return checkpoint.sign(Checkpoint(ORIGIN, size, root), KEY.sign, PUBLIC)


def heads(entries, sizes):
    return [head(size, merkle.root([merkle.leaf_hash(one) for one in entries[:size]])) for size in sizes]


def files(count, sizes, **more):
    entries = [entry(index) for index in range(count)]
    return dict(export(entries, heads(entries, sizes), **more))


def tiles(leaves):
    """Every tile of a log, full and partial, by (level, index, width)."""
    edge = Edge.empty()
    kept = {(one.level, one.index, one.width): one.data for one in edge.append(leaves)}
    kept |= {(one.level, one.index, one.width): one.data for one in edge.partials()}
    return edge, kept
