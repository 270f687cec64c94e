"""A witness under a workload that grows a log and forks it, and what must be true of whatever is left of it."""

import os
from collections.abc import Callable
from pathlib import Path

from remit.control.cosigner import Cosigner
from remit.core.errors import RemitError
from remit.ledger import cosignature, note, witness
from remit.store.witness import Witnessed, make, open_witnessed
from tests.kit.crash import Killer
from tests.kit.hours import Hours
from tests.kit.watching import KEY, NAME, PUBLIC, VKEY
from tests.ledger.logs import ORIGIN
from tests.ledger.logs import PUBLIC as LOG
from tests.ledger.witnesses import log, submission

SIZES = (1, 2, 3, 5, 8, 13, 21)
Heard = Callable[[int], None]


def opened(path: Path, vfs: str | None = None) -> Witnessed:
    """The witness's file, made when it is not there or holds nothing yet."""
    if path.exists():
        return open_witnessed(path, vfs=vfs)
    kept = make(path, NAME, PUBLIC, vfs=vfs)
    kept.trust(ORIGIN, note.vkey(ORIGIN, LOG))
    return kept


def grow(path: Path, heard: Heard, vfs: str | None = None, *, weaken: bool = False) -> None:
    """Submit a growing log, and after each step another one of the same size; tell each size that was cosigned."""
    kept = opened(path, vfs)
    try:
        if weaken:
            kept._store.all("PRAGMA synchronous=OFF")
        cosigner = Cosigner(kept, KEY, Hours().clock())
        before = 0
        for size in SIZES:
            reply = cosigner.add(witness.encode(submission(log(size), before)))
            assert reply.status == 200, f"a head that only grew was answered {reply.status}"
            heard(size)
            other = cosigner.add(witness.encode(submission(log(size, size - 1), size)))
            assert other.status == 409, f"a head beside the one that was cosigned was answered {other.status}"
            before = size
    finally:
        kept.close()


def faults(path: Path, heard: list[int]) -> list[str]:
    """All that is wrong with the witness that was left, given which sizes it had cosigned."""
    last = max(heard, default=0)
    try:
        kept = open_witnessed(path)
    except RemitError as fault:
        return [f"it cannot be opened: {fault.code}"] if last else []
    try:
        keys = kept.keys(ORIGIN)
        if not keys:
            return ["it no longer knows the log"] if last else []
        seen = kept.seen(ORIGIN)
        size = seen.tree.size if seen else 0
        found = [f"it cosigned {last} entries and holds {size}"] if size < last else []
        cosigner = Cosigner(kept, KEY, Hours().clock())
        for old in range(last + 1):
            # Any tree that does not hold all that was cosigned must be refused, wherever it says to start.
            found += [
                f"it cosigned a fork at {fork} of the {last} entries that it had cosigned"
                for fork in ({0, last - 1} if last else ())
                if cosigner.add(witness.encode(submission(log(last + 3, fork), old))).status == 200
            ]
        if last and cosigner.add(witness.encode(submission(log(last + 2), size))).status not in (200, 400, 422):
            found.append("it is stuck")
    finally:
        kept.close()
    return found


def killed(folder: Path, at: int) -> tuple[Path, list[int], bool]:
    """Grow in a process of its own that is killed at I/O number `at`: the file, what was heard, whether it died."""
    folder.mkdir(mode=0o700)
    path = folder.resolve() / "witness.db"
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            vfs = Killer(at)
            grow(path, lambda size: os.write(writing, f"{size}\n".encode()) and None, vfs.name)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        heard = [int(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    return path, heard, os.WIFSIGNALED(status)


def holds(line: bytes, head: bytes) -> bool:
    """Say whether an answer is the test witness's word for this head."""
    found, _ = cosignature.held(note.parse(head + line), [cosignature.parse_vkey(VKEY)])
    return bool(found)
