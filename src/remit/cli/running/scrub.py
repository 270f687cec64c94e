"""The command's environment: without the credentials that it has no need of. Names are told, values never. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError
from remit.scan.secret import is_held, is_name

LEADS: Final = frozenset(
    {
        "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ACCESS_KEY_ID",
        "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG",
        "DOCKER_HOST", "GIT_ASKPASS", "GNUPGHOME", "GOOGLE_APPLICATION_CREDENTIALS", "GPG_AGENT_INFO", "KRB5CCNAME",
        "KUBECONFIG", "NETRC", "NPM_CONFIG_USERCONFIG", "PGPASSFILE", "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE",
        "PGSSLKEY", "PIP_CONFIG_FILE", "REGISTRY_AUTH_FILE", "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_AUTH_SOCK",
        "SUDO_ASKPASS", "VAULT_ADDR", "VAULT_AGENT_ADDR",
    }
)  # fmt: skip
"""Variables that hold no secret and lead to one: an agent's socket, a file of credentials, a profile."""
PLAIN: Final = frozenset({"PWD", "OLDPWD"})
"""Variables that sound like a password and are where one works."""
OURS: Final = "REMIT_"
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "claude": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    "codex": ("OPENAI_API_KEY", "CODEX_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
"""What a known client reaches its model with: kept, and told."""
_LISTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What the command sees; and by name what was taken out, and what was kept though it is a credential."""

    environment: Mapping[str, str]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def scrub(environ: Mapping[str, str], client: str, keep: Collection[str], own: Collection[str]) -> Scrubbed:
    """Take every credential out but those that are named, and those that this client reaches its model with.

    `own` are texts of ours: what holds one is never kept (`keep_refused`), nor is any variable of Remit's.
    """
    for name in keep:
        if not _LISTED.fullmatch(name):
            raise RemitError("keep_refused", "This is no name of a variable.", "Name one: --keep OPENAI_API_KEY.")
        if name.startswith(OURS) or any(text in environ.get(name, "") for text in own):
            raise RemitError("keep_refused", f"{name} is Remit's own; no command gets it.", "Leave it out of --keep.")
    wanted = {*keep, *NEEDED.get(client, ())}
    passed: dict[str, str] = {}
    removed, kept = [], []
    for name, value in environ.items():
        ours = name.startswith(OURS) or any(text in value for text in own)
        if not ours and not is_credential(name, value):
            passed[name] = value
        elif name in wanted and not ours:
            passed[name] = value
            kept.append(name)
        else:
            removed.append(name)
    return Scrubbed(passed, tuple(sorted(removed)), tuple(sorted(kept)))


def is_credential(name: str, value: str) -> bool:
    """Say whether a variable carries a credential, or leads to one: by its name, or by what stands in it."""
    return bool(value) and name not in PLAIN and (name in LEADS or is_name(name) or is_held(name, value))
