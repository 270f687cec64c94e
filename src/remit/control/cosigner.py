"""A witness at work: judge a submitted head, keep it durably, and only then cosign it.

Owned by the witness program, which holds one key and one file and shares nothing with a node.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.control.authority import Clock
from remit.core.errors import RemitError
from remit.custody.root import Root
from remit.ledger import LedgerFault, cosignature, note, witness
from remit.ledger.witness import SIZE_TYPE
from remit.store.witness import Witnessed

TEXT: Final = "text/plain; charset=utf-8"
_INFO: Final = b"remit/witness/1"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the log: HTTP status, content type, body."""

    status: int
    kind: str
    body: bytes


def signing_key(root: Root) -> Ed25519PrivateKey:
    """The witness's signing key, derived from its root (HKDF-SHA256); the same root always gives the same key."""
    return Ed25519PrivateKey.from_private_bytes(root.derive(_INFO, b""))


class Cosigner:
    """Answers C2SP tlog-witness `add-checkpoint`. Used by one thread at a time.

    Refuses a key that is not the one its file was made for (`witness_key`).
    """

    def __init__(self, kept: Witnessed, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._kept, self._sign, self._clock = kept, key.sign, clock
        self.name, self._public = kept.who()
        if key.public_key().public_bytes_raw() != self._public:
            raise RemitError(
                "witness_key", "This is not the key that this witness was made with.", "Name the right key."
            )
        self.counts: dict[int, int] = {}

    @property
    def vkey(self) -> str:
        """The verifier key to hand to logs and to whoever checks them."""
        return cosignature.vkey(self.name, self._public)

    def add(self, body: bytes) -> Reply:
        """Answer one request. A store that fails, or a clock that jumped, raises: nothing was cosigned."""
        reply = self._add(body)
        self.counts[reply.status] = self.counts.get(reply.status, 0) + 1
        return reply

    def _add(self, body: bytes) -> Reply:
        try:
            asked = witness.parse(body)
            origin = witness.origin(asked)
            keys = [note.parse_vkey(one) for one in self._kept.keys(origin)]
            seen = self._kept.seen(origin)
            held = seen.tree if seen else None
            answer = witness.judge(asked, {origin: keys} if keys else {}, held)
        except LedgerFault as fault:
            return Reply(400, TEXT, f"{fault}\n".encode())
        now = self._clock.now()
        if answer.keep is None:
            return self._refused(asked, origin, body, answer)
        if not self._kept.keep(held, answer.keep, asked.head, now):
            raced = self._kept.seen(origin)
            return _conflict(raced.tree.size if raced else 0)
        line = cosignature.sign(note.parse(asked.head).text, now // 1000, self.name, self._sign, self._public)
        return Reply(200, TEXT, line.encode())

    def _refused(self, asked: witness.Submission, origin: str, body: bytes, answer: witness.Answer) -> Reply:
        """Refuse. What a log signed against the head that was cosigned last is kept as evidence.

        A log that only does not know what was cosigned last is told so and no more.
        """
        if answer.status == 422 or answer.size == asked.old:
            self._kept.remember(origin, self._clock.now(), answer.status, body)
        if answer.size is not None:
            return _conflict(answer.size)
        return Reply(answer.status, TEXT, f"{answer.what}\n".encode())

    def newest(self, digest: str) -> bytes | None:
        """The last head cosigned of the log whose origin has this SHA-256, with a cosignature; None when there is none.

        C2SP tlog-witness, monitoring prefix.
        """
        for origin in self._kept.logs():
            seen = self._kept.seen(origin) if witness.digest(origin) == digest else None
            if seen:
                text = note.parse(seen.head).text
                line = cosignature.sign(text, seen.at // 1000, self.name, self._sign, self._public)
                return seen.head + line.encode()
        return None


def _conflict(size: int) -> Reply:
    return Reply(409, SIZE_TYPE, b"%d\n" % size)
