"""A task's own authority, held against OpenSSL: what it vouches for, and what nobody may take from it."""

import contextlib
import ssl
import tempfile
import time

import pytest

from remit.core.moment import Instant
from remit.custody import issuing

NOW = 1_900_000_000_000
DAY = 86_400_000
BEGINS, ENDS = Instant(NOW), Instant(NOW + DAY)
SEED, OTHER = bytes(range(48)), bytes(range(1, 49))


def shaken(trusted, leaf, name, at=NOW):
    """One handshake in memory, as a client that trusts this authority and wants this name."""
    client = ssl.create_default_context(cadata=trusted.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(leaf.certificate + leaf.key)
        file.flush()
        server.load_cert_chain(file.name, password=leaf.passphrase)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    one, other = client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)
    for _ in range(6):
        for side in (one, other):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return one.getpeercert()


@pytest.fixture(autouse=True)
def now():
    """These certificates are of now, so that OpenSSL's own clock takes them."""
    global BEGINS, ENDS
    BEGINS, ENDS = Instant(int(time.time() * 1000)), Instant(int(time.time() * 1000) + DAY)


def authority(*hosts, seed=SEED):
    return issuing.authority(seed, "tsk_a", hosts, BEGINS, ENDS)


def leaf(host, seed=SEED):
    return issuing.leaf(seed, "tsk_a", host, BEGINS, ENDS, bytes(32))


@pytest.mark.parametrize("host", ["api.example", "10.1.2.3", "2001:db8::7", "localhost"])
def test_its_hosts_are_vouched_for_by_name_and_by_address(host):
    hosts = ("api.example", "10.1.2.3", "2001:db8::7", "localhost")
    assert shaken(authority(*hosts), leaf(host), host)
    assert shaken(authority(host), leaf(host), host)


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (("api.example",), "evil.test"), (("api.example",), "example"), (("api.example",), "10.1.2.3"),
        (("10.1.2.3",), "api.example"), (("10.1.2.3",), "10.1.2.4"), (("10.1.2.3",), "2001:db8::7"),
    ],
)  # fmt: skip
def test_no_other_host_is_whatever_it_signs(hosts, host):
    with pytest.raises(ssl.SSLCertVerificationError, match=r"permitted subtree|excluded subtree"):
        shaken(authority(*hosts), leaf(host), host)


def test_another_tasks_authority_vouches_for_nothing_here():
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(authority("api.example", seed=OTHER), leaf("api.example"), "api.example")


def test_the_same_task_has_the_same_authority_and_each_leaf_its_own_key():
    assert authority("api.example") == authority("api.example")
    assert authority("api.example") != authority("api.example", seed=OTHER)
    one, two = leaf("api.example"), leaf("api.example")
    assert one.key != two.key
    assert b"ENCRYPTED" in one.key
    assert one.until == ENDS
    assert "ENCRYPTED" not in repr(one)
