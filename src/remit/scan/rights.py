"""Workflows whose job may write what none of its steps writes, where each of them is known (AG110). Pure.

Source: GitHub's page of the permissions of `GITHUB_TOKEN`. Of a job with a step that is not known nothing is said.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, needed, workflow
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Granted

_WRITTEN: Final = (
    "contents", "issues", "pull-requests", "discussions", "packages", "actions", "checks", "statuses", "deployments",
    "pages", "repository-projects", "security-events", "attestations",
)  # fmt: skip


def told(path: str, text: str) -> Iterator[Told | Granted]:
    """The permissions to write of a workflow whose jobs do not write so."""
    if not workflow.wants(path) or "write" not in text:
        return
    for root in document.read(path, text):
        own: list[Node] = []
        above: list[Node] = []
        for job in root["jobs"].members.values():
            (own if job["permissions"].value is not None else above).append(job)
        for job in own:
            yield from _broader(path, root, job["permissions"], [job])
        if above:
            yield from _broader(path, root, root["permissions"], above)


def _broader(path: str, root: Node, rights: Node, jobs: list[Node]) -> Iterator[Told | Granted]:
    known = _needs(root, jobs)
    if known is None:
        return
    needs, scripts = known
    idle = [name for name in _WRITTEN if rights[name].text == "write" and name not in needs]
    if scripts:
        app = "run:" + "\n".join(scripts)
        yield from (Granted(path, rights[name].line, app, f"{name}=write", writes=True) for name in idle)
        return
    if rights.text == "write-all":
        yield Kind.UNUSED, rights.line, f"everything may be written, and its steps write {_told(needs)}"
    for name in idle:
        yield Kind.UNUSED, rights[name].line, f"{name} may be written, and its steps write {_told(needs)}"


def _needs(root: Node, jobs: list[Node]) -> tuple[frozenset[str], list[str]] | None:
    """What jobs need, and the scripts of the tree that they start with the token; None when that is not known."""
    needs: frozenset[str] = needed.NOTHING
    scripts: list[str] = []
    for job in jobs:
        envs = " ".join(f"{key} {one.text}" for part in (root, job) for key, one in part["env"].members.items())
        for step in job["steps"].items or [Node(0, None)]:
            told = needed.of(step, lent="TOKEN" in envs or "github.token" in envs)
            if told is None:
                started = needed.scripts(step)
                if not started or not needed.rest(step):
                    return None
                scripts += started
            needs |= told or needed.NOTHING
        if _PULLED.search(" ".join(step["run"].text for step in job["steps"].items)) and not _pushes(job):
            needs -= {"packages"}
    return needs, scripts


_PULLED: Final = re.compile(r"\bdocker (?:pull|run)\b")


def _pushes(job: Node) -> bool:
    """Say whether a job that logs in to a registry puts something into it."""
    return any(
        "push" in step["run"].text or step["uses"].text.startswith(("docker/build", "docker/bake"))
        for step in job["steps"].items
    )


def _told(needs: frozenset[str]) -> str:
    return f"{', '.join(sorted(needs))} at most" if needs else "nothing"
