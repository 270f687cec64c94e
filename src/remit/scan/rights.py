"""Workflows whose job may write what none of its steps writes, where each of them is known (AG110). Pure.

Source: GitHub's page of the permissions of `GITHUB_TOKEN`. Of a job with a step that is not known nothing is said.
"""

from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, needed, workflow
from remit.scan.launch import Told
from remit.scan.node import Node

_WRITTEN: Final = (
    "contents", "issues", "pull-requests", "discussions", "packages", "actions", "checks", "statuses", "deployments",
    "pages", "repository-projects", "security-events", "attestations",
)  # fmt: skip


def told(path: str, text: str) -> Iterator[Told]:
    """The permissions to write of a workflow whose jobs do not write so."""
    if not workflow.wants(path) or "write" not in text:
        return
    for root in document.read(path, text):
        own: list[Node] = []
        above: list[Node] = []
        for job in root["jobs"].members.values():
            (own if job["permissions"].value is not None else above).append(job)
        for job in own:
            yield from _broader(job["permissions"], [job])
        if above:
            yield from _broader(root["permissions"], above)


def _broader(rights: Node, jobs: list[Node]) -> Iterator[Told]:
    needs: frozenset[str] = needed.NOTHING
    for job in jobs:
        for step in job["steps"].items or [Node(0, None)]:
            told = needed.of(step)
            if told is None:
                return
            needs |= told
    if rights.text == "write-all":
        yield Kind.UNUSED, rights.line, f"everything may be written, and its steps write {_said(needs)}"
    for name in _WRITTEN:
        if rights[name].text == "write" and name not in needs:
            yield Kind.UNUSED, rights[name].line, f"{name} may be written, and its steps write {_said(needs)}"


def _said(needs: frozenset[str]) -> str:
    return f"{', '.join(sorted(needs))} at most" if needs else "nothing"
