"""Logins by clouds' command lines with what does not end by itself, and commands that make such a thing (AG104). Pure.

Sources: the references of `az login`, `az ad`, `gcloud auth`, `gcloud iam service-accounts`, `aws configure` and
`aws iam`.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan.launch import Told
from remit.scan.node import Node

_REST: Final = r"((?:[^\n;|&\\]|\\\n|\\.){0,2000})"
"""The rest of a command: to its line's end, which a backslash puts off."""
_AZURE: Final = re.compile(rf"\baz\s+login\b{_REST}")
_GOOGLE: Final = re.compile(rf"\bgcloud\s+auth\s+activate-service-account\b{_REST}")
_SET: Final = re.compile(r"\baws\s+configure\s+set\s+(?:[\w.-]+\.)?aws_secret_access_key\b")
_MADE: Final = re.compile(
    r"\bgcloud\s+iam\s+service-accounts\s+keys\s+create\b|\baws\s+iam\s+create-access-key\b"
    r"|\baz\s+ad\s+(?:sp\s+create-for-rbac|(?:sp|app)\s+credential\s+reset)\b|\baz\s+storage\s+account\s+keys\s+list\b"
)


def told(script: Node) -> Iterator[Told]:
    """What stands in a script, each where its command begins."""
    text = script.text
    if not text or not re.search(r"\b(?:az|gcloud|aws)\s", text):
        return
    for said, place in _found(text):
        yield Kind.STANDING, script.line + text.count("\n", 0, place) + ("\n" in text), said


def _found(text: str) -> Iterator[tuple[str, int]]:
    for one in _AZURE.finditer(text):
        given = re.search(r"(?:--password|-p)[ =]", one[1])
        if given and "--service-principal" in one[1] and "--federated-token" not in one[1]:
            yield "the command logs in with a client secret of an Entra app", one.start(1) + given.start()
    for one in _GOOGLE.finditer(text):
        if "--key-file" in one[1] or "--p12" in one[1]:
            yield "the command logs in with a key of a Google service account", one.start()
    yield from (("the command logs in with an access key of an AWS user", one.start()) for one in _SET.finditer(text))
    yield from (("the command makes a standing key", one.start()) for one in _MADE.finditer(text))
