"""Days as whole numbers, without any clock: the proleptic Gregorian calendar, day 0 being 1970-01-01.

Source: the algorithm of "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant).
"""

from typing import Final

_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def number(year: int, month: int, day: int) -> int | None:
    """The number of a day; None where there is no such day."""
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= _LENGTHS[month - 1]):
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and day == 29 and not leap:
        return None
    years = year - (month <= 2)
    era, place = divmod(years, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + place * 365 + place // 4 - place // 100 + of_year - 719468


def read(text: str) -> int | None:
    """The number of a day written as YYYY-MM-DD."""
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    return number(int(parts[0]), int(parts[1]), int(parts[2]))


def write(day: int) -> str:
    """A day as YYYY-MM-DD."""
    era, rest = divmod(day + 719468, 146097)
    years = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    of_year = rest - (365 * years + years // 4 - years // 100)
    moved = (5 * of_year + 2) // 153
    month = moved + (3 if moved < 10 else -9)
    return f"{years + era * 400 + (month <= 2):04}-{month:02}-{of_year - (153 * moved + 2) // 5 + 1:02}"


def weekday(day: int) -> int:
    """The day of the week, Monday being 0."""
    return (day + 3) % 7
