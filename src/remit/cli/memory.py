"""The newest signed head, remembered beside the store, so that a store that was put back is not taken for the present.

A backup that is restored brings credentials and tasks back to life that were revoked since. Whoever opens the store
compares it with the head that was last seen here: a store that ends before it, or is another one, is refused until the
operator says that it was restored, and then nothing that it gave out before counts. A backup of the whole folder brings
the old head with it: for that, keep heads elsewhere and use `remit ledger verify --expect`.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from remit.control.authority import Authority
from remit.control.receipt import head_size
from remit.core.errors import RemitError
from remit.ledger import LedgerFault
from remit.store import log

NAME: Final = "head"


def remember(folder: Path, authority: Authority) -> None:
    """Keep the newest head; called after commits, never before. A folder that cannot be written keeps the old one.

    So does a store that no longer holds the head that was kept, however far it has grown since.
    """
    with contextlib.suppress(OSError, RemitError):
        newest = log.newest(authority.view)
        if newest.size <= seen_size(folder):
            return
        check(folder, authority)
        fresh = folder / f"{NAME}.{os.getpid()}"
        fresh.write_text(newest.note, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(folder / NAME)


def seen_size(folder: Path) -> int:
    """The size of the head that was last seen here; 0 when there is none (`head_invalid` when it is no head)."""
    text = _text(folder)
    return _size(text) if text else 0


def check(folder: Path, authority: Authority) -> None:
    """Refuse a store that ends before the head that was last seen, or that is another one (`store_restored`)."""
    text = _text(folder)
    if text is None:
        return
    size = _size(text)
    held = log.heads(authority.view, size - 1, 1)
    if not held or held[0].size != size or held[0].note != text:
        newest = log.newest(authority.view).size
        raise RemitError(
            "store_restored",
            f"This store was put back: it ends at entry {newest}, and {size} entries were seen here before."
            if newest < size
            else f"This is not the store that was here before: its head at {size} entries is another one.",
            "Put the newer store back; or run remit doctor --accept-restore, which ends all that this one gave out.",
        )


def forget(folder: Path) -> None:
    """Forget the head: the operator said that the store was restored."""
    (folder / NAME).unlink(missing_ok=True)


def _text(folder: Path) -> str | None:
    try:
        return (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as fault:
        raise _invalid() from fault


def _size(text: str) -> int:
    try:
        return head_size(text)
    except LedgerFault as fault:
        raise _invalid() from fault


def _invalid() -> RemitError:
    return RemitError(
        "head_invalid",
        "The head remembered in the data folder is no signed head.",
        "Run remit doctor --accept-restore.",
    )
