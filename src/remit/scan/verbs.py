"""What a tool does as far as the words of its name tell: whether it does more than read. Pure."""

import re
from itertools import pairwise
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_READS: Final = frozenset(
    {
        "get", "list", "read", "search", "fetch", "find", "describe", "view", "show", "query", "lookup", "count",
        "check", "glob", "grep", "ls", "cat", "websearch", "webfetch", "notebookread", "todoread", "head", "tail",
        "diff", "explain", "resolve", "browse", "retrieve", "ping", "select", "inspect", "download", "recommend",
        "suggest", "summarize", "summarise", "analyze", "analyse", "compare", "validate", "verify", "calculate",
        "compute", "convert", "parse", "estimate", "preview", "detect", "extract", "identify", "classify", "rank",
        "translate", "discover", "enumerate", "scan", "look", "see", "peek", "monitor", "measure", "whoami", "is",
        "has", "can", "exists", "match", "filter", "traverse", "tree", "stat", "blame", "lint", "introspect",
        "aggregate", "snapshot", "screenshot", "display", "print", "watch", "trace", "audit", "load", "recall",
        "predict", "forecast", "score", "geocode", "sequentialthinking", "think", "help",
    }
)  # fmt: skip
_WRITES: Final = frozenset(
    {
        "create", "write", "delete", "update", "push", "send", "post", "put", "add", "remove", "set", "edit",
        "merge", "commit", "run", "execute", "exec", "bash", "shell", "command", "deploy", "move", "rename",
        "insert", "drop", "apply", "install", "publish", "pay", "refund", "transfer", "invite", "upload",
        "close", "reset", "approve", "cancel", "start", "stop", "kill", "patch", "modify", "replace", "save",
        "import", "restart", "grant", "revoke", "mark", "assign", "schedule", "book", "buy", "submit", "reply",
        "forward", "enable", "disable", "rotate", "trigger", "invoke", "click", "type", "fill", "press", "fork",
        "reject", "accept", "complete", "reopen", "purge", "wipe", "destroy", "terminate", "provision", "charge",
        "issue", "withdraw", "ban", "block", "subscribe", "unsubscribe", "upsert", "append", "clear", "sync",
        "migrate", "rollback", "scale", "drain", "evict", "cordon", "truncate", "alter", "change", "configure",
    }
)  # fmt: skip
_NOUNS: Final = frozenset(
    {"status", "log", "logs", "info", "health", "documentation", "docs", "history", "stats", "metrics", "usage",
     "version", "schema"}
)  # fmt: skip
"""What is only read where nothing in the name says what is done with it."""
_ASIDE: Final = frozenset({"issue", "block", "command", "shell", "commit", "post", "type", "start", "set", "book"})
"""Writing verbs that name a thing as well: told by them where no other word says what is done."""
_ENDED: Final = frozenset(
    {"issue", "thread", "conversation", "comment", "alert", "incident", "ticket", "case", "conflict", "discussion"}
)
"""What is closed when it is resolved."""

_COMMANDS: Final = re.compile(
    r"^(?:ls|ll|cat|head|tail|grep|egrep|fgrep|rg|ag|fd|find|pwd|echo|printf|which|type|wc|tree|stat|du|df|date"
    r"|whoami|jq|yq|diff|cmp|comm"
    r"|file|less|more|sort|uniq|cut|nl|column|basename|dirname|realpath|readlink|uname|hostname|id|uptime|free|ps"
    r"|lsof|printenv|man"
    r"|(?:sha\d+|md5|b2)sum|od|hexdump|strings|tokei|cloc|true"
    r"|git (?:-C \S+ )?(?:status|log|diff|show|branch|blame|ls-files|ls-tree|ls-remote|rev-parse|rev-list|remote"
    r"|describe|shortlog"
    r"|reflog|grep|cat-file|show-ref|merge-base|check-ignore|whatchanged|for-each-ref|config (?:--get|--list|-l)"
    r"|stash (?:list|show)"
    r"|tag (?:-l|--list)|worktree list|submodule status)"
    r"|(?:npm|pnpm|yarn|bun) (?:run )?(?:test|lint|build|typecheck|type-check|check|ci)|(?:npm|pnpm|yarn"
    r"|bun) (?:ls|list|view|info|outdated|why|audit(?! fix))"
    r"|(?:(?:npx|pnpx|bunx|(?:npm|pnpm|bun)(?: exec)?(?: --)?|yarn) )?(?:tsc|eslint|vitest|jest|biome)"
    r"|(?:npx|pnpx|bunx|pnpm|pnpm exec|yarn) (?:prettier|playwright test)"
    r"|(?:make|just|task) (?:test|check|lint|build)"
    r"|pytest|python3? -m (?:pytest|unittest|mypy)|uv run (?:pytest|ruff|mypy)|ruff|mypy|pyright|tox|nox"
    r"|pre-commit run|flake8|black --check"
    r"|uv (?:tree|pip (?:list|show|tree))|pip3? (?:list|show|freeze)|poetry show"
    r"|cargo (?:test|check|build|clippy|fmt|tree|metadata|doc|bench)|go (?:test|vet|build|list|doc|version|env)"
    r"|deno (?:test|lint|check|fmt)"
    r"|(?:\./)?(?:gradlew|gradle) (?:test|build|check)|mvn (?:test|verify|compile)|dotnet (?:test|build)"
    r"|swift (?:test|build)"
    r"|bazel (?:query|test|build)|phpunit|rspec|bundle exec rspec|flutter (?:test|analyze)|terraform (?:plan"
    r"|validate|show|fmt|output|version)"
    r"|gh (?:pr|issue|run|repo|release|workflow|label|search|cache|ruleset) (?:view|list|diff|checks|status"
    r"|issues|prs|code|repos|commits)"
    r"|gh run (?:logs|watch)|gh search|gh (?:auth )?status|glab (?:mr|issue|ci) (?:view|list|diff|status)"
    r"|(?:kubectl|oc) (?:-n \S+ |--namespace[ =]\S+ )?(?:get|describe|logs|top|explain|version|api-resources"
    r"|api-versions|cluster-info"
    r"|diff|events|rollout (?:status|history)|auth can-i|config (?:view|get-contexts|current-context))"
    r"|helm (?:list|ls|status|get|history|show|template|lint|search)"
    r"|(?:docker|podman) (?:ps|images|logs|inspect|version|info|stats|top|port|(?:container|image|network"
    r"|volume) (?:ls|list|inspect)|history|events|compose (?:ps|logs|config|ls|images))"
    r"|docker-compose (?:ps|logs|config)|systemctl (?:status|show|cat|list-\w+|is-\w+)|journalctl"
    r"|aws (?:--\S+ \S+ )?[\w-]+ (?:describe|list|get)-[\w-]+|aws s3 ls|gcloud (?:[\w-]+ ){1,4}(?:list|describe)"
    r"|az (?:[\w-]+ ){1,4}(?:list|show)"
    r"|[\w./-]+ (?:--version|--help|-V))(?![\w-])"
)
_ACTS: Final = re.compile(
    r"\s-(?:delete|exec(?:dir)?|ok(?:dir)?|fprint\w*)\b|\bgit (?:-C \S+ )?branch\b.*\s(?:-[a-zA-Z]*[dDmMcCf]"
    r"|--(?:delete|move|copy|force))"
    r"|\bgit remote (?:add|remove|rm|rename|set-\w+|prune)\b|\bgit reflog (?:expire|delete)\b|\$\(|`"
)
"""What makes a command that looks act."""
_OPENED: Final = re.compile(r"(?:^|[;&|]\s*)(?:(?:find|fd|yq)(?:\s[^;&|]*)?|git (?:-C \S+ )?(?:branch|remote|reflog))$")
"""What looks as it is written, and runs commands, writes or erases by a word that may follow."""
_MANAGED: Final = re.compile(
    r"\b(npm|pnpm|yarn|bun)(?: (?:--(?:recursive|workspace-root|workspaces|silent|if-present|parallel|stream)|-[rs]"
    r"|(?<=pnpm )-w"
    r"|(?:--(?:filter|prefix|dir|cwd|workspace)|-[FC]|(?<=npm )-w)[ =]\S+))+(?= )"
)
"""A manager of packages with the words that say in which of a project's packages it works."""
_JOINED: Final = re.compile(r"\s*(?:&&|\|\||[;|\n])\s*")
_REDIRECTED: Final = re.compile(r"(?<![0-9&=-])>{1,2}(?!\s*/dev/null|&)\s*[^\s&]")


def words(tool: str) -> list[str]:
    """The words of a tool's name, without its server's."""
    name = tool.rsplit("__", 1)[-1].rsplit("/", 1)[-1].rsplit(".", 1)[-1]
    return re.findall(r"[a-z]+", _HUMP.sub("_", name).lower())


def writes(tool: str) -> bool:
    """Say whether a tool of this name does more than read. The first verb tells; a name with none may do anything.

    A verb after `and` or `or` counts as the first does.
    """
    told = words(tool)
    if any(one in _WRITES for before, one in pairwise(told) if before in ("and", "or")):
        return True
    if told[:1] == ["resolve"] and not _ENDED.isdisjoint(told):
        return True
    first = next((one for one in told if one in _READS or (one in _WRITES and one not in _ASIDE)), "")
    if first:
        return first in _WRITES
    return not _ASIDE.isdisjoint(told) or _NOUNS.isdisjoint(told)


def is_plain(tool: str) -> bool:
    """Say whether no word of a tool's name says what is done."""
    return not any(one in _READS or one in _WRITES for one in words(tool))


def only_reads(command: str) -> bool:
    """Say whether a command of a shell only reads, or builds and tests what is there, by how each part of it begins."""
    if _ACTS.search(command) or _REDIRECTED.search(command):
        return False
    return all(_COMMANDS.match(_MANAGED.sub(r"\1", part)) for part in _JOINED.split(command.strip()))


def rule_reads(rule: str) -> bool:
    """Say whether all that a rule allows only reads; with `*` or `:*` at its end, whatever words may follow."""
    command = rule.strip().removesuffix("*").removesuffix(":").strip()
    wide = rule.rstrip().endswith("*") and len(command) <= _LONGEST
    return bool(command) and only_reads(command) and not (wide and _OPENED.search(command))


_LONGEST: Final = 2_000
"""Characters of a rule that are looked at for what may follow it."""
