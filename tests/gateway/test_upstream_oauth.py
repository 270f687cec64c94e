"""The gate lets itself in at a target that wants a token: found, asked for, bound, renewed, shown to nobody else."""

import asyncio
import json

import pytest
from joserfc.jwk import ECKey

from remit.control import resource
from remit.core.errors import RemitError
from remit.core.resource import Admission, Upstream
from remit.custody.secret import Secret
from remit.gateway.upstream.oauth import challenge, discovery, grant, keys
from remit.gateway.upstream.oauth.admission import Admission as Entrance
from remit.gateway.upstream.offer import offered
from remit.gateway.upstream.reply import Reply
from tests.kit.agent import Agent
from tests.kit.gate import gate_for
from tests.kit.guarded import CLIENT, guarded
from tests.kit.upstream import TOOLS

KEY = ECKey.generate_key("P-256")
PEM = KEY.as_pem(private=True)


@pytest.fixture(scope="module")
def both():
    with guarded(KEY) as guard:
        admission = Admission(issuer=guard.url, client=CLIENT, key="at-the-target")
        place = Upstream(url=f"{guard.url}/mcp", modern=True, admission=admission)
        with gate_for(tools=TOOLS, upstream=place) as gate:
            gate.act(lambda c: resource.put_secret(c, "at-the-target", Secret(PEM)))
            yield guard, gate


@pytest.fixture
def guard(both):
    one = both[0]
    one.issuer = one.says = one.url
    one.resource, one.broken = f"{one.url}/mcp", ""
    one.tokens.clear()
    return one


@pytest.fixture
def agent(both):
    return Agent(both[1].url, both[1].token)


def test_a_call_gets_the_gate_in_with_a_token_of_its_own(agent, guard, both):
    before = len(guard.inner.heads)
    assert agent.call("echo", {"text": "x"}).text == "x"
    guard.turn()
    assert agent.call("echo", {"text": "y"}).text == "y", "a new nonce is taken up in the same call"
    assert len(guard.forms) >= 1
    shown = guard.inner.heads[before:]
    assert {one["authorization"].split()[0] for one in shown} == {"DPoP"}
    assert both[1].token not in json.dumps(shown), "the agent's credential stays here"
    assert agent.call("echo", {"text": "z"}).text == "z"


def test_the_gates_token_never_comes_back_in_an_answer(agent, guard):
    said = agent.call("reflect").data
    tokens = list(guard.tokens)
    assert tokens
    assert not any(one.encode()[-32:] in said for one in tokens)


def test_a_token_that_is_refused_is_asked_for_anew(agent, guard):
    assert agent.call("echo", {"text": "x"}).text == "x"
    guard.tokens.clear()
    count = len(guard.forms)
    assert agent.call("echo", {"text": "y"}).text == "y"
    assert len(guard.forms) > count


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "upstream_unregistered"),
        ({"says": "http://127.0.0.1:1"}, "upstream_issuer"),
        ({"resource": "https://evil.example/mcp"}, "upstream_other_resource"),
        ({"broken": "invalid_client"}, "upstream_grant"),
    ],
    ids=str,
)
def test_what_is_not_as_registered_gets_nothing_and_is_told(agent, guard, both, wrong, code):
    for name, value in wrong.items():
        setattr(guard, name, value)
    forms, ran = len(guard.forms), len(guard.inner.ran())
    told = agent.call("echo", {"text": "x"})
    assert told.code in (code, "upstream_unreachable")
    assert b"secret words" not in told.data
    assert len(guard.inner.ran()) == ran
    assert len(guard.forms) == forms + ("broken" in wrong), "the gate's assertion goes to the registered issuer only"
    assert both[1].calls()[-1] == ("mcp:target/echo", "allow")


def test_a_target_is_registered_through_its_own_door(guard):
    admission = Admission(issuer=guard.url, client=CLIENT, key="k")
    place = Upstream(url=f"{guard.url}/mcp", admission=admission)
    found = asyncio.run(offered(place, key=PEM))
    assert set(found.tools) == set(TOOLS)
    with pytest.raises(RemitError) as fault:
        asyncio.run(offered(Upstream(url=f"{guard.url}/mcp")))
    assert fault.value.code == "upstream_unauthorized"


def test_only_a_p256_key_is_taken():
    for pem in (b"", b"no key", ECKey.generate_key("P-384").as_pem(private=True), KEY.as_pem(private=False)):
        with pytest.raises(RemitError) as fault:
            keys.from_pem(pem)
        assert fault.value.code == "upstream_key"


def test_challenges_are_read_as_they_are_written():
    said = [b'Bearer realm="a, b", scope="x y", error="e\\"q"', b"DPoP algs=ES256, error=use_dpop_nonce", b"Negotiate"]
    found = challenge.challenges(said)
    assert [(one.scheme, one.parameters) for one in found] == [
        ("bearer", {"realm": "a, b", "scope": "x y", "error": 'e"q'}),
        ("dpop", {"algs": "ES256", "error": "use_dpop_nonce"}),
        ("negotiate", {}),
    ]
    assert challenge.wanted([b"Basic realm=x", b"Bearer, DPoP"]).scheme == "bearer"
    assert challenge.wanted([b"=", b'"', b"\xff\xfe"]).parameters == {}


@pytest.mark.parametrize("path", ["", "/a", "/a/"])
def test_a_resource_covers_what_lies_below_it_and_nothing_beside(path):
    url = f"https://t.example{path or '/'}b".replace("//b", "/b")
    assert discovery._covers("https://t.example", url)
    for other in ("https://t.example.evil", "http://t.example", "https://t.example:444", "https://t.example/bb", ""):
        assert not discovery._covers(other, "https://t.example/b")


def test_a_consent_that_answers_another_request_is_refused():
    back = "http://127.0.0.1:8787/back"
    told = {"issuer": "https://as.example", "token": "x", "authorize": "https://as.example/a", "register": ""}
    server = discovery.Server(**told, scopes=(), methods=(), proofs=(), pkce=True, documents=False, says_issuer=True)

    def answers(query, where=back):
        async def browser(url):
            state = dict(one.split("=") for one in url.partition("?")[2].split("&"))["state"]
            return f"{where}?{query.replace('STATE', state)}"

        return grant.code(browser, back)(server, "c", grant.Want("https://t.example", ()))

    good = asyncio.run(answers("code=1&state=STATE&iss=https%3A%2F%2Fas.example"))
    assert good["code"] == "1"
    for wrong in (
        "code=1&state=STATE", "code=1&state=other&iss=https%3A%2F%2Fas.example",
        "code=1&state=STATE&iss=https%3A%2F%2Fas.example%2F",
        "error=access_denied&state=STATE&iss=https%3A%2F%2Fas.example",
        "code=1&code=2&state=STATE&iss=https%3A%2F%2Fas.example",
    ):  # fmt: skip
        with pytest.raises(RemitError) as fault:
            asyncio.run(answers(wrong))
        assert fault.value.code == "upstream_consent"
    with pytest.raises(RemitError):
        asyncio.run(answers("code=1&state=STATE&iss=https%3A%2F%2Fas.example", "http://evil.example/back"))


@pytest.mark.parametrize(
    "place", ["169.254.169.254", "127.0.0.1:9", "10.0.0.1", "[::1]:9", "localhost:9", "192.168.1.1"]
)
def test_metadata_at_an_inner_address_are_not_fetched_because_a_target_says_so(place):
    admission = Admission(issuer="https://as.example", client="c", key="k")
    made = Entrance(Upstream(url="https://target.example/mcp", admission=admission))

    async def refuse(_):
        return Reply(401, [(b"www-authenticate", f'Bearer resource_metadata="http://{place}/x"'.encode())], Wire())

    with pytest.raises(RemitError) as fault:
        asyncio.run(made.send(PEM, b"POST", refuse))
    made.close()
    assert fault.value.code == "upstream_refused"


class Wire:
    """A connection that is gone."""

    def slow(self): ...

    def resume(self): ...

    def abort(self): ...
