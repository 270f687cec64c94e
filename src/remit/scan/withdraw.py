"""Approvals that are given beforehand taken back, and hooks that let pass when they fail made to refuse. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, consent, said, verbs
from remit.scan.fix import Edit, Fix
from remit.scan.node import Node
from remit.scan.placed import Placed

_ASK: Final = {
    "defaultMode": ({"bypassPermissions", "acceptEdits"}, "default"),
    "approvalMode": ({"yolo"}, "default"),
    "defaultApprovalMode": ({"yolo"}, "default"),
}
"""Modes of Claude Code and of Gemini CLI that ask nobody, and the one of the same client that asks."""
_UNNAMED: Final = frozenset({"enableAllProjectMcpServers"})
_STOPS: Final = re.compile(r"/\.(?:claude|cursor|gemini)/[^/]+$")
"""Clients in which a hook that exits with 2 refuses the call, by their own pages."""
_LET: Final = re.compile(r"\s*(?:\|\||;)\s*(?:true|:|exit 0)\s*;?\s*$")


def approvals(path: str, document: Placed, found: Mapping[int, str]) -> Iterator[Fix]:
    """What these lines approve, taken out of its list or turned off; a list keeps what only reads."""
    if not found:
        return
    for _, entry in client.servers(document.root):
        for key in consent.LISTS:
            yield from _thinned(document, entry[key], found, verbs.writes)
    yield from _thinned(document, document.root["permissions"]["allow"], found, consent.rule_writes)
    for node in document.nodes:
        name = document.name(node)
        if node.line in found and name and (name in found[node.line] or name in _UNNAMED):
            text = _turned(path, name, node)
            if text:
                edits, meant = (Edit(*document.span(node), text),), ((document.path(node), json.loads(text)),)
                yield Fix(Kind.UNASKED, node.line, f"{name} is {text}", edits, meant=meant)


def hooks(path: str, document: Placed, found: Mapping[int, str]) -> Iterator[Fix]:
    """A hook's command that ends by letting pass, ending by refusing: code 2."""
    if not found or not _STOPS.search(f"/{path}"):
        return
    for node in document.nodes:
        let = _LET.search(node.text)
        if let and node.line in found and "a hook of" in found[node.line] and document.name(node) == "command":
            text = f"{node.text[: let.start()]} || exit 2"
            edits, meant = (Edit(*document.span(node), document.written(node, text)),), ((document.path(node), text),)
            yield Fix(Kind.UNASKED, node.line, "a hook that fails refuses the call", edits, meant=meant)


def _turned(path: str, name: str, node: Node) -> str:
    """What stands in place of a switch that asks nobody; empty when there is no one right answer."""
    if node.value is True:
        return "false"
    if node.value is False and name == "failClosed":
        return "true"
    loud, asks = _ASK.get(name, (set(), ""))
    if node.text in loud:
        return json.dumps(asks)
    return '"ask"' if node.text == "allow" and re.search(r"(?:^|/)opencode\.jsonc?$", path) else ""


def _thinned(document: Placed, listed: Node, found: Mapping[int, str], loud: Callable[[str], bool]) -> Iterator[Fix]:
    """A list without its items that write. Where a comment stands between them, a person must look."""
    if not isinstance(listed.value, list):
        return
    gone = [one for one in listed.value if one.text and loud(one.text)]
    if not any(one.line in found for one in gone):
        return
    start, end = document.span(listed)
    if any(start < at < end for at, _ in document.comments):
        return
    shows = frozenset(one.text for one in listed.value if one.text and not said.secretive(one.text))
    names = ", ".join(one.text if one.text in shows else "***" for one in gone)
    name = document.name(listed)
    out = {id(one) for one in gone}
    yield Fix(
        Kind.UNASKED, gone[0].line, f"{name} no longer holds {names}", tuple(_cut(document, listed, gone)), (), shows,
        ((document.path(listed), [one for one in listed.value if id(one) not in out]),),
        tuple(one.line for one in gone[1:]),
    )  # fmt: skip


def _cut(document: Placed, listed: Node, gone: list[Node]) -> Iterator[Edit]:
    items = listed.items
    out = {id(one) for one in gone}
    if len(gone) == len(items):
        start, end = document.span(listed)
        yield Edit(start + 1, end - 1, "")
        return
    kept = [place for place, one in enumerate(items) if id(one) not in out]
    for place, one in enumerate(items):
        if id(one) not in out:
            continue
        if place < kept[-1]:
            yield Edit(document.span(one)[0], document.span(items[place + 1])[0], "")
        else:
            yield Edit(document.span(items[place - 1])[1], document.span(one)[1], "")
