"""Our SQL in PostgreSQL's words: numbered values, its types, and texts compared byte by byte as SQLite does it."""

import functools
import re
from typing import Final

_DDL: Final = (
    (
        re.compile(r"\)\s*(?:STRICT\s*,\s*WITHOUT ROWID|WITHOUT ROWID\s*,\s*STRICT|WITHOUT ROWID|STRICT)(?=\s*;|\s*$)"),
        ")",
    ),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
)


@functools.lru_cache(maxsize=512)
def dollars(statement: str) -> str:
    """Number the values of a statement: `?` becomes `$1`, `$2`, …. No statement of ours holds a `?` in a text."""
    parts = statement.split("?")
    return "".join(part + (f"${number}" if number < len(parts) else "") for number, part in enumerate(parts, 1))


def translated(statements: str) -> str:
    """A migration in PostgreSQL's words: types, table options, and texts compared byte by byte as SQLite does it."""
    lines = "\n".join(line for line in statements.splitlines() if not line.lstrip().startswith("--"))
    for pattern, word in _DDL:
        lines = pattern.sub(word, lines)
    return lines
