"""A governed world with two agents, a person and an open task, behind a real server and a real issuer."""

import json

import pytest

from remit.control import brief, principal
from remit.web.settings import Issuer
from tests.kit.asking import opened
from tests.kit.asking_people import BACK
from tests.kit.publishing import hosting
from tests.kit.site import idp, site


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    with idp() as provider, site(tmp_path, issuers=(Issuer(provider.url, "remit", acts=True),)) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        pia = one.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", ("staff",), "operator"))
        one.pia = pia.id
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=(one.world.owner.id, "group:staff"))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        one.task = opened(one, one.bot)
        one.held = one.token(one.bot, one.task).json["access_token"]
        one.person = provider.token(one.world.authority.clock.now() // 1000)
        yield one


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with hosting(tmp_path_factory.mktemp("tls")) as one:
        yield one


@pytest.fixture
def published(host, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", host.trust)
    host.url = f"https://localhost:{host.server_address[1]}/client.json"

    def say(status=200, kind="application/json", **changes):
        said = {"client_id": host.url, "client_name": "Described", "redirect_uris": [BACK]} | changes
        host.answer = status, kind, json.dumps(said).encode()
        return host.url

    return say
