"""`remit login` against a served console, and what is no admin link."""

import re

import pytest
from click.testing import CliRunner

from remit.cli.login import login as command
from remit.control import login
from tests.kit.site import site


@pytest.mark.parametrize(
    "link",
    ["", "http://example.com/console/enter/x", "https://example.com/console", "ftp://127.0.0.1/console/enter/x"],
)
def test_what_is_no_admin_link_is_refused_unsent(link):
    assert CliRunner().invoke(command, [link]).exception.code == "link_invalid"


def test_a_place_where_nothing_answers_is_named():
    found = CliRunner().invoke(command, ["http://127.0.0.1:9/console/enter/x"])
    assert found.exception.code == "server_unreachable"


def test_the_token_is_kept_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "data").mkdir(mode=0o700)
    with site(tmp_path / "data") as place:
        code = place.act(lambda c: login.issue(c, "link", "operator"))
        found = CliRunner().invoke(command, [f"{place.url}/console/enter/{code}"], catch_exceptions=False)
        (kept,) = (tmp_path / "config" / "remit").iterdir()
        assert str(kept) in found.output
        assert re.search(r"^until +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", found.output, re.MULTILINE)
        token = kept.read_text(encoding="ascii").removeprefix("Authorization: Bearer ").strip()
        assert token not in found.output
        assert kept.stat().st_mode & 0o777 == 0o600
        assert place.get("/v1/status", token).status == 200
        again = CliRunner().invoke(command, [f"{place.url}/console/enter/{code}"])
        assert again.exception.code == "login_used"
