"""Typed values: how two spellings of one thing are seen to be the same, and which things a text names.

An *atom* is a kind and a normal form in one string. Text is compared by its words; e-mail addresses, URLs, dates, times
and amounts by what they mean. A number of fewer than five digits is named by a text only where the text calls it so.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NamedTuple

from remit.core.canonical import Json
from remit.core.lineage import day as days

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
COUNTS: Final = {
    word: n for n, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"))
} | {"a": 1, "an": 1}  # fmt: skip
_TLDS: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|io|co|ai|app|dev|me|tv|cc|xyz|online|site|shop|store|news|blog|cloud|tech|"
    "de|fr|uk|eu|ch|at|it|es|nl|be|se|no|dk|fi|pl|cz|ru|cn|jp|kr|in|au|nz|ca|us|br|mx|za|ie|pt|gr|tr|il|sg|hk|tw"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_URL = re.compile(
    rf"(?:(?P<scheme>[a-z][a-z0-9+.-]{{1,10}})://)?(?P<host>(?:[a-z0-9](?:[a-z0-9-]{{0,62}})\.)+(?:{_TLDS})(?![a-z0-9-])"
    rf"|(?<=//)[a-z0-9.-]+)(?P<port>:\d{{1,5}})?(?P<path>[/?#][^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
_MONTH = "|".join(f"{m[:3]}(?:{m[3:]})?" if m != "may" else "may" for m in MONTHS) + "|sept"
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_MDY = re.compile(rf"\b({_MONTH})\.? +(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? +(\d{{4}}))?", re.IGNORECASE)
_DMY = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?(?: +of)? +({_MONTH})\b\.?(?:,? +(\d{{4}}))?", re.IGNORECASE)
_SLASH = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2})(?::(\d{2}))?(?::\d{2})?(?:\.\d+)? ?([ap])\.?m\b\.?", re.IGNORECASE)
_HOURS = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?![\d:])")
_AMOUNT = re.compile(
    r"(?:[$€£¥]|\b(?:usd|eur|gbp|chf)\s?)\s?(\d[\d,']*(?:\.\d+)?)|(\d[\d,']*(?:\.\d+)?)\s?"
    r"(?:[$€£¥]|(?:usd|eur|gbp|chf|dollars?|euros?|pounds?)\b)", re.IGNORECASE,
)  # fmt: skip
_CALLED = re.compile(
    r"\b(?:id|no|nr|number|num|order|invoice|ticket|case|account|amount|total|sum|price|cost|size|quantity|count|"
    r"version|page|room|flat|code|pin)s?\b[^\w\n]{0,3}(?:is|of|was|=|:|to)?[^\w\n]{0,3}#?(\d{1,4}(?:\.\d+)?)(?![\w.]*\d)|"
    r"#(\d{1,4})\b", re.IGNORECASE,
)  # fmt: skip
_LONG = re.compile(r"(?<![\w.])\d{5,40}(?:\.\d+)?(?![\w])")
_DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
_SPAN = re.compile(
    r"\b(\d{1,3}|half an?|" + "|".join(COUNTS) + r")[ -]?(?:more )?(minute|min|hour|hr|day|week)s?\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_NAME = re.compile(r"\b[A-Z][\w'-]*(?: +[A-Z][\w'-]*){0,3}")
NOON: Final = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
LONGEST: Final = 2000


class Literal(NamedTuple):
    """One thing that a text names, and where."""

    atom: str
    start: int
    end: int


def words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: compatibility forms folded, without case, marks or punctuation."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=8192)
def phrase(text: str) -> str:
    """The atom of a text as a whole: its words. A text without words is itself."""
    found = " ".join(words(text))
    return f"text:{found or text.strip()}"


def email(text: str) -> str | None:
    """The atom of a text that is an e-mail address and nothing else."""
    plain = text.strip()
    return f"email:{plain.casefold()}" if _EMAIL.fullmatch(plain) else None


def url(text: str) -> str | None:
    """The atom of a text that is a URL and nothing else: without its scheme, its host without case."""
    found = _URL.fullmatch(text.strip())
    return None if found is None else _url(found)


def _url(found: "re.Match[str]") -> str:
    path = (found["path"] or "").rstrip(".,;:!?/")
    return f"url:{found['host'].casefold()}{found['port'] or ''}{path}"


def amount(value: Json) -> str | None:
    """The atom of a quantity: a number, or a text that is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return f"amount:{_plain(Decimal(repr(value)))}"
    if not isinstance(value, str):
        return None
    found = _AMOUNT.fullmatch(value.strip())
    text = (found[1] or found[2]) if found else value.strip()
    try:
        return f"amount:{_plain(Decimal(text.replace(',', '').replace(chr(39), '')))}"
    except InvalidOperation:
        return None


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f") if number.is_finite() else str(number)


_MOMENT = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?Z?)?")


def exact(text: str) -> bool:
    """Say whether this looks like a day, or a day and a time, as programs write it."""
    return _MOMENT.fullmatch(text.strip()) is not None


def moment(text: str) -> tuple[str | None, str | None] | None:
    """Date and time of a text that is a date, a time or both and nothing else; None when it is none."""
    exact = _MOMENT.fullmatch(text.strip())
    if exact is not None:
        day = days.number(int(exact[1]), int(exact[2]), int(exact[3]))
        if day is None or int(exact[4] or 0) > 23 or int(exact[5] or 0) > 59:
            return None
        return days.write(day), f"{exact[4]}:{exact[5]}" if exact[4] else None
    dates = [one for one in literals(text) if one.atom.startswith("date:")]
    times = [one for one in literals(text) if one.atom.startswith("time:")]
    if len(dates) > 1 or len(times) > 1 or not (dates or times):
        return None
    rest = text
    for one in sorted((*dates, *times), key=lambda held: -held.start):
        rest = rest[: one.start] + rest[one.end :]
    if set(words(rest)) - {"at", "on", "the"}:
        return None
    return (dates[0].atom[5:] if dates else None), (times[0].atom[5:] if times else None)


def instant(content: Json) -> int | None:
    """Day and time of day together, in minutes since 1970, when a text names both and nothing else."""
    at = moment(content) if isinstance(content, str) else None
    if at is None or at[0] is None or at[1] is None:
        return None
    day = days.read(at[0])
    return None if day is None else day * 1440 + int(at[1][:2]) * 60 + int(at[1][3:])


@lru_cache(maxsize=2048)
def literals(text: str) -> tuple[Literal, ...]:
    """Every address, URL, date, time, amount and number that a text names, in order."""
    found: list[Literal] = []
    taken = bytearray(len(text))

    def take(start: int, end: int, *atoms: str) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.extend(Literal(atom, start, end) for atom in atoms)

    for start, end, *atoms in (*_addresses(text), *_dates(text), *_times(text), *_quantities(text)):
        take(start, end, *atoms)
    return tuple(sorted(found, key=lambda one: one.start))


def _addresses(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _EMAIL.finditer(text):
        yield one.start(), one.end(), f"email:{one[0].casefold()}"
    for one in _URL.finditer(text):
        yield one.start(), one.start() + len(one[0].rstrip(".,;:!?/")), _url(one)


def addresses(text: str) -> Iterator[str]:
    """The addresses that a text names, and nothing else."""
    if "@" in text or "." in text:
        yield from (atom for _, _, atom in _addresses(text))


def _quantities(text: str) -> Iterator[tuple[int, int, str] | tuple[int, int, str, str]]:
    for one in _AMOUNT.finditer(text):
        money = amount(one[1] or one[2])
        if money:
            yield one.start(), one.end(), money
    for pattern in (_CALLED, _LONG, _DECIMAL):
        for one in pattern.finditer(text):
            plain = next((part for part in one.groups() if part), one[0]) if pattern is _CALLED else one[0]
            count = amount(plain)
            if count:
                yield one.start(), one.end(), count, phrase(plain)


def _dates(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _ISO.finditer(text):
        yield from _date(one, one[1], one[2], one[3])
    for one in _MDY.finditer(text):
        yield from _date(one, one[3], _number(one[1]), one[2])
    for one in _DMY.finditer(text):
        yield from _date(one, one[3], _number(one[2]), one[1])
    for one in _SLASH.finditer(text):
        first, second = int(one[1]), int(one[2])
        if first > 12 or second > 12 or first == second:  # otherwise two readings, and none counts
            month, day = (second, first) if first > 12 else (first, second)
            yield from _date(one, one[3], month, day)


def _number(month: str) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(month.casefold()[:3]))


def _date(found: "re.Match[str]", year: str | None, month: int | str, day: int | str) -> Iterator[tuple[int, int, str]]:
    at = days.number(int(year or 2000), int(month), int(day))
    if at is not None:
        written = days.write(at)
        yield found.start(), found.end(), f"date:{written if year else '-' + written[4:]}"


def _times(text: str) -> Iterator[tuple[int, int, str]]:
    for one in _CLOCK.finditer(text):
        hour, minute = int(one[1]), int(one[2] or 0)
        if 1 <= hour <= 12 and minute < 60:
            yield one.start(), one.end(), f"time:{hour % 12 + (12 if one[3].casefold() == 'p' else 0):02}:{minute:02}"
    for one in _HOURS.finditer(text):
        yield one.start(), one.end(), f"time:{int(one[1]):02}:{one[2]}"
    for one in re.finditer(r"\b(noon|midday|midnight)\b", text, re.IGNORECASE):
        yield one.start(), one.end(), f"time:{NOON[one[1].casefold()]}"


@lru_cache(maxsize=512)
def spans(text: str) -> frozenset[int]:
    """Every length of time that a text names, in minutes."""
    found = set()
    for one in _SPAN.finditer(text):
        unit = {"m": 1, "h": 60, "d": 1440, "w": 10080}[one[2].casefold()[0]]
        word = one[1].casefold()
        count = 0.5 if word.startswith("half") else float(COUNTS.get(word, word))
        found.add(int(count * unit))
    return frozenset(found)


@lru_cache(maxsize=2048)
def names(text: str) -> frozenset[str]:
    """The atoms of what is written like a name: runs of one to four words that begin with a capital."""
    found: set[str] = set()
    for one in _NAME.finditer(text):
        parts = one[0].split()
        for start in range(len(parts)):
            found.update(phrase(" ".join(parts[start:end])) for end in range(start + 1, len(parts) + 1))
    return frozenset(found)


_DAY = "|".join(DAYS)
_NEAR_DAY = re.compile(
    rf"\b(?:(?P<day>{_DAY})(?:,? +(?:the +)?(?P<th>\d{{1,2}})(?:st|nd|rd|th)\b)?"
    r"|the +(?P<the>\d{1,2})(?:st|nd|rd|th)\b(?! +of\b)|(?P<word>today|tonight|tomorrow|yesterday))",
    re.IGNORECASE,
)
_WORDS: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}


@lru_cache(maxsize=2048)
def near(text: str, anchor: str) -> frozenset[str]:
    """The days that a text names by the day it was written on: "tomorrow", "Saturday", "Saturday 18th", "the 18th"."""
    start = days.read(anchor)
    if start is None:
        return frozenset()
    found: set[int] = set()
    for one in _NEAR_DAY.finditer(text):
        if one["word"]:
            found.add(start + _WORDS[one["word"].casefold()])
            continue
        name, number = one["day"], one["th"] or one["the"]
        for at in range(start + (0 if number else 1), start + (45 if number else 8)):
            named = not name or DAYS[days.weekday(at)] == name.casefold()
            if named and (not number or int(days.write(at)[8:]) == int(number)):
                found.add(at)
                break
    return frozenset(map(days.write, found))


def year_less(date: str) -> str:
    """The same day where no year is named."""
    return f"-{date[4:]}" if date[:1] != "-" else date
