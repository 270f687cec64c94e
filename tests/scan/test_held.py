"""What credentials, scopes and tools tell across the files of a tree: each code, and what looks alike and is right."""

import json
from pathlib import Path

import pytest

from remit.scan.walk import scan

KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
OTHER = "Lm3v" + "Qx8Pd2" + "WsKj5Tz1"
NEW = {"AG102", "AG103", "AG104", "AG110", "AG111", "AG140", "AG150", "AG151"}


def found(root: Path, files: dict[str, str]) -> set[tuple[str, str, int]]:
    """Code, file and line of what the new codes say of a tree; no secret is ever told."""
    for name, text in files.items():
        path = root / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    told = scan((str(root / "site"),))
    assert KEY not in repr(told.findings)
    assert told.unread == ()
    place = f"{root}/site/"
    return {
        (one.kind.value, one.evidence.file.removeprefix(place), one.evidence.line)
        for one in told.findings
        if one.kind.value in NEW
    }


def client(**servers: object) -> str:
    """A client's file, each server on a line of its own, from line 2."""
    lines = ",\n".join(f'"{name}": {json.dumps(one)}' for name, one in servers.items())
    return f'{{"mcpServers": {{\n{lines}\n}}}}\n'


def node(package: str, *args: str, **env: str) -> dict[str, object]:
    return {"command": "npx", "args": ["-y", f"{package}@1.0.0", *args], "env": env}


COMPOSE = "services:\n  agent:\n    image: acme/agent:1.0.0\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\n"
CASES: dict[str, tuple[dict[str, str], set[tuple[str, str, int]]]] = {
    # AG102
    "an env_file with secrets": (
        {"compose.yaml": f"{COMPOSE}    env_file: agent.env\n", "agent.env": "API_TOKEN=${X}\n"},
        {("AG102", "compose.yaml", 4)},
    ),
    "an env_file that is not there": (
        {"compose.yaml": f"{COMPOSE}    env_file: [all.env]\n"},
        {("AG102", "compose.yaml", 4)},
    ),
    "an env_file of settings": (
        {"compose.yaml": f"{COMPOSE}    env_file: agent.env\n", "agent.env": "LOG=info\n"},
        set(),
    ),
    "an env_file of anything": (
        {"compose.yaml": "services:\n  web:\n    image: acme/shop:1\n    env_file: .e\n"},
        {("AG102", "compose.yaml", 4)},
    ),
    "envFrom": (
        {
            "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: agent}\nspec:\n  containers:\n    - name: a\n"
            "      envFrom:\n        - secretRef: {name: all}\n"
        },
        {("AG102", "pod.yaml", 8)},
    ),
    "envFrom of a map": (
        {
            "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: agent}\nspec:\n  containers:\n    - name: a\n"
            "      envFrom:\n        - configMapRef: {name: all}\n"
        },
        set(),
    ),
    "secrets: inherit": (
        {
            ".github/workflows/a.yml": "on: push\njobs:\n  agent:\n    uses: ./.github/workflows/b.yml\n"
            "    secrets: inherit\n"
        },
        {("AG102", ".github/workflows/a.yml", 5)},
    ),
    "os.environ": (
        {"agent.py": "import os, mcp\nStdioServerParameters(command='uvx', args=['a==1.0'], env=dict(os.environ))\n"},
        {("AG102", "agent.py", 2)},
    ),
    "one name of os.environ": (
        {
            "agent.py": "import os, mcp\n"
            "StdioServerParameters(command='uvx', args=['a==1.0'], env={'A': os.environ['A']})\n"
        },
        set(),
    ),
    "a unit's file": (
        {"agent.service": "[Service]\nEnvironmentFile=/etc/agent.env\n"},
        {("AG102", "agent.service", 2)},
    ),
    "a shell that exports a file": ({".bashrc": "set -a\nsource ~/agents/.env\nset +a\n"}, {("AG102", ".bashrc", 2)}),
    "codex with all of it": (
        {".codex/config.toml": '[shell_environment_policy]\ninherit = "all"\nignore_default_excludes = true\n'},
        {("AG102", ".codex/config.toml", 3)},
    ),
    "three servers of one reference": (
        {
            ".mcp.json": client(
                a=node("x", T_TOKEN="${T_TOKEN}"), b=node("y", T_TOKEN="${T_TOKEN}"), c=node("z", T_TOKEN="${T_TOKEN}")
            )
        },
        {("AG103", ".mcp.json", 2), *(("AG102", ".mcp.json", line) for line in (2, 3, 4))},
    ),
    # AG103
    "one value in two servers": (
        {".mcp.json": client(a=node("x", API_KEY=KEY), b=node("y", TOKEN=KEY))},
        {("AG103", ".mcp.json", 2)},
    ),
    "one name with two values": ({".mcp.json": client(a=node("x", API_KEY=KEY), b=node("y", API_KEY=OTHER))}, set()),
    "one server in two clients": (
        {".mcp.json": client(a=node("x", API_KEY=KEY)), ".cursor/mcp.json": client(b=node("x", API_KEY=KEY))},
        set(),
    ),
    "two services of one secret": (
        {"compose.yaml": f"{COMPOSE}    secrets: [hub]\n  bot:\n    image: acme/bot:1.0.0\n    secrets: [hub]\n"},
        {("AG103", "compose.yaml", 4)},
    ),
    "a database and its client": (
        {
            "compose.yaml": f"{COMPOSE}    environment: {{DB_PASSWORD: '${{PW}}'}}\n  db:\n"
            f"    image: postgres:16.1\n    environment: {{POSTGRES_PASSWORD: '${{PW}}'}}\n"
        },
        set(),
    ),
    # AG104
    "an AWS user's key": (
        {".mcp.json": client(a=node("x", AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY}"))},
        {("AG104", ".mcp.json", 2)},
    ),
    "an AWS session": (
        {
            ".mcp.json": client(
                a=node("x", AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY}", AWS_SESSION_TOKEN="${AWS_SESSION_TOKEN}")
            )
        },
        set(),
    ),
    "a login with a key": (
        {
            ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    steps:\n"
            "      - uses: google-github-actions/auth@v2\n        with:\n"
            "          credentials_json: ${{ secrets.SA }}\n"
        },
        {("AG104", ".github/workflows/a.yml", 7)},
    ),
    "a federated login": (
        {
            ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    steps:\n"
            "      - uses: google-github-actions/auth@v2\n        with:\n"
            "          workload_identity_provider: p\n"
        },
        set(),
    ),
    "a resource that is a key": (
        {"iam.tf": 'resource "aws_iam_access_key" "agent" {\n  user = "a"\n}\n'},
        {("AG104", "iam.tf", 1)},
    ),
    "a token of a service account": (
        {"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/service-account-token\n"},
        {("AG104", "s.yaml", 4)},
    ),
    # AG110
    "granted and used in one object": (
        {
            "apps.json": '[{"app_name": "bot", "granted_scopes": [\n"chat:write",\n"files:read"],\n'
            '"used_scopes": ["files:read"]}]'
        },
        {("AG110", "apps.json", 2)},
    ),
    "scopes with when each was used": (
        {"use.csv": "app,scope,last_used\nbot,files:read,2026-01-02\nbot,chat:write,\n"},
        {("AG110", "use.csv", 3)},
    ),
    "no use in sight": (
        {"apps.json": '[{"app_name": "bot", "granted_scopes": ["chat:write"], "owner": "olga"}]'},
        set(),
    ),
    "activity that only reads": (
        {
            "grants.json": '{"items": [{"displayText": "Bot", "clientId": "c1",\n'
            '"scopes": ["https://www.googleapis.com/auth/drive"]}]}',
            "activity.json": '{"items": [{"events": [{"name": "activity", "parameters": [{"name": "client_id", '
            '"value": "c1"}, {"name": "method_name", "value": "drive.files.list"}]}]}]}',
        },
        {("AG110", "grants.json", 2)},
    ),
    "activity that writes": (
        {
            "grants.json": '{"items": [{"displayText": "Bot", "clientId": "c1",\n'
            '"scopes": ["https://www.googleapis.com/auth/drive"]}]}',
            "activity.json": '{"items": [{"events": [{"name": "activity", "parameters": [{"name": "client_id", '
            '"value": "c1"}, {"name": "method_name", "value": "drive.files.update"}]}]}]}',
        },
        set(),
    ),
    "code that only reads": (
        {
            "agent.py": "import openai\nSCOPES = ['https://www.googleapis.com/auth/drive']\n"
            "d = build('drive', 'v3')\nd.files().list().execute()\n"
        },
        {("AG110", "agent.py", 2)},
    ),
    "code that writes": (
        {
            "agent.py": "import openai\nSCOPES = ['https://www.googleapis.com/auth/drive']\n"
            "d = build('drive', 'v3')\nd.files().update().execute()\n"
        },
        set(),
    ),
    "actions that were never taken": (
        {
            "role.json": '{"Statement": [{"Effect": "Allow", "Action": [\n"s3:GetObject",\n'
            '"s3:PutObject"], "Resource": "arn:aws:s3:::a/*"}]}',
            "trail.json": '{"Records": [{"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}]}',
        },
        {("AG110", "role.json", 3)},
    ),
    # AG111
    "a permission over the tenant": (
        {"grants.json": '{"value": [{"clientDisplayName": "Bot",\n"scope": "User.Read Directory.ReadWrite.All"}]}'},
        {("AG111", "grants.json", 2)},
    ),
    "a permission that writes": (
        {"grants.json": '{"value": [{"clientDisplayName": "Bot", "scope": "Mail.ReadWrite"}]}'},
        set(),
    ),
    "an installation over the organisation": (
        {
            "i.json": '{"installations": [{"app_slug": "bot", "permissions": {\n"contents": "write",\n'
            '"organization_administration": "write"}}]}'
        },
        {("AG111", "i.json", 3)},
    ),
    "a manifest of Slack": (
        {
            "manifest.yaml": "display_information:\n  name: Bot\noauth_config:\n  scopes:\n    user:\n"
            "      - chat:write\n      - admin.users:write\n"
        },
        {("AG111", "manifest.yaml", 7)},
    ),
    "cluster-admin": (
        {
            "r.yaml": f"{ROLE}kind: ClusterRoleBinding\nmetadata: {{name: a}}\nroleRef:\n  kind: ClusterRole\n"
            f"  name: cluster-admin\n"
        },
        {("AG111", "r.yaml", 6)},
    ),
    "cluster-admin of one namespace": (
        {
            "r.yaml": f"{ROLE}kind: RoleBinding\nmetadata: {{name: a}}\nroleRef:\n  kind: ClusterRole\n"
            f"  name: cluster-admin\n"
        },
        set(),
    ),
    "an owner of a subscription": (
        {
            "r.tf": 'resource "azurerm_role_assignment" "a" {\n  scope                = "/subscriptions/1"\n'
            '  role_definition_name = "Owner"\n}\n'
        },
        {("AG111", "r.tf", 3)},
    ),
    "an owner of a group": (
        {
            "r.tf": 'resource "azurerm_role_assignment" "a" {\n'
            '  scope                = "/subscriptions/1/resourceGroups/b"\n  role_definition_name = "Owner"\n}\n'
        },
        set(),
    ),
    "an installation that is suspended": (
        {
            "i.json": '{"installations": [{"app_slug": "bot", "suspended_at": "2026-01-02", "permissions": '
            '{"organization_administration": "write"}}]}'
        },
        set(),
    ),
    "what an application offers to others": (
        {"sp.json": '[{"appId": "1", "displayName": "Graph", "appRoles": [{"value": "Directory.ReadWrite.All"}]}]'},
        set(),
    ),
    # AG140
    "a secret that never ends": (
        {
            "apps.json": '[{"appId": "1", "displayName": "Bot", "owners": [\n'
            '{"id": "2"}], "passwordCredentials": [{"keyId": "3",\n'
            '"endDateTime": "2299-12-31T00:00:00Z"}]}]'
        },
        {("AG140", "apps.json", 3)},
    ),
    "an app with no owner": (
        {"apps.csv": "App name,Client ID,Owner\nBot,1,\nMail,2,olga\n"},
        {("AG140", "apps.csv", 2)},
    ),
    "an app with a purpose in its notes": (
        {"apps.json": '[{"appId": "1", "displayName": "Bot", "description": null, "notes": "Sorts mail"}]'},
        set(),
    ),
    "an annotation that says nothing": (
        {
            "d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: agent\n  annotations:\n"
            "    acme.example/owner: ''\n"
        },
        {("AG140", "d.yaml", 6)},
    ),
    # AG150
    "all three": (
        {".mcp.json": client(web=node("mcp-fetch"), db=node("mcp-postgres"), chat=node("mcp-slack"))},
        {("AG150", ".mcp.json", 4)},
    ),
    "two of three": ({".mcp.json": client(web=node("mcp-fetch"), db=node("mcp-postgres"))}, set()),
    "three in two clients": (
        {
            ".mcp.json": client(web=node("mcp-fetch"), db=node("mcp-postgres")),
            "b/.mcp.json": client(chat=node("mcp-slack")),
        },
        set(),
    ),
    "three, with one switched off": (
        {
            ".mcp.json": client(
                web=node("mcp-fetch"), db=node("mcp-postgres"), chat={**node("mcp-slack"), "disabled": True}
            )
        },
        set(),
    ),
    "an agent's tools": (
        {
            "agent.py": "from langchain import agents\nagent = create_agent(\n"
            "    tools=[fetch_url, query_customers, send_email],\n)\n"
        },
        {("AG150", "agent.py", 2)},
    ),
    # AG151
    "a person's and a service's": (
        {
            ".mcp.json": client(
                chat=node("x", SLACK_USER_TOKEN="${SLACK_USER_TOKEN}", SLACK_BOT_TOKEN="${SLACK_BOT_TOKEN}")
            )
        },
        {("AG151", ".mcp.json", 2)},
    ),
    "each in a server of its own": (
        {
            ".mcp.json": client(
                a=node("x", SLACK_USER_TOKEN="${SLACK_USER_TOKEN}"), b=node("y", SLACK_BOT_TOKEN="${SLACK_BOT_TOKEN}")
            )
        },
        set(),
    ),
    "a function with both": (
        {
            "agent.py": "import openai\ndef act(user_token):\n    a = call(user_token)\n"
            "    b = msal.acquire_token_for_client(scopes)\n"
        },
        {("AG151", "agent.py", 3)},
    ),
    "a function for each": (
        {
            "agent.py": "import openai\ndef act(user_token):\n    a = call(user_token)\ndef serve():\n"
            "    b = msal.acquire_token_for_client(scopes)\n"
        },
        set(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_tree_shows_what_it_shows_and_nothing_else(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert found(tmp_path, files) == expected
