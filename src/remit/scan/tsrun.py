"""TypeScript that runs commands: tools that run what they are told (AG121), and what a process is started with. Pure.

A tool is what its name says where it is built: `execute: (…) =>`, `server.registerTool(…, (…) =>`, `tool((…) =>`. What
it is told is followed from its parameters through plain names.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.core.finding import Kind
from remit.scan import consent, launch, server, tsobject, wrapped
from remit.scan.launch import Told
from remit.scan.node import Node, line_at
from remit.scan.wrapped import Word

_PROMISED: Final = re.compile(r"\bconst\s+(\w+)\s*=\s*(?:util\.)?promisify\(\s*(?:\w+\.)?(exec|execFile)\s*\)")
_MEMBER: Final = re.compile(
    r"\b(?:execute|func|handler|invoke|_call|call|run)\s*(?::\s*(?:async\s*)?(?:function\s*\w*\s*)?)?"
    r"\(([^()]{0,500})\)\s*(?::[^={]{0,120})?(?:=>)?\s*(?=\{|\w|\()"
)
_CALLED: Final = re.compile(r"\b(?:registerTool|addTool|tool|setRequestHandler)\s*(?:<[^<>]{0,80}>)?\(")
_ARROW: Final = re.compile(r"(?:\(([^()]{0,500})\)\s*(?::[^=;{]{0,120})?|\b(\w+)\s*)=>\s*")
_TOOLS: Final = re.compile(r"\btools?\b|CallTool|[tT]ool\w*\s*\(|extends\s+\w*Tool\b")
_LIMITS: Final = re.compile(
    r"(?i)allow|whitelist|approv|confirm|permitted|sandbox|(?:safe|commands?)\w*\.(?:has|includes)\("
)
_TOLD: Final = r"([A-Za-z_$][\w$]*(?:\??\.\w+|!|\[[\"']\w+[\"']\])*)(?:\s+as\s+string)?"
_SH: Final = (
    r"[\"'](?:/(?:usr/)?bin/)?(?:bash|sh|zsh|dash|cmd(?:\.exe)?|pwsh|powershell(?:\.exe)?|ssh|python3?|node)[\"']"
)
_DRAWN: Final = rf"(?:{_TOLD}|`(?:[^`]*(?:&&|;|-c [\"']?)\s*)?\$\{{{_TOLD}\}}[^`]*`)"
_COMMAND: Final = re.compile(
    r"(?i)^(?:commands?|cmds?|code|script|line|input|shell|source|expr(?:ession)?|program|bash|arguments|args)$"
)
_LOCAL: Final = re.compile(
    r"\bnew\s+(LocalShellBackend|ShellTool|BashTool|TerminalTool|LocalShellTool|ShellToolMiddleware|LocalShell"
    r"|LocalCommandLineCodeExecutor|UnsafeLocalCodeExecutor)\("
)
"""Tools of frameworks that run any command on this machine."""
_MOST: Final = 3_000
"""Characters of one tool's body that are looked at."""
_NEAR: Final = 6
"""Functions before a call that may be the one it stands in."""
_RUNS: Final = 100
"""Calls of one file that are looked at."""


def told(text: str) -> Iterator[Told]:
    """Tools of the file that run any command, and mounts and the like of the processes that it starts."""
    yield from _started(text, tsobject.names(text))
    for one in _LOCAL.finditer(text):
        if not re.search(
            r"(?i)allow|approv|confirm|sandbox|docker", text[one.end() : one.end() + 300].partition(")")[0]
        ):
            yield Kind.BROAD_TOOL, line_at(text, one.start()), f"{one[1]} has no list of commands"
    if not _TOOLS.search(text):
        return
    runs = [*islice(_runs({one[1] for one in _PROMISED.finditer(text)}).finditer(text), _RUNS)]
    for run in runs:
        words = [word for word in run.groups() if word]
        if words and any(_given_by(text, given, at, run, words) for given, at in _bodies(text, run.start())):
            yield Kind.BROAD_TOOL, line_at(text, run.start()), "a tool runs any command that it is told"


def _given_by(text: str, given: str, at: int, run: re.Match[str], words: list[str]) -> bool:
    """Say whether a call stands in the body that begins here, and runs what that function is given."""
    body = text[at : _end(text, at)]
    if at + len(body) <= run.start() or _LIMITS.search(body):
        return False
    said = _said(given, body)
    if any(
        re.search(rf"\b{re.escape(one)}\s*:\s*z\.(?:enum|literal|nativeEnum)\(", text[max(0, at - 800) : at])
        for one in words
    ):
        return False
    return all(_is_told(word, said) for word in words)


def _runs(promised: set[str]) -> re.Pattern[str]:
    names = "".join(f"|{re.escape(one)}" for one in sorted(promised))
    files = rf"(?:spawn|spawnSync|execFile|execFileSync|execa|execaSync{names})"
    return re.compile(
        rf"(?<![.\w$])(?:(?:child_process|cp|shell|sh)\.)?(?:exec|execSync"
        rf"|execa(?:Command)?(?:Sync)?{names})\s*\(\s*{_DRAWN}\s*[,)]"
        rf"|\b\w*(?:ssh|conn|client|connection)\w*\.(?:exec|execCommand)\s*\(\s*{_DRAWN}\s*[,)]"
        rf"|\b(?:spawn|spawnSync|execFile|execFileSync"
        rf"|execa)\s*\(\s*{_DRAWN}\s*,[^;]{{0,200}}?\bshell\s*:\s*(?:true|[\"'])"
        rf"|\b{files}\s*\(\s*{_SH}\s*,\s*\[[^\]]*?{_TOLD}\s*\]"
        rf"|\bBun\.spawn(?:Sync)?\s*\(\s*\[\s*{_SH}\s*,[^\]]*?{_TOLD}\s*\]"
        rf"|\b{files}\s*\(\s*{_TOLD}\s*,\s*{_TOLD}\s*[,)]"
        rf"|\$(?:\([^()]{{0,80}}\))?`\s*(?:(?:/bin/)?(?:ba|z)?sh\s+-\w*c\s+)?\$\{{\s*(?:\{{\s*raw\s*:\s*)?{_TOLD}\s*\}}"
        rf"|\bDeno\.Command\s*\(\s*{_SH}\s*,\s*\{{\s*args\s*:\s*\[[^\]]*?{_TOLD}\s*\]"
        rf"|(?<![.\w$])(?:eval|new\s+Function|new\s+(?:vm\.)?Script|(?:vm\.)?runIn\w*Context)\s*\(\s*{_TOLD}\s*[,)]"
    )


def _bodies(text: str, before: int) -> list[tuple[str, int]]:
    """What each tool's function that begins shortly before a place is given, and where its body begins."""
    since = max(0, before - _MOST)
    found = [(one[1], one.end()) for one in _MEMBER.finditer(text, since, before + 1)][-_NEAR:]
    for called in [*_CALLED.finditer(text, since, before)][-_NEAR:]:
        arrow = _ARROW.search(text, called.end(), before)
        if arrow:
            found.append((arrow[1] or arrow[2] or "", arrow.end()))
    return found


def _end(text: str, at: int) -> int:
    """Where a body ends: with its brace, or where what holds it goes on or ends."""
    left, past = 0, min(len(text), at + _MOST)
    for one in re.compile(r"[{}()\[\]]").finditer(text, at, past):
        left += 1 if one[0] in "{([" else -1
        if left < 0 or (left == 0 and one[0] == "}"):
            return one.end()
    return past


def _said(given: str, body: str) -> set[str]:
    """The names that stand for what a tool is told: its parameters, and what is plainly made of them."""
    said = set(re.findall(r"[A-Za-z_$][\w$]*", given))
    for one in re.finditer(
        r"\b(?:const|let|var)\s+(?:\{([^{}]*)\}"
        r"|(\w+))(?:\s*:[^=;]{0,80})?\s*=\s*(?:await\s+)?(?:String\(|\()?([A-Za-z_$][\w$]*)[\w.?!\[\]\"']*"
        r"(?:\s*(?:\?\?|\|\|)\s*[\"'`]{2})?\)?"
        r"(?:\s+as\s+[^;\n]{0,80})?\s*[;\n]",
        body,
    ):
        if one[3] in said:
            said.update(re.findall(r"[A-Za-z_$][\w$]*", one[1] or one[2]))
    return said


def _is_told(word: str, said: set[str]) -> bool:
    parts = re.findall(r"[A-Za-z_$][\w$]*", word)
    return bool(parts) and parts[0] in said and (len(parts) == 1 or bool(_COMMAND.match(parts[-1])))


_PROCESS: Final = re.compile(
    r"\b(?:spawn|spawnSync|execFile|execFileSync|execa|execaSync)\(\s*[\"']([\w./-]+)[\"']\s*,\s*(?=\[)"
    r"|\b(?:exec|execSync|execAsync|execaCommand|execaCommandSync)\(\s*(?=[\"'`])|\bBun\.spawn(?:Sync)?\(\s*(?=\[)"
)


def _started(text: str, names: dict[str, Node]) -> Iterator[Told]:
    """What is wrong with the processes that code starts; a package with no version only where it gets a credential."""
    for one in islice(_PROCESS.finditer(text), _RUNS):
        given = tsobject.value(text, one.end())
        if given is None:
            continue
        given = tsobject.resolved(given, names)
        words: list[Word] = [(one[1], line_at(text, one.start()))] if one[1] else []
        if given.text:
            words += [(word, given.line) for word in wrapped.split(given.text)]
        else:
            words += [(item.text, item.line) for item in given.items if item.text]
        yield from launch.told(words, keyed=_lent(text, one.end()))
        if words:
            yield from consent.started(words)


def _lent(text: str, at: int) -> bool:
    """Say whether the options of a process that starts here give it a credential, or the whole environment."""
    rest = text[at : at + 1_500]
    options = _OPTIONS.search(rest[: rest.find(");") + 1 or len(rest)])
    if options is None:
        return False
    given = tsobject.value(rest, options.end())
    return given is not None and server.keyed(Node(1, {"env": given}))


_OPTIONS: Final = re.compile(r"\benv\s*:\s*(?=[\w{])")
