"""Agents that hold all three (AG150): content that strangers write, data that is not public, and a way out. Pure.

An agent is one client's set of servers, one job of a workflow that strangers can start, or one list of tools in code or
settings. What a server gives is told by the words of its name and package; one that only reads is no way out.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, document, flags, gives, holder, jsonc, server, verbs, workflow
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Holder

STRANGERS, PRIVATE, OUT = "strangers", "private", "out"
_ALL: Final = frozenset({STRANGERS, PRIVATE, OUT})
_FORGE: Final = re.compile(r"(?i)github|gitlab")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PUBLISHED: Final = re.compile(r"(?:releases?|patch|version)(?:'s)?[ _-]?notes")
"""Notes that everybody may read."""
_ONLY_READS: Final = re.compile(r"(?i)^--?(?:read[-_]?only|readonly|no[-_]?writes?)(?:=(?:true|1))?$")
_READ_ONLY: Final = re.compile(r"(?i)(?:^|_)read_?only(?:_mode)?$")
_HINT: Final = re.compile(r"(?i)--servers=|mcp_?\w*(?:servers?|urls?|endpoints?)|\bmcp[\"']?\s*:")
_TOLD: Final = re.compile(r"(?i)mcp\w*_?(?:servers?|urls?|endpoints?|uris?|addresses|address|hosts?)$|_mcp$")
_ADDRESS: Final = re.compile(r"(?i)^https?://[^\s,;]+/(?:mcp|sse)/?$")
_TRIGGERS: Final = frozenset(
    {
        "issues",
        "issue_comment",
        "pull_request_target",
        "discussion",
        "discussion_comment",
        "pull_request_review_comment",
    }
)
_ASSOCIATION: Final = re.compile(
    r"author_association|github\.actor\s*==|permission\b.*(?:write|admin)|sender\.login\s*==|\bOWNER\b|\bMEMBER\b"
)
_MODEL: Final = re.compile(
    r"(?i)anthropic|claude|openai|gemini|google_api_key|mistral|groq|openrouter|github_token|gh_token|bedrock"
    r"|azure_openai|xai"
)
_NET: Final = re.compile(
    r"(?i)webfetch|bash(?:\(curl|\(wget|\(gh |\(\*|[,\s\"']|$)|curl\b|gh (?:issue|pr) (?:comment|create|edit)"
    r"|--yolo|--dangerously|full-auto"
)


def told(path: str, text: str) -> Iterator[Told]:
    """The agents of a document that hold all three."""
    if not (client.wants(path) or workflow.wants(path) or client.foreign(path, text) or _HINT.search(text)):
        return
    for root in document.read(path, text):
        if workflow.wants(path):
            yield from _jobs(root)
        elif client.wants(path):
            yield from of_rules([(one.text, one.line) for one in root["permissions"]["allow"].items if one.text])
            for part in root.inside():
                yield from _set(part)
        else:
            yield from _served(root)
            for inner in (root, *document.embedded(root)):
                for part in inner.inside():
                    yield from _set(part, client.FOREIGN)
                    yield from _set(part["mcp"], _SERVED)


def _served(root: Node) -> Iterator[Told]:
    """A gateway that is told which servers it offers together."""
    for part in root.inside():
        for one in (*part["command"].items, *part["args"].items):
            names = one.text.partition("=")[2].split(",") if one.text.startswith("--servers=") else []
            yield from judged([(name, one.line, legs_of(name, by_verb=False)) for name in names])


def _set(part: Node, keys: frozenset[str] = client.KEYS) -> Iterator[Told]:
    """One client's servers, by name or in a list; a project's own set is another agent's."""
    out = {one.text for key in ("excluded", "disabled") for one in part["mcp"][key].items if one.text}
    out |= {one.text for key in _OFF for one in part[key].items if one.text}
    only = {one.text for one in part["mcp"]["allowed"].items if one.text}
    for key in keys:
        given = part[key]
        named = {one["name"].text: one for one in given.items if one["name"].text} if not given.members else {}
        entries = {
            name: one
            for name, one in (*given.members.items(), *named.items())
            if client.MARKS & one.members.keys() and name not in out and (not only or name in only)
        }
        on = {n: o for n, o in entries.items() if o["disabled"].value is not True and o["enabled"].value is not False}
        yield from judged([(name, one.line, _of_server(name, one)) for name, one in on.items()])


_SERVED: Final = frozenset({"servers"})
_OFF: Final = ("disabledMcpjsonServers", "disabledMcpServers", "disabledServers")
"""Lists of servers that a client's settings switch off by name."""


def judged(parts: list[tuple[str, int, frozenset[str]]]) -> Iterator[Told]:
    """All three, in more than one part: what one server does alone cannot be taken apart here."""
    if frozenset().union(*(legs for _, _, legs in parts)) != _ALL or sum(bool(legs) for _, _, legs in parts) < 2:
        return
    by = {leg: next((name, line) for name, line, legs in _fewest(parts) if leg in legs) for leg in _ALL}
    reads, holds, tells = (short(by[leg][0]) for leg in (STRANGERS, PRIVATE, OUT))
    said = f"{reads} reads what strangers write, {holds} holds private data, {tells} is a way out"
    yield Kind.TOXIC, by[OUT][1], said


def _fewest(parts: Iterable[tuple[str, int, frozenset[str]]]) -> list[tuple[str, int, frozenset[str]]]:
    return sorted(parts, key=lambda one: len(one[2]))


def _of_server(name: str, entry: Node) -> frozenset[str]:
    """What a server gives: by its package or address, else by its name."""
    words = [word for word, _ in server.words(entry)]
    legs = legs_of(f"{holder.like(entry)} {name}", by_verb=False)
    if legs == {STRANGERS, OUT} and _FORGE.search(f"{holder.like(entry)} {name}") and _all_tools(entry, words):
        legs |= {PRIVATE}
    quiet = any(_ONLY_READS.match(word) for word in words) or any(
        _READ_ONLY.search(key) and str(value.value).lower() in ("1", "true", "yes")
        for part in ("env", "environment", "headers")
        for key, value in entry[part].members.items()
    )
    kept = [
        one.text
        for key in ("includeTools", "enabled_tools", "enabledTools", "tools", "allowedTools")
        for one in entry[key].items
        if one.text
    ]
    if quiet or (kept and "*" not in kept and not any(verbs.writes(one) for one in kept)):
        return legs - {OUT}
    return legs


def _all_tools(entry: Node, words: list[str]) -> bool:
    """Say whether a forge's server is given a token and told to offer every tool, those for private code among them."""
    chosen = [after for word, after in pairwise([*words, ""]) if word == "--toolsets"]
    chosen += [word.partition("=")[2] for word in words if word.startswith("--toolsets=")]
    chosen += [entry[part]["GITHUB_TOOLSETS"].text for part in ("env", "environment")]
    return any("all" in one.split(",") for one in chosen)


_SENDERS: Final = frozenset(
    {"smtp", "sendgrid", "send", "sender", "resend", "ses", "mailgun", "postmark", "brevo", "mandrill", "sparkpost",
     "mailchimp", "klaviyo", "mailer", "mailersend", "sendmail"}
)  # fmt: skip
_NO_VERBS: Final = frozenset({"python", "api", "rest", "export", "make", "archive", "buffer", "ghost"})
_LOOKS: Final = frozenset({"search", "read", "list", "get", "reader", "inbox", "check", "summary", "tool", "tools"})
_ENGINES: Final = frozenset({"google", "web", "internet", "bing", "brave", "online", "vertex", "public"})


def legs_of(text: str, *, by_verb: bool) -> frozenset[str]:
    """What the words of a name tell. `by_verb`: it is one tool's, so that its first telling word says it all."""
    words = re.findall(r"[a-z]+\d*|\d[a-z]+", _PUBLISHED.sub("_", _HUMP.sub("_", text).lower()))
    found = {*words, *(f"{one}{two}" for one, two in pairwise(words))}
    found |= {f"{a}{b}{c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)}
    known = found | {one.removesuffix("s") for one in found} | {f"{one}s" for one in found - {"new"}}
    if by_verb:
        return _by_verb(words, found, known)
    boxes, senders = found & {"gmail", "outlook", "imap", "inbox", "mailbox", "read", "list"}, found & _SENDERS
    if found & gives.MAIL and found & {"reader", "readonly", "viewer"} and not senders:
        return frozenset({STRANGERS, PRIVATE})
    if found & gives.MAIL or senders:
        return frozenset({OUT}) if senders and not boxes else _ALL
    if found & gives.BOTH_WAYS:
        return frozenset({STRANGERS, OUT})
    if known & gives.PRIVATE:
        return frozenset({PRIVATE})
    if found & (
        gives.OUT - _NO_VERBS - {"line", "signal", "https", "comment", "submit", "share", "forward", "respond"}
    ):
        return frozenset({OUT}) if not found & {"fetch"} else frozenset({STRANGERS})
    return frozenset({STRANGERS}) if known & gives.STRANGERS else frozenset()


def _by_verb(words: list[str], found: set[str], known: set[str]) -> frozenset[str]:
    """What the words of one tool's name tell: `found` with those that stand side by side, `known` in either number."""
    if {"http", "request"} <= found:
        return frozenset({STRANGERS, OUT})
    if "terminal" in found and found & {"last", "selection", "output"}:
        return frozenset()
    if words == ["terminal", "command"]:
        return frozenset()
    if words in (["run", "commands"], ["runcommands"]):
        return frozenset({OUT})
    if found & (gives.OUT - _NO_VERBS) and not found & {"read", "get", "list", "search", "fetch", "query", "lookup"}:
        return frozenset({OUT})
    if words[:1] and words[0] in ("email", "mail", "message", "sms") and len(words) > 1 and not found & _LOOKS:
        return frozenset({OUT})
    if known & (gives.STRANGERS | gives.MAIL | gives.BOTH_WAYS) or ("search" in found and found & _ENGINES):
        return frozenset({STRANGERS})
    if found & {"requests", "http"} and "get" in found:
        return frozenset({STRANGERS})
    if "codebase" in found and len(words) <= 2:
        return frozenset({PRIVATE})
    blind = (bool(words) and words[0] in _PUTS) or "test" in found
    return (
        frozenset({PRIVATE})
        if known & gives.PRIVATE and not (blind and known & gives.PRIVATE <= _PAPER)
        else frozenset()
    )


_PUTS: Final = frozenset({"edit", "write", "create", "new", "save", "append"})
_PAPER: Final = frozenset({"file", "files"})
"""What is only put, or only looked for by name, is not read: `edit/editFiles`, `write_file`, `findTestFiles`."""


_TELLS: Final = re.compile(
    r"(?i)^(?:sends?|posts?|publish(?:es)?|mails?|e-?mails?|texts?|fax(?:es)?|notif(?:y|ies)|delivers?|repl(?:y"
    r"|ies)|tweets?"
    r"|messages?)\b(?!\s+(?:of|from|that|in|by|on|with|which|written)\b|[:,])"
)
_OF_STRANGERS: Final = frozenset(
    {
        "public",
        "visitors",
        "visitor",
        "anybody",
        "outside",
        "strangers",
        "uploaded",
        "web",
        "site",
        "website",
        "internet",
    }
)
_CONFIDENTIAL: Final = frozenset({"confidential", "private", "personal", "internal", "sensitive", "medical", "secret"})


def legs_told(name: str, said: str) -> frozenset[str]:
    """What a tool does, by its name and by what it says of itself: that it tells somebody, its first word says."""
    if _TELLS.match(said):
        return frozenset({OUT})
    legs = legs_of(name, by_verb=True)
    if legs:
        return legs
    words = set(re.findall(r"[a-z]+", said.lower()))
    if words & _OF_STRANGERS:
        return frozenset({STRANGERS})
    return frozenset({PRIVATE}) if words & _CONFIDENTIAL else legs_of(said.partition(".")[0], by_verb=True)


_CURLS: Final = re.compile(
    r"^(?:Bash|shell|run_shell_command)(?:\((?:curl|wget|ssh|scp|nc|ncat|gh|mail|sendmail)\b.*|\(\*.*)?\)?$"
)
_STORES: Final = re.compile(
    r"^(?:Bash|shell|run_shell_command)\((?:psql|mysql|sqlite3|mongosh|bq|snowsql|redis-cli|aws s3|gcloud|kubectl)\b"
)


def of_rules(rules: list[tuple[str, int]]) -> Iterator[Told]:
    """Tools that one agent may use, by the rules of a client that approve them."""
    parts = []
    for rule, line in rules:
        server, _, tool = rule.removeprefix("mcp__").partition("__") if rule.startswith("mcp__") else ("", "", "")
        if rule.partition("(")[0] in ("WebFetch", "WebSearch", "web_fetch", "google_web_search"):
            legs = frozenset({STRANGERS})
        elif server:
            legs = legs_of(tool, by_verb=True) or legs_of(server, by_verb=False)
            legs = legs | (legs_of(server, by_verb=False) & {PRIVATE}) if legs != {OUT} else legs
        else:
            out = _CURLS.match(rule) and not verbs.rule_reads(rule.partition("(")[2].rstrip(")"))
            legs = frozenset({OUT}) if out else frozenset({PRIVATE}) if _STORES.match(rule) else frozenset()
        parts.append((rule, line, legs))
    yield from judged(parts)


def of_lines(text: str) -> Iterator[Told]:
    """Agents that a command starts with the tools that they may use."""
    for number, line in enumerate(text.split("\n"), 1) if "--allow" in text else ():
        yield from of_rules([(one, number) for one in flags.tools(line)])


def told_of(holders: tuple[Holder, ...]) -> Iterator[Told]:
    """An agent that is told the addresses of its servers: in one variable, or each in one of its own."""
    for one in holders:
        parts = []
        for pair in one.pairs:
            inner = jsonc.read(pair.text) if pair.text.lstrip().startswith("{") and _TOLD.search(pair.name) else None
            for part in inner.below(pair.line - 1).inside() if inner else ():
                yield from _set(Node(part.line, {"mcpServers": part}), client.FOREIGN)
            urls = [word for word in re.split(r"[,;\s]+", pair.text) if re.match(r"https?://|[\w-]+=https?://", word)]
            if urls and (_TOLD.search(pair.name) or _ADDRESS.match(pair.text)):
                named = "" if len(urls) > 1 else re.sub(r"(?i)mcp|_?(?:urls?|servers?|endpoints?)$", "", pair.name)
                parts += [
                    (url, pair.line, legs_of(f"{named} {re.sub('^https?://', '', url)}", by_verb=False)) for url in urls
                ]
        for kind, line, said in judged(parts):
            yield kind, line, f"{short(one.name)}: {said}"


def _jobs(root: Node) -> Iterator[Told]:
    """A job with an agent that strangers can start, with secrets beside the model's and a way to answer or call out."""
    on = root["on"] if root["on"].value is not None else root["True"]
    started = set(on.members) | {one.text for one in on.items}
    if not started & _TRIGGERS:
        return
    for name, job in root["jobs"].members.items():
        parts = list(job.inside())
        agents = [one for one in parts if holder.is_agent(one["uses"].text) or _runs_agent(one["run"].text)]
        gates = " ".join(one["if"].text for one in parts)
        if not agents or _ASSOCIATION.search(gates):
            continue
        texts = " ".join(one.text for one in parts if one.text)
        above = " ".join(one.text for one in root["env"].members.values())
        held = [one for one in re.findall(r"secrets\.(\w+)", f"{texts} {above}") if not _MODEL.search(one)]
        rights = job["permissions"] if job["permissions"].value is not None else root["permissions"]
        writes = rights.text == "write-all" or any(
            rights[key].text == "write" for key in ("contents", "issues", "pull-requests", "discussions", "packages")
        )
        cloud = any(
            one["uses"].text.startswith(("aws-actions/", "google-github-actions/auth", "azure/login")) for one in parts
        )
        asks = _READING.sub(_quiet, " ".join(_tools(agents)))
        if (held or cloud) and (writes or _NET.search(asks)):
            yield (
                Kind.TOXIC,
                agents[0]["uses"].line or agents[0]["run"].line,
                f"job {short(name)} reads what strangers write, holds secrets and has a way out",
            )


_READING: Final = re.compile(r"\b[bB]ash\((gh [^()]{0,300})\)")


def _quiet(rule: re.Match[str]) -> str:
    """A rule for a forge's command line, as nothing where it only reads."""
    return "" if verbs.rule_reads(rule[1]) else rule[0]


def _tools(agents: list[Node]) -> Iterator[str]:
    for one in agents:
        yield one["run"].text
        for value in one["with"].members.values():
            yield value.text


def _runs_agent(run: str) -> bool:
    return bool(
        re.search(r"(?m)^\s*(?:npx (?:-y )?\S*)?(?:claude|codex|gemini|opencode|goose|aider|cursor-agent)\b", run)
    )


def short(text: str) -> str:
    """A name in few characters."""
    return "".join(c for c in text if c.isprintable())[:40]
