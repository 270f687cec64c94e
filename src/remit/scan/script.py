"""Reader of agents' TypeScript (MCP's SDK, the AI SDK, OpenAI Agents, LangChain): read as text and literals. Pure.

It is never run, and not parsed as a whole: what is read are object literals where they are built, texts in quotes, and
chains of calls. What is built in one place and used in another is followed only by a plain `const`.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    addressed,
    asked,
    calls,
    consent,
    export,
    hinted,
    hooked,
    mixed,
    opened,
    owned,
    plan,
    pysecret,
    server,
    standing,
    tooling,
    tsagents,
    tsenv,
    tslogin,
    tsmixed,
    tsobject,
    tsrun,
    tssecret,
    tsuse,
    unasked,
    unowned,
)
from remit.scan.launch import Told
from remit.scan.node import Node, line_at
from remit.scan.sight import Sight, held

_HINT: Final = re.compile(
    r"[\"'`](?:docker|podman|npx|uvx)[\"' ]"
    r"|[\"'](?:npm:|jsr:)?(?:@modelcontextprotocol/|ai[\"'/@]|@ai-sdk/|@openai/|openai|@anthropic-ai/|langchain"
    r"|@langchain/|googleapis"
    r"|@aws-sdk/|@mastra/|@slack/|@octokit/|undici|@azure/|@microsoft/microsoft-graph-client|@supabase/|fastmcp"
    r"|aws-cdk-lib|@pulumi/|@a2a-js/|cdktf|@cdktf/|@google/(?:genai|adk)|genkit|@genkit-ai/|@strands-agents/|@langchain"
    r"|@composio/|llamaindex|@llamaindex/|agents[\"'/]|ollama|@github/copilot-sdk"
    r"|octokit[\"']|@googleapis/|google-auth-library|@google-cloud/|firebase-admin|aws-sdk[\"'/]|@aws-cdk/|cdk8s"
    r"|@kubernetes/client-node|(?:dockerode|deepagents)[\"']|@e2b/|e2b[\"']|@daytonaio/|next-auth|@auth/"
    r"|better-auth|arctic[\"']|node-vault|snowflake-sdk|@gitbeaker/)"
)
_STRING: Final = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
)
_LARGEST: Final = 200_000
"""Characters of a file above which it was made by a program, and is not read."""


def wants(path: str) -> bool:
    """Say whether this is such a file, or may be one: what it is, its text says."""
    return path.endswith((".ts", ".mts")) and not re.search(
        r"(?:^|/)(?:__tests__|__mocks__|tests?|testing|fixtures|e2e)/|\.(?:test|spec|vitest|e2e|d)\.m?ts$", path
    )


def is_agents(text: str) -> bool:
    """Say whether code has to do with agents or with what they call, by what it imports."""
    return len(text) <= _LARGEST and bool(_HINT.search(text))


def starts(text: str) -> bool:
    """Say whether code starts the program of an agent."""
    return len(text) <= _LARGEST and "child_process" in text and bool(_PROGRAM.search(text))


_PROGRAM: Final = re.compile(r"[\"'`](?:claude|codex|gemini|qwen|copilot|cursor-agent|aider|goose|amp|droid)[\"'` ]")


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file; nothing in code that has nothing to do with agents."""
    if not is_agents(text):
        first = {(kind, line): said for kind, line, said in _others(text)}
        more = (Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for (kind, line), said in first.items())
        return (*pysecret.alone(path, text), *_beside(path, text), *more, *_started(path, text))
    plain = bare(text)
    holders, chosen = tsenv.holders(path, plain), _chosen(plain)
    told = [
        *_objects(plain, chosen),
        *tssecret.told(plain),
        *_lines(plain),
        *tslogin.told(plain),
        *standing.told(holders),
        *_environments(path, plain),
        *plan.told(path, plain),
        *tsagents.told(plain),
        *tsmixed.told(plain),
        *mixed.told(holders),
        *owned.told(plain),
    ]
    told += asked.in_code(plain)
    first = {(kind, line): said for kind, line, said in reversed(told)}
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for (kind, line), said in first.items())


_BESIDE: Final = re.compile(r"(?i)agent|\bmcp|tools?(?:[/_.-]|$)|sandbox")
_SPEAKS: Final = re.compile(r"agent|mcp|\btools?\b|[a-z]Tools?\b|\bTOOLS?_|sandbox|\bmodel\b")


def _beside(path: str, text: str) -> tuple[Finding, ...]:
    """What a file that starts an agent's tools hands on, though it imports nothing that says so."""
    if "child_process" not in text or len(text) > _LARGEST or not (_BESIDE.search(path) and _SPEAKS.search(text)):
        return ()
    told = dict.fromkeys(_environments(path, bare(text)))
    return tuple(Finding(kind, Confidence.MEDIUM, Evidence(path, line, said)) for kind, line, said in told)


def _environments(path: str, text: str) -> Iterator[Told]:
    """Environments that are handed on whole, but to the project's own tooling."""
    if not tooling.is_place(path):
        yield from (one for one in tsenv.told(text) if not tooling.in_typescript(text, one[1]))


def _others(text: str) -> Iterator[Told]:
    """What code shows that is no agent's: a sign-in that asks for all, a register of agents."""
    if len(text) <= _LARGEST and hinted.may(text):
        if asked.SIGNS.search(text):
            yield from asked.in_code(bare(text))
        if unowned.REGISTERS.search(text):
            yield from owned.told(bare(text))


def _started(path: str, text: str) -> tuple[Finding, ...]:
    """Agents that code starts, though it imports none; and whose token such code calls with."""
    plain = bare(text) if starts(text) or (len(text) <= _LARGEST and tsmixed.may(text)) else ""
    told = [*(tsrun.told(plain) if starts(text) else ()), *tsmixed.told(plain, agents=False)]
    return tuple(Finding(one[0], _sure(one[0]), Evidence(path, one[1], one[2])) for one in dict.fromkeys(told))


def _sure(kind: Kind) -> Confidence:
    return Confidence.MEDIUM if kind is Kind.MIXED else Confidence.HIGH


def bare(text: str) -> str:
    """The text, its comments made blank."""
    return _STRING.sub(lambda one: re.sub(r"[^\n]", " ", one[0]) if one[0].startswith("/") else one[0], text)


def _lines(text: str) -> Iterator[Told]:
    for one in _UNCHECKED.finditer(text):
        if not _is_chosen(text, one):
            yield Kind.OPEN_REMOTE, line_at(text, one.start()), calls.UNCHECKED
    yield from calls.in_typescript(text)
    yield from tsrun.told(text)
    for one in re.finditer(r"\bnew\s+URL\(\s*[\"'`]([^\"'`]+)[\"'`]\s*\)", text):
        yield from ((Kind.OPEN_REMOTE, line_at(text, one.start()), said) for said in addressed.address(one[1]))
    yield from unasked.told(text)


_UNCHECKED: Final = re.compile(
    r"\brejectUnauthorized\s*:\s*false\b|NODE_TLS_REJECT_UNAUTHORIZED(?:[\"']\])?\s*=\s*[\"']0[\"']"
)
_CHOSEN: Final = re.compile(
    r"[=!]==?\s{0,9}(?:false|true)\s{0,60}\?\s{0,60}(?:new\s{1,9}[\w.]{1,60}\(\s{0,60})?\{\s{0,60}\Z"
)


def _chosen(text: str) -> frozenset[int]:
    """The lines that leave certificates unchecked only where a setting says so in full: of itself the code checks."""
    return frozenset(line_at(text, one.start()) for one in _UNCHECKED.finditer(text) if _is_chosen(text, one))


def _is_chosen(text: str, unchecked: re.Match[str]) -> bool:
    return bool(_CHOSEN.search(text, max(0, unchecked.start() - 160), unchecked.start()))


def _objects(text: str, chosen: frozenset[int]) -> Iterator[Told]:
    """Entries of servers: what each is started or called with, and what it is handed."""
    known = tsobject.names(text)
    for root in tsobject.objects(text):
        for part in tsobject.resolved(root, known).inside():
            members = part.members
            if not {"command", "fullCommand", "headers"}.isdisjoint(members):
                yield from server.told(part)
                yield from consent.of_server(part)
            yield from calls.of_object(part, chosen)
            yield from calls.mounts(part)
            yield from _reach(part)
            yield from unasked.of_object(part)
            for one in part["allowedTools"].items if "serverLabel" not in members else ():
                if one.text and not one.text.startswith("${") and consent.rule_writes(one.text):
                    yield Kind.UNASKED, one.line, f"{one.text[:60]} is allowed with nobody asked"


def _reach(part: Node) -> Iterator[Told]:
    """Folders that an agent may use, and a sandbox that is none."""
    for name, value in part.members.items() if not opened.of_store(part.members) else ():
        if opened.folder(name) or name in ("additionalDirectories", "addDirs"):
            for one in value.items:
                if one.text and opened.wide(name if opened.folder(name) else "allowedDirectories", one.text):
                    yield Kind.BROAD_TOOL, one.line, f"{name} is the root or a whole home"
    if part["sandboxMode"].text == "danger-full-access":
        yield Kind.BROAD_TOOL, part["sandboxMode"].line, "the agent's commands run with no sandbox"


def faults(text: str) -> Iterator[Told]:
    """Where a guard that a client asks lets the call pass when itself fails."""
    return hooked.in_typescript(bare(text)) if hooked.is_script(text) else iter(())


def sights(path: str, text: str, key: bytes) -> Iterator[Sight]:
    """What the file shows that means something beside others: credentials held, scopes asked for, calls."""
    if not is_agents(text):
        if len(text) <= _LARGEST and hinted.may(text) and tsuse.HINT.search(text):
            yield from tsuse.sights(path, bare(text))
        return
    plain = bare(text)
    yield from held(path, (*tsenv.holders(path, plain), *tssecret.holders(path, plain)), key, code=True)
    yield from tsuse.sights(path, plain)
    yield from export.policies(path, plain)
