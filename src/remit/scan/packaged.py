"""Which package or image a command starts, if at an exact version, and whether it is given a credential. Pure.

Sources: the manuals of npm, pnpm, yarn, bun, deno, uv, pipx, pip, go, dotnet and docker.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from remit.scan import secret
from remit.scan.sight import is_credential, references
from remit.scan.wrapped import Word, program, split

RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "pipx", "pnpx"})
ENGINES: Final = frozenset({"docker", "podman", "nerdctl", "finch"})
_NODE: Final = frozenset({"npx", "bunx", "npm", "pnpm", "pnpx", "yarn", "bun"})
_MANAGERS: Final = {
    "npm": frozenset({"exec", "x"}), "pnpm": frozenset({"dlx"}), "yarn": frozenset({"dlx"}), "bun": frozenset({"x"}),
    "uv": frozenset({"tool"}),
}  # fmt: skip
"""Programs that run a package by a word of theirs. What `pnpm exec` and `yarn exec` run is installed."""
_INSTALLERS: Final = {
    "npm": ("install", "i", "add"), "pnpm": ("add", "install", "i"), "yarn": ("global",), "bun": ("add", "install"),
    "pip": ("install",), "pip3": ("install",), "pipx": ("install",), "uv": ("tool", "pip"),
}  # fmt: skip
_VALUED: Final = frozenset(
    {
        "--from", "--with", "--python", "--registry", "-p", "--package", "--spec", "--index", "--cache",
        "--default-index", "--with-editable", "--with-requirements", "--constraints", "-c",
        "--overrides", "--env-file", "--directory", "--project", "--cache-dir", "--config-file", "--prefix", "--call",
        "--userconfig", "--prerelease", "--resolution", "--exclude-newer", "--allow-insecure-host", "-w", "--workspace",
        "--pip-args", "-i", "-f", "-t", "--target", "--refresh-package", "--dir", "-C", "--cwd",
        "--filter", "--source", "--add-source", "--configfile", "--verbosity", "--framework",
    }
)  # fmt: skip
_PACKAGE: Final = frozenset({"--from", "-p", "--package", "--spec"})
_HELD: Final = frozenset({"--no-install", "--no", "--offline", "--frozen", "--locked"})
_NPM: Final = re.compile(r"(?:@[\w.-]+/)?[\w.-]+@(?:npm:(?:@[\w.-]+/)?[\w.-]+@)?[v=]?\d+\.\d+\.\d+[\w.+-]*")
_PYTHON: Final = re.compile(r"[\w.-]+(?:\[[\w,.\s-]*\])?\s*(?:===?|@)\s*v?\d+(?:\.\d+)+[\w.+!-]*(?:\s*;.*)?")
_SPECIFIERS: Final = ("npm:", "jsr:")
_LOCAL: Final = re.compile(
    r"\.{1,2}(?:[/\\]|$)|[/~]|file:|link:|workspace:|[A-Za-z]:[\\/]|[\w./\\-]+\.(?:whl|tgz|tar\.gz)$"
)
_COMMIT: Final = re.compile(r"[@#=/][0-9a-f]{40}\b")
_ARCHIVE: Final = re.compile(r"[-/@]v?\d+\.\d+\.\d+[\w.-]*\.(?:tgz|tar\.gz|whl|zip)(?:[?#].*)?$")
_TAG: Final = re.compile(
    r"(?:[A-Za-z]+[-_.])?v?\d+(?:\.\d+)+|(?:[A-Za-z]+[-_.])?\d{4}-\d\d-\d\d|(?:sha|git|commit)-[0-9a-f]{7,40}$|20\d{6}(?!\d)"
    r"|(?=[0-9]*[a-f])[0-9a-f]{7,40}$"
)
_ISSUES: Final = re.compile(
    r"(?:^|(?<!mcp)/)(?:postgres|postgis|mysql|mariadb|redis|valkey|mongo|rabbitmq|minio|clickhouse|timescaledb|pgvector"
    r"|elasticsearch|opensearch|vault|neo4j|falkordb|memgraph|qdrant|weaviate|milvus|dragonfly|keydb|couchdb|influxdb"
    r"|surrealdb|arangodb|cockroach|nats|keycloak|authentik|authelia|zitadel|dex(?![a-z]))"
    r"(?![\w.-]*(?:mcp|agent))[\w.-]*(?=[:@]|$)"
)
_FILLED: Final = re.compile(r"\{\{[^{}]*\}\}")
_BLANK: Final = re.compile(
    r"(?i)<[^<>=]{1,100}>|\[[a-z][\w -]{0,60}(?:image|registry|repo|name|tag)\]"
    r"|(?:^|[/_.-])(?:your|my)[-_](?:[\w-]*[-_])?(?:image|registry|repo|account|org|user"
    r"(?:name)?|project|package)\b|replace[-_]?(?:me|with|this)|change[-_]?me|placeholder|image[-_]goes[-_]here|^__[A-Z0-9_]{2,60}__$|:local$"
)
"""What stands for a name that whoever takes the file has to put in."""
_BUILT: Final = re.compile(
    r"(?:localhost|127\.0\.0\.1|host\.docker\.internal|(?:kind|dev|ko)\.local)(?::\d{1,5})?/|ko://"
)
"""The registry of this machine, which has what was built here."""
_CHOSEN: Final = re.compile(r"v?x(?:-[\w.-]+)?")
"""A tag, or a whole image, that the values of a chart say: what those fill in is read as `x`."""
_DEFAULT: Final = re.compile(r"\$\{\w+:?-([^${}]*)\}")
_ALONE: Final = re.compile(
    r"-[ditqPT]+|--(?:rm|init|interactive|tty|detach|privileged|read-only|no-healthcheck|quiet|publish-all|sig-proxy"
    r"|oom-kill-disable|use-api-socket|disable-content-trust|replace|env-host|tls-verify|no-hosts|rmi|http-proxy)"
)
_CARRIES: Final = re.compile(
    r"(?i)(?:^|_)(?:pass|cookies?|webhook(?:_url)?|kubeconfig|dsn|connection_?(?:string|uri|url)|conn_?str|jwt|bearer"
    r"|(?:account|private|service_account)_key\w*|service_account\w*|key_?(?:file|path|json)|credentials?_\w+"
    r"|(?:token|password|secret)_(?:file|path|arn|name|id))$|^AWS_PROFILE$|^header$"
)
_OPENED: Final = re.compile(r"(?i)^[a-z][\w+.-]{0,30}://[^/\s:@]*:[^/\s@]+@")
"""An address with a password in front of its host."""
_INSIDE: Final = re.compile(
    r"(?i)\"[\w-]*(?:api_?key|token|secret|password)\"\s*:|(?:^|[;\s])(?:password|pwd|accountkey)=\S"
)
"""A credential within settings, or within a connection, that are one word."""
_READ: Final = re.compile(r"(?:environ(?:\.get\(|\[)|getenv\(|process\.env(?:\.|\[)|Bun\.env\.|env\()[\"']?(\w+)")
"""A variable that code reads."""
_GLOBAL: Final = frozenset(
    {"--context", "-H", "--host", "-c", "--config", "-l", "--log-level", "--url", "--connection", "--namespace", "-n",
     "--address", "-a"}
)  # fmt: skip


def package_of(words: list[Word]) -> Word | None:
    """The package that a runner is told to run: that of --from or --package, else the first word that is no flag."""
    first, rest = program(words[0][0]) if words else "", words[1:]
    if any(word in _HELD for word, _ in _before(rest)):
        return None
    if first in _MANAGERS:
        rest = _behind(rest)
        asked = rest[0][0] if rest else ""
        if first == "uv" and asked == "run":
            return next((after for (word, _), after in pairwise(rest) if word == "--with"), None)
        if asked not in _MANAGERS[first]:
            return None
        rest = (
            rest[2:] if asked == "tool" and rest[1:2] and rest[1][0] == "run" else rest[1:] if asked != "tool" else []
        )
    elif first == "deno":
        return next((one for one in rest if one[0].startswith(_SPECIFIERS)), None)
    elif first == "go":
        named = next((one for one in rest[1:] if not one[0].startswith("-")), None) if _is(rest, "run") else None
        return named if named and re.match(r"[\w-]+\.[\w.-]+/", named[0]) else None
    elif first == "dnx" or (first == "dotnet" and _is(rest, "dnx")):
        return _dotnet(rest[first == "dotnet" :])
    elif first not in RUNNERS:
        return None
    if first == "pipx":
        rest = rest[1:] if _is(rest, "run") else []
    return _first(rest, python=first in ("uv", "uvx"))


def _is(words: list[Word], word: str) -> bool:
    return bool(words) and words[0][0] == word


def _before(words: list[Word]) -> Iterator[Word]:
    """The words of a runner itself: those before `--`."""
    for one in words:
        if one[0] == "--":
            return
        yield one


def _behind(words: list[Word]) -> list[Word]:
    """The words behind the flags that stand before a manager's own word."""
    at = 0
    while at < len(words) and words[at][0].startswith("-"):
        at += 2 if _takes(words[at][0]) else 1
    return words[at:] if at < len(words) else []


def _takes(flag: str) -> bool:
    """Say whether a flag of a runner takes the next word as its value."""
    return flag in _VALUED or flag.endswith(("-url", "-links"))


def _first(rest: list[Word], *, python: bool) -> Word | None:
    past = ""
    for word, line in rest:
        flag, mark, value = word.partition("=")
        if past in _PACKAGE and not (python and past == "-p"):
            return word, line
        if mark and flag in _PACKAGE:
            return value, line
        if not past and not word.startswith("-"):
            return word, line
        past = word if _takes(word) and not past else ""
    return None


def _dotnet(rest: list[Word]) -> Word | None:
    """The package of .NET's runner; with the version that a flag of it names."""
    named = _first(rest, python=False)
    version = next((after for flag, (after, _) in pairwise(rest) if flag[0] == "--version"), "") if named else ""
    version = version or next((word.partition("=")[2] for word, _ in rest if word.startswith("--version=")), "")
    return (f"{named[0]}@{version}", named[1]) if named and version else named


def installed(words: list[Word]) -> Iterator[Word]:
    """The packages that a command installs by their names, for every user or into the environment it runs in."""
    first = program(words[0][0]) if words else ""
    rest = _behind(words[1:])
    if first in ("python", "python3") and [word for word, _ in words[1:3]] == ["-m", "pip"]:
        first, rest = "pip", words[3:]
    if first not in _INSTALLERS or not rest or rest[0][0] not in _INSTALLERS[first]:
        return
    texts = {word for word, _ in rest}
    if first in ("npm", "pnpm", "bun") and texts.isdisjoint({"-g", "--global", "--location=global"}):
        return
    if first in ("uv", "yarn") and not (rest[1:2] and rest[1][0] in ("install", "add")):
        return
    if not texts.isdisjoint({"-r", "--requirement", "-e", "--editable", "--require-hashes"}):
        return
    past = ""
    for word, line in rest[2 if first in ("uv", "yarn") else 1 :]:
        if not past and not word.startswith("-"):
            yield word, line
        past = word if _takes(word) and word != "-p" and not past else ""


def pinned(runner: str, package: str) -> bool:
    """Say whether a package is named with one exact version, or is local."""
    package = _DEFAULT.sub(r"\1", package)
    if _BLANK.search(package) or _LOCAL.match(package) or "$" in package or "%" in package:
        return True
    if package.startswith(_SPECIFIERS):
        return bool(_NPM.fullmatch(re.sub(r"(?<=\d)/[\w./-]+$", "", package[4:].lstrip("/"))))
    if re.match(r"(?:[\w.-]+ @ )?(?:git\+|github:|gitlab:|bitbucket:|https?://|git@|ssh:)", package):
        return bool(_COMMIT.search(package) or _ARCHIVE.search(package))
    if runner == "go":
        return bool(re.search(r"@v\d+\.\d+\.\d+[\w.+-]*$|@[0-9a-f]{12,40}$", package))
    if runner in ("dnx", "dotnet"):
        return bool(re.fullmatch(r"[\w.-]+@\d+(?:\.\d+)+[\w.+-]*", package))
    return bool((_NPM if runner in _NODE else _PYTHON).fullmatch(package))


def pinned_image(image: str) -> bool:
    """Say whether a container image is named by its digest or by a tag that is a version."""
    image = _FILLED.sub("x", _DEFAULT.sub(r"\1", image))
    if "$" in image or "{" in image or "@sha256:" in image or _BLANK.search(image) or _BUILT.match(image):
        return True
    name, _, tag = image.rsplit("/", 1)[-1].partition(":")
    if _CHOSEN.fullmatch(tag or name):
        return True
    return bool(_TAG.match(tag))


def issues(like: str) -> bool:
    """Say whether what is started is itself what its password opens: a database, a queue, a store, a sign-in."""
    return bool(_ISSUES.search(like.partition(" ")[0]))


def image_of(words: list[Word]) -> Word | None:
    """The image that `docker run` starts: the first word that is neither a flag nor a flag's value."""
    rest = words[1:]
    at = 0
    while at < len(rest) and rest[at][0].startswith("-"):
        at += 2 if rest[at][0] in _GLOBAL else 1
    rest = rest[at + 1 :] if rest[at : at + 1] and rest[at][0] == "container" else rest[at:]
    if not rest or rest[0][0] not in ("run", "create"):
        return None
    past = False
    for word, line in rest[1:]:
        if past:
            past = False
        elif not word.startswith("-"):
            return word, line
        else:
            short = re.match(r"-[evpwulh](?=.)", word) and not word.startswith("--")
            past = "=" not in word and not short and not _ALONE.fullmatch(word)
    return None


def keyed(words: list[Word]) -> bool:
    """Say whether a command is given a credential among its words: a variable, a flag, a header, an address, a file."""
    for (word, _), (after, _) in pairwise([*words, ("", 0)]):
        flag, mark, value = word.partition("=")
        if word.startswith(("--env-file", "--env-host", "--secret")) or is_held(word):
            return True
        if flag in ("-e", "--env"):
            if is_named((value if mark else after).partition("=")[0]):
                return True
        elif (
            (re.match(r"-e\w", word) and is_named(word[2:].partition("=")[0]))
            or (mark and is_named(flag))
            or (word.startswith("-") and after[:1] not in ("", "-") and is_named(word))
        ):
            return True
    return False


def is_named(name: str) -> bool:
    """Say whether a variable or flag of this name carries a credential, or says in which file one is."""
    bare = name.lstrip("-").replace("-", "_")
    return is_credential(bare) or bool(_CARRIES.search(bare))


def is_held(word: str) -> bool:
    """Say whether a word holds a credential or refers to one: a header, a known shape, an address, a variable."""
    if re.match(r"(?i)(?:proxy-)?(?:authorization|x-[\w-]*(?:key|token)|[\w-]*api-?key|cookie)\s*:", word):
        return True
    if _OPENED.match(word) or _INSIDE.search(word) or any(is_credential(one[1]) for one in _READ.finditer(word)):
        return True
    if secret.is_known(word) or (re.fullmatch(r"\w{20,}", word) and secret.is_random(word)):
        return True
    return any(not one.startswith("${input:") or is_named(one[8:-1].replace("-", "_")) for one in references("", word))


def commands(words: list[Word]) -> Iterator[list[Word]]:
    """The commands that a command's words hold: that behind `--`, and each that is one word with spaces."""
    texts = [word for word, _ in words]
    if "--" in texts[1:]:
        yield words[texts.index("--", 1) + 1 :]
    for word, line in words[1:]:
        if " " in word and program(word.split(" ", 1)[0]) in (*RUNNERS, *ENGINES, *_MANAGERS):
            yield [(one, line) for one in split(word)]
