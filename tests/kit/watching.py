"""A witness beside a world: its file, its key, and submissions of any world's newest head."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.control.cosigner import Cosigner, Reply
from remit.control.courier import Courier
from remit.ledger import cosignature
from remit.store import witness
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.world import World

NAME = "witness.example/w1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
PUBLIC = KEY.public_key().public_bytes_raw()
VKEY = cosignature.vkey(NAME, PUBLIC)
URL = "http://127.0.0.1:9/w"


def a_witness(folder: Path, hours: Hours, *logs: str, vfs: str | None = None) -> Cosigner:
    """A witness with a file of its own that trusts these ledgers (their verifier keys)."""
    path = (folder / witness.FILE).resolve()
    kept = witness.open_witnessed(path, vfs=vfs) if path.exists() else witness.make(path, NAME, PUBLIC, vfs=vfs)
    for vkey in logs:
        kept.trust(vkey.partition("+")[0], vkey)
    return Cosigner(kept, KEY, hours.clock())


class Direct(Courier):
    """A courier that hands its request to a witness in the same process instead of over a socket."""

    def __init__(self, world: World, cosigner: Cosigner) -> None:
        super().__init__(stores.where(world.folder), VKEY, URL)
        self.cosigner = cosigner
        self.replies: list[Reply] = []

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        reply = self.cosigner.add(body)
        self.replies.append(reply)
        return reply.status, reply.kind.partition(";")[0], reply.body
