"""Faults as HTTP answers."""

import re

from remit.core.errors import RemitError
from remit.web.problem import OAUTH, oauth_problem, oauth_said, status
from tests.house import errors

REGISTERED = {*OAUTH, "temporarily_unavailable", "server_error", "invalid_request"}


def test_a_fault_has_the_status_of_its_kind():
    known = {"not_found": 404, "store_busy": 503, "clock_jumped": 503, "policy_untested": 422, "json_invalid": 400}
    assert {one: status(one) for one in known} == known


def test_every_fault_there_is_has_an_error_that_is_registered_and_its_remedy_in_the_description():
    for code in errors.rows():
        for authorize in (False, True):
            said = oauth_said(RemitError(code, 'It was "wrong".', "Do this: and\nthat."), authorize=authorize)
            assert said["error"] in REGISTERED, code
            assert said["error_description"].endswith("Do this: and'that."), code
            assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", said["error_description"]), "RFC 6749, 5.2"
        answer = oauth_problem(RemitError(code, "It was wrong.", "Do this."))
        assert answer.status_code >= 400, code
        assert answer.headers["cache-control"] == "no-store", code
