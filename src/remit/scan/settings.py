"""Secrets in settings of any other kind: JSON, YAML and TOML that no reader of its own knows (AG101). Pure.

An issuer's shape is told wherever it stands; a secret that only its name tells, where the file has to do with agents.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import addressed, client, document, inherited, secret, server, uttered, workflow
from remit.scan.launch import Told
from remit.scan.node import Node

_SAMPLES: Final = ("example", "sample", "template", "dist", "test", "defaults", "lock")
_TRIED: Final = re.compile(
    r"(?:^|/)(?:[\w.-]*[-_.])?(?:tests?|testdata|__tests__|fixtures?|__mocks__|mocks?|cassettes?|snapshots?)/"
)
"""Folders of what tests are given: there only an issuer's shape tells a secret."""
_LARGEST: Final = 200_000
"""Characters of a file above which it is data, and no settings."""


def told(path: str, text: str) -> Iterator[Told]:
    """What stands in full in such a file. Exports of tables, and what is named as an example, are not read."""
    name = path.rsplit("/", 1)[-1].lower()
    parts = name.replace("-", ".").replace("_", ".").split(".")
    if (
        client.wants(path)
        or workflow.wants(path)
        or name.endswith((".csv", ".tf", ".tfvars", ".jsonl", ".ndjson", ".template"))
        or any(part in _SAMPLES for part in parts)
        or len(text) > _LARGEST
    ):
        return
    known = secret.may_hold(text)
    agentic = not _TRIED.search(path) and (inherited.is_agentic(path, text) or "litellm" in text)
    if not (known or agentic):
        return
    for root in document.read(path, text):
        if root["apiVersion"].text and root["kind"].text:
            continue
        for part in root.inside():
            yield from _part(part, known=known, agentic=agentic)


def _part(part: Node, *, known: bool, agentic: bool) -> Iterator[Told]:
    yield from server.checks(part) if agentic else ()
    for key, value in part.members.items():
        if agentic and _in_the_open(key, value.text):
            yield Kind.OPEN_REMOTE, value.line, f"{key[:60]} is called over http, without TLS"
        if "\n" in value.text.strip():
            told = uttered.held(key, value) if known or agentic else ()
            yield from ((Kind.LITERAL_SECRET, line, said) for line, said in told)
        elif value.text and (secret.is_known(value.text) or (agentic and secret.is_written(key, value.text))):
            yield Kind.LITERAL_SECRET, value.line, f"{key[:60]} holds a literal value"
        elif isinstance(value.value, list):
            yield from _listed(key, value, agentic=agentic)


def _listed(key: str, value: Node, *, agentic: bool) -> Iterator[Told]:
    """Secrets among the items of a list: of a known shape, or in a command."""
    for one in value.items:
        if one.text and (
            secret.is_known(one.text) or (agentic and " " in one.text and any(uttered.literals(one.text, 1)))
        ):
            yield Kind.LITERAL_SECRET, one.line, f"{key[:60]} holds a literal value"


def _in_the_open(key: str, text: str) -> bool:
    """Say whether an agent's settings name what is called in the open; a bare `url` may be any page's."""
    if not text.startswith(("http://", "ws://")) or not addressed.called(addressed.worded(key), text):
        return False
    return key.lower() not in _ANY or bool(re.search(r"/(?:mcp|sse|v\d)\b", text))


_ANY: Final = frozenset({"url", "uri", "host", "server", "address", "base"})
