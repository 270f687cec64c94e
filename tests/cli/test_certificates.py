"""Certificates of clients: asked for by our own TLS, or told by the one proxy that is named; and what they bind."""

import base64
import contextlib
import datetime as dt
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

from remit.cli.door import Standing, ask_for_certificates, door, forwarded
from remit.cli.renewing import Renewing
from remit.cli.settings import load
from remit.control import agent, brief, login, task
from remit.core.errors import RemitError
from remit.custody import certificate
from remit.web.app import build
from remit.web.proving import CERTIFICATE
from remit.web.settings import WebSettings
from tests.kit.site import ADMIN, Site, ask, serving
from tests.kit.world import DAY, World

NOW = dt.datetime.now(dt.UTC)


def certify(name, issuer=None, uri="", key=None):
    """A certificate by an issuer, or by itself: certificate and key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, signing = (issuer.made.subject, issuer.key) if issuer else (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(hours=1))
        .not_valid_after(NOW + dt.timedelta(hours=1))
        .add_extension(
            x509.BasicConstraints(ca=issuer is None and name.startswith("authority"), path_length=None), critical=True
        )
    )
    names = [x509.DNSName("localhost")] if not uri else [x509.UniformResourceIdentifier(uri)]
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(signing, hashes.SHA256())
    return SimpleNamespace(made=made, key=key, der=made.public_bytes(serialization.Encoding.DER))


AUTHORITY = certify("authority")
SERVER = certify("localhost", AUTHORITY)
ISSUED = certify("issued", AUTHORITY, "urn:remit:issued")
ALONE, STRANGER = certify("alone"), certify("stranger")


def pem(*those):
    return b"".join(one.made.public_bytes(serialization.Encoding.PEM) for one in those)


def held(folder, one):
    """Certificate and key in one file, as Python's TLS wants them."""
    file = folder / f"{one.made.serial_number}.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(pem(one) + one.key.private_bytes(serialization.Encoding.PEM, *plain))
    return str(file)


async def echo(scope, receive, send):
    said = json.dumps({"certificate": scope.get(CERTIFICATE, ""), "heads": [k.decode() for k, _ in scope["headers"]]})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})


@contextlib.contextmanager
def behind_tls(app, folder, *trusted):
    """An application behind our own TLS, which trusts these certificates; its address and loop."""
    (folder / "trusted.pem").write_bytes(pem(*trusted))
    real = uvicorn.Config.load

    def loaded(config):
        real(config)
        ask_for_certificates(config.ssl, str(folder / "trusted.pem"))

    files = {"ssl_certfile": held(folder, SERVER), "ssl_keyfile": held(folder, SERVER)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Config, "load", loaded)
        with serving(app, http=door(Standing(50, 50)), **files) as (url, loop):
            yield url.replace("http://127.0.0.1", "https://localhost"), loop


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """An application behind our own TLS, which trusts an authority and one self-signed certificate."""
    folder = tmp_path_factory.mktemp("tls")
    with behind_tls(echo, folder, AUTHORITY, ALONE) as (url, _):
        yield folder, url


def shown(secure, one=None, **heads):
    folder, url = secure
    context = ssl.create_default_context(cadata=pem(AUTHORITY).decode())
    if one:
        context.load_cert_chain(held(folder, one))
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=heads), timeout=60) as answer:
        return json.loads(answer.read())


def test_our_own_tls_takes_what_is_trusted_and_nothing_else(secure):
    assert shown(secure)["certificate"] == ""
    for one in (ISSUED, ALONE):
        assert shown(secure, one)["certificate"] == certificate.digest(one.der)
    with pytest.raises((ssl.SSLError, OSError)):
        shown(secure, STRANGER)


@pytest.fixture
def moving(tmp_path):
    """The same, with files that change under it: an own certificate, and who vouches for clients."""
    trusted, own = tmp_path / "trusted.pem", tmp_path / "own.pem"
    trusted.write_bytes(pem(AUTHORITY))
    own.write_bytes(Path(held(tmp_path, SERVER)).read_bytes())
    real, made, said = uvicorn.Config.load, [], []

    def context():
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        fresh.load_cert_chain(own)
        ask_for_certificates(fresh, str(trusted))
        return fresh

    def loaded(config):
        real(config)
        config.ssl = context()
        made.append(Renewing(config.ssl, context, (str(own), str(trusted)), said.append))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Config, "load", loaded)
        files = {"ssl_certfile": str(own), "ssl_keyfile": str(own)}
        with serving(echo, http=door(Standing(50, 50)), **files) as (url, _):
            yield SimpleNamespace(
                at=(tmp_path, url.replace("http://127.0.0.1", "https://localhost")), trusted=trusted, own=own,
                look=made[0].look, said=said,
            )  # fmt: skip


def test_who_vouches_for_clients_and_who_we_are_is_read_again_while_it_serves(moving):
    assert shown(moving.at, ISSUED)["certificate"]
    with pytest.raises(OSError, match=r"(?i)ssl|reset|closed|alert"):
        shown(moving.at, ALONE)
    moving.trusted.write_bytes(pem(ALONE))
    moving.look()
    assert shown(moving.at, ALONE)["certificate"] == certificate.digest(ALONE.der)
    with pytest.raises(OSError, match=r"(?i)ssl|reset|closed|alert"):
        shown(moving.at, ISSUED)
    moving.trusted.write_bytes(b"half a certif")
    moving.look()
    assert shown(moving.at, ALONE)["certificate"], "what cannot be read leaves in force what was there"
    assert len(moving.said) == 1
    assert "stay in force" in moving.said[0]
    moving.trusted.write_bytes(pem(ALONE, AUTHORITY))
    other = certify("localhost", AUTHORITY)
    moving.own.write_bytes(Path(held(moving.at[0], other)).read_bytes())
    moving.look()
    assert shown(moving.at, ISSUED)["certificate"] == certificate.digest(ISSUED.der)
    port = int(moving.at[1].rpartition(":")[2].strip("/"))
    assert ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", port))) == other.der
    assert len(moving.said) == 1


def test_a_field_of_a_client_says_nothing_and_goes_no_further(secure):
    field = f":{base64.b64encode(ISSUED.der).decode()}:"
    said = shown(secure, **{"Client-Cert": field})
    assert said["certificate"] == ""
    assert "client-cert" not in said["heads"]
    assert shown(secure, ALONE, **{"Client-Cert": field})["certificate"] == certificate.digest(ALONE.der)


def field(one):
    return f":{base64.b64encode(one.der).decode()}:"


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A whole server behind a proxy that is named in its settings: this machine."""
    folder = tmp_path_factory.mktemp("behind")
    folder.chmod(0o700)
    world = World(folder).settle()
    world.act(lambda c: login.keep(c, "token", ADMIN, "operator"))
    app = build(world.authority, world.batch, echo, WebSettings(certificates=True), world.gate)
    with serving(app, http=door(Standing(50, 50), proxy="127.0.0.1")) as (url, loop):
        yield Site(world, url, loop)
    world.close()


def test_what_is_asked_for_with_a_certificate_is_bound_to_it(behind):
    bot = behind.agent("bot")
    world, by = behind.world, behind.world.owner.id
    behind.act(lambda c: brief.apply(c, world.a_brief(agents=(bot,)), "operator"))
    errand = behind.act(lambda c: task.open_task(c, brief="notes", agent=bot, requester=by, by=by))
    asked = {"grant_type": "client_credentials", "task": errand.id}
    given = behind.form("/oauth/token", asked | behind.client(bot), **{"client-cert": field(ISSUED)}).json
    assert given["token_type"] == "Bearer"
    token, digest = given["access_token"], certificate.digest(ISSUED.der)
    told = behind.form("/oauth/introspect", {"token": token} | behind.client(bot)).json
    assert told["cnf"] == {"x5t#S256": digest}
    heads = {"authorization": f"Bearer {token}"}
    statuses = {
        name: ask(f"{behind.url}/v1/tasks", headers=heads | more).status
        for name, more in {
            "with it": {"client-cert": field(ISSUED)},
            "without": {},
            "another": {"client-cert": field(ALONE)},
            "two": {"client-cert": f"{field(ISSUED)}, {field(ALONE)}"},
            "none": {"client-cert": "x"},
        }.items()
    }
    assert statuses == {"with it": 200, "without": 401, "another": 401, "two": 401, "none": 401}
    entry = behind.world.gate.enter(token, "notes")
    assert entry.code == "possession_missing"


def an_agent(behind, name, **key):
    """An agent with a task, whose one registered key says this besides."""
    world, owner = behind.world, behind.world.owner.id
    jwk = ECKey.generate_key("P-256").as_dict(private=False) | key
    given = {"name": name, "owner": owner, "purpose": "Keeps notes.", "ceiling": ("mcp:notes/*",), "by": "operator"}
    due = world.authority.clock.now() + DAY
    made = behind.act(lambda c: agent.add(c, keys=(jwk,), review_due=due, **given)).id
    behind.act(lambda c: brief.apply(c, world.a_brief(name=name, agents=(made,)), "operator"))
    errand = behind.act(lambda c: task.open_task(c, brief=name, agent=made, requester=owner, by=owner))
    return made, errand.id


def asked(behind, bot, errand, *shown):
    form = {"grant_type": "client_credentials", "task": errand, "client_id": bot}
    heads = {"client-cert": ", ".join(field(one) for one in shown)} if shown else {}
    return behind.form("/oauth/token", form, **heads)


def test_an_agent_proves_itself_by_a_certificate_that_is_registered(behind):
    bot, errand = an_agent(behind, "alone", **{"x5t#S256": certificate.digest(ALONE.der)})
    given = asked(behind, bot, errand, ALONE).json
    told = behind.form("/oauth/introspect", {"token": given["access_token"], "client_id": bot})
    assert told.status == 401
    told = behind.form(
        "/oauth/introspect", {"token": given["access_token"], "client_id": bot}, **{"client-cert": field(ALONE)}
    )
    assert told.json["cnf"] == {"x5t#S256": certificate.digest(ALONE.der)}
    for shown in ((), (ISSUED,), (STRANGER,), (ALONE, ISSUED)):
        assert asked(behind, bot, errand, *shown).json["error"] == "invalid_client"


def test_an_agent_proves_itself_by_a_certificate_that_was_issued_to_it(behind):
    bot, errand = an_agent(behind, "named")
    good = certify("bot", AUTHORITY, f"urn:remit:{bot}")
    assert asked(behind, bot, errand, good).json["token_type"] == "Bearer"
    itself = certify("bot", None, f"urn:remit:{bot}")
    for shown in (itself, ISSUED, certify("bot", AUTHORITY, f"urn:remit:{bot}x"), certify("bot", AUTHORITY)):
        assert asked(behind, bot, errand, shown).json["error"] == "invalid_client"
    other, theirs = an_agent(behind, "other")
    assert asked(behind, other, theirs, good).json["error"] == "invalid_client"
    assert asked(behind, bot, theirs, good).json["error"] == "invalid_grant"


@pytest.fixture
def direct(tmp_path):
    """A whole server that ends TLS itself, and trusts an authority and the self-signed certificate of one agent."""
    tmp_path.chmod(0o700)
    rogue = certify("authority of its own")
    world = World(tmp_path / "store").settle()
    world.act(lambda c: login.keep(c, "token", ADMIN, "operator"))
    app = build(world.authority, world.batch, echo, WebSettings(certificates=True), world.gate)
    with behind_tls(app, tmp_path, AUTHORITY, rogue) as (url, loop):
        yield Site(world, url, loop), rogue, tmp_path
    world.close()


def test_what_is_an_agents_own_certificate_vouches_for_no_other_agent(direct):
    site, rogue, folder = direct
    an_agent(site, "rogue", **{"x5t#S256": certificate.digest(rogue.der)})
    bot, errand = an_agent(site, "named")
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "task": errand, "client_id": bot}).encode()

    def said(one):
        context = ssl.create_default_context(cadata=pem(AUTHORITY).decode())
        context.load_cert_chain(held(folder, one))
        handlers = urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
        try:
            with urllib.request.build_opener(*handlers).open(f"{site.url}/oauth/token", form, timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as fault:
            with fault:
                return json.loads(fault.read())

    assert said(certify("bot", AUTHORITY, f"urn:remit:{bot}"))["token_type"] == "Bearer"
    assert said(certify("bot", rogue, f"urn:remit:{bot}"))["error"] == "invalid_client"


def test_behind_a_proxy_too_what_it_says_stands_above_is_looked_at(behind):
    rogue = certify("authority of its own")
    an_agent(behind, "rogue", **{"x5t#S256": certificate.digest(rogue.der)})
    bot, errand = an_agent(behind, "below")
    form = {"grant_type": "client_credentials", "task": errand, "client_id": bot}
    heads = {"client-cert": field(certify("bot", rogue, f"urn:remit:{bot}")), "client-cert-chain": field(rogue)}
    assert behind.form("/oauth/token", form, **heads).json["error"] == "invalid_client"


def test_the_metadata_say_so_where_it_can_be(behind):
    said = behind.get("/.well-known/oauth-authorization-server", "").json
    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(said["token_endpoint_auth_methods_supported"])


@pytest.mark.parametrize("text", [b"", b"::", b":x:", b":AAAA:", b"AAAA", b":" + b"A" * 20_000 + b":"])
def test_a_field_that_is_none_is_no_certificate(text):
    assert certificate.from_field(text) is None


def test_names_are_read_and_what_has_none_has_none():
    assert certificate.names(ISSUED.der) == ("urn:remit:issued",)
    assert certificate.names(ALONE.der) == ()
    assert certificate.names(b"no certificate") == ()


@pytest.mark.parametrize(
    "values",
    [
        {"client_certificates": "file:x"},
        {"certificate_proxy": "proxy.example"},
        {"certificate_proxy": "10.0.0.0/8"},
        {"certificate_proxy": "10.0.0.1", "client_certificates": "file:x", "tls_cert": "file:c", "tls_key": "file:k"},
        {"client_certificates": "x", "tls_cert": "file:c", "tls_key": "file:k"},
    ],
    ids=str,
)
def test_settings_that_leave_open_who_says_so_are_refused(values):
    with pytest.raises(RemitError) as fault:
        load({}, values)
    assert fault.value.code == "setting_invalid"


def test_a_bundle_that_is_none_is_refused(tmp_path):
    with pytest.raises(RemitError):
        ask_for_certificates(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ([b"192.0.2.1"], "192.0.2.1"),
        ([b"10.0.0.1, 192.0.2.1"], "192.0.2.1"),
        ([b"10.0.0.1", b"192.0.2.1"], "192.0.2.1"),
        ([b"2001:db8::1"], "2001:db8::1"),
        ([b"192.0.2.1:80"], ""),
        ([b"192.0.2.1, \xff"], ""),
        ([b"192.0.2.1,"], ""),
        ([], ""),
    ],
)
def test_whose_rate_it_is_is_the_last_address_that_the_proxy_added(fields, address):
    assert forwarded([(b"x-forwarded-for", one) for one in fields]) == address


def test_an_address_counts_from_the_named_proxy_alone():
    async def who(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})

    for proxy, seen in (("127.0.0.1", b"192.0.2.7"), ("", b"127.0.0.1"), ("10.0.0.1", b"127.0.0.1")):
        with serving(who, http=door(Standing(50, 50), proxy=proxy), proxy_headers=False) as (url, _):
            assert ask(url, headers={"x-forwarded-for": "10.9.9.9, 192.0.2.7"}).body == seen
