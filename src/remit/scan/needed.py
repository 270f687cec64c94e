"""What a step of a workflow needs of `GITHUB_TOKEN`, as far as each of its commands and actions is known. Pure.

Sources: GitHub's page of the permissions of `GITHUB_TOKEN`, the manual of `gh`, the pages of the actions. A step that
is not known may do anything: None.
"""

import re
from typing import Final

from remit.scan import family
from remit.scan.node import Node

NOTHING: Final[frozenset[str]] = frozenset()
_ANSWERS: Final = frozenset({"issues", "pull-requests", "discussions"})
"""What an agent that only reads needs to answer with."""
_TALKS: Final = frozenset({"issues", "pull-requests"})
_CONTENTS: Final = frozenset({"contents"})
_SIGNS: Final = frozenset({"id-token"})
_LANDS: Final = frozenset({"contents", "pull-requests", "issues"})
_STEPS: Final = (
    (re.compile(
        r"^(?:actions/(?:checkout|setup-[\w-]+|cache(?:/\w+)?|upload-artifact|download-artifact|upload-pages-artifact"
        r"|create-github-app-token|dependency-review-action|ai-inference)"
        r"|astral-sh/setup-uv|pnpm/action-setup|oven-sh/setup-bun|denoland/setup-deno"
        r"|docker/(?:setup-[\w-]+|metadata-action)|dtolnay/rust-toolchain|swatinem/rust-cache"
        r"|ruby/setup-ruby|jdx/mise-action|taiki-e/install-action|hashicorp/setup-terraform|extractions/setup-just"
        r"|pre-commit/action|astral-sh/ruff-action|golangci/golangci-lint-action|dorny/paths-filter"
        r"|tj-actions/changed-files|peter-evans/find-comment|dependabot/fetch-metadata)@"), NOTHING),
    (re.compile(
        r"^(?:aws-actions/configure-aws-credentials|google-github-actions/(?:auth|setup-gcloud)|azure/login"
        r"|hashicorp/vault-action|pypa/gh-action-pypi-publish)@"), frozenset({"id-token", "attestations"})),
    (re.compile(
        r"^(?:actions/(?:labeler|first-interaction)|peter-evans/create-or-update-comment|mshick/add-pr-comment"
        r"|marocchino/sticky-pull-request-comment|thollander/(?:actions-)?comment-pull-request"
        r"|hmarr/auto-approve-action)@"), _TALKS),
    (re.compile(r"^actions/stale@"), frozenset({*_LANDS, "actions"})),
    (re.compile(
        r"^(?:softprops/action-gh-release|ncipollo/release-action|actions/create-release"
        r"|svenstaro/upload-release-action)@"), frozenset({"contents", "discussions"})),
    (re.compile(
        r"^(?:stefanzweifel/git-auto-commit-action|endbug/add-and-commit|ad-m/github-push-action"
        r"|jamesives/github-pages-deploy-action|peaceiris/actions-gh-pages)@"), _CONTENTS),
    (re.compile(
        r"^(?:peter-evans/create-pull-request|googleapis/release-please-action|changesets/action"
        r"|release-drafter/release-drafter)@"), _LANDS),
    (re.compile(r"^actions/(?:deploy-pages|configure-pages)@"), frozenset({"pages", "id-token", "deployments"})),
    (re.compile(r"^actions/attest[\w-]*@"), frozenset({"attestations", "id-token", "packages"})),
    (re.compile(r"^docker/(?:build-push|bake|login)-action@"), frozenset({"packages", "attestations", "id-token"})),
    (re.compile(r"^github/codeql-action/"), frozenset({"security-events"})),
)  # fmt: skip
"""Actions, and what each needs of the token."""
_AGENTS: Final = re.compile(
    r"^(?:anthropics/claude-code(?:-base)?-action|openai/codex-action|google-github-actions/run-gemini-cli)@"
)
_READS: Final = re.compile(
    r"^(?:gh (?:issue|pr|run|repo|release|label|workflow|search|cache|gist|variable|project|ruleset|attestation)"
    r" (?:list|view|status|diff|checks|issues|prs|repos|code|commits|download|clone|checkout|watch|verify)\b"
    r"|gh (?:auth status|auth setup-git|status|search)\b"
    r"|(?:npm|pnpm|yarn|bun) (?:ci|i|install|test|run (?:lint|test|build|typecheck|check|format:check))\b"
    r"|npx (?:tsc|eslint|prettier --check|vitest|jest)\b"
    r"|(?:pip|pip3|python3? -m pip|uv pip) install\b|uv sync\b|uv run (?:pytest|ruff|mypy)\b"
    r"|(?:pytest|python3? -m (?:pytest|unittest)|ruff|mypy|tox|nox|flake8|black --check)\b"
    r"|(?:make|just) (?:test|lint|check|build|ci)\b|(?:go|cargo) (?:test|vet|build|check|clippy|fmt|mod)\b"
    r"|(?:mvn|gradle|\./gradlew|\./mvnw) (?:test|check|verify|build)\b"
    r"|git (?:status|log|diff|show|fetch|checkout|clone|rev-parse|rev-list|ls-files|describe|config|branch|switch|add"
    r"|commit|tag|rm|mv|pull|merge|rebase|stash|reset|grep|blame|shortlog|cat-file|merge-base|submodule)\b"
    r"|(?:echo|cat|jq|yq|grep|rg|cd|mkdir|ls|wc|sort|uniq|head|tail|sed|awk|tee|test|set|export|printf|cut|tr|date|find"
    r"|true|if|then|else|fi|for|do|done|exit|sleep|pwd|which|diff|cp|mv|rm|touch|unzip|tar|while|read|local|elif|case"
    r"|esac|xargs (?:echo|cat|head|tail|wc))(?:\s|$|;)"
    r"|docker (?:pull|images|inspect|build|tag|login|logout|version|info|run(?![^\n]*(?i:token)))\b"
    r"|curl (?!.*(?:-X|--request|-d\b|--data|-F\b|--form|-T\b|--upload|--json))"
    r"|\[\[? |[A-Za-z_]\w*=\S*$|#|$)"
)
"""Commands that need nothing of the token, or that it may read."""
_WRITES: Final = (
    (re.compile(r"\bgh issue (?:create|comment|edit|close|reopen|delete|pin|unpin|lock|unlock"
        r"|transfer)\b"), frozenset({"issues"})),
    (re.compile(r"\bgh pr (?:review|close|reopen|ready)\b"), frozenset({"pull-requests"})),
    (re.compile(r"\bgh pr (?:comment|edit|create|lock|unlock)\b|\bgh label (?:create|edit|delete|clone)\b"), _TALKS),
    (re.compile(r"\bgh pr (?:merge|update-branch)\b"), _LANDS),
    (re.compile(r"\bgh release (?:create|upload|edit|delete\S*)\b"), frozenset({"contents", "discussions"})),
    (re.compile(r"\bgh (?:workflow (?:run|enable|disable)|run (?:rerun|cancel|delete)"
        r"|cache delete)\b"), frozenset({"actions"})),
    (re.compile(r"\bgit push\b"), _CONTENTS),
    (re.compile(r"\b(?:docker (?:push|buildx build)|(?:npm|pnpm|yarn) publish|skopeo copy|crane push"
                r"|oras push|helm push)\b"),
     frozenset({"packages", "contents"})),
)  # fmt: skip
"""Commands that write, wherever they stand, and what each needs of the token."""
_LEAD: Final = re.compile(r"^(?:[(!{]\s*|(?:if|while|until|then|else|elif|do|time|sudo)\s+|[A-Za-z_]\w*=\S+\s+(?=\S))+")
"""What stands before a command: keywords, and variables that it is given."""
_INTERFACE: Final = re.compile(r"^gh api\s")
_METHOD: Final = re.compile(r"(?:-X|--method)[ =]?[\"']?([A-Z]+)")
_FIELDS: Final = re.compile(r"\s(?:-f|-F|--field|--raw-field|--input)\b")
_PATH: Final = re.compile(r"(?<![\w/.-])/?(repos/\S+)")
_NAMED: Final = re.compile(
    r"^repos/(?:\$\{?\w+\}?|\$\{\{[^{}]*\}\}|\{owner\}/\{repo\}|:owner/:repo)(?=/(?:issues|pulls|contents|git|commits"
    r"|branches|releases|actions|check|statuses|deployments|hooks|labels|merges)\b)"
)
"""A repository that a variable names."""
_PROMPTED: Final = re.compile(r"^(?:npx (?:-y )?@anthropic-ai/claude-code\S*|claude|codex exec|gemini)\s")
_TOOLS: Final = re.compile(r"(?i)(?:--allowed-?tools|allowed_tools:)[ =]*[\"']?([^\"'\n]+)")
_QUIET: Final = re.compile(
    r"^(?:Read|Grep|Glob|LS|NotebookRead|TodoRead|TodoWrite|WebFetch|WebSearch"
    r"|mcp__github__(?:get|list|search)_\w+"
    r"|Bash\((?:gh (?:issue|pr|run|repo|search|label) (?:view|list|diff|status|checks|issues)|git (?:log|diff|show"
    r"|status)"
    r"|cat|ls|grep|rg|head|tail|wc|find|jq)\b[^)]*\))$"
)
_REST: Final = re.compile(r"\bgithub\.(?:rest\.)?(\w+)\.(\w+)|\bgithub\.(paginate|request|graphql|\w+)\b")
_LOUD: Final = re.compile(
    r"\b(?:require|import|fetch|exec|eval|getOctokit|Octokit)\b|(?:const|let|var)\s*\{[^}]*\}\s*=\s*github"
)
_SPACES: Final = {
    "issues": _TALKS, "pulls": frozenset({"pull-requests"}), "reactions": _ANSWERS, "checks": frozenset({"checks"}),
    "git": _CONTENTS, "actions": frozenset({"actions"}), "packages": frozenset({"packages"}),
}  # fmt: skip
"""What the families of GitHub's calls need where they write."""


_MODEL: Final = re.compile(
    r"\b(?:claude|codex|gemini|aider|opencode|goose|copilot|cursor-agent|qwen|amp|crush|kiro|auggie|droid|openhands)\b"
)
"""An agent that a command starts: what it does is never known."""
_LENT: Final = re.compile(r"github\.token|GITHUB_TOKEN|GH_TOKEN")
"""How a step is given the token."""
_SCRIPT: Final = re.compile(
    r"^(?:uv run (?:python3? )?|python3? |node |npx tsx |bun (?:run )?"
    r"|deno run (?:-\S+ )*)(?:\./)?([\w./-]+\.(?:py|ts|mts))\b"
)


def scripts(step: Node) -> list[str]:
    """The scripts of the tree that a step starts, each by its path."""
    parts = re.split(r"&&|;|\n", step["run"].text)
    return [found[1] for part in parts if (found := _SCRIPT.match(part.strip()))]


def rest(step: Node) -> bool:
    """Say whether all that a step does besides starting scripts of the tree is known, and writes nothing."""
    parts = [part for part in re.split(r"&&|;|\n", step["run"].text) if not _SCRIPT.match(part.strip())]
    return _commands("\n".join(parts)) == NOTHING


def of(step: Node, *, lent: bool = True) -> frozenset[str] | None:
    """What a step needs to write with the token; None when that is not known. `lent`: its job is given the token.

    A command that is not known, and is not given the token, can push what was checked out, and no more.
    """
    uses = step["uses"].text.lower()
    if _AGENTS.match(uses):
        told = _tools(" ".join(one.text for one in step["with"].members.values()))
        return None if told is None else told | _ANSWERS | _SIGNS
    if uses.startswith("actions/github-script@"):
        return _script(step["with"]["script"].text)
    if uses:
        return next((needs for shape, needs in _STEPS if shape.match(uses)), None)
    if not step["run"].text:
        return None
    found = _commands(step["run"].text)
    given = lent or _LENT.search(
        " ".join([step["run"].text, *(f"{key} {one.text}" for key, one in step["env"].members.items())])
    )
    return found if found is not None or given or _MODEL.search(step["run"].text) else _CONTENTS


def _script(script: str) -> frozenset[str] | None:
    """What a script needs that calls GitHub by name, and starts nothing else."""
    calls = list(_REST.finditer(script))
    if not calls or _LOUD.search(script) or "mutation" in script:
        return None
    found = NOTHING
    for one in calls:
        if one[3] == "request":
            if not re.match(r"\(\s*[\"'`]GET ", script[one.end() :]):
                return None
        elif one[2] == "iterator" or one[3] in ("paginate", "graphql"):
            continue
        elif not re.match(r"(?:get|list|check|search|compare|download)", one[2] or ""):
            needs = _SPACES.get(one[1] or "")
            if needs is None:
                return None
            found |= needs
    return found


def _commands(script: str) -> frozenset[str] | None:
    found = NOTHING
    text = re.sub(r"\\\n\s*", " ", script)
    for line in text.split("\n"):
        inner = re.findall(r"\$\(([^()]*)\)", line)
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "''", line)
        for part in (*re.split(r"&&|\|\||;|(?<!\|)\|(?!\|)", bare), *inner):
            command = _LEAD.sub("", part.strip())
            needs = _command(command, line)
            if needs is None:
                return None
            found |= needs
    return found.union(*(needs for shape, needs in _WRITES if shape.search(text)))


def _command(command: str, line: str) -> frozenset[str] | None:
    if _INTERFACE.match(command):
        return _interface(line)
    if _READS.match(command) or any(shape.match(command) for shape, _ in _WRITES):
        return NOTHING
    if _PROMPTED.match(command):
        return _tools(line)
    return None


def _interface(line: str) -> frozenset[str] | None:
    """What a call of GitHub's interface by `gh` needs."""
    method = _METHOD.search(line)
    if "graphql" in line:
        return (
            NOTHING if "mutation" not in line and "query=@" not in line and re.search(r"query\s*[({=]", line) else None
        )
    if (method[1] if method else "POST" if _FIELDS.search(line) else "GET") == "GET":
        return NOTHING
    path = _PATH.search(line.replace('"', " ").replace("'", " "))
    named = _NAMED.sub("repos/x/x", path[1]) if path else ""
    needs = family.of_github("/" + re.sub(r"\$\{?\w+\}?|\{\w+\}", "x", named)) if path else ()
    return frozenset(one.replace("_", "-") for one in needs) or None


def _tools(text: str) -> frozenset[str] | None:
    """What an agent needs that is given a list of tools of which each is known; None when there is no such list."""
    lists = [one[1] for one in _TOOLS.finditer(text)]
    tools = [tool.strip() for one in lists for tool in re.split(r",(?![^(]*\))|\s+(?=[A-Z])(?![^(]*\))", one)]
    found = NOTHING
    for tool in tools:
        told = next((needs for shape, needs in _WRITES if tool.startswith("Bash(") and shape.match(tool[5:])), None)
        if told is None and tool.startswith("mcp__github_inline_comment__"):
            told = _TALKS
        if told is None and tool and not _QUIET.match(tool):
            return None
        found |= told or NOTHING
    return found if any(tools) else None
