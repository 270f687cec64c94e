"""Faults as HTTP answers."""

from remit.web.problem import status


def test_a_fault_has_the_status_of_its_kind():
    known = {"not_found": 404, "store_busy": 503, "clock_jumped": 503, "policy_untested": 422, "json_invalid": 400}
    assert {one: status(one) for one in known} == known
