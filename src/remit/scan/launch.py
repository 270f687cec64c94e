"""What a command line starts: with which package, image, mounts, folders and checks. Pure.

Lines of commands come from clients' files, units, workflows and code alike. A word is a text and its line.
"""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from remit.core.finding import Kind
from remit.scan import secret

Word = tuple[str, int]
Told = tuple[Kind, int, str]

RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "pipx", "pnpx"})
_VALUED: Final = frozenset({"--from", "--with", "--python", "--registry", "-p", "--package", "--spec"})
_PACKAGE: Final = frozenset({"--from", "-p", "--package", "--spec"})
_NPM: Final = re.compile(r"^(?:@[\w.-]+/)?[\w.-]+@v?\d+\.\d+\.\d+[\w.+-]*$")
_PYTHON: Final = re.compile(r"^[\w.-]+(?:\[[\w,.-]+\])?(?:==|@)v?\d+(?:\.\d+)+[\w.+-]*$")
_SPECIFIERS: Final = ("npm:", "jsr:")
_LOCAL: Final = ("./", "../", "/", "~", "file:")
_HOME: Final = re.compile(
    r"^(?:/|~/?|\$HOME/?|\{env:HOME\}/?|\$\{(?:env:)?(?:HOME|userHome|localEnv:HOME)\}/?|%USERPROFILE%[\\/]?|%h/?"
    r"|/root/?"
    r"|/(?:home|Users)(?:/[^/]*)?/?|[A-Za-z]:[\\/]{0,2}(?:Users[\\/]{1,2}[^\\/]+[\\/]*)?)$"
)
_HELD: Final = re.compile(
    r"(?:/(?:docker|containerd|podman|crio)(?:/\w+)?\.sock"
    r"|[/\\}~]\.(?:ssh|aws|kube|gnupg|docker|azure|netrc|git-credentials|npmrc|pypirc|pgpass|my\.cnf|vault-token"
    r"|password-store|oci|boto|s3cfg|databrickscfg|snowsql|terraform\.d|mcp-auth|fly|railway|claude|claude\.json|codex"
    r"|gemini|cursor|yarnrc\.yml"
    r"|config[/\\](?:gcloud|gh|glab-cli|op|doctl|hub|sops|rclone|github-copilot|hcloud|containers|git[/\\]credentials"
    r"|opencode|goose|google-chrome|chromium|age|fly|stripe|wrangler|helm|argocd|heroku|netlify)"
    r"|local[/\\]share[/\\](?:keyrings|opencode)|cargo[/\\]credentials(?:\.toml)?|m2[/\\]settings\.xml"
    r"|gem[/\\]credentials"
    r"|mozilla|thunderbird)"
    r"|Library/Keychains|AppData[/\\]Roaming[/\\]gcloud|pipe[/\\]docker_engine|/etc/kubernetes/admin\.conf)"
    r"(?:[/\\]|$)"
)
_OPEN_FILE: Final = re.compile(
    r"(?:[/\\](?:known_hosts|authorized_keys|pubring\.\w+|[\w.-]+\.pub|CLAUDE\.md|AGENTS\.md|GEMINI\.md|cli-plugins)"
    r"|\.(?:claude|cursor|codex|gemini)[/\\](?:agents|commands|skills|rules|prompts|plugins)(?:[/\\].*)?)$"
)
"""What stands in such a folder and is no secret: public keys, hosts that are known, what an agent is told."""
_ENGINES: Final = frozenset({"docker", "podman", "nerdctl"})
_ALONE: Final = frozenset(
    {
        "--rm", "--init", "-i", "-t", "-it", "-ti", "-d", "--interactive", "--tty", "--detach",
        "--privileged", "--read-only",         "--no-healthcheck", "-q", "--quiet",
    }
)  # fmt: skip
_SHELLS: Final = re.compile(
    r"(?:^|[/@_-])(?:shell|terminal|bash|commands?|desktop-commander|iterm|cli|ssh|powershell|exec|repl|code-runner"
    r"|code-executor|applescript|osascript|tmux)"
    r"(?:[-_]?(?:mcp|server|commander))*"
    r"(?:@.*|==.*)?$"
)
_LISTED: Final = re.compile(r"(?i)allow(?:ed)?[-_]?(?:commands?|list)?|whitelist|permitted")
_ASKS: Final = re.compile(r"(?i)^--?[\w-]*(?:auth|token|key|jwt|oidc|mtls|client-ca)")
_WEB: Final = re.compile(r"(?i)^--base[-_]?path$")
"""A flag whose slash is a path of the web."""
_NOBODY: Final = re.compile(r"(?i)^--?(?:no|disable|without|skip|omit)-|[= ](?:none|off|false|disabled)$")
_SETS: Final = re.compile(r"[A-Z_][A-Z0-9_]*=")
_FOLDER: Final = re.compile(
    r"(?i)(?:allow\w*|root|base|work\w*|project|writable|accessible|include\w*|additional|add|target"
    r"|scan)[-_]?(?:dir(?:ector(?:y|ies))?s?|paths?|roots?|folders?)$"
)
_UNCHECKED: Final = frozenset(
    {"--insecure", "--no-verify-ssl", "--insecure-skip-tls-verify", "--no-check-certificate", "--tls-skip-verify"}
)
_OFF: Final = re.compile(
    r"(?i)^(?:NODE_TLS_REJECT_UNAUTHORIZED=[\"']?0|PYTHONHTTPSVERIFY=[\"']?0|GIT_SSL_NO_VERIFY=[\"']?(?:1|true)"
    r"|(?!\w*(?:SKIP|NO|DISABLE)_?VERIFY)\w*(?:SSL|TLS|CERTS?|CERTIFICATES?)_?VERIF(?:Y|ICATION)\w*=[\"']?(?:0"
    r"|false|no|off|none)"
    r"|\w*VERIFY_(?:SSL|TLS|CERTS?|CERTIFICATES?|PEER)=[\"']?(?:0|false|no|off|none)"
    r"|\w*REJECT_UNAUTHORIZED=[\"']?(?:0|false|no|off)|(?:CURL|REQUESTS)_CA_BUNDLE=[\"']?"
    r"|\w*(?:INSECURE|SKIP_(?:TLS|SSL|CERT\w*)_?(?:VERIFY|VERIFICATION|CHECKS?)?|(?:SSL|TLS)_(?:SKIP|NO"
    r"|DISABLE)_?VERIFY"
    r"|(?:DISABLE|IGNORE)_(?:TLS|SSL|CERT\w*|HTTPS)(?:_\w+)?|TRUST_ALL(?:_CERT\w*)?|SSL_NO_VERIFY)\w*=[\"']?(?:1"
    r"|true|yes|on))[\"']?$"
)


_MODE: Final = re.compile(r"^GOOSE_MODE$|(?:^|_)(?:APPROVAL_(?:MODE|POLICY)|PERMISSION_MODE)$")
_ASKED: Final = re.compile(
    r"^(?:\w+_)?(?:(?:REQUIRE|ASK)_(?:TOOL_|HUMAN_)?(?:APPROVALS?|CONFIRMATION|CONSENT|PERMISSION)"
    r"|HUMAN_IN_THE_LOOP|(?:HUMAN_)?APPROVAL_(?:REQUIRED|ENABLED)"
    r"|TOOL_(?:APPROVAL|CONFIRMATION)(?:_REQUIRED|_ENABLED)?|(?:SECURITY_)?CONFIRMATION_MODE|CONFIRM_(?:TOOLS?"
    r"|COMMANDS?|ACTIONS?|WRITES?))$"
)
_UNASKED: Final = re.compile(
    r"^(?!(?:TF|TERRAFORM|PULUMI|TERRAGRUNT|RENOVATE|DEPENDABOT|ATLANTIS)_|(?:\w+_)?(?:PR|MR|MERGE"
    r"|REVIEW)S?_)(?:\w+_)?(?:AUTO_APPROVE(?:_ALL|_TOOLS?|_TOOL_CALLS|_COMMANDS)?|BYPASS_(?:TOOL_)?(?:CONSENT"
    r"|APPROVALS?|PERMISSIONS?)"
    r"|(?:SKIP|DISABLE|NO)_(?:TOOL_)?(?:PERMISSIONS|APPROVALS?|CONFIRM(?:ATIONS?)?|PERMISSION_(?:CHECKS|PROMPTS?))"
    r"|AUTO_(?:RUN|EXECUTE|CONFIRM)_(?:TOOLS?|COMMANDS?)|(?:AGENTS?|TOOLS?|COMMANDS?|INTERPRETER)_AUTO_(?:RUN"
    r"|EXECUTE|CONFIRM)|YOLO(?:_MODE)?|YES_ALWAYS|ALLOW_ALL_TOOLS"
    r"|DANGEROUSLY_(?:SKIP_PERMISSIONS|ALLOW_ALL|AUTO_APPROVE|BYPASS_APPROVALS))$|^COPILOT_ALLOW_ALL$"
)


def unchecked(name: str, value: str) -> bool:
    """Say whether a variable of this name and value turns certificate checks off."""
    return bool(_OFF.match(f"{name}={value}"))


def unasked(name: str, value: str) -> bool:
    """Say whether a variable of this name and value tells an agent to ask nobody."""
    bare = value.strip("\"' ").lower()
    if _MODE.search(name):
        return bare in (
            "auto",
            "never",
            "yolo",
            "bypasspermissions",
            "acceptedits",
            "none",
            "full-auto",
            "auto-high",
            "full_auto",
            "auto_edit",
            "auto-edit",
            "unrestricted",
        )
    if _ASKED.search(name):
        return bare in ("0", "false", "no", "off")
    return bool(_UNASKED.search(name)) and bare in ("1", "true", "yes", "on", "all")


def open_to_all(words: list[Word]) -> Iterator[Told]:
    """A started MCP server that listens to all addresses, with no word among its arguments of who may call."""
    texts = [word for word, _ in words]
    flags = ("--host", "--bind", "--listen", "--address")
    given = [after for flag, after in pairwise(texts) if flag in flags]
    given += [value for flag, _, value in (word.partition("=") for word in texts) if flag in flags]
    everywhere = any(re.match(r"(?:0\.0\.0\.0|\[?::\]?)(?::\d+)?$", one) for one in given)
    if (
        everywhere
        and "mcp" in " ".join(texts).lower()
        and not any(_ASKS.search(word) and not _NOBODY.search(after) for word, after in _flagged(texts))
    ):
        yield Kind.OPEN_REMOTE, words[0][1], "it listens to all addresses, and asks nobody who they are"


def _flagged(texts: list[str]) -> Iterator[tuple[str, str]]:
    """Each word, and with it what follows it: a flag and its value."""
    yield from ((word, f"{word} {after}") for word, after in pairwise([*texts, ""]))


def broad(place: str) -> bool:
    """Say whether a folder is the root, a drive or a whole home."""
    return bool(_HOME.match(place.strip()))


def held(place: str) -> bool:
    """Say whether a place on the host is its home, a folder of credentials or a container engine's socket."""
    return broad(place) or (bool(_HELD.search(place)) and not _OPEN_FILE.search(place.rstrip("/")))


def program(word: str) -> str:
    """The bare name of a program, however it is spelled."""
    name = re.split(r"[/\\]", word)[-1].lower()
    return re.sub(r"\.(?:exe|cmd)$", "", name)


def folder(name: str) -> bool:
    """Say whether a flag or variable of this name gives folders that may be used."""
    return bool(_FOLDER.search(name))


def told(words: list[Word], *, limits: bool = False) -> Iterator[Told]:
    """What is wrong with a started command. `limits` says that its environment lists what it may run."""
    if not words:
        return
    words = bare(words)
    first = program(words[0][0])
    yield from _literals(words)
    yield from _unchecked(words)
    if first in _ENGINES:
        yield from mounts(words)
        image = image_of(words)
        if image and _keyed(words) and not pinned_image(image[0]):
            yield Kind.UNPINNED, image[1], f"{first} runs an image with no exact version"
    package = package_of(words)
    if package and not pinned(first, package[0]):
        yield Kind.UNPINNED, package[1], f"{first} runs a package with no exact version"
    yield from _reach(words, package, limits=limits)


def bare(words: list[Word]) -> list[Word]:
    """The words without those that only start another command: `cmd /c`, `env`, `sudo`."""
    while len(words) > 1:
        first = program(words[0][0])
        if first == "cmd" and words[1][0].lower() == "/c":
            words = words[2:]
        elif first in ("bash", "sh", "zsh", "dash") and re.fullmatch(r"-[a-z]*c", words[1][0]) and len(words) > 2:
            words = [(word, words[2][1]) for word in split(words[2][0])] or words[3:]
            if not words:
                return [("sh", 0)]
        elif first in ("env", "sudo", "exec", "nohup", "time") or _SETS.match(words[0][0]):
            words = words[1:]
        else:
            break
    return words


def package_of(words: list[Word]) -> Word | None:
    """The package that a runner is told to run: that of --from or --package, else the first word that is no flag."""
    first = program(words[0][0]) if words else ""
    rest = words[1:]
    if first in ("npm", "pnpm", "yarn", "uv", "bun") and rest and rest[0][0] in ("exec", "dlx", "tool", "x"):
        rest = rest[2:] if rest[0][0] == "tool" else rest[1:]
    elif first == "uv" and rest and rest[0][0] == "run":
        texts = [word for word, _ in rest]
        held = any(word in ("--frozen", "--locked") for word in texts)
        return next((after for (word, _), after in pairwise(rest) if word == "--with" and not held), None)
    elif first == "deno":
        return next((one for one in rest if one[0].startswith(_SPECIFIERS)), None)
    elif first not in RUNNERS:
        return None
    past = ""
    if any(word in ("--no-install", "--offline", "--frozen", "--locked") for word, _ in rest):
        return None
    for word, line in rest:
        flag, mark, value = word.partition("=")
        if past in _PACKAGE:
            return word, line
        if mark and flag in _PACKAGE:
            return value, line
        if not past and not word.startswith("-") and (word, first) != ("run", "pipx"):
            return word, line
        past = word if word in _VALUED or word.endswith("-url") else ""
    return None


def pinned(runner: str, package: str) -> bool:
    """Say whether a package is named with one exact version, or is local."""
    if package.startswith(_LOCAL) or "$" in package:
        return True
    if package.startswith(_SPECIFIERS):
        return bool(_NPM.match(re.sub(r"(?<=\d)/[\w./-]+$", "", package[4:].lstrip("/"))))
    if package.startswith(("git+", "github:", "http://", "https://")):
        return bool(re.search(r"[@#][0-9a-f]{40}\b", package))
    return bool((_NPM if runner in ("npx", "bunx", "npm", "pnpm", "pnpx", "yarn", "bun") else _PYTHON).match(package))


def pinned_image(image: str) -> bool:
    """Say whether a container image is named by its digest or by a tag that is a version."""
    if "$" in image or "@sha256:" in image:
        return True
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    return bool(re.match(r"^v?\d+(?:\.\d+)+", tag))


def _literals(words: list[Word]) -> Iterator[Told]:
    for place, (word, line) in enumerate(words):
        flag, mark, value = word.removeprefix("--env=").partition("=")
        named = flag.lstrip("-")
        if mark and secret.is_name(flag) and secret.is_literal(value):
            yield Kind.LITERAL_SECRET, line, f"argument {flag} holds a literal value"
        elif not mark and word.startswith("-") and secret.is_name(named) and place + 1 < len(words):
            given, below = words[place + 1]
            if not given.startswith("-") and secret.is_literal(given):
                yield Kind.LITERAL_SECRET, below, f"argument {word} holds a literal value"
        elif re.match(r"(?i)(?:[\w-]+: *)?(?:bearer|basic) ", word) and secret.is_literal(word.split(": ")[-1]):
            yield Kind.LITERAL_SECRET, line, "a header among the arguments holds a literal value"
        elif secret.is_known(word):
            yield Kind.LITERAL_SECRET, line, "an argument holds a literal secret"


def _unchecked(words: list[Word]) -> Iterator[Told]:
    for word, line in words:
        curl = program(words[0][0]) == "curl" and bool(re.match(r"-[A-Za-z]*k[A-Za-z]*$", word))
        if word in _UNCHECKED or curl or _OFF.match(word):
            yield Kind.OPEN_REMOTE, line, "certificates are not checked"


def _reach(words: list[Word], package: Word | None, *, limits: bool) -> Iterator[Told]:
    texts = [word for word, _ in words]
    if any("filesystem" in word for word in texts):
        for word, line in words[1:]:
            place = re.sub(r"^--[\w-]+=", "", word)
            if broad(place) and not (place == "/" and word != "/" and "=" not in word):
                yield Kind.BROAD_TOOL, line, "the file server's folder is the root or a whole home"
        return
    for (word, line), (after, below) in pairwise([*words[1:], ("", 0)]):
        flag, mark, value = word.partition("=")
        place, at = (value, line) if mark else (after, below)
        if flag.startswith("-") and (folder(flag) or flag == "--root") and broad(place) and not _WEB.search(word):
            yield Kind.BROAD_TOOL, at, f"{flag} is the root or a whole home"
    name = package or (words[0] if program(words[0][0]) not in _ENGINES | RUNNERS else None)
    served = package or "mcp" in " ".join(texts).lower()
    listed = limits or any(_LISTED.search(word) for word in texts)
    if name and served and not listed and _SHELLS.search(re.sub(r"[@=].*$", "", name[0].lstrip("@"))):
        yield Kind.BROAD_TOOL, name[1], "a shell server has no list of commands"


def split(line: str) -> list[str]:
    """The words of a shell's line; at its spaces where its quotes do not close."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _keyed(words: list[Word]) -> bool:
    """Say whether `docker run` hands a credential on: a variable of such a name, or a whole file of them."""
    texts = [word for word, _ in words]
    given = [after for flag, after in pairwise(texts) if flag in ("-e", "--env")]
    given += [word.partition("=")[2] for word in texts if word.startswith("--env=")]
    return any(word.startswith("--env-file") for word in texts) or any(
        secret.is_name(one.partition("=")[0]) for one in given
    )


def image_of(words: list[Word]) -> Word | None:
    """The image that `docker run` starts: the first word that is neither a flag nor a flag's value."""
    texts = [word for word, _ in words]
    if "run" not in texts:
        return None
    past = False
    for word, line in words[texts.index("run") + 1 :]:
        if past:
            past = False
        elif not word.startswith("-"):
            return word, line
        else:
            past = "=" not in word and word not in _ALONE
    return None


def mounts(words: list[Word]) -> Iterator[Told]:
    """What the flags of a container engine mount of the host that they should not."""
    past = ""
    for word, line in words:
        flag, mark, value = word.partition("=")
        asked = ("-v", "--volume", "--mount")
        given = word if past in asked else value if mark and flag in asked else ""
        past = word
        if given and held(source(given)):
            yield Kind.HOST_MOUNT, line, "a home, credentials or socket of the host is mounted"


def source(mount: str) -> str:
    """The host's side of a mount, in the short form (`SRC:DST`) and the long one (`src=SRC,dst=DST`)."""
    named = re.search(r"(?:^|,)(?:src|source)=([^,]*)", mount)
    if named:
        return named[1]
    if re.match(r"(?:[\w-]+=[^,]*,)*type=", mount):
        return ""
    drive = re.match(r"[A-Za-z]:[\\/][^:]*", mount)
    if drive:
        return drive[0]
    return re.split(
        r":(?=/|\$\{|[A-Za-z]:)", re.sub(r"\$\{([^}]*)\}", lambda m: "${" + m[1].replace(":", "\0") + "}", mount)
    )[0].replace("\0", ":")
