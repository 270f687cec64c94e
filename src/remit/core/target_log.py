"""A target's own log, read as acts: who did what, when. Pure. PostgreSQL (pgaudit too), CloudTrail, GitHub's audit log.

Who acted is read from what the target itself put there: the role that logged in, the session's name, the digest of the
token. Times must be in UTC, or say how far off they are: a zone's name alone is refused.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lease import MARK
from remit.core.moment import Instant

KINDS: Final = ("postgres-csv", "postgres-json", "cloudtrail", "github")
SILENT: Final = frozenset(
    {
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SET",
        "SHOW",
        "RESET",
        "DISCARD",
        "SAVEPOINT",
        "RELEASE",
        "START",
        "END",
        "DEALLOCATE",
    }
)
"""What a session says of itself; it touches no data."""
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)", re.ASCII
)
_SAID = re.compile(
    r"(?:duration: [0-9.]+ ms  )?(?:statement|execute [^:]*|fastpath function call): *(.*)", re.DOTALL | re.ASCII
)
_WORD = re.compile(r"[\s(]*([a-z]+)", re.IGNORECASE)
_QUIET = re.compile(r"""\s*(?:[\w\s.,="/+-]|'[^']*')*""")
"""What may stand in a statement of the session alone: no colon, since a client may put one, and more, in the name of a
prepared statement, which stands before its text."""
_QUOTED = re.compile(r"""(?<![\w$])[eE]'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*\"""", re.DOTALL)
_DOLLARS = re.compile(r"(?<![\w$])\$(?:[A-Za-z_]\w*)?\$")
_COMMENT = re.compile(r"/\*|\*/")
_READ: Final = (
    "actor",
    "hashed_token",
    "repo",
    "repository",
    "request_id",
    "request_method",
    "url_path",
    "user_programmatic_access_name",
)
"""What is read of an event of GitHub's audit log, as far as it is text."""
Numbered = list[tuple[int, dict[str, Json]]]
_NAME = re.compile(rf"{MARK}tsk_[a-z2-7]{{26}}_(?:own|del)_[a-z2-7]{{8}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a target says was done. `name` is the lease's name at it, empty for everybody else's acts.

    `mark` is what the target calls a token where leases have no names there; `group` is the request that it came of,
    where the target says that and one request makes several acts.
    """

    line: int
    at: Instant
    name: str
    user: str
    verb: str
    what: str
    mark: str = ""
    group: str = ""


def read(text: str) -> tuple[str, list[Act]]:
    """Find out which log this is, and read its acts, all or none (`log_unknown`, `log_broken`, `log_zone`)."""
    if text.lstrip()[:1] in ("{", "["):
        found = _objects(text)
        if isinstance(found, dict):
            return "cloudtrail", list(_trail(found["Records"]))
        if any("@timestamp" in one and "action" in one for _, one in found):
            return "github", list(_audited(found))
        if text.lstrip()[0] == "{" and any("timestamp" in one for _, one in found):
            return "postgres-json", list(_json_lines(found))
        raise _unknown()
    return "postgres-csv", list(_csv(_rows(text)))


def _rows(text: str) -> list[list[str]]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(row) < 23 or not _TIME.fullmatch(row[0]):
                raise _broken(reader.line_num) if len(rows) > 1 else _unknown()
    except csv.Error as fault:
        raise (_broken(reader.line_num) if rows else _unknown()) from fault
    if not rows:
        raise _unknown()
    return rows


def _unknown() -> RemitError:
    return RemitError(
        "log_unknown",
        "This is no log that can be read here.",
        f"Give one of {', '.join(KINDS)}: for PostgreSQL, log_destination = 'csvlog' or 'jsonlog'.",
    )


def _broken(line: int) -> RemitError:
    return RemitError(
        "log_broken",
        f"Entry {line} of this log cannot be read, so nothing is said of any.",
        "Give the log whole, as the target wrote it; cut off a last line that is half written.",
    )


def instant_of(text: str) -> Instant:
    """A time of a log as milliseconds since 1970; refuses one whose zone is a name other than UTC (`log_zone`)."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise RemitError("log_zone", "A time in this log is not in UTC.", "Set log_timezone = 'UTC' at the target.")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    part = int((found[7] or "0").ljust(3, "0")[:3])
    zone, off = found[8], 0
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        off = (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 60 + int(digits[2:]))
    minutes = (_days(year, month, day) * 24 + hour) * 60 + minute - off
    return Instant((minutes * 60 + second) * 1000 + part)


def _csv(rows: Iterable[list[str]]) -> Iterator[Act]:
    for number, row in enumerate(rows, 1):
        yield from _spoken(number, row[0], row[1], row[13], row[7])


def _objects(text: str) -> Numbered | dict[str, Json]:
    """The objects of a list or of lines, numbered from 1; CloudTrail's one object as it is."""
    try:
        whole = json.loads(text)
    except ValueError:
        return [(number, _parsed(number, one)) for number, one in enumerate(text.split("\n"), 1) if one.strip()]
    if isinstance(whole, dict) and isinstance(whole.get("Records"), list):
        return whole
    listed = whole if isinstance(whole, list) else [whole]
    return [(number, _object(number, one)) for number, one in enumerate(listed, 1)]


def _parsed(number: int, line: str) -> dict[str, Json]:
    try:
        return _object(number, json.loads(line))
    except ValueError as fault:
        raise (_broken(number) if number > 1 else _unknown()) from fault


def _object(number: int, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _broken(number) if number > 1 else _unknown()
    return value


def _json_lines(found: Numbered) -> Iterator[Act]:
    for number, value in found:
        if "timestamp" not in value:
            raise _broken(number)
        got = [str(value.get(name, "")) for name in ("timestamp", "user", "message", "ps")]
        yield from _spoken(number, *got)


def _spoken(line: int, at: str, user: str, message: str, tag: str) -> Iterator[Act]:
    """One line of PostgreSQL's log, when it says that a statement ran."""
    if message.startswith("AUDIT: "):
        fields = next(csv.reader([message[7:]]), [])
        if len(fields) >= 8:
            yield Act(line, instant_of(at), _ours(user), user, fields[4].split(" ")[0].lower(), fields[7])
        return
    said = _SAID.fullmatch(message)
    if said is None:
        return
    every = _statements(said[1])
    for one in every:
        word = _WORD.match(one)
        verb = (word[1] if word else tag).upper()
        if verb not in SILENT or not _QUIET.fullmatch(one):
            what = said[1] if len(every) == 1 else one.strip()
            yield Act(line, instant_of(at), _ours(user), user, verb.lower(), what)


def _statements(text: str) -> list[str]:
    """The statements of one text, each without its comments; what nobody can take apart is one."""
    found, part, at = list[str](), list[str](), 0
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        dollars = _DOLLARS.match(text, at)
        if text.startswith("--", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("/*", at):
            at = _behind(text, at)
            part.append(" ")
        elif quoted is not None:
            part.append(quoted[0])
            at = quoted.end()
        elif dollars is not None:
            end = text.find(dollars[0], dollars.end())
            part.append(text[at:] if end < 0 else text[at : end + len(dollars[0])])
            at += len(part[-1])
        else:
            if text[at] == ";":
                found.append("".join(part))
                part.clear()
            else:
                part.append(text[at])
            at += 1
    found.append("".join(part))
    return [one for one in found if one.strip()]


def _behind(text: str, at: int) -> int:
    """Where a comment ends that begins here; they nest."""
    depth = 0
    for mark in _COMMENT.finditer(text, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)


def _trail(records: list[Json]) -> Iterator[Act]:
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise _broken(number)
        who = record.get("userIdentity", {})
        if not isinstance(who, dict) or "eventTime" not in record:
            continue
        session = str(who.get("principalId", "")).rpartition(":")[2]
        verb = str(record.get("eventName", ""))
        place = str(record.get("eventSource", "")).partition(".")[0]
        user = str(who.get("arn", session))
        yield Act(number, instant_of(str(record["eventTime"])), _ours(session), user, f"{place}:{verb}", verb)


def _audited(found: Numbered) -> Iterator[Act]:
    """GitHub's audit log of an organisation or enterprise, as a list or in lines: each event names its token's digest.

    A token that somebody gave a lease's name is read by that, too.
    """
    for number, one in found:
        if "@timestamp" not in one or "action" not in one:
            continue
        said = {name: one[name] for name in _READ if isinstance(one.get(name), str)}
        verb = str(one["action"])
        asked = f"{said.get('request_method', '')} {said.get('url_path', '')}".strip()
        what = " ".join(part for part in (asked or verb, said.get("repo") or said.get("repository", "")) if part)
        label = _ours(said.get("user_programmatic_access_name", ""))
        at, mark = _moment(one["@timestamp"]), said.get("hashed_token", "")
        yield Act(number, at, label, said.get("actor", ""), verb, what, mark, said.get("request_id", ""))


def _moment(value: Json) -> Instant:
    """A time as GitHub writes it: milliseconds since 1970, or a text in UTC."""
    if type(value) is int and 0 <= value < 2**53:
        return Instant(value)
    return instant_of(str(value))


def _ours(user: str) -> str:
    return user if _NAME.fullmatch(user) else ""


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date (proleptic Gregorian)."""
    year -= month <= 2
    era = year // 400
    rest = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + rest * 365 + rest // 4 - rest // 100 + of_year - 719_468
