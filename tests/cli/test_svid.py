"""X.509-SVIDs over real mutual TLS: a workload is the agent that its SPIFFE id is bound to, by its domain's bundle."""

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from remit.cli.door import Standing, ask_for_certificates, door
from remit.control import attestor as attestors
from remit.control import brief, login
from remit.core.attestor import Attestor
from remit.custody import certificate as certificates
from remit.web.app import build
from remit.web.settings import WebSettings
from tests.kit import tls
from tests.kit.asking import opened
from tests.kit.site import ADMIN, Site, ask, serving
from tests.kit.vouching import DOMAIN, Authority, Platform, certificate
from tests.kit.world import ISSUER, World

PEM = serialization.Encoding.PEM
ID = f"spiffe://{DOMAIN}/agent/bot"
ROOT, ELSEWHERE = Authority(), Authority(name="elsewhere")
BETWEEN = Authority(name="between")
MIDDLE = certificate(ROOT, None, BETWEEN.key.public_key(), ca=True, uri=f"spiffe://{DOMAIN}", subject="between")
KEY = ec.generate_private_key(ec.SECP256R1())


def made(by=ROOT, **more):
    return certificate(by, None, KEY.public_key(), **({"uri": ID} | more))


async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One Remit behind our own TLS, which trusts two authorities; only one of them vouches for agents here."""
    folder = tmp_path_factory.mktemp("svid")
    folder.chmod(0o700)
    ca, leaf = tls.certificates(folder)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(b"".join(one.certificate.public_bytes(PEM) for one in (ROOT, ELSEWHERE)))
    real = uvicorn.Config.load

    def loaded(config):
        real(config)
        if config.ssl:
            ask_for_certificates(config.ssl, str(trusted))

    (folder / "world").mkdir(mode=0o700)
    world = World(folder / "world").settle()
    world.act(lambda c: login.keep(c, "token", ADMIN, "operator"))
    app = build(world.authority, world.batch, nothing, WebSettings(certificates=True), world.gate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.Config, "load", loaded)
        files = {"ssl_certfile": str(leaf), "ssl_keyfile": str(leaf)}
        with serving(app, http=door(Standing(50, 50)), **files) as (url, loop):
            one = Site(world, url.replace("http://127.0.0.1", "https://localhost"), loop)
            one.folder, one.ca = folder, ca
            settled(one)
            yield one
    world.close()


def settled(one):
    """An agent that is known by its SPIFFE id, another that is known by another one, and a task of each."""
    one.bot, one.other = one.agent("bot"), one.agent("other")
    wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=(one.world.owner.id,))
    one.act(lambda c: brief.apply(c, wide, "operator"))
    bundle = Platform(roots=[ROOT.certificate]).bundle("jwt-svid")
    given = {"name": "td", "kind": "spiffe", "issuer": f"spiffe://{DOMAIN}", "audience": ISSUER, "once": True}
    one.act(lambda c: attestors.add(c, Attestor(**given, keys=json.dumps(bundle)), "operator"))
    one.act(lambda c: attestors.bind(c, one.bot, "td", {"sub": ID}, "operator"))
    one.act(lambda c: attestors.bind(c, one.other, "td", {"sub": f"{ID}2"}, "operator"))
    one.task, one.theirs = opened(one, one.bot), opened(one, one.other)


def asked(place, *chain, task="", key=KEY, **more):
    """Ask for a credential over TLS with this chain: the status and what was said; 0 where TLS refused it."""
    context = ssl.create_default_context(cafile=place.ca)
    if chain:
        file = place.folder / "client.pem"
        secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(b"".join(one.public_bytes(PEM) for one in chain) + secret)
        context.load_cert_chain(file)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    form = {"grant_type": "client_credentials", "task": task or place.task} | more
    try:
        with opener.open(f"{place.url}/oauth/token", urllib.parse.urlencode(form).encode(), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, json.load(fault)
    except (ssl.SSLError, urllib.error.URLError, ConnectionError):
        return 0, {}


def test_a_workload_is_its_agent_with_or_without_saying_which(place):
    leaf = made()
    for more in ({}, {"client_id": place.bot}, {"client_id": ID}):
        status, said = asked(place, leaf, **more)
        assert status == 200, said
    digest = certificates.digest(leaf.public_bytes(serialization.Encoding.DER))
    body = said["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["client_id"] == place.bot
    assert claims["cnf"] == {"x5t#S256": digest}


def test_a_chain_that_the_client_sends_along_leads_to_the_root(place):
    assert asked(place, made(BETWEEN), MIDDLE)[0] == 200
    assert asked(place, made(BETWEEN))[0] == 0, "without it TLS knows no way"


@pytest.mark.parametrize(
    ("what", "leaf"),
    [
        ("another trust domain", made(ELSEWHERE, uri="spiffe://other.example/agent/bot")),
        ("our domain under another's root", made(ELSEWHERE)),
        ("a workload that is nobody here", made(uri=f"spiffe://{DOMAIN}/agent/nobody")),
        ("two names", made(uri=[ID, f"spiffe://{DOMAIN}/agent/b"])),
        ("a name of ours beside it", made(uri=[f"urn:remit:{'x' * 26}", ID])),
        ("the domain itself", made(uri=f"spiffe://{DOMAIN}")),
        ("one that may sign others", made(sign=True)),
        ("a path that goes up", made(uri=f"spiffe://{DOMAIN}/agent/../agent/bot")),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_tls_takes_and_is_no_svid_of_an_agent_is_refused(place, what, leaf):
    status, said = asked(place, leaf, client_id=place.bot)
    assert (status, said.get("error")) == (401, "invalid_client"), what


def test_what_is_over_or_not_for_clients_or_an_authority_comes_no_further_than_tls_or_is_refused(place):
    assert asked(place, made(days=-1), client_id=place.bot)[0] == 0, "it is over"
    assert asked(place, ROOT.certificate, key=ROOT.key, client_id=place.bot)[0] in (0, 401), "an authority"
    assert asked(place, MIDDLE, key=BETWEEN.key, client_id=place.bot)[0] in (0, 401), "an authority in between"


def test_another_agent_or_its_task_is_not_reached_and_an_end_of_the_binding_counts_at_once(place):
    assert asked(place, made(), client_id=place.other)[1]["error"] == "invalid_client"
    assert asked(place, made(), task=place.theirs)[1]["error"] == "invalid_grant"
    assert asked(place, made(uri=f"{ID}2"), task=place.theirs)[0] == 200
    assert asked(place)[1]["error"] == "invalid_client", "no certificate at all"
    for one in place.act(lambda c: [b for b in c.reader.where(attestors.Binding) if b.agent == place.other]):
        place.act(lambda c, i=one.id: attestors.unbind(c, i, "operator"))
    assert asked(place, made(uri=f"{ID}2"), task=place.theirs)[1]["error"] == "invalid_client"


def test_behind_a_proxy_what_it_says_is_judged_just_so(place):
    """The proxy that is named ended TLS, and checked nothing but that the key is held."""
    field = lambda one: f":{base64.b64encode(one.public_bytes(serialization.Encoding.DER)).decode()}:"  # noqa: E731
    app = build(place.world.authority, place.world.batch, nothing, WebSettings(certificates=True), place.world.gate)
    with serving(app, http=door(Standing(50, 50), proxy="127.0.0.1")) as (url, _):
        # The batch turns on the other server's loop; what is refused is refused before it is asked.
        def told(leaf, *above):
            heads = {"client-cert": field(leaf), "content-type": "application/x-www-form-urlencoded"}
            heads |= {"client-cert-chain": ", ".join(field(one) for one in above)} if above else {}
            form = urllib.parse.urlencode({"grant_type": "client_credentials", "task": "x"}).encode()
            return ask(f"{url}/oauth/token", "POST", form, heads).json["error"]

        known = "invalid_grant", "invalid_request", "invalid_authorization_details"
        assert told(made()) in known, "who it is counts, and the task that it names is none"
        assert told(made(BETWEEN), MIDDLE) in known
        assert told(made(BETWEEN)) == "invalid_client"
        assert told(made(days=-1)) == "invalid_client"
        assert (
            told(made(BETWEEN), certificate(ROOT, None, BETWEEN.key.public_key(), ca=True, days=-1)) == "invalid_client"
        )
        assert told(ROOT.certificate) == "invalid_client"
        assert told(made(), *[MIDDLE] * 5) == "invalid_client"
