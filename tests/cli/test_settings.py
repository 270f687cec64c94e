"""Settings: where a value comes from, and what is never taken."""

from pathlib import Path

import pytest

from remit.cli.facing import polled, receivers
from remit.cli.settings import Issuer, Settings, check_bind, load, loopback, read_reference
from remit.core.errors import RemitError
from tests.kit.nouns import code


def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}, {}).port == 8787
    (tmp_path / "remit.toml").write_text("port = 1001\nhost = '::1'\npublic_log = true\n", encoding="utf-8")
    assert load({}, {}).port == 1001
    assert load({"REMIT_PORT": "1002"}, {}).port == 1002
    assert load({"REMIT_PORT": "1002"}, {"port": 1003}).port == 1003
    assert load({"REMIT_PUBLIC_LOG": "false"}, {"port": None}) == Settings(host="::1", port=1001)


def test_a_named_file_goes_before_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "remit.toml").write_text("port = 1001\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("port = 1004\n", encoding="utf-8")
    assert load({"REMIT_CONFIG": "other.toml"}, {}).port == 1004
    assert load({"REMIT_CONFIG": "remit.toml"}, {}, "other.toml").port == 1004


def test_identity_providers_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("[[issuers]]\nissuer = 'https://a'\naudience = 'b'\nauto_register = true\n", encoding="utf-8")
    assert load({}, {}, str(path)).issuers == (Issuer("https://a", "b", "", True),)


def test_a_variable_that_a_reference_names_is_no_setting() -> None:
    assert load({"REMIT_ROOT_KEY": "env:REMIT_SEED", "REMIT_SEED": "x" * 43}, {}).root_key == "env:REMIT_SEED"
    with pytest.raises(RemitError, match="REMIT_SEED"):
        load({"REMIT_SEED": "x" * 43}, {})


def test_the_origin_is_the_issuer_or_what_the_address_gives() -> None:
    assert Settings().origin == "http://127.0.0.1:8787"
    assert Settings(host="::1", tls_cert="file:c").origin == "https://[::1]:8787"
    assert Settings(issuer="https://remit.example.com").ledger_name == "remit.example.com/log"
    assert Settings(data=Path("d")).key_reference == "file:d/root.key"


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_only_this_machine_reaches_loopback(host: str, near: bool) -> None:
    assert loopback(host) is near


def test_beyond_loopback_takes_tls_and_a_real_issuer() -> None:
    tls = {"tls_cert": "file:c", "tls_key": "file:k"}
    check_bind(Settings())
    check_bind(Settings(host="0.0.0.0", issuer="https://remit.example.com", **tls))
    for wrong in (
        Settings(host="0.0.0.0"),
        Settings(host="0.0.0.0", issuer="https://remit.example.com"),
        Settings(host="0.0.0.0", **tls),
        Settings(host="0.0.0.0", issuer="https://127.0.0.1", **tls),
    ):
        with pytest.raises(RemitError) as fault:
            check_bind(wrong)
        assert fault.value.code == "bind_refused"


def test_a_value_is_read_by_reference_only(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"hunter2\n")
    assert read_reference(f"file:{tmp_path / 's'}", {}) == b"hunter2\n"
    assert read_reference("env:S", {"S": "hunter2"}) == b"hunter2"
    for reference in ("hunter2", "env:T", f"file:{tmp_path / 't'}", "keyring:a/b"):
        with pytest.raises(RemitError) as fault:
            read_reference(reference, {"S": "hunter2"})
        assert "hunter2" not in fault.value.message


def test_only_the_settings_file_names_a_receiver_and_where_it_is_pushed_to(tmp_path: Path) -> None:
    file = tmp_path / "remit.toml"
    first = 'service = "siem"\naudience = "https://siem.example"\n'

    def loaded(text: str, environ: dict[str, str] | None = None) -> Settings:
        file.write_text(text, encoding="utf-8")
        return load(environ or {}, {}, str(file))

    whole = f'[[receivers]]\n{first}push = "https://siem.example/e"\nauthorization = "env:REMIT_SIEM"\n'
    environ = {"REMIT_SIEM": "Bearer theirs\n"}
    (one,) = receivers(loaded(whole, environ), environ)
    assert (one.push, one.authorization) == ("https://siem.example/e", b"Bearer theirs")
    for wrong in (
        'service = "siem"', 'audience = "x"', f'{first}push = "http://siem.example/"', f"{first}more = 1",
        f'{first}authorization = "env:X"', f'{first}push = "https://siem.example/"\nauthorization = "plain"',
        f"{first}[[receivers]]\n{first}",
    ):  # fmt: skip
        assert code(loaded, f"[[receivers]]\n{wrong}\n").startswith("setting_"), wrong
    assert code(load, {"REMIT_RECEIVERS": "siem"}, {}, None) == "setting_invalid"


ADMITTED = 'token = "https://idp.example/token"\nclient = "us"\nsecret = "env:REMIT_IDP"\n'


def test_only_the_settings_file_names_a_transmitter_that_is_polled(tmp_path: Path) -> None:
    file = tmp_path / "remit.toml"
    first = 'name = "idp"\npoll = "https://idp.example/poll?stream=1"\n'

    def loaded(text: str, environ: dict[str, str] | None = None) -> Settings:
        file.write_text(text, encoding="utf-8")
        return load(environ or {}, {}, str(file))

    environ = {"REMIT_IDP": "Bearer ours\n"}
    (one,) = polled(loaded(f'[[transmitters]]\n{first}authorization = "env:REMIT_IDP"\n', environ), environ)
    assert (one.transmitter, one.url) == ("idp", "https://idp.example/poll?stream=1")
    assert (one.authorization, one.private) == (b"Bearer ours", False)
    keyed = f'{first}{ADMITTED}proof = "private_key_jwt"\ntoken_issuer = "https://idp.example"\n'
    (one,) = polled(loaded(f"[[transmitters]]\n{keyed}", environ), environ)
    assert (one.client, one.secret, one.proof, one.token_issuer) == (
        "us", b"Bearer ours", "private_key_jwt", "https://idp.example",
    )  # fmt: skip
    for wrong in (
        'name = "idp"', 'poll = "https://idp.example/"', 'name = "idp"\npoll = "http://idp.example/"',
        'name = "idp"\npoll = "file:///etc/passwd"', 'name = "idp"\npoll = "https://u:p@idp.example/"',
        f"{first}more = 1", f'{first}authorization = "Bearer plain"', f"{first}[[transmitters]]\n{first}",
        f'{first}proof = "client_secret_post"', f'{first}{ADMITTED}proof = "none"',
        f'{first}{ADMITTED}token_issuer = "https://idp.example"',
    ):  # fmt: skip
        assert code(loaded, f"[[transmitters]]\n{wrong}\n").startswith("setting_"), wrong
    assert code(load, {"REMIT_TRANSMITTERS": "idp"}, {}, None) == "setting_invalid"
