"""Agents that platforms vouch for: real key sets over HTTP, tokens signed by a peer, bindings in the ledger."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from remit.control import attestor as attestors
from remit.control import brief, revocation
from remit.core.attestor import Attestor, Binding
from remit.core.credential import Credential
from remit.custody.assertion import claimed
from tests.kit import tls
from tests.kit.asking import error, opened
from tests.kit.nouns import code
from tests.kit.site import ASSERTION, serving, site
from tests.kit.vouching import DOMAIN, Authority, certificate, platform, svid_assertion
from tests.kit.world import ISSUER

SPIFFE = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
KUBERNETES = {
    "sub": "system:serviceaccount:agents:bot",
    "kubernetes.io": {"namespace": "agents", "serviceaccount": {"name": "bot", "uid": "u-1"}, "pod": {"name": "p"}},
}
GITHUB = {
    "sub": "repo:acme/bots:environment:prod", "repository": "acme/bots", "repository_id": "7", "environment": "prod",
    "ref": "refs/heads/main", "workflow": "run",
}  # fmt: skip
TOKENS = {
    "kubernetes": (KUBERNETES, {"kubernetes.io>namespace": "agents", "kubernetes.io>serviceaccount>name": "bot"}),
    "oidc": ({"sub": "w-1", "gcp": True}, {"sub": "w-1", "gcp": "true"}),
    "aws": ({"sub": "arn:aws:iam::1:role/bot"}, {"sub": "arn:aws:iam::1:role/bot"}),
    "azure": ({"sub": "s", "oid": "o-1", "tid": "t-1"}, {"oid": "o-1", "tid": "t-1"}),
}


@pytest.fixture
def world(tmp_path):
    tmp_path.chmod(0o700)
    with platform() as source, site(tmp_path) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=(one.world.owner.id,))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        one.task, one.source = opened(one, one.bot), source
        one.now = one.world.authority.clock.now() // 1000
        yield one


def registered(one, kind="oidc", **members):
    given = {"name": "p", "kind": kind, "issuer": one.source.url, "audience": ISSUER} | members
    return one.act(lambda c: attestors.add(c, Attestor(**given), "operator"))


def bound(one, claims, agent="", name="p"):
    return one.act(lambda c: attestors.bind(c, agent or one.bot, name, claims, "operator"))


def shown(one, text, kind=ASSERTION, task="", **more):
    asked = {"grant_type": "client_credentials", "task": task or one.task, "client_assertion": text}
    return one.form("/oauth/token", asked | {"client_assertion_type": kind} | more)


def issued(answer):
    assert answer.status == 200, answer.body
    return answer.json["access_token"]


@pytest.mark.parametrize("kind", TOKENS)
def test_a_workload_is_the_agent_that_its_claims_are_bound_to(world, kind):
    said, claims = TOKENS[kind]
    registered(world, kind)
    binding = bound(world, claims)
    text = world.source.token(world.now, aud=ISSUER, **said)
    one = claimed(issued(shown(world, text)))
    credential = world.act(lambda c: c.need(Credential, one["jti"]))
    assert (credential.agent, credential.binding, credential.attested) == (world.bot, binding.id, world.now * 1000)
    assert issued(shown(world, text, client_id=world.bot)), "such tokens count until they end, unless set otherwise"
    assert error(shown(world, text, client_id=world.other), 401) == "invalid_client"
    assert world.source.asked == 1


def test_github_has_one_issuer_and_needs_a_place_besides_the_repository(world):
    assert code(Attestor, name="g", kind="github", issuer=world.source.url, audience=ISSUER) == "binding_invalid"
    issuer = "https://token.actions.githubusercontent.com"
    pinned = json.dumps(world.source.bundle())
    registered(world, "github", issuer=issuer, keys=pinned, once=True)
    assert code(bound, world, {"repository": "acme/bots"}) == "binding_invalid"
    bound(world, {"repository": "acme/bots", "environment": "prod"})
    text = world.source.token(world.now, aud=ISSUER, iss=issuer, **GITHUB)
    issued(shown(world, text))
    assert error(shown(world, text), 401) == "invalid_client", "it counts once here"
    for name, value in (("environment", "dev"), ("repository", "acme/bots2"), ("environment", None)):
        said = GITHUB | {name: value}
        other = world.source.token(world.now, aud=ISSUER, iss=issuer, jti=f"{name}{value}", **said)
        assert error(shown(world, other), 401) == "invalid_client"
    assert error(shown(world, world.source.token(world.now, aud=ISSUER, iss=issuer, jti=None, **GITHUB)), 401)
    assert world.source.asked == 0, "pinned keys are not asked for"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://evil.test"}, {"aud": [ISSUER, "https://evil.test"]}, {"aud": None}, {"iss": "https://evil.test"},
        {"sub": "w-2"}, {"sub": ["w-1"]}, {"sub": None}, {"gcp": 1}, {"exp": None}, {"exp": 1}, {"exp": 99_999_999_999},
        {"nbf": 99_999_999_998}, {"iat": 99_999_999_997},
    ],
)  # fmt: skip
def test_another_audience_issuer_claim_or_time_is_nobody(world, changes):
    registered(world)
    bound(world, TOKENS["oidc"][1])
    text = world.source.token(world.now, **({"aud": ISSUER} | TOKENS["oidc"][0] | changes))
    answer = shown(world, text)
    assert error(answer, 401) == "invalid_client"
    assert text not in answer.body.decode()


def test_a_key_of_another_or_none_proves_nothing_and_a_rotated_one_is_found(world):
    registered(world)
    bound(world, TOKENS["oidc"][1])
    good = world.source.token(world.now, aud=ISSUER, **TOKENS["oidc"][0])
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for text in (f"{none}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "x", ""):
        assert shown(world, text).status in (400, 401)
    with platform() as stranger:
        stranger.url = world.source.url
        assert error(shown(world, stranger.token(world.now, aud=ISSUER, **TOKENS["oidc"][0])), 401)
    world.source.rotate()
    fresh = world.source.token(world.now, aud=ISSUER, **TOKENS["oidc"][0])
    steady = world.world.authority.clock._steady
    world.world.authority.clock._steady = lambda: steady() + 11 * 10**9
    issued(shown(world, fresh))
    asked = world.source.asked
    for _ in range(5):
        error(shown(world, f"{head}.{body}.{signature[:-4]}AAAA"), 401)
    assert world.source.asked == asked, "a stranger makes the platform be asked again and again"


def test_two_agents_of_one_platform_are_told_apart_and_claims_are_bound_once(world):
    registered(world)
    bound(world, {"sub": "w-1"})
    assert code(bound, world, {"sub": "w-1"}, world.other) == "binding_taken"
    bound(world, {"sub": "w-2"}, world.other)
    bound(world, {"sub": "w-2", "gcp": "true"}, world.bot)
    text = world.source.token(world.now, aud=ISSUER, sub="w-2", gcp=True)
    assert error(shown(world, text), 401) == "invalid_client", "two agents meet it: which is meant must be said"
    issued(shown(world, text, client_id=world.bot))
    theirs = opened(world, world.other)
    issued(shown(world, text, task=theirs, client_id=world.other))
    assert error(shown(world, text, client_id=world.other)) == "invalid_grant", "the other's task"


def test_what_was_given_by_a_binding_ends_with_it(world):
    registered(world)
    binding = bound(world, TOKENS["oidc"][1])
    text = world.source.token(world.now, aud=ISSUER, **TOKENS["oidc"][0])
    held = issued(shown(world, text))
    told = {"token": held} | world.client(world.bot)
    assert world.form("/oauth/introspect", told).json["active"]
    world.act(lambda c: attestors.remove(c, "p", "operator"))
    assert world.act(lambda c: c.need(Binding, binding.id)).state == "ended"
    assert error(shown(world, text), 401) == "invalid_client"
    assert not world.form("/oauth/introspect", {"token": held} | world.client(world.bot)).json["active"]
    registered(world)
    assert error(shown(world, text), 401) == "invalid_client", "a binding came back with its attestor"


def test_an_agent_that_is_gone_is_vouched_for_in_vain(world):
    registered(world)
    bound(world, TOKENS["oidc"][1])
    text = world.source.token(world.now, aud=ISSUER, **TOKENS["oidc"][0])
    world.act(lambda c: revocation.revoke(c, "agent", world.bot, "operator"))
    assert error(shown(world, text)) == "invalid_grant"


def test_a_jwt_svid_of_the_trust_domain_counts_and_of_another_does_not(world):
    world.source.rotate("EC")
    issuer = f"spiffe://{DOMAIN}"
    registered(world, "spiffe", issuer=issuer, keys_url=f"{world.source.url}/bundle")
    bound(world, {"sub": f"{issuer}/agent/bot"})
    good = {"aud": [ISSUER], "sub": f"{issuer}/agent/bot", "iss": None}
    issued(shown(world, world.source.token(world.now, **good), SPIFFE))
    issued(shown(world, world.source.token(world.now, **good)))
    for changes in (
        {"sub": f"{issuer}/agent/bot2"}, {"sub": "spiffe://other.example/agent/bot"}, {"sub": f"{issuer}/agent/../bot"},
        {"sub": f"{issuer}//agent/bot"}, {"sub": issuer}, {"sub": f"spiffe://{DOMAIN.upper()}/agent/bot"},
        {"aud": ["other"]}, {"aud": [ISSUER, "other"]}, {"exp": None},
    ):  # fmt: skip
        assert error(shown(world, world.source.token(world.now, **(good | changes)), SPIFFE), 401) == "invalid_client"
    registered(world, "oidc", name="q", keys_url=f"{world.source.url}/jwks")
    bound(world, {"sub": "w-1"}, name="q")
    plain = world.source.token(world.now, aud=ISSUER, sub="w-1")
    assert error(shown(world, plain, SPIFFE), 401) == "invalid_client", "no JWT-SVID"


def test_a_bundle_is_read_anew_and_an_older_one_is_not_taken(world):
    issuer = f"spiffe://{DOMAIN}"
    registered(world, "spiffe", issuer=issuer, keys_url=f"{world.source.url}/bundle")
    bound(world, {"sub": f"{issuer}/agent/bot"})
    said = {"aud": ISSUER, "sub": f"{issuer}/agent/bot", "iss": None}
    first = world.source.token(world.now, **said)
    issued(shown(world, first, SPIFFE))
    old = list(world.source.keys)
    world.source.rotate()
    world.source.keys, world.source.sequence = world.source.keys[:1], 2
    steady = world.world.authority.clock._steady
    world.world.authority.clock._steady = lambda: steady() + 11 * 10**9
    issued(shown(world, world.source.token(world.now, **said), SPIFFE))
    assert error(shown(world, first, SPIFFE), 401) == "invalid_client", "a withdrawn key still proves"
    world.source.keys, world.source.sequence = old, 1
    world.world.authority.clock._steady = lambda: steady() + 22 * 10**9
    assert error(shown(world, first, SPIFFE), 401) == "invalid_client", "an older bundle was taken"


def test_an_x509_svid_proves_by_its_key_and_its_chain(world):
    issuer, root, key = f"spiffe://{DOMAIN}", Authority(), ec.generate_private_key(ec.SECP256R1())
    world.source.roots = [root.certificate]
    registered(world, "spiffe", issuer=issuer, keys=json.dumps(world.source.bundle("jwt-svid")))
    bound(world, {"sub": f"{issuer}/agent/bot"})
    said = {"iss": f"{issuer}/agent/bot", "sub": f"{issuer}/agent/bot", "aud": ISSUER, "exp": world.now + 60}
    count = iter(range(1000))

    def tried(chain, signer=key, **changes):
        text = svid_assertion(signer, chain, **(said | {"jti": f"j{next(count)}"} | changes))
        return shown(world, text).status

    good = certificate(root, None, key.public_key())
    assert tried([good]) == 200
    between = Authority()
    middle = certificate(root, None, between.key.public_key(), ca=True, uri=issuer)
    assert tried([certificate(between, None, key.public_key()), middle]) == 200
    text = svid_assertion(key, [good], **said, jti="twice")
    assert [shown(world, text).status for _ in range(2)] == [200, 401]
    stranger = Authority()
    bad = {
        "another root": [certificate(stranger, None, key.public_key())],
        "an authority": [certificate(root, None, key.public_key(), sign=True)],
        "two names": [certificate(root, None, key.public_key(), uri=[f"{issuer}/agent/bot", f"{issuer}/b"])],
        "over": [certificate(root, None, key.public_key(), days=-1)],
        "another domain": [certificate(root, None, key.public_key(), uri="spiffe://other.example/agent/bot")],
        "a leaf in between": [certificate(between, None, key.public_key()), good],
        "no chain": [certificate(between, None, key.public_key())],
        "the root alone": [root.certificate],
    }
    for name, chain in bad.items():
        assert tried(chain) == 401, name
    assert tried([good], ec.generate_private_key(ec.SECP256R1())) == 401, "another's key"
    for changes in (
        {"aud": "https://evil.test"}, {"aud": [ISSUER, "x"]}, {"sub": f"{issuer}/agent/other"}, {"iss": "x"},
        {"exp": world.now + 4000}, {"exp": world.now - 1}, {"jti": None},
    ):  # fmt: skip
        assert tried([good], **dict(changes.items())) == 401, changes


def test_a_shared_secret_counts_only_where_the_settings_let_this_weak_way_in(world, tmp_path):
    made, text = world.act(lambda c: attestors.give_secret(c, world.bot, "operator"))
    asked = {"grant_type": "client_credentials", "task": world.task, "client_id": world.bot, "client_secret": text}
    assert error(world.form("/oauth/token", asked), 401) == "invalid_client"
    folder = tmp_path / "weak"
    folder.mkdir(mode=0o700)
    with site(folder, weak_client_secrets=True) as one:
        bot = one.agent("bot")
        one.act(lambda c: brief.apply(c, one.world.a_brief(agents=(bot,)), "operator"))
        errand = opened(one, bot)
        binding, text = one.act(lambda c: attestors.give_secret(c, bot, "operator"))
        asked = {"grant_type": "client_credentials", "task": errand}
        answer = one.form("/oauth/token", asked | {"client_id": bot, "client_secret": text})
        held = claimed(issued(answer))
        assert one.act(lambda c: c.need(Credential, held["jti"])).binding == binding.id
        basic = base64.b64encode(f"{bot}:{text}".encode()).decode()
        issued(one.form("/oauth/token", asked, authorization=f"Basic {basic}"))
        for wrong in ("x", text + "x", text[:-1], ""):
            bad = one.form("/oauth/token", asked | {"client_id": bot, "client_secret": wrong})
            assert error(bad, 401) == "invalid_client"
            assert not wrong or len(wrong) < 3 or wrong not in bad.body.decode()
        both = asked | {"client_id": bot, "client_secret": text}
        assert error(one.form("/oauth/token", both, authorization=f"Basic {basic}"), 401) == "invalid_client"
        one.act(lambda c: attestors.give_secret(c, bot, "operator"))
        assert error(one.form("/oauth/token", asked | {"client_id": bot, "client_secret": text}), 401)
    assert made.digest


def test_unlike_pairs_are_refused_when_they_are_registered(world):
    for members in (
        {"kind": "spiffe"}, {"kind": "oidc", "issuer": f"spiffe://{DOMAIN}"}, {"audience": ""}, {"kind": "x"},
        {"keys": "{}", "keys_url": "https://a.test"}, {"name": "secret"}, {"kind": "spiffe", "issuer": "spiffe://A"},
        {"kind": "spiffe", "issuer": f"spiffe://{DOMAIN}"},
    ):  # fmt: skip
        assert code(registered, world, **members) == "binding_invalid"
    assert code(registered, world, keys='{"keys":[]}') == "bundle_empty"
    registered(world)
    assert code(registered, world, issuer="https://other.test") == "name_taken"
    for claims in ({}, {"aud": "x"}, {"sub": ""}):
        assert code(bound, world, claims) == "binding_invalid"


GOOGLE = {
    "iss": "https://accounts.google.com", "azp": "1099", "sub": "10990", "email": "bot@acme.iam.gserviceaccount.com",
    "email_verified": True, "google": {"compute_engine": {"project_id": "acme", "instance_id": "7"}},
}  # fmt: skip
CLOUDS = {
    "google": (
        GOOGLE,
        {"sub": "10990", "google>compute_engine>project_id": "acme"},
        "google>compute_engine>project_id",
    ),
    "azure": ({"oid": "o-1", "tid": "t-1", "sub": "s"}, {"oid": "o-1", "tid": "t-1"}, "tid"),
    "aws": (
        {"sub": "arn:aws:iam::1:role/bot", "https://sts.amazonaws.com/": {"aws_account": "1", "org_id": "o"}},
        {"sub": "arn:aws:iam::1:role/bot", "https://sts.amazonaws.com/>aws_account": "1"},
        "https://sts.amazonaws.com/>aws_account",
    ),
}  # fmt: skip
"""What each cloud says of a workload, the claims that it is bound by, and one of them that another tenant has too."""


@pytest.mark.parametrize("kind", CLOUDS)
def test_a_clouds_token_counts_by_keys_that_its_issuer_serves_over_https(world, kind, tmp_path, monkeypatch):
    """Google's issuer is the one and only: its keys are where the operator says. The others' are found by discovery."""
    said, claims, shared = CLOUDS[kind]
    ca, leaf = tls.certificates(tmp_path)
    with serving(world.source.app, ssl_certfile=str(leaf), ssl_keyfile=str(leaf)) as (plain, _):
        secure = plain.replace("http://127.0.0.1", "https://localhost")
        world.source.url = secure
        issuer = said.get("iss", secure)
        keys = {"keys_url": f"{secure}/jwks"} if kind == "google" else {}
        registered(world, kind, issuer=issuer, **keys)
        bound(world, claims)
        good = {"aud": ISSUER} | said
        assert shown(world, world.source.token(world.now, **good)).status == 503, "a server that nobody vouches for"
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
        steady = world.world.authority.clock._steady
        world.world.authority.clock._steady = lambda: steady() + 11 * 10**9
        assert world.source.asked == 0
        text = world.source.token(world.now, **good)
        held = claimed(issued(shown(world, text)))
        assert world.act(lambda c: c.need(Credential, held["jti"])).agent == world.bot
        name, _, within = shared.partition(">")
        spoiled = {"tid": "t-2"} if not within else {name: {}}
        for changes in (
            spoiled,
            {"sub": "another", "oid": "another"},
            {"aud": "https://other.test"},
            {"iss": "https://x"},
        ):
            assert error(shown(world, world.source.token(world.now, **(good | changes))), 401) == "invalid_client", (
                changes
            )
        assert world.source.asked == 1
        if kind == "google":
            assert code(Attestor, name="g", kind=kind, issuer=secure, audience=ISSUER) == "binding_invalid"
