"""Statements: the policy files of one set, read one policy at a time, with the file and line of each.

Cedar's own parser names no line and ends the process on text that is nested some hundreds deep, so files are cut into
statements here and bounds are kept before Cedar sees them. Source: Cedar grammar (docs.cedarpolicy.com/policies).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import cedarpy
import msgspec

from remit.core import ids
from remit.core.canonical import Json
from remit.core.errors import RemitError

DEPTH: Final = 32
"""Brackets inside brackets, at most. Cedar overflows its stack at about 1,000."""
STATEMENT: Final = 16 * 1024
"""Characters in one policy, at most."""
STATEMENTS: Final = 10_000
"""Policies in one set, at most."""

_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,200}\.cedar", re.ASCII)
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|[()\[\]{};]', re.DOTALL)
_LEAD: Final = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z))*")
_ASKS: Final = ("ask", "requireApproval")


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy. `id` is its layer and its `@id`, or its layer, file and place; `ask` the group that must approve.

    `tree` is Cedar's JSON form of it (docs.cedarpolicy.com/policies/json-format).
    """

    id: str
    layer: str
    file: str
    line: int
    text: str
    tree: dict[str, Json]
    permits: bool
    ask: str


def invalid(why: str, file: str, line: int) -> RemitError:
    """Build the fault of a policy that cannot be used, with its place."""
    return RemitError(
        "policy_invalid",
        f"{file}, line {line}: {why}",
        "Correct the policy; check it with `remit policy check` before it is applied.",
    )


def read(layer: str, files: Mapping[str, str]) -> list[Statement]:
    """Read every policy of a layer, files in order of name. Refuses what Cedar does not parse (`policy_invalid`)."""
    found: list[Statement] = []
    for file in sorted(files):
        if not _FILE.fullmatch(file) or ".." in file:
            raise invalid("a policy file is called NAME.cedar.", repr(file[:80]), 1)
        for place, (line, text) in enumerate(cut(file, files[file]), 1):
            found.append(_statement(layer, file, place, line, text))
    return found


def cut(file: str, text: str) -> Iterator[tuple[int, str]]:
    """Cut a file into statements, each with the line on which it starts."""
    text = text.replace("\r\n", "\n")
    odd = re.search(r"[^\n\t -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\U0010ffff]", text)
    if odd:
        # A lone carriage return ends a comment for Cedar and not for most readers: what is seen must be what is meant.
        raise invalid("it holds a control character.", file, text.count("\n", 0, odd.start()) + 1)
    start, depth, line, counted = 0, 0, 1, 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        if depth > DEPTH or token.end() - start > STATEMENT:
            where = text.count("\n", 0, token.start()) + 1
            raise invalid(f"a policy has {DEPTH} nested brackets and {STATEMENT} characters at most.", file, where)
        if mark == ";":
            begin = _begin(text, start)
            line, counted = line + text.count("\n", counted, begin), begin
            yield line, text[begin : token.end()]
            start, depth = token.end(), 0
    begin = _begin(text, start)
    if begin < len(text):
        raise invalid("the last policy does not end in a semicolon.", file, text.count("\n", 0, begin) + 1)


def _begin(text: str, start: int) -> int:
    lead = _LEAD.match(text, start)
    return lead.end() if lead else start


def _statement(layer: str, file: str, place: int, line: int, text: str) -> Statement:
    try:
        parsed = msgspec.json.decode(cedarpy.policies_to_json_str(text))
    except (ValueError, RecursionError) as fault:
        raise invalid(f"{str(fault)[:200]}.", file, line) from fault
    if parsed["templates"]:
        raise invalid("a template (?principal, ?resource) grants nothing by itself and is refused.", file, line)
    if len(parsed["staticPolicies"]) != 1:
        raise invalid("this is not exactly one policy.", file, line)
    ((_, tree),) = parsed["staticPolicies"].items()
    notes = tree.pop("annotations", {})
    groups = {notes[name] for name in _ASKS if name in notes}
    permits = tree["effect"] == "permit"
    if groups and not permits:
        raise invalid("a forbid cannot ask; only a permit can carry @ask.", file, line)
    if len(groups) > 1:
        raise invalid("@ask and @requireApproval name two groups.", file, line)
    try:
        ask = ids.name("group of approvers", groups.pop()) if groups else ""
    except RemitError as fault:
        raise invalid(f'@ask needs a group: @ask("approvers"). {fault.remedy}', file, line) from fault
    name = notes.get("id")
    if "id" in notes and (not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 128):
        raise invalid("@id needs 1 to 128 printable characters.", file, line)
    return Statement(f"{layer}/{name or f'{file}#{place}'}", layer, file, line, text, tree, permits, ask)
