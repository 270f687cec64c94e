"""Workflows whose job may write, although every one of its steps is known and only reads (AG110). Pure.

Sources: GitHub's page of the permissions of `GITHUB_TOKEN`, the manual of `gh`. A step that is not known may do
anything, so that nothing is said of its job.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, workflow
from remit.scan.launch import Told
from remit.scan.node import Node

_WRITTEN: Final = (
    "contents", "issues", "pull-requests", "discussions", "packages", "actions", "checks", "statuses", "deployments",
    "pages", "repository-projects",
)  # fmt: skip
_STEPS: Final = re.compile(
    r"^(?:actions/(?:checkout|setup-[\w-]+|cache(?:/\w+)?|upload-artifact|download-artifact)|astral-sh/setup-uv"
    r"|pnpm/action-setup|oven-sh/setup-bun|denoland/setup-deno|docker/setup-[\w-]+|dtolnay/rust-toolchain"
    r"|ruby/setup-ruby|jdx/mise-action|taiki-e/install-action|hashicorp/setup-terraform|extractions/setup-just"
    r"|pre-commit/action|astral-sh/ruff-action|golangci/golangci-lint-action|dorny/paths-filter|tj-actions/changed-files"
    r"|aws-actions/configure-aws-credentials|google-github-actions/(?:auth|setup-gcloud)|azure/login)@"
)
_AGENTS: Final = re.compile(
    r"^(?:anthropics/claude-code(?:-base)?-action|openai/codex-action|google-github-actions/run-gemini-cli)@"
)
_READS: Final = re.compile(
    r"^(?:gh (?:issue|pr|run|repo|release|label|workflow|search|cache|gist|variable)"
    r" (?:list|view|status|diff|checks|issues|prs|repos|code|commits|download|clone)\b"
    r"|gh (?:auth status|status|search)\b"
    r"|gh api (?!.*(?:-X|--method|-f\b|-F\b|--field|--raw-field|--input))"
    r"|(?:npm|pnpm|yarn|bun) (?:ci|i|install|test|run (?:lint|test|build|typecheck|check|format:check))\b"
    r"|npx (?:tsc|eslint|prettier --check|vitest|jest)\b"
    r"|(?:pip|pip3|python3? -m pip|uv pip) install\b|uv sync\b|uv run (?:pytest|ruff|mypy)\b"
    r"|(?:pytest|python3? -m (?:pytest|unittest)|ruff|mypy|tox|nox|flake8|black --check)\b"
    r"|(?:make|just) (?:test|lint|check|build|ci)\b|(?:go|cargo) (?:test|vet|build|check|clippy|fmt|mod)\b"
    r"|(?:mvn|gradle|\./gradlew|\./mvnw) (?:test|check|verify|build)\b"
    r"|git (?:status|log|diff|show|fetch|checkout|clone|rev-parse|rev-list|ls-files|describe|config|branch|switch)\b"
    r"|(?:echo|cat|jq|grep|rg|cd|mkdir|ls|wc|sort|uniq|head|tail|sed|awk|tee|test|set|export|printf|cut|tr|date|find"
    r"|true|if|then|else|fi|for|do|done|exit|sleep|pwd|which|diff|cp|mv|rm|touch|unzip|tar)(?:\s|$|;)"
    r"|\[ |[A-Z_]+=\S*$|#|$)"
)
_PROMPTED: Final = re.compile(r"^(?:npx (?:-y )?@anthropic-ai/claude-code\S*|claude|codex exec|gemini)\s")
_TOOLS: Final = re.compile(r"(?i)(?:--allowed-?tools|allowed_tools:)[ =]*[\"']?([^\"'\n]+)")
_QUIET: Final = re.compile(
    r"^(?:Read|Grep|Glob|LS|NotebookRead|TodoRead|TodoWrite|WebFetch|WebSearch"
    r"|Bash\((?:gh (?:issue|pr|run|repo|search) (?:view|list|diff|status|checks|issues)|git (?:log|diff|show|status)"
    r"|cat|ls|grep|rg|head|tail|wc)\b[^)]*\))$"
)


def told(path: str, text: str) -> Iterator[Told]:
    """The permissions to write of a workflow whose jobs only read."""
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
    acts = [_acts(job) for job in jobs]
    if not acts or any(one is None for one in acts):
        return
    commented = any(one == "comments" for one in acts)
    if rights.text == "write-all":
        yield Kind.UNUSED, rights.line, "everything may be written, and every step only reads"
    for name in _WRITTEN:
        if rights[name].text == "write" and not (commented and name in ("issues", "pull-requests", "discussions")):
            yield Kind.UNUSED, rights[name].line, f"{name} may be written, and every step only reads"


def _acts(job: Node) -> str | None:
    """What a job does: `reads`, `comments` (an agent that reads and answers), or None when that is not known."""
    steps = job["steps"].items
    if not steps or job["uses"].text:
        return None
    found = "reads"
    for step in steps:
        uses = step["uses"].text
        if _AGENTS.match(uses):
            if not _is_quiet(" ".join(one.text for one in step["with"].members.values())):
                return None
            found = "comments"
        elif uses.startswith("actions/github-script@"):
            if not _script_reads(step["with"]["script"].text):
                return None
        elif uses:
            if not _STEPS.match(uses):
                return None
        elif not step["run"].text or not _only_reads(step["run"].text):
            return None
    return found


_REST: Final = re.compile(r"\bgithub\.(?:rest\.)?\w+\.(\w+)|\bgithub\.(paginate|request|graphql|\w+)\b")
_LOUD: Final = re.compile(
    r"\b(?:require|import|fetch|exec|eval|getOctokit|Octokit)\b|(?:const|let|var)\s*\{[^}]*\}\s*=\s*github"
)


def _script_reads(script: str) -> bool:
    """Say whether a script calls GitHub only to read, each call by its name, and starts nothing else."""
    calls = list(_REST.finditer(script))
    if not calls or _LOUD.search(script) or "mutation" in script:
        return False
    for one in calls:
        if one[2] == "request":
            if not re.match(r"\(\s*[\"'`]GET ", script[one.end() :]):
                return False
        elif one[1] == "iterator" or one[2] in ("paginate", "graphql"):
            continue
        elif not re.match(r"(?:get|list|check|search|compare|download)", one[1] or ""):
            return False
    return True


def _only_reads(script: str) -> bool:
    text = re.sub(r"\\\n\s*", " ", script)
    for line in text.split("\n"):
        for part in re.split(r"&&|\|\||;|(?<!\|)\|(?!\|)", re.sub(r"'[^']*'|\"[^\"]*\"", "''", line)):
            command = re.sub(r"^(?:[A-Z_]\w*=\S+\s+)+(?=\S)", "", part.strip())
            if not _READS.match(command) and not (_PROMPTED.match(command) and _is_quiet(line)):
                return False
    return not re.search(r"git (?:push|commit)|gh \w+ (?:create|edit|comment|merge|close|delete|upload)", text)


def _is_quiet(text: str) -> bool:
    """Say whether an agent is given a list of tools, and each only reads."""
    lists = [one[1] for one in _TOOLS.finditer(text)]
    tools = [tool.strip() for one in lists for tool in re.split(r",(?![^(]*\))|\s+(?=[A-Z])(?![^(]*\))", one)]
    return bool(tools) and all(_QUIET.match(tool) for tool in tools if tool)
