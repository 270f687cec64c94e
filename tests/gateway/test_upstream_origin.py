import pytest

from remit.core.address import inside, public
from remit.core.errors import RemitError
from remit.gateway.upstream.origin import Origin, parse, policy


@pytest.mark.parametrize(
    ("url", "origin", "target", "authority"),
    [
        ("https://tools.example/mcp", Origin("https", "tools.example", 443), b"/mcp", "tools.example"),
        ("http://tools.example:443?a=b", Origin("http", "tools.example", 443), b"/?a=b", "tools.example:443"),
        ("HTTPS://Tools.Example:443/", Origin("https", "tools.example", 443), b"/", "tools.example"),
        ("http://127.0.0.1:8080/a%20b", Origin("http", "127.0.0.1", 8080), b"/a%20b", "127.0.0.1:8080"),
        ("http://[::1]:81/", Origin("http", "::1", 81), b"/", "[::1]:81"),
        ("http://xn--bcher-kva.example/", Origin("http", "xn--bcher-kva.example", 80), b"/", "xn--bcher-kva.example"),
    ],
)
def test_a_plain_url_is_read(url, origin, target, authority):
    assert parse(url) == (origin, target)
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        *[
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://a.example/",
            "//a.example/",
            "a.example",
            "https://",
            "https:///x",
        ],
        *[
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://0x7f000001/",
        ],
        *["http://localhost./", "http://user@a.example/", "http://u:p@a.example/", "http://a.example@b.example/"],
        *["http://a.example:0/", "http://a.example:65536/", "http://a.example:x/", "http://a.example:-1/"],
        *["http://a.example/#f", "http://a.example\\@b.example/", "http://a..example/", "http://-a.example/"],
        *[
            "http://[::1%25eth0]/",
            "http://[fe80::1%eth0]/",
            "http://[::1",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://a_b*.example/",
        ],
        *["http://a.example/ b", "http://a.example/\r\nx", "http://b\u00fccher.example/", "http://\u2460.example/"],
        *["http://\uff11\uff12\uff17.0.0.1/", "http://a.example\0/", "http://a.example\t/", "", "http://$(id)/"],
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "example/",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url):
    with pytest.raises(RemitError) as fault:
        parse(url)
    assert fault.value.code == "origin_invalid"


NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "::ffff:169.254.169.254",
    "100.100.100.200",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fec0::1",
    "0.1.2.3",
    "168.63.129.16",
    "192.0.0.192",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:1::1",
    "64:ff9b:1::a9fe:a9fe",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "::7f00:1",
    "fe80::1%eth0",
    "nonsense",
    "2130706433",
]
LOCAL = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "fd12::1",
    "64:ff9b::7f00:1",
]
GLOBAL = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("ip", NEVER)
def test_metadata_and_special_addresses_are_always_refused(ip):
    assert not public(ip)
    assert not inside(ip)


@pytest.mark.parametrize("ip", LOCAL)
def test_inner_addresses_need_an_inner_registration(ip):
    assert not public(ip)
    assert inside(ip)


@pytest.mark.parametrize("ip", GLOBAL)
def test_outer_addresses_are_allowed(ip):
    assert public(ip)
    assert inside(ip)


def test_an_origin_is_held_to_what_was_registered():
    written = policy(Origin("http", "10.0.0.1", 80))
    assert written("10.0.0.1")
    assert not written("10.0.0.2")
    assert not policy(Origin("http", "169.254.169.254", 80))("169.254.169.254")
    local = policy(Origin("http", "localhost", 80))
    assert local("127.0.0.1")
    assert local("::1")
    assert not local("10.0.0.1")
    assert not local("1.1.1.1")
    assert policy(Origin("http", "tools.example", 80)) is public
