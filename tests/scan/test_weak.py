"""What real repositories hold that looks like a finding and is none, each beside the nearest that is one."""

import base64
import json

import pytest

from remit.scan import consent, packaged, secret
from remit.scan.join import join
from remit.scan.readers import Looked, look
from remit.scan.sight import Held

KEY = "q7Wm2Xr9Tz4Lp8Vb6Nc3Kd5Hs1Gf0JyA"


def token(**claims: object) -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "HS256"}, claims)
    )
    return f"{head}.{body}.Zk3vTq8mWx2Lr7Np5Yb9Hc4Jd6Gf1Sa0Qe"


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("SUPABASE_PUBLIC_API_KEY", False),
        ("SUPABASE_ANON_KEY", False),
        ("supabaseAnonKey", False),
        ("STRIPE_PUBLISHABLE_KEY", False),
        ("anonymous-client-key", False),
        ("SUPABASE_SERVICE_ROLE_KEY", True),
        ("NEXT_PUBLIC_API_KEY", True),
        ("PUBLICATION_API_KEY", True),
        ("PUBLIC_REPO_API_KEY", True),
    ],
)
def test_a_key_that_every_visitor_is_given_is_no_secret(name: str, *, held: bool) -> None:
    assert secret.is_held(name, KEY) is held


def test_a_token_that_says_it_is_nobodys_is_no_secret() -> None:
    assert not secret.is_held("SUPABASE_KEY", token(iss="supabase", role="anon"))
    assert secret.is_held("SUPABASE_KEY", token(iss="supabase", role="service_role"))
    assert secret.is_held("SUPABASE_KEY", token(iss="supabase"))
    assert secret.is_held("SUPABASE_KEY", "eyJhbGciOi.Zk3vTq8mWx2Lr7Np5Yb9Hc4Jd6Gf1Sa0Qe.Zk3vTq8m")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("Bash(EXIT_CODE=$?)", False),
        ("Bash(exit $EXIT_CODE)", False),
        ("Bash(true)", False),
        ("Bash(EXIT_CODE=$?:*)", True),
        ("Bash(A=1 make deploy)", True),
        ("Bash(A=$(make deploy))", True),
        ("Bash(A=`make deploy`)", True),
        ("Bash(exit 0; make deploy)", True),
    ],
)
def test_a_command_that_only_keeps_a_value_is_nothing_to_ask_about(rule: str, *, told: bool) -> None:
    assert consent.rule_writes(rule) is told


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("npx x", "x"),
        ("npx run", "run"),
        ("bunx exec", "exec"),
        ("npx -y x", "x"),
        ("pipx run x", "x"),
        ("npm exec x", "x"),
        ("uv tool run run", "run"),
    ],
)
def test_a_package_may_be_called_as_a_subcommand_is(line: str, package: str) -> None:
    assert packaged.package_of([(word, 1) for word in line.split()]) == (package, 1)


def test_such_a_package_with_a_credential_is_told() -> None:
    entry = {"mcpServers": {"a": {"command": "npx", "args": ["x"], "env": {"HUB_TOKEN": "${HUB_TOKEN}"}}}}
    told = look(".mcp.json", json.dumps(entry).encode(), b"k")
    assert isinstance(told, Looked)
    assert "AG120" in [one.kind for one in told.findings]


JOBS = """on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/app-agent@0123456789012345678901234567890123456789
        with: {{{0}: "${{{{ secrets.{1} }}}}"}}
  two:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/app-agent@0123456789012345678901234567890123456789
        with: {{{0}: "${{{{ secrets.{1} }}}}"}}
"""


@pytest.mark.parametrize(
    ("name", "stored", "told"),
    [
        ("app-id", "HELPER_APP_ID", []),
        ("base_url", "LLM_BASE_URL", []),
        ("region", "DEPLOY_REGION", []),
        ("base_url", "LLM_KEY", [7]),
        ("private-key", "HELPER_PRIVATE_KEY", [7]),
        ("app_token", "HELPER_APP_ID", [7]),
        ("webhook", "CHAT_WEBHOOK_URL", [7]),
        ("url", "DATABASE_URL", [7]),
    ],
)
def test_an_address_or_an_id_is_no_credential_that_is_shared(name: str, stored: str, told: list[int]) -> None:
    shown = look(".github/workflows/a.yml", JOBS.format(name, stored).encode(), b"k")
    assert isinstance(shown, Looked)
    assert [one.evidence.line for one in join(shown.sights) if one.kind == "AG103"] == told


def test_a_credential_in_many_hands_is_told_once_with_its_places() -> None:
    held = [
        Held(f"{name}.yml", 3, "job", name, f"{name} acme/agent@v1", "HUB_TOKEN", "d", stored=True)
        for name in "hgfedcba"
    ]
    [one] = join(held)
    assert (one.evidence.file, one.evidence.line) == ("a.yml", 3)
    assert one.evidence.said.startswith("a: HUB_TOKEN is also held by b (b.yml:3), c (c.yml:3), ")
    assert one.evidence.said.endswith(", 8 in all")
