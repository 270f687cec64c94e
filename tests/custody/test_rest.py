"""What the sources of HTTP targets share."""

from contextlib import closing

import pytest

from remit.custody.sources.rest import Api, secure
from tests.custody.sources import refused
from tests.kit.answering import Answering

CANARY = "sk-canary-4f1c"


def test_a_redirect_is_an_answer_and_never_followed():
    with closing(Answering(lambda asked: (200, {"got": asked.headers}))) as elsewhere:
        with closing(Answering(lambda _: (307, None, {"location": elsewhere.url}))) as first:
            answer = Api("x", "X", first.url).ask("POST", "/a", {"authorization": CANARY}, sent={"a": 1})
            assert (answer.status, answer.said) == (307, {})
        assert elsewhere.seen == []


def test_what_was_sent_and_what_came_back_show_nowhere():
    with closing(Answering(lambda asked: (400, {"error": asked.headers["authorization"]}))) as server:
        api = Api("x", "X", server.url)
        answer = api.ask("GET", "/a", {"authorization": CANARY})
        assert answer.text("error") == CANARY
        assert CANARY not in repr(answer) + str(api.declined(answer, "do it"))


def test_what_is_no_object_is_nothing_and_what_is_away_is_a_fault():
    with closing(Answering(lambda _: (200, [1]))) as server:
        answer = Api("x", "X", server.url).ask("POST", "/", {}, form={"a": "b&c"})
        assert (answer.said, answer.member("a"), answer.text("a"), answer.objects("a")) == ({}, None, "", [])
        assert server.seen[0].form == {"a": "b&c"}
    assert refused(Api("x", "X", "http://127.0.0.1:1").ask, "GET", "/", {}) == "target_unavailable"


@pytest.mark.parametrize(
    "url", ["", "http://example/", "ftp://127.0.0.1/", "https://u:p@example/", "https://example/?a=b", "https://"]
)
def test_an_address_is_https_and_holds_no_secret(url):
    assert refused(secure, "x", "address", url) == "setting_invalid"
