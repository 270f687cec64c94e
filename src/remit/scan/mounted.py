"""What is mounted of the host that should not be: its home, credentials, the engine's socket. Pure.

A folder is written as a shell, a client, Compose, a dev container, systemd or code writes it.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan.wrapped import Word

SAID: Final = "a home, credentials or socket of the host is mounted"
_USERS: Final = r"(?:/(?:home|Users)(?:/[^/]*)?/?|/(?:var/)?root/?)"
_HOME: Final = re.compile(
    r"(?:/+|~/?|\$HOME/?|\{env:HOME\}/?|\$\{(?:env:|localEnv:|env\.)?(?:HOME|userHome|USERPROFILE)(?::[?-][^}]*)?\}[\\/]?"
    r"|\$\{localEnv:HOME\}\$\{localEnv:USERPROFILE\}[\\/]?|\$env:(?:USERPROFILE|HOME)[\\/]?"
    r"|%(?:USERPROFILE|HOMEPATH|HOMEDRIVE%%HOMEPATH|SYSTEMDRIVE)%[\\/]*|%h/?"
    rf"|{_USERS}|/(?:host_)?mnt/[a-z]/?(?:Users(?:/[^/]*)?/?)?|/[a-z]/Users(?:/[^/]*)?/?"
    r"|[A-Za-z]:[\\/]{0,2}(?:Users[\\/]{0,2}(?:[^\\/]+[\\/]*)?)?)"
)
_ALL: Final = re.compile(r"(?<=[/\\])\*{1,2}$")
_HELD: Final = re.compile(
    r"(?:/(?:docker|containerd|podman|crio)(?:/\w+)?\.sock"
    r"|[/\\}~]\.(?:ssh|aws|kube|gnupg|docker|azure|netrc|git-credentials|npmrc|pypirc|pgpass|my\.cnf|vault-token"
    r"|password-store|oci|boto|s3cfg|databrickscfg|snowsql|terraform\.d|mcp-auth|fly|railway|claude|claude\.json|codex"
    r"|gemini|cursor|yarnrc\.yml|terraformrc|aliyun|bluemix|ibmcloud|snowflake|kaggle|huggingface|minikube|pulumi"
    r"|sops|age|clasprc\.json|copilot|codeium|qwen"
    r"|config[/\\](?:gcloud|gh|glab-cli|op|doctl|hub|sops|rclone|github-copilot|hcloud|containers|git[/\\]credentials"
    r"|opencode|goose|google-chrome|chromium|age|fly|stripe|wrangler|helm|argocd|heroku|netlify|configstore|scw"
    r"|linode-cli|snowflake|1Password|Bitwarden(?: CLI)?|firebase|vercel|BraveSoftware|microsoft-edge|ngrok)"
    r"|local[/\\]share[/\\](?:keyrings|opencode|goose)|cargo[/\\]credentials(?:\.toml)?|m2[/\\]settings\.xml"
    r"|m2[/\\]settings-security\.xml|gem[/\\]credentials|cache[/\\]huggingface[/\\]token|composer[/\\]auth\.json"
    r"|gradle[/\\]gradle\.properties|mozilla|thunderbird)"
    r"|Library/(?:Keychains|Application Support/(?:Google/Chrome|Firefox|Claude|1Password|gcloud))"
    r"|AppData[/\\](?:Roaming|Local)[/\\](?:gcloud|GitHub CLI|Microsoft[/\\]Credentials|Google[/\\]Chrome)"
    r"|pipe[/\\]docker_engine|/etc/kubernetes(?:/(?:admin|super-admin)\.conf)?|/etc/rancher/k3s/k3s\.yaml)"
    r"(?:[/\\]|$)"
)
_PROJECT: Final = re.compile(
    r"\.[/\\]|\$(?:PWD|\{PWD\}|\(pwd\)|GITHUB_WORKSPACE|\{GITHUB_WORKSPACE\})|\$\{(?:workspaceFolder|localWorkspaceFolder)\}"
    r"|\$\{\{\s*github\.workspace\s*\}\}"
)
"""The folder of a project: what it holds is its own, whatever it is called."""
_PUT: Final = re.compile(r"\$(?:\{([^{}]*)\}|(\w+))(?=/)")
_USER: Final = re.compile(r"(?i)home|user|xdg|appdata|tilde|~")
"""Names of what stands before a folder: of any other nobody can say whose folder that is."""
_SOCKET: Final = re.compile(r"/(?:docker|containerd|podman|crio)(?:/\w+)?\.sock$")
_OPEN_FILE: Final = re.compile(
    r"(?:[/\\](?:known_hosts|authorized_keys|pubring\.\w+|[\w.-]+\.pub|CLAUDE\.md|AGENTS\.md|GEMINI\.md|cli-plugins)"
    r"|\.(?:claude|cursor|codex|gemini|qwen|copilot)[/\\](?:agents|commands|skills|rules|prompts|plugins|extensions)"
    r"(?:[/\\].*)?)$"
)
"""What stands in such a folder and is no secret: public keys, hosts that are known, what an agent is told."""
_WHOLE: Final = re.compile(
    r"^(?:~|\$HOME|\$\{[\w:.]*(?:HOME|userHome|USERPROFILE)\}|%h|/root|/(?:home|Users)/[^/]+)/\.config[/\\]?$"
)
"""The folder of all programs' settings, among them the logins of most."""
_DEFAULT: Final = re.compile(r"\$\{\w+:?-([^${}]*)\}")
"""A variable of a shell or of Compose, with what stands for it where it is not set."""


def broad(place: str) -> bool:
    """Say whether a folder is the root, a drive or a whole home."""
    return bool(_HOME.fullmatch(_ALL.sub("", _DEFAULT.sub(r"\1", place.strip()))))


def held(place: str) -> bool:
    """Say whether a place on the host is its home, a folder of credentials or a container engine's socket."""
    bare = _DEFAULT.sub(r"\1", place.strip())
    if broad(bare) or broad(place):
        return True
    if _PROJECT.match(bare) or ((begun := _PUT.match(bare)) and not _USER.search(begun[1] or begun[2] or "")):
        return bool(_SOCKET.search(bare))
    found = _HELD.search(bare) or _WHOLE.search(bare)
    return bool(found) and not _OPEN_FILE.search(bare.rstrip("/"))


_FLAGS: Final = frozenset({"-v", "--volume", "--mount"})
BINDS: Final = {
    "apptainer": frozenset({"-B", "--bind"}), "singularity": frozenset({"-B", "--bind"}),
    "bwrap": frozenset({"--bind", "--ro-bind", "--dev-bind", "--bind-try", "--ro-bind-try"}),
}  # fmt: skip
"""Programs that start another in a view of the host's files, and their flags for what it sees."""


def mounts(words: list[Word], engine: str = "docker") -> Iterator[tuple[Kind, int, str]]:
    """What the flags of a container engine, or of a sandbox, mount of the host that they should not."""
    asked = BINDS.get(engine, _FLAGS)
    past = ""
    for word, line in words:
        flag, mark, value = word.partition("=")
        given = word if past in asked else value if mark and flag in asked else ""
        if not given and asked is _FLAGS and (near := re.match(r"-[a-z]*v(?=[/~$\"'.]|[A-Za-z]:)", word)):
            given = word[near.end() :]
        past = word
        if (given and held(source(given))) or word == "--use-api-socket":
            yield Kind.HOST_MOUNT, line, SAID


def binds(texts: list[Word]) -> Iterator[tuple[Kind, int, str]]:
    """The same of a list of mounts, each in the engine's short or long form."""
    for text, line in texts:
        if text and held(source(text)):
            yield Kind.HOST_MOUNT, line, SAID


def source(mount: str) -> str:
    """The host's side of a mount, in the short form (`SRC:DST`) and the long one (`src=SRC,dst=DST`)."""
    named = re.search(r"(?:^|,)(?:src|source)=([^,]*)", mount)
    if named:
        return named[1].strip("\"'")
    if re.match(r"(?:[\w-]+=[^,]*,)*type=", mount):
        return ""
    drive = re.match(r"[A-Za-z]:[\\/][^:]*", mount)
    if drive:
        return drive[0]
    return re.split(
        r":(?=/|\$\{|[A-Za-z]:)", re.sub(r"\$\{([^}]*)\}", lambda m: "${" + m[1].replace(":", "\0") + "}", mount)
    )[0].replace("\0", ":")
