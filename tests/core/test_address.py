"""Which addresses may be reached; the table of all ranges stands in tests/gateway/test_upstream_origin.py."""

from remit.core.address import inside, literal, loopback, public

IPS = ("93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254", "x")


def test_three_rules_about_the_same_addresses():
    rules = (public, inside, loopback)
    told = {
        ip: [rule(ip) for rule in rules] for ip in ("93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254", "x")
    }
    assert told == {
        "93.184.216.34": [True, True, False],
        "10.0.0.1": [False, True, False],
        "127.0.0.1": [False, True, True],
        "169.254.169.254": [False, False, False],
        "x": [False, False, False],
    }
    assert literal("127.0.0.1") is not None
    assert literal("127.1") is None
