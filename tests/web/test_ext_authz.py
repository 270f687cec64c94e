"""The check of Envoy and nginx against a real server: 200 is the only yes."""

import pytest

from tests.kit.door import door
from tests.kit.proving import Holder
from tests.kit.site import ask
from tests.kit.world import ISSUER


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door")
    folder.chmod(0o700)
    with door(folder) as one:
        yield one


def code(answer, status):
    assert answer.status == status, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert "x-remit-permit" not in answer.headers
    return answer.json["code"]


def test_a_yes_carries_its_permit_and_takes_the_agents_credential_away(shop):
    answer = shop.check("/orders/o-1")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-envoy-auth-headers-to-remove"] == "authorization,dpop"
    receipt = dict(shop.decided())[int(answer.headers["x-remit-leaf"])]
    assert receipt["call"] == answer.headers["x-remit-permit"]
    assert (receipt["action"], receipt["service"]) == ("mcp:shop/get_order", shop.service)
    assert shop.told(answer.headers["x-remit-permit"]).status == 200


def test_a_no_says_why(shop):
    assert code(shop.check("/orders/secret"), 403) == "argument_refused"
    assert code(shop.check("/orders/o-1?more=1"), 403) == "argument_unknown"
    assert code(shop.check("/find?q=a"), 403) == "rows_uncounted"


def test_bodies_are_decided_and_one_that_was_not_shown_is_refused(shop):
    assert shop.check("/orders/o-1", "PUT", {"amount": 3}).status == 200
    assert code(shop.check("/orders/o-1", "PUT", {"amount": 51}), 403) == "argument_refused"
    assert code(shop.check("/orders/o-1", "PUT", {"amount": 3}, x_envoy_auth_partial_body="true"), 400) == "body_unseen"
    assert code(shop.check("/orders/o-1", "PUT", {"amount": 3}, x_envoy_auth_partial_body=""), 400) == "body_unseen"
    assert code(shop.check("/orders/o-1", "PUT", b'{"amount":3,"amount":60}'), 400) == "json_invalid"
    assert code(shop.check("/orders/o-1", "GET", {"amount": 3}), 400) == "body_refused"
    assert code(shop.check("/orders/o-1", "PUT", {"amount": 3}, content_type="text/plain"), 400) == "body_refused"


@pytest.mark.parametrize(
    "path",
    ["/orders/../admin", "/orders/%2e%2e/admin", "/orders//o-1", "/orders/a%2Fb", "/orders/%6f-1", "/find?q=a&q=b", ""],
)
def test_http_03_what_could_be_read_otherwise_is_400(path, shop):
    assert code(shop.check(path), 400) == "request_ambiguous"


@pytest.mark.parametrize("name", ["x_http_method_override", "x_original_url", "x_rewrite_url"])
def test_a_header_that_names_another_request_is_400(name, shop):
    assert code(shop.check("/orders/o-1", **{name: "/admin"}), 400) == "request_ambiguous"


def test_who_is_not_known_gets_no_yes(shop):
    assert code(shop.check("/orders/o-1", x_remit_service=""), 403) == "unauthenticated"
    assert code(shop.check("/orders/o-1", x_remit_service="wrong"), 403) == "unauthenticated"
    assert code(shop.check("/orders/o-1", x_remit_service=shop.credential), 403) == "unauthenticated"
    assert code(shop.check("/orders/o-1", authorization=""), 401) == "invalid_token"
    assert code(shop.check("/orders/o-1", authorization=f"Basic {shop.credential}"), 401) == "invalid_token"
    assert code(shop.check("/orders/o-1", authorization=f"Bearer {shop.token}"), 401) == "invalid_token"


def test_other_resources_methods_and_addresses_get_no_yes(shop):
    head = {"authorization": f"Bearer {shop.credential}", "x-remit-service": shop.token}
    url = f"{shop.site.url}/ext-authz"
    assert code(ask(f"{url}/none/orders/o-1", headers=head), 401) == "invalid_token"
    assert code(ask(f"{url}/NONE/orders/o-1", headers=head), 400) == "name_invalid"
    assert code(ask(f"{url}/notes/orders/o-1", headers=head), 400) == "operation_unknown"
    assert ask(f"{url}/shop/orders/o-1", "TRACE", headers=head).status == 405
    assert code(shop.check("/orders/o-1", "DELETE"), 400) == "operation_unknown"


def test_a_store_that_fails_is_a_no(tmp_path):
    tmp_path.chmod(0o700)
    with door(tmp_path) as one:
        one.site.world.authority.db.close()
        assert one.check("/orders/o-1").status == 403
        one.site.world.authority.db.close()
        assert one.evaluate().json["decision"] is False


def test_after_revoke_has_returned_nothing_goes_on(tmp_path):
    tmp_path.chmod(0o700)
    with door(tmp_path) as one:
        assert one.check("/orders/o-1").status == 200
        one.site.send("/v1/revocations", {"kind": "task", "target": one.task, "because": "enough"})
        assert code(one.check("/orders/o-1"), 403) == "task_ended"


EDGE = "https://shop.example"


def bound(shop, holder):
    return shop.site.token(shop.bot, shop.task, dpop=holder.proof(f"{ISSUER}/oauth/token")).json["access_token"]


def test_a_bound_credential_is_proved_where_the_data_plane_stands(shop):
    holder = Holder()
    token = bound(shop, holder)
    shown = {"authorization": f"DPoP {token}", "x_remit_origin": EDGE}
    proof = holder.proof(f"{EDGE}/orders/o-1", token, "GET")
    assert shop.check("/orders/o-1", dpop=proof, **shown).status == 200
    assert code(shop.check("/orders/o-1", dpop=proof, **shown), 401) == "proof_used"
    for wrong in (
        {"dpop": holder.proof("https://evil.example/orders/o-1", token, "GET")},
        {"dpop": holder.proof(f"{EDGE}/orders/o-2", token, "GET")},
        {"dpop": holder.proof(f"{EDGE}/orders/o-1", token, "PUT")},
        {"dpop": holder.proof(f"{EDGE}/orders/o-1", token, "GET"), "x_remit_origin": ""},
    ):
        assert code(shop.check("/orders/o-1", **shown | wrong), 401) == "proof_elsewhere"
    assert code(shop.check("/orders/o-1", authorization=f"Bearer {token}"), 401) == "invalid_token"
    late = shop.check("/orders/o-1", dpop=holder.proof(f"{EDGE}/orders/o-1", token, "GET", iat=1), **shown)
    assert code(late, 401) == "proof_time"
    assert late.headers["dpop-nonce"]


def test_a_bound_credential_is_proved_at_the_decision_point_too(shop):
    holder = Holder()
    token = bound(shop, holder)

    def proved(**said):
        url = "https://edge.example/mcp"
        proof = {"dpop": holder.proof(url, token, **said), "method": "POST", "url": url}
        context = {"credential": token, "arguments": {"path": "/notes/a"}, "proof": proof}
        return shop.evaluate(context=context).json, context

    said, context = proved()
    assert said["decision"] is True
    assert shop.evaluate(context=context).json["context"]["code"] == "proof_used"
    assert proved(iat=1)[0]["context"]["nonce"]
    assert shop.evaluate(context={**context, "proof": {"dpop": "x"}}).status == 400
