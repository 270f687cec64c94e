"""The parts of `remit run` that need no process: the environment, what clients are told, the relay's reading."""

import json
import tomllib

import pytest

from remit.cli.run import Run
from remit.cli.running import clients
from remit.cli.running.node import Node
from remit.cli.running.scrub import scrub
from remit.core.errors import RemitError
from remit.gateway.serve.relay import Head
from tests.kit import corpus

OWN = "a-token-of-the-operator"
PLAIN = {
    "PATH": "/usr/bin", "HOME": "/srv/olga", "PWD": "/srv/olga/work", "OLDPWD": "/srv", "LANG": "C.UTF-8",
    "MAX_TOKENS": "4096", "TOKENIZERS_PARALLELISM": "false", "TERM": "xterm", "SHELL": "/bin/bash", "KEYMAP": "de",
    "DATABASE_URL": "postgresql://db.acme.example/orders", "AWS_REGION": "eu-west-1", "AUTHOR": "olga",
    "STRIPE_PUBLISHABLE_KEY": "",
}  # fmt: skip


def taken(name, value, *keep):
    return name in scrub(PLAIN | {name: value}, "sh", keep, [OWN]).removed


def test_what_is_no_credential_stays_and_what_is_one_goes():
    assert scrub(PLAIN, "sh", (), [OWN]).environment == PLAIN
    for kind in corpus.SHAPES:
        if kind not in ("hex32", "hex64", "alnum32", "password", "pem", "aws_secret_key", "azure_client", "jwt"):
            assert taken("SOMETHING", corpus.secret(kind, "run")), kind
    for name in ("API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "npm_config__auth", "SERVICE_ACCOUNT_CREDENTIALS"):
        assert taken(name, "short"), name
    for name in ("SSH_AUTH_SOCK", "KUBECONFIG", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "PGPASSFILE"):
        assert taken(name, "/somewhere"), name
    assert taken("DATABASE_URL", f"postgresql://agent:{corpus.secret('password', 'x')}@db/orders")


WORD = "Rv9" + "kQ2mXw7L"
HELD = {
    "GIT_CONFIG_VALUE_0": f"Authorization: Basic {WORD}{WORD}", "MAVEN_OPTS": f"-Dnexus.password={WORD}",
    "ConnectionStrings__Default": f"Server=x;User Id=sa;Password={WORD};", "AMQP_URL": "amqp://u:pw@h/v",
    "ANTHROPIC_CUSTOM_HEADERS": f"Authorization: Bearer {WORD}", "SIGNING_PEM": "-----BEGIN PRIVATE KEY-----\nMII",
    "STORE": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={WORD}==", "https_proxy": "http://a:b@proxy:1",
    "WHO": f"eyJhbGciOiJF.eyJzdWIiOiJv.{WORD}", "ALERTS": "https://hooks.slack.com/services/T0/B0/x",
    "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={WORD}", "ELASTIC": f"https://elastic:{WORD}/x@search:9200",
    "SHARE": f"https://x.blob.core.windows.net/c?sv=2024&sig={WORD}", "NGROK_AUTHTOKEN": "x", "BORG_PASSCOMMAND": "cat",
    "TOLD": f"https://acme.webhook.office.com/webhookb2/{WORD}", "VSCODE_GIT_IPC_HANDLE": "/run/user/1/git.sock",
    "X509_USER_PROXY": "/tmp/x509up",
}  # fmt: skip
NAMED = [
    "DB_PASS", "RCLONE_CONFIG_PASS", "TF_TOKEN_app_terraform_io", "BW_SESSION", "OP_SESSION_acme", "CI_JOB_JWT",
    "HELM_KUBETOKEN", "MONGO_PW", "COOKIE", "STRIPE_SK",
    "AZURE_FEDERATED_TOKEN_FILE", "ANSIBLE_VAULT_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "SOPS_AGE_KEY_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "SSH_PRIVATE_KEY_PATH",
    "GIT_SSH_COMMAND", "npm_config_userconfig", "pip_config_file", "DOCKER_CONTEXT", "DBUS_SESSION_BUS_ADDRESS",
    "IDENTITY_ENDPOINT", "AWS_DEFAULT_PROFILE", "GH_CONFIG_DIR", "CURL_HOME",
]  # fmt: skip
NOT = {
    "XDG_SESSION_ID": "1", "SESSION_MANAGER": "local/x:@/tmp/.ICE-unix/1", "LS_COLORS": "rs=0:di=01;34:ln=01;36",
    "MAX_THINKING_TOKENS": "4096", "GIT_AUTHOR_NAME": "Olga", "NODE_OPTIONS": "--max-old-space-size=4096",
    "HTTP_PROXY": "http://proxy:3128", "LESSOPEN": "| /usr/bin/lesspipe %s", "COMPASS": "north", "MAIL": "/var/mail/o",
    "AT": "http://h:80/@a",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.pager", "GIT_CONFIG_VALUE_0": "less",
}  # fmt: skip


def test_what_a_value_shows_or_a_names_word_says_is_enough_and_what_only_sounds_so_is_not():
    for name, value in HELD.items():
        assert taken(name, value), name
    for name in NAMED:
        assert taken(name, "/x"), name
    assert scrub(NOT, "sh", (), [OWN]).environment == NOT


def test_settings_that_count_each_other_go_together():
    environ = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "core.pager", "GIT_CONFIG_VALUE_0": "less"}
    environ |= {"GIT_CONFIG_KEY_1": "http.extraheader", "GIT_CONFIG_VALUE_1": f"Authorization: Basic {WORD}{WORD}"}
    assert scrub(environ, "sh", (), [OWN]).environment == {}


def test_what_is_named_is_kept_and_told_and_a_known_client_keeps_its_models_key():
    found = scrub(PLAIN | {"API_KEY": "x" * 20, "GITHUB_TOKEN": "y"}, "sh", ("API_KEY",), [OWN])
    assert (found.removed, found.kept) == (("GITHUB_TOKEN",), ("API_KEY",))
    found = scrub({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}, "claude", (), [OWN])
    assert (found.removed, found.kept) == (("OPENAI_API_KEY",), ("ANTHROPIC_API_KEY",))


@pytest.mark.parametrize("name", ["REMIT_KEY", "REMIT_DATA", "HEADER"])
def test_nothing_of_remits_is_kept_by_whatever_name(name):
    environ = {"REMIT_KEY": "x", "REMIT_DATA": "/srv", "HEADER": f"Authorization: Bearer {OWN}"}
    assert scrub(environ, "sh", (), [OWN]).environment == {}
    with pytest.raises(RemitError) as told:
        scrub(environ, "sh", (name,), [OWN])
    assert told.value.code == "keep_refused"
    assert OWN not in str(told.value)


def test_what_the_settings_refer_to_is_ours_whatever_it_is_called():
    """The root key of the store stood in the environment of every command, where its variable sounded like nothing."""
    environ = PLAIN | {"SITE": "k" * 40, "COPY": f"x={'k' * 40}", "SHORT": "abc", "ALSO": "abc"}
    found = scrub(environ, "sh", (), [], ("SITE", "SHORT", "GONE"))
    assert found.environment == PLAIN | {"ALSO": "abc"}
    for name in ("SITE", "COPY", "SHORT", "GONE"):
        with pytest.raises(RemitError) as told:
            scrub(environ, "sh", (name,), [], ("SITE", "SHORT", "GONE"))
        assert told.value.code == "keep_refused"


@pytest.mark.parametrize("name", ["", "A=B", "A B", "*"])
def test_only_a_name_is_kept(name):
    with pytest.raises(RemitError, match="no name"):
        scrub(PLAIN, "sh", (name,), [OWN])


@pytest.mark.parametrize("client", ["claude", "copilot", "codex", "gemini", "opencode", "python3"])
def test_a_client_is_told_in_its_own_form_and_no_argument_lets_in(client):
    found = clients.told(client, "http://127.0.0.1:5", ["notes", "shop"], "k" * 32, "/run/x")
    assert "k" * 32 not in " ".join(found.arguments)
    assert found.variables["REMIT_MCP_URL"] == "http://127.0.0.1:5/mcp"
    plain = json.loads(found.files["mcp.json"])["mcpServers"]
    assert plain["notes"]["url"] == "http://127.0.0.1:5/mcp/notes"
    assert plain["shop"]["headers"] == {"Authorization": f"Bearer {'k' * 32}"}
    match client:
        case "claude":
            assert found.arguments == ("--mcp-config", "/run/x/mcp.json", "--strict-mcp-config")
        case "copilot":
            assert found.arguments == ("--additional-mcp-config", "@/run/x/mcp.json")
        case "codex":
            told = tomllib.loads("\n".join(found.arguments[1::2]))["mcp_servers"]
            assert told["shop"] == {"url": "http://127.0.0.1:5/mcp/shop", "bearer_token_env_var": "REMIT_TOKEN"}
        case "gemini":
            assert json.loads(found.files["gemini.json"])["mcpServers"]["notes"]["httpUrl"].endswith("/mcp/notes")
            assert found.variables["GEMINI_CLI_SYSTEM_SETTINGS_PATH"] == "/run/x/gemini.json"
        case "opencode":
            assert json.loads(found.files["opencode.json"])["mcp"]["notes"]["type"] == "remote"
            assert found.variables["OPENCODE_CONFIG"] == "/run/x/opencode.json"
        case _:
            assert found.arguments == ()


def test_a_command_is_a_client_by_its_programs_name():
    assert clients.client_of(("/usr/local/bin/claude", "-p")) == "claude"
    assert clients.client_of(("gemini.cmd",)) == "gemini"


@pytest.mark.parametrize("origin", ["https://remit.example.com", "https://127.0.0.1:8787", "http://127.0.0.1:8787"])
@pytest.mark.parametrize("secured", [True, False])
def test_no_database_is_told_to_which_the_credential_would_travel_in_the_clear(origin, secured, tmp_path, monkeypatch):
    """A proxy ends TLS before the node, and the database gate speaks none: libpq would send the credential as it is."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    name = origin.partition("://")[2].replace(":", "_")
    (tmp_path / "remit").mkdir()
    (tmp_path / "remit" / f"{name}.header").write_text(f"Authorization: Bearer {OWN}", encoding="ascii")
    gates = {"postgres": ["shop"], "secured": secured, "ports": {"postgres": 5433}}
    one = Run(Node(origin), {"gates": gates}, dict, tmp_path, "sh", scrub({}, "sh", (), []))
    assert (one._sql() is not None) is (secured or "127.0.0.1" in origin)


def test_the_relay_says_itself_what_is_its_own_to_say():
    given = ((b"Host", b"x"), (b"Authorization", b"Bearer k"), (b"DPoP", b"p"), (b"Connection", b"keep-alive"))
    head = Head(b"POST", b"/mcp/notes", (*given, (b"Accept", b"a")))
    assert head.one(b"authorization") == b"Bearer k"
    assert Head(b"GET", b"/", ((b"a", b"1"), (b"A", b"2"))).one(b"a") == b""
    text = head.written((b"Host", b"node"), (b"Authorization", b"Bearer real"))
    lines = [
        b"POST /mcp/notes HTTP/1.1",
        b"Host: node",
        b"Authorization: Bearer real",
        b"Accept: a",
        b"Connection: close",
    ]
    assert text == b"\r\n".join(lines) + b"\r\n\r\n"
    upgrade = (b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")
    assert (
        Head(b"GET", b"/http/pay/talk", upgrade)
        .written()
        .endswith(b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    )
