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
    r"^(?:ls|cat|head|tail|grep|rg|find|pwd|echo|which|wc|tree|stat|du|df|date|whoami|jq|diff"
    r"|git (?:status|log|diff|show|branch|blame|ls-files|rev-parse|remote)"
    r"|(?:npm|pnpm|yarn|bun) (?:run )?(?:test|lint|build|typecheck|check|ci)|npx (?:tsc|eslint|prettier|vitest|jest)"
    r"|make (?:test|check|lint|build)"
    r"|pytest|python -m pytest|uv run pytest|ruff|mypy|cargo (?:test|check|build|clippy|fmt)|go (?:test|vet|build)"
    r"|gh (?:pr|issue|run) (?:view|list|diff|checks|status))\b"
)


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


def only_reads(command: str) -> bool:
    """Say whether a command of a shell only reads, or builds and tests what is there, by how it begins."""
    return bool(_COMMANDS.match(command))
