"""What the settings say to the web face: secrets are read where the settings refer to them."""

from remit.cli.facing import web_settings
from remit.cli.settings import load
from tests.kit.nouns import code

ISSUER = "[[issuers]]\nissuer = 'https://login.test'\naudience = 'remit'\nsign_in = true\n"


def settings(tmp_path, text, environ=None):
    path = tmp_path / "remit.toml"
    path.write_text(text, encoding="utf-8")
    return load(environ or {}, {}, str(path))


def test_a_secret_is_read_by_reference(tmp_path):
    found = web_settings(settings(tmp_path, ISSUER + "client_secret = 'env:IDP'\n"), {"IDP": "s3cret\n"}).issuers[0]
    assert found.sign_in
    assert found.secret.reveal() == b"s3cret"
    assert found.key is None
    assert "s3cret" not in repr(found)


def test_a_secret_by_value_or_two_of_them_are_refused(tmp_path):
    for wrong in ("client_secret = 's3cret'", "client_secret = 'env:A'\nclient_key = 'file:b'"):
        assert code(settings, tmp_path, ISSUER + wrong) == "setting_invalid"
    gone = settings(tmp_path, ISSUER + "client_key = 'file:/nowhere'\n")
    assert code(web_settings, gone, {}) == "reference_invalid"


def test_a_variable_that_a_secret_is_in_may_be_called_as_it_likes(tmp_path):
    environ = {"REMIT_IDP_SECRET": "s3cret"}
    found = settings(tmp_path, ISSUER + "client_secret = 'env:REMIT_IDP_SECRET'\n", environ)
    assert web_settings(found, environ).issuers[0].secret.reveal() == b"s3cret"
