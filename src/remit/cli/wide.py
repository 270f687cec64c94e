"""Text laid out to the width of the terminal: broken between words and nowhere else, so that no path or code is cut.

What goes into a file or another program is one line each, however long.
"""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

NARROWEST: Final = 40
"""Columns below which a terminal wraps by itself."""
TALLEST: Final = 3
"""So many lines of one cell still read as a row."""
GAP: Final = 2
INDENT: Final = 4


def width() -> int:
    """Columns of the terminal that is written to (COLUMNS, else its own size); 0 when nobody looks, or it is tiny."""
    if not sys.stdout.isatty():
        return 0
    found = shutil.get_terminal_size((0, 0)).columns
    return found if found >= NARROWEST else 0


def wrapped(text: str, wide: int, hang: int = INDENT) -> list[str]:
    """The text in lines of this many columns, all but the first indented; a longer word stays whole."""
    if not wide or len(text) <= wide:
        return [text]
    if max(map(len, text.split(" "))) > wide - hang:
        hang = min(hang, INDENT)
    return textwrap.wrap(
        text, wide, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    ) or [""]  # fmt: skip


def joined(parts: Sequence[str], mark: str, wide: int) -> list[str]:
    """Parts with a mark between them, on as many lines as they need; a part is never broken."""
    lines: list[str] = []
    for n, part in enumerate(parts):
        end = mark.rstrip() if n < len(parts) - 1 else ""
        if lines and (not wide or len(f"{lines[-1]} {part}{end}") <= wide):
            lines[-1] = f"{lines[-1]} {part}{end}"
        else:
            lines.append(f"{' ' * INDENT if lines else ''}{part}{end}")
    return lines


def table(head: Sequence[str], body: Sequence[Sequence[str]], wide: int) -> list[str]:
    """Rows under their heads; where they are too wide, cells in several lines, or what is long below its row."""
    every = [[part.upper() for part in head], *body]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    if not wide or _whole(widths) <= wide:
        return [_row(row, widths) for row in every]
    narrow = _squeezed(every, widths, wide)
    return _folded(every, narrow) if narrow else _stacked(every, widths, wide)


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * GAP).join(cell.ljust(wide) for cell, wide in zip(cells, widths, strict=True)).rstrip()


def _squeezed(every: Sequence[Sequence[str]], widths: Sequence[int], wide: int) -> list[int]:
    """Widths that fit and cut no word, with no cell of many lines; none where there are no such."""
    floors = [max(len(word) for cell in column for word in cell.split(" ")) for column in zip(*every, strict=True)]
    found = list(widths)
    while _whole(found) > wide:
        spare = [n for n, one in enumerate(found) if one > floors[n]]
        if not spare:
            return []
        found[max(spare, key=found.__getitem__)] -= 1
    tall = max(len(wrapped(cell, most, 0)) for row in every for cell, most in zip(row, found, strict=True))
    return found if tall <= TALLEST else []


def _folded(every: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    lines: list[str] = []
    for row in every:
        cells = [wrapped(cell, most, 0) for cell, most in zip(row, widths, strict=True)]
        lines += [_row(part, widths) for part in zip_longest(*cells, fillvalue="")]
    return lines


def _stacked(every: Sequence[Sequence[str]], widths: Sequence[int], wide: int) -> list[str]:
    """As many columns as fit side by side, and each other cell on lines of its own, named."""
    beside = max((n for n in range(1, len(widths)) if _whole(widths[:n]) <= wide), default=1)
    head, *rows = every
    names = [one.lower() for one in head[beside:]]
    most = max(map(len, names), default=0)
    lines = [_row(head[:beside], widths[:beside])]
    for row in rows:
        lines.append(_row(row[:beside], widths[:beside]))
        for name, cell in zip(names, row[beside:], strict=True):
            text = f"{' ' * INDENT}{name.ljust(most)}{' ' * GAP}{cell}"
            lines += wrapped(text, wide, INDENT + most + GAP)
    return lines
