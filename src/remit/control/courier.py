"""Courier: carries the newest head to one witness and brings back what it said. Runs beside the writer, never on it.

Owned by whoever serves; one thread at a time uses it. It only reads the store, over a connection of its own; what it
brings back is put into the store by control/witness, in the batch.
"""

import http.client
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from remit.control.outgoing import dialled
from remit.core.errors import RemitError
from remit.ledger import LedgerFault, cosignature, merkle, note, witness
from remit.ledger.log import nodes
from remit.store import log
from remit.store.db import Database
from remit.store.log import Head
from remit.store.opening import Aside

PATIENCE_S: Final = 4.0
WHOLE: Final = 3
"""How many times the wait for one octet everything together may take."""
TRIES: Final = 3
LONGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Took:
    """The witness cosigned our head of `size` entries with this line."""

    name: str
    size: int
    line: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness refused our head of `size` entries: what it holds does not lead to it."""

    name: str
    size: int
    what: str


@dataclass(frozen=True, slots=True)
class Missed:
    """The witness said nothing that counts: it is not there, does not know us, or answers otherwise than it must."""

    name: str
    what: str


Outcome = Took | Refused | Missed


class Courier:
    """Goes to one witness. `url` is its submission prefix; `place` is the store's path or URL."""

    def __init__(self, place: Path | str, vkey: str, url: str, patience: float = PATIENCE_S) -> None:
        self.witness = cosignature.parse_vkey(vkey)
        self.url = url
        self._patience = patience
        self._aside = Aside(place)
        self._held = 0
        self._over = False

    def push(self) -> Outcome:
        """Submit the newest head and say what came of it. Never raises."""
        try:
            return self._push(self._aside.reading())
        except (RemitError, LedgerFault) as fault:
            return Missed(self.witness.name, fault.message)
        except (OSError, http.client.HTTPException, ValueError) as fault:
            return Missed(self.witness.name, f"It cannot be reached ({type(fault).__name__}).")

    def stop(self) -> None:
        """Begin nothing more; may be called from another thread."""
        self._over = True

    def close(self) -> None:
        """Close the connection to the store."""
        self._aside.close()

    def _push(self, db: Database) -> Outcome:
        head = log.newest(db)
        if not head.size:
            return Missed(self.witness.name, "The ledger has no entry yet.")
        for _ in range(TRIES):
            if self._over:
                break
            # A head that another node has signed meanwhile must be the one to go: the witness may hold it already.
            head = log.newest(db)
            if self._held > head.size:
                return self._against(head, f"It cosigned {self._held} entries, and the ledger has {head.size}.")
            status, kind, body = self._post(witness.encode(self._submission(db, head)))
            size = witness.parse_size(body) if status == 409 and kind == witness.SIZE_TYPE else None
            if status == 200:
                return self._taken(head, body)
            if status == 422:
                return self._against(head, "What it cosigned is not a part of this ledger.")
            if size is None:
                return Missed(self.witness.name, f"It answered {status}.")
            if size == self._held:
                return self._against(head, f"It cosigned another ledger of {size} entries.")
            self._held = size
        return Missed(self.witness.name, "It was cosigning other heads of this ledger all the while.")

    def _submission(self, db: Database, head: Head) -> witness.Submission:
        proof: list[bytes] = []
        if 0 < self._held <= head.size:
            get = nodes(head.size, lambda level, index, width: log.read_tile(db, level, index, width))
            proof = merkle.consistency_proof(self._held, head.size, get)
        return witness.Submission(self._held, tuple(proof), head.note.encode())

    def _taken(self, head: Head, body: bytes) -> Outcome:
        found, _ = cosignature.held(note.parse(head.note.encode() + body), [self.witness])
        if not found:
            return Missed(self.witness.name, "Its answer holds no cosignature by its key.")
        self._held = head.size
        return Took(self.witness.name, head.size, found[0].line)

    def _against(self, head: Head, what: str) -> Refused:
        # Next time it is asked again from the start: it may have been set right.
        self._held = 0
        return Refused(self.witness.name, head.size, what)

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        parts = urlsplit(self.url)
        host, path, secure = parts.hostname or "", f"{parts.path.rstrip('/')}/add-checkpoint", parts.scheme == "https"
        port, each = parts.port or (443 if secure else 80), self._patience
        connection = http.client.HTTPConnection(host, port)
        with dialled(host, port, name=host if secure else "", each_s=each, whole_s=WHOLE * each) as connection.sock:
            connection.request("POST", path, body, {"content-type": "text/plain; charset=utf-8"})
            with connection.getresponse() as answer:
                said = answer.read(LONGEST + 1)
        if len(said) > LONGEST:
            raise ValueError(len(said))
        return answer.status, answer.headers.get_content_type(), said
