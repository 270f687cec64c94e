"""Whether a secret may stand in a word or a rule, by its shape alone: where nothing is certain, it may. Pure.

This errs to yes, for what is written down or printed whole; what is a finding is `secret`'s to say.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from remit.scan import secret, wrapped

_REFERENCE: Final = re.compile(
    r"\$\{[A-Za-z_]\w*(?::\?)?\}|\$\{(?:env|input|localEnv|config|command|secrets?)[:.][A-Za-z_][\w.-]*\}"
    r"|\$\{\{\s*[\w.]+\s*\}\}|\{\{\s*[\w.]+\s*\}\}|\{(?:env|input):[\w-]+\}|\$[A-Z_][A-Z0-9_]*\b|%[A-Z_][A-Z0-9_]*%"
)
_BLANK: Final = "\0"
_GIVEN: Final = re.compile(r"(?<![\w.-])([\w.-]+)[\\\"'\]]*\s*:?[=:](?!//)[\s\\\"']*")
_TELLS: Final = re.compile(
    r"(?i)(?:password|passwd|passphrase|pwd|secret|token|api_?key|authorization|cookie|credential|session(?:_?id)?"
    r"|bearer|(?:^|[^a-z])(?:\w{0,6}pass|key|pat|sig|signature|auth|cred|sid|jwt|login))s?\d{0,2}$"
)
_COUNTS: Final = re.compile(r"(?i)(?:^|[_-])(?:max|min|num|total|limit)[\w-]*tokens?$")
_PLAIN: Final = re.compile(
    r"(?i)(?:(?:bearer|token|basic)\s+)?\0(?![^\s\"',;&})])|(?:true|false|none|null|yes|no|on|off)?\*?$"
)
_MOUNT: Final = re.compile(r"/[\w./-]*$|(?:\d+\.\d+(?:\.\d+)?|latest|r[ow])$")
_FLAG: Final = re.compile(r"\s*--?([\w-]+)\s+(?!--?[a-z][a-z-]*(?:[\s=]|$))[\"']?(\S.*)")
_SHAPES: Final = (
    re.compile(r"(?i)\b(?:bearer|basic)\s+(?!\0)\S"),
    re.compile(r"(?:^|[=\s\"'\[(])\{[^}]*[:=]|\beyJ\w{5}"),
    re.compile(r"(?i)(?<![a-z0-9])(?:(?:sk|rk|xox[a-z]|glpat)[_-]|(?:tok|gh[opsu]|hf|npm|pat|key)_)(?=\w*\d)[\w-]{6,}"),
    re.compile(
        r"(?:^|\s)-p(?!(?:[\d.]+:)?\d+:\d+(?:\s|$)"
        r"|(?:ort|ath|roject|rofile|rod|ackage|rint|ython|refix)(?:[\s=]|$))[^\s-]"
    ),
    re.compile(r"(?:^|\s)(?:-[uU]\s*|--(?:proxy-)?user[\s=]+)[\"']?(?!\d+:\d+(?:\s|$)|\0:\0(?:\s|$))[^\s:]*:[^\s]"),
    re.compile(r"(?:^|\s)(?:sshpass|redis-cli|sqlcmd|ldap\w+|mongo(?:sh)?)\s(?:.*\s)?-[apPw]\s*(?!\0)\S"),
)
"""A token as it is sent, an object or a token of claims, an issuer's shape, `-pPASSWORD`, `-u NAME:PASSWORD`, and what
programs are given that call a password by one letter."""
_ASKS: Final = frozenset({"sshpass", "redis-cli", "sqlcmd", "ldapsearch", "mongo", "mongosh"})
_FORGE: Final = re.compile(
    r"(?<![^\s=])git\+https://(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/[\w.-]+/[\w.-]+"
    r"(?:@(?:v?\d+(?:\.\d+)*|main|master|[0-9a-f]{40}))?(?:#(?:subdirectory|egg)=[A-Za-z_/.-]+)?(?!\S)"
)
_OPENS: Final = re.compile(
    r"(?i)(?:s|t|k|p|keys?|tokens?|secrets?|hooks?|webhooks?|services|auth|pat|access|api-?keys?)"
)
_COMMON: Final = re.compile(
    r"(?i)(?:mcp|sse|api|v\d{1,2}|streams?|messages?|login|callback|rpc|ws|http|token|authorize)?"
)
_VERSIONED: Final = re.compile(r"(?:[a-z]{2,}-)+v\d{1,2}")
_RUNS: Final = (
    (
        frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish", "cmd", "powershell", "pwsh"}),
        re.compile(r"(?i)-[a-z]*c|/[ck]|-command|-enc\w*"),
    ),
    (
        frozenset({"python", "python3", "node", "deno", "bun", "perl", "ruby", "php"}),
        re.compile(r"-[cepr]|--eval|eval"),
    ),
)
"""Programs that are given a script as a word, and after which words."""
_LONGEST: Final = 4_000


def tells(name: str) -> bool:
    """Say whether what is given to a name like this may be a secret."""
    return (secret.is_name(name) or bool(_TELLS.search(name))) and not _COUNTS.search(name)


def refers(text: str) -> bool:
    """Say whether a text is a reference and nothing else, but for how a token is sent."""
    return "\0" not in text and bool(_PLAIN.fullmatch(_REFERENCE.sub(_BLANK, text.strip("\"' "))))


def may(text: str) -> bool:
    """Say whether a secret may stand in a word of a command, an address or a line of a shell."""
    if "\0" in text or len(text) > _LONGEST:
        return True
    text = _FORGE.sub("", text)
    if secret.is_known(text) or any(_drawn(one) for one in re.split(r"[=:,/?&@\s\"'()]", text)):
        return True
    return any(_shaped(_REFERENCE.sub(_BLANK, one)) for one in {text, unquote(text)})


def _drawn(part: str) -> bool:
    return secret.is_random(part) or secret.is_known(part)


def _shaped(text: str) -> bool:
    _, mark, rest = text.partition("://")
    if mark and (re.search("[@?#]", rest) or in_path(rest.partition("/")[2])):
        return True
    return (
        "${" in text
        or any(one.search(text) for one in _SHAPES)
        or any(tells(one[1]) and not _PLAIN.match(one[2]) for one in _each(_FLAG, text))
        or any(tells(one[1]) and not _let(text, one) for one in _GIVEN.finditer(text))
    )


def _each(shape: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Every place where a shape begins, one inside another too."""
    for place in (0, *(one.start() for one in re.finditer(r"\s-", text))):
        if found := shape.match(text, place):
            yield found


def _let(text: str, given: re.Match[str]) -> bool:
    value = text[given.end() :]
    if given.start() and text[given.start() - 1] == "/" and _MOUNT.match(value.removesuffix(":ro")):
        return True
    return bool(_PLAIN.match(value.rstrip("\"' ")))


def in_path(path: str) -> bool:
    """Say whether a part of an address's path may open what it leads to."""
    before = ""
    for part in unquote(path).split("/"):
        mixed = len(part) >= 10 and re.search(r"\d", part) and re.search(r"[A-Za-z]", part)
        if (mixed and not _VERSIONED.fullmatch(part)) or re.search("[=@;]", part) or _drawn(part):
            return True
        if _OPENS.fullmatch(before) and not _COMMON.fullmatch(part):
            return True
        before = part
    return False


def words(argv: Sequence[str]) -> list[bool]:
    """Of each word of a command, whether a secret may stand in it, for what stands before it too."""
    hides: list[bool] = []
    flag = quote = asks = ""
    scripts: set[re.Pattern[str]] = set()
    within = False
    for word in argv:
        beside = bool(flag) and may(f"{asks} {flag} {word}")
        hidden = bool(quote) or beside or may(word) or (within and (" " in word or word[:1] in tuple("\"'")))
        hidden = hidden or flag[:4].lower() == "-enc"
        if quote:
            quote = "" if quote in word else quote
        elif hidden:
            quote = next((one for one in "\"'" if word.count(one) % 2), "")
        program = wrapped.program(word)
        asks = program if program in _ASKS else asks
        scripts |= {given for names, given in _RUNS if program in names}
        within = within or any(given.fullmatch(word) for given in scripts)
        flag = word if word.startswith("-") and "=" not in word and not hidden else ""
        hides.append(hidden)
    return hides
