"""The command's environment: without the credentials that it has no need of. Names are told, values never. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError
from remit.scan.secret import is_held, is_name

LEADS: Final = frozenset(
    {
        "ACTIONS_RUNTIME_URL", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_DEFAULT_PROFILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CONFIG_DIR", "BAO_ADDR",
        "BAO_AGENT_ADDR", "BOTO_CONFIG", "BUILDKIT_HOST", "CLOUDSDK_ACTIVE_CONFIG_NAME",
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "CLOUDSDK_CONFIG", "CONTAINER_HOST", "CURL_HOME",
        "DATABRICKS_CONFIG_FILE", "DATABRICKS_CONFIG_PROFILE", "DBT_PROFILES_DIR", "DBUS_SESSION_BUS_ADDRESS",
        "DIGITALOCEAN_CONTEXT", "DOCKER_AUTH_CONFIG", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT",
        "DOCKER_HOST", "GCM_CREDENTIAL_STORE", "GH_CONFIG_DIR", "GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND",
        "GLAB_CONFIG_DIR", "GNOME_KEYRING_CONTROL", "GNUPGHOME", "GOOGLE_APPLICATION_CREDENTIALS", "GPG_AGENT_INFO",
        "HUB_CONFIG", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "KRB5CCNAME", "KRB5_CLIENT_KTNAME", "KRB5_KTNAME",
        "KUBECONFIG", "LPASS_ASKPASS", "MSI_ENDPOINT", "MYSQL_HOME", "MYSQL_TEST_LOGIN_FILE", "NETRC",
        "NPM_CONFIG_USERCONFIG", "OCI_CLI_CONFIG_FILE", "OCI_CLI_PROFILE", "PGPASSFILE", "PGPASSWORD", "PGSERVICE",
        "PGSERVICEFILE", "PGSSLKEY", "PIP_CONFIG_FILE", "RCLONE_CONFIG", "REGISTRY_AUTH_FILE", "SNOWFLAKE_HOME",
        "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SUDO_ASKPASS", "TF_CLI_CONFIG_FILE", "VAULT_ADDR",
        "VAULT_AGENT_ADDR", "VSCODE_GIT_IPC_HANDLE", "WGETRC", "X509_USER_PROXY",
    }
)  # fmt: skip
"""Variables that hold no secret and lead to one: an agent's socket, a file of credentials, a profile."""
PLAIN: Final = frozenset({"PWD", "OLDPWD"})
"""Variables that sound like a password and are where one works."""
OURS: Final = "REMIT_"
SHORTEST: Final = 16
"""Characters below which a text that the settings refer to is looked for by its name alone."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "claude": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    "codex": ("OPENAI_API_KEY", "CODEX_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
"""What a known client reaches its model with: kept, and told."""
_WORD: Final = re.compile(
    r"(?:^|_)(?:PASS|PASSCOMMAND|PASSWD|PASSWORD|PASSPHRASE|PWD|PW|SECRET|TOKEN|JWT|COOKIE|CREDENTIALS?|APIKEY|BEARER|PRIVATE_?KEY|AUTH_?TOKEN"
    r"|KUBETOKEN|KEY_FILE)(?:_|$)|^(?:BW|OP)_SESSION(?:_|$)|_SK$"
)
"""A word of a name that says what stands there: a secret, or the file or command that gives it."""
_HELD: Final = re.compile(
    r"(?i)\b(?:bearer|basic|token) +[a-z0-9+/=._~-]{8,}"
    r"|[a-z][a-z0-9+.-]*://[^\s/:@]*:(?!\d{1,5}/)[^\s@]+@"
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
    r"|(?:password|passwd|pwd|passphrase|secret|accountkey|accesskey|sharedaccesssignature|api[-_]?key|token)"
    r"[\"']?\s*[=:]\s*[\"']?[^\s;,\"'}$]{4,}"
    r"|[?&](?:sig|x-amz-signature|x-goog-signature)=[^\s&]{8,}|https://[a-z0-9.-]+\.webhook\.office\.com/webhookb2/"
    r"|https://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/"
)
"""What a value shows by itself. Not how a scan looks: there what is shown in vain costs, here what is passed on."""
_GIT: Final = re.compile(r"GIT_CONFIG_(?:COUNT|(?:KEY|VALUE)_[0-9]+)")
_LISTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What the command sees; and by name what was taken out, and what was kept though it is a credential."""

    environment: Mapping[str, str]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def scrub(
    environ: Mapping[str, str],
    client: str,
    keep: Collection[str],
    own: Collection[str],
    referred: Collection[str] = (),
) -> Scrubbed:
    """Take every credential out but those that are named, and those that this client reaches its model with.

    `own` are texts of ours: what holds one is never kept (`keep_refused`), nor is any variable of Remit's, nor one that
    the settings refer to by name (`referred`): the root key's may be called as it likes.
    """
    texts = {*own, *(environ[name] for name in referred if len(environ.get(name, "")) >= SHORTEST)}

    def is_ours(name: str) -> bool:
        held = environ.get(name, "")
        return name.startswith(OURS) or name in referred or any(text in held for text in texts)

    for name in keep:
        if not _LISTED.fullmatch(name):
            raise RemitError("keep_refused", "This is no name of a variable.", "Name one: --keep OPENAI_API_KEY.")
        if is_ours(name):
            raise RemitError("keep_refused", f"{name} is Remit's own; no command gets it.", "Leave it out of --keep.")
    wanted = {*keep, *NEEDED.get(client, ())}
    pairs = {name for name in environ if _GIT.fullmatch(name)}
    spoilt = pairs if any(is_credential(name, environ[name]) for name in pairs) else frozenset[str]()
    passed: dict[str, str] = {}
    removed, kept = [], []
    for name, value in environ.items():
        ours = is_ours(name)
        if not ours and name not in spoilt and not is_credential(name, value):
            passed[name] = value
        elif name in wanted and not ours:
            passed[name] = value
            kept.append(name)
        else:
            removed.append(name)
    return Scrubbed(passed, tuple(sorted(removed)), tuple(sorted(kept)))


def is_credential(name: str, value: str) -> bool:
    """Say whether a variable carries a credential, or leads to one: by its name, or by what stands in it."""
    if not value or name in PLAIN:
        return False
    upper = name.upper()
    # Git's own settings are called by number, and hold what they hold.
    told = upper in LEADS or (is_name(name) and not _GIT.fullmatch(upper)) or _WORD.search(upper) is not None
    return told or is_held(name, value) or _HELD.search(value) is not None
