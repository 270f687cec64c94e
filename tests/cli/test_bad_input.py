"""What a person can get wrong: each is refused with a code, says what to do, and changes nothing."""

import os
import sys
from pathlib import Path

import pytest

from tests.kit.shell import Shell

SERVER = f"{sys.executable} notes.py"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("bad")).settle()


def refused(shell: Shell, command: str, code: str, exit_code: int = 2, **more: str) -> str:
    ran = shell.run(command, **more)
    assert ran.code == exit_code, ran
    assert f"[{code}]" in ran.err, ran
    what, remedy = ran.err.strip().rsplit("\n", 2)[-2:]
    assert what.startswith("error: ")
    assert remedy.strip() != f"[{code}]"
    assert "Traceback" not in ran.err
    assert ran.out == ""
    return ran.err


BAD = {
    "an unknown command's agent": ("remit agent review nobody --next 30d", "not_found"),
    "an agent that is there already": (
        "remit agent add scribe --owner olga --review 30d --purpose x --ceiling 'mcp:notes/*'",
        "name_taken",
    ),
    "a review in the past": ("remit agent review scribe --next 2020-01-01", "review_past"),
    "a date that is none": ("remit agent review scribe --next soon", "moment_invalid"),
    "a ceiling that is no action": (
        "remit agent add other --owner olga --review 30d --purpose x --ceiling everything",
        "action_invalid",
    ),
    "a person who is nobody": ("remit agent transfer scribe --to zoe", "not_found"),
    "an argument that is no JSON": ("remit can scribe mcp:notes/wipe --args '{'", "json_invalid"),
    "an argument named twice": ("""remit can scribe mcp:notes/wipe --args '{"a":1,"a":2}'""", "json_invalid"),
    "arguments that are no object": ("remit can scribe mcp:notes/wipe --args '[1]'", "json_invalid"),
    "a label without a value": ("remit task open notes scribe --label ticket", "label_invalid"),
    "a brief that is nowhere": ("remit task open letters scribe", "not_found"),
    "a program that is nowhere": (
        "remit resource add more --stdio --domain office --owner olga -- /no/such/server",
        "server_unknown",
    ),
    "a URL that is none": ("remit resource add more --url ftp://x/ --domain office --owner olga", "origin_invalid"),
    "a secret that is not stored": (
        "remit resource add more --url http://127.0.0.1:9/mcp --domain office --owner olga --secret k --header X-Key",
        "secret_unknown",
    ),
    "a secret that is empty": ("printf '' | remit secret put k", "secret_empty"),
    "a secret from nowhere": ("remit secret put k --from env:NOT_SET", "reference_invalid"),
    "a secret by value": ("remit secret put k --from hunter2hunter2", "reference_invalid"),
    "a trust path revoked as a kind": ("remit revoke task own", "not_found"),
    "an entry that is not there": ("remit ledger show 100000", "not_found"),
    "a proof of what is not there": ("remit ledger prove 100000 --to p", "not_found"),
    "a key that is none": ("remit ledger verify --key nonsense", "vkey_invalid"),
    "a folder that is used": ("remit ledger export .", "folder_used"),
    "a folder of policies that is empty": ("mkdir -p none; remit policy check none", "policy_files"),
    "policies where none are looked for": (
        "mkdir -p flat; cp policy/common/base.cedar flat; remit policy check flat",
        "policy_files",
    ),
    "a data folder without a store": ("remit --data elsewhere status", "not_set_up"),
    "settings that are nowhere": ("remit --config nowhere.toml status", "settings_unreadable"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_a_code_and_a_remedy(settled: Shell, case: str) -> None:
    command, code = BAD[case]
    remote = code.startswith("server_")
    refused(settled, command, code, 3 if remote else 2)


BRIEFS = {
    "not TOML": ("name = ", "file_invalid"),
    "a misspelt member": ('nmae = "x"', "brief_invalid"),
    "an agent that is nobody": ('name = "x"\nagents = ["nobody"]', "not_found"),
    "agents that are no list": ('name = "x"\nagents = "scribe"', "brief_invalid"),
    "no steps": (
        'name = "x"\npurpose = "p"\nsteps = []\nagents = ["scribe"]\ndispatchers = ["olga"]\ndomains = ["office"]',
        "brief_invalid",
    ),
    "a wrong type": ('name = "x"\nlife = "long"\nagents = []\ndispatchers = []\ndomains = []', "record_invalid"),
    "a limit that is unknown": (
        (
            'name = "x"\npurpose = "p"\nagents = ["scribe"]\ndispatchers = ["olga"]\ndomains = ["office"]\n'
            'steps = [{ action = "mcp:notes/wipe", path = "own", arguments = { a = [{ nearly = 1 }] } }]'
        ),
        "limit_invalid",
    ),
    "an agent as dispatcher": (
        (
            'name = "x"\npurpose = "p"\nagents = ["scribe"]\ndispatchers = ["scribe"]\ndomains = ["office"]\n'
            'steps = [{ action = "mcp:notes/wipe", path = "own" }]'
        ),
        "not_found",
    ),
    "a tool that nobody offers": (
        (
            'name = "x"\npurpose = "p"\nagents = ["scribe"]\ndispatchers = ["olga"]\ndomains = ["office"]\n'
            'steps = [{ action = "mcp:notes/print", path = "own" }]'
        ),
        "action_unknown",
    ),
    "a domain that it does not list": (
        (
            'name = "x"\npurpose = "p"\nagents = ["scribe"]\ndispatchers = ["olga"]\ndomains = ["home"]\n'
            'steps = [{ action = "mcp:notes/wipe", path = "own" }]'
        ),
        "domain_outside",
    ),
}


@pytest.mark.parametrize("case", BRIEFS)
def test_a_malformed_brief_is_refused_with_a_code_and_a_remedy(settled: Shell, case: str) -> None:
    text, code = BRIEFS[case]
    settled.write("bad.toml", text)
    refused(settled, "remit brief apply bad.toml", code)
    assert '"x"' not in settled.ok("remit brief show -o json")


POLICIES = {
    "does not parse": ("permit(principal, action, resource", None, "policy_invalid"),
    "names what is unknown": (
        'permit(principal, action == Action::"mcp:notes/fly", resource);',
        None,
        "policy_invalid",
    ),
    "can never deny": ("permit(principal, action, resource);", None, "policy_cannot_deny"),
    "carries no test": ('permit(principal, action in Action::"mcp:notes", resource);', "[]", "policy_tests_missing"),
    "fails its test": (
        'permit(principal, action == Action::"mcp:notes/read_note", resource);',
        (
            '[{"name": "n", "path": "own", "action": "mcp:notes/wipe", "expect": "allow"},'
            ' {"name": "d", "path": "delegated", "action": "mcp:notes/wipe", "expect": "deny"}]'
        ),
        "policy_tests_failed",
    ),
    "has tests that are none": (
        'permit(principal, action == Action::"mcp:notes/read_note", resource);',
        '[{"name": "n", "path": "own", "expects": "allow"}]',
        "policy_test_invalid",
    ),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_bad_policy_cannot_be_applied_and_what_was_in_force_stays(settled: Shell, case: str, tmp_path: Path) -> None:
    text, tests, code = POLICIES[case]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x.cedar").write_text(text, encoding="utf-8")
    (tmp_path / "tests.json").write_text(tests or "[]", encoding="utf-8")
    refused(settled, f"remit policy apply {tmp_path}", code)
    assert settled.run("remit policy diff policy -o json").code == 0


def test_a_plan_that_names_unknown_tools_is_refused(settled: Shell) -> None:
    settled.ok("remit task open notes scribe > task.txt")
    task = "$(sed -n 's/^id *//p' task.txt)"
    settled.write("plan.toml", 'steps = [{ action = "mcp:notes/print", path = "own" }]')
    refused(settled, f"remit task plan {task} plan.toml", "plan_outside", 4)
    settled.write("plan.toml", 'step = [{ action = "mcp:notes/wipe", path = "own" }]')
    refused(settled, f"remit task plan {task} plan.toml", "plan_invalid")
    settled.write("plan.toml", 'steps = [{ action = "mcp:notes/read_note", path = "own" }]')
    refused(settled, f"remit task plan {task} plan.toml", "plan_outside", 4)
    settled.write("plan.toml", 'steps = [{ action = "mcp:notes/wipe", path = "own" }]')
    settled.ok(f"remit task plan {task} plan.toml")
    settled.write(
        "plan.toml",
        'steps = [{ action = "mcp:notes/read_note", path = "own", arguments = { path = [{ equals = "/notes/a" }] } }]',
    )
    refused(settled, f"remit task plan {task} plan.toml", "plan_wider", 4)


SETTINGS = {
    "an unknown key": ("deny_by_defualt = true", "setting_unknown"),
    "a misspelt key": ('isuer = "https://remit.example.com"', "setting_unknown"),
    "another type": ('port = "8787"', "setting_invalid"),
    "a port out of range": ("port = 70000", "setting_invalid"),
    "a secret by value": ('root_key = "hunter2"', "setting_invalid"),
    "a certificate alone": ('tls_cert = "file:cert.pem"', "setting_invalid"),
    "an issuer in plain http": ('issuer = "http://remit.example.com"', "setting_invalid"),
    "an issuer with a path": ('issuer = "https://remit.example.com/x"', "setting_invalid"),
    "a provider without an audience": ('[[issuers]]\nissuer = "https://login.example.com"', "setting_invalid"),
    "a provider with an unknown key": (
        '[[issuers]]\nissuer = "https://login.example.com"\naudience = "a"\nverify = false',
        "setting_unknown",
    ),
    "a ledger switched off": ('ledger = "off"', "setting_unknown"),
    "a sink": ('audit_sink = "/etc/cron.d/x"', "setting_unknown"),
    "no TOML": ("port 8787", "settings_unreadable"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_ops_04_settings_that_are_not_understood_are_refused_by_name(settled: Shell, case: str) -> None:
    text, code = SETTINGS[case]
    settled.write("bad.toml", f"# settings\n{text}\n")
    told = refused(settled, "remit --config bad.toml status", code)
    if code == "setting_unknown":
        assert text.splitlines()[-1].split(" ")[0] in told
        assert "bad.toml, line 2" in told
    if case == "a misspelt key":
        assert "Did you mean 'issuer'?" in told


def test_ops_04_a_variable_that_is_not_understood_is_refused_by_name(settled: Shell) -> None:
    assert "REMIT_PROT" in refused(settled, "remit status", "setting_unknown", REMIT_PROT="1")
    refused(settled, "remit status", "setting_invalid", REMIT_PORT="many")


def test_ops_04_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.ok("remit up --no-serve")
    shell.ok("chmod 0644 .remit/root.key")
    assert "chmod 600" in refused(shell, "remit status", "key_file_open")


def test_ops_04_no_bind_beyond_loopback_without_tls_and_a_real_issuer(settled: Shell) -> None:
    refused(settled, "remit serve --host 0.0.0.0", "bind_refused")
    refused(settled, "remit up --host 0.0.0.0", "bind_refused")
    refused(settled, "remit serve --host ::", "bind_refused", REMIT_ISSUER="https://remit.example.com")
    tls = {"REMIT_TLS_CERT": "file:cert.pem", "REMIT_TLS_KEY": "file:key.pem"}
    refused(settled, "remit serve --host 192.0.2.1", "bind_refused", **tls)
    refused(settled, "remit serve --host 192.0.2.1", "bind_refused", REMIT_ISSUER="https://localhost:1", **tls)


def test_log_15_no_command_and_no_variable_redirects_or_ends_the_record(settled: Shell) -> None:
    for name in ("REMIT_LEDGER", "REMIT_LOG", "REMIT_SINKS", "REMIT_AUDIT_SINK"):
        refused(settled, "remit status", "setting_unknown", **{name: "/etc/cron.d/x"})
    for words in ("ledger disable", "ledger add /etc/cron.d/x", "ledger delete", "sink add x"):
        assert settled.run(f"remit {words}").code == 2
    assert settled.ok("remit ledger verify").startswith("ok: ")


def test_a_store_without_its_key_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.ok("remit up --no-serve && rm .remit/root.key")
    refused(shell, "remit up --no-serve", "key_missing")
    refused(shell, "remit status", "key_missing")


def test_a_store_that_is_no_database_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.ok(
        "remit up --no-serve && rm .remit/remit.db*; yes nonsense | head -c 99999 > .remit/remit.db; chmod 600 .remit/*"
    )
    refused(shell, "remit status", "store_corrupt")


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.write("file", "")
    refused(shell, "remit --data file/inside up --no-serve", "store_unavailable")
    refused(shell, "remit --data /proc/remit up --no-serve", "store_unavailable")


def test_a_store_that_others_can_write_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.ok("remit up --no-serve")
    os.chmod(tmp_path / ".remit" / "remit.db", 0o666)  # noqa: PTH101 - the mode is what is tested
    refused(shell, "remit status", "store_exposed")


def test_usage_errors_end_with_2_and_a_hint(settled: Shell) -> None:
    for command in ("remit nonsense", "remit agent add", "remit revoke", "remit task open notes", "remit can"):
        ran = settled.run(command)
        assert ran.code == 2
        assert "Usage: remit" in ran.err
