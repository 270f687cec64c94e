import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from remit.core.address import inside
from remit.core.errors import RemitError
from remit.gateway.upstream import tls
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.origin import Origin
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Reply
from tests.kit.upstreams import always, upstream


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request) -> Callable[[Callable[[], Awaitable[None]]], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def play(story: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(story(), 60))

    return play


# Addresses and TLS


def test_the_checked_address_is_the_one_that_is_dialled(run, monkeypatch):
    answers_given: list[str] = []

    async def story():
        async with upstream(always()) as (server, direct):
            loop = asyncio.get_running_loop()
            real = loop.getaddrinfo
            asked = []

            async def rebinding(host, port, **more):
                asked.append(host)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers_given[min(len(asked), 2) - 1], port))]

            class Loop:
                """The running loop with a name server that changes its mind."""

                getaddrinfo = staticmethod(rebinding)

                def __getattr__(self, name: str) -> object:
                    return getattr(loop, name)

            assert real is not None
            monkeypatch.setattr("remit.gateway.upstream.pool.asyncio.get_running_loop", Loop)
            # Public when it is checked, loopback had it been resolved again; and the other way round.
            answers_given[:] = ["127.0.0.1", "192.0.2.1"]
            seen: list[str] = []
            pool = Pool(
                Origin("http", "tools.example", direct.origin.port),
                allow=lambda ip: bool(seen.append(ip)) or inside(ip),
            )
            reply = await pool.request(b"POST", b"/")
            assert isinstance(reply, Reply)
            assert (asked, seen) == (["tools.example"], ["127.0.0.1"])
            assert b"host: tools.example:%d\r\n" % direct.origin.port in server.seen[0]
            pool.close()

    run(story)


@pytest.mark.parametrize("host", ["localhost.example", "tools.example"])
def test_one_refused_address_spoils_the_whole_answer(run, monkeypatch, host):
    async def story():
        async with upstream(always()) as (server, direct):
            loop = asyncio.get_running_loop()

            async def mixed(name, port, **more):
                ips = ("93.184.216.34", "127.0.0.1")
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

            class Loop:
                getaddrinfo = staticmethod(mixed)

                def __getattr__(self, name: str) -> object:
                    return getattr(loop, name)

            monkeypatch.setattr("remit.gateway.upstream.pool.asyncio.get_running_loop", Loop)
            outcome = await Pool(Origin("http", host, direct.origin.port)).request(b"POST", b"/")
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.REFUSED, False)
            assert server.connections == 0

    run(story)


def test_localhost_is_dialled_when_it_was_registered_by_that_name(run):
    async def story():
        async with upstream(always()) as (server, direct):
            pool = Pool(Origin("http", "localhost", direct.origin.port))
            assert isinstance(await pool.request(b"POST", b"/"), Reply)
            assert server.connections == 1
            pool.close()

    run(story)


def test_a_metadata_address_is_never_dialled(run):
    async def story():
        outcome = await Pool(Origin("http", "169.254.169.254", 80)).request(b"GET", b"/latest/meta-data/")
        assert isinstance(outcome, Fault)
        assert (outcome.code, outcome.sent) == (Trouble.REFUSED, False)

    run(story)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime.now(dt.UTC)

    def issue(name, key, issuer, issuer_key, extension):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(1))
        builder = builder.not_valid_after(now + dt.timedelta(1)).add_extension(extension, critical=True)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def name(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    authority, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    basic = x509.BasicConstraints(ca=True, path_length=None)
    (folder / "ca.pem").write_bytes(issue(name("ca"), authority, name("ca"), authority, basic))
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "leaf.pem").write_bytes(issue(name("leaf"), leaf, name("ca"), authority, alternatives) + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "leaf.pem")
    return server, str(folder / "ca.pem")


def test_tls_is_verified_and_kept_alive(run, certificates):
    server_side, authority = certificates

    async def story():
        options = {"context": server_side, "scheme": "https"}
        async with upstream(always(), tls=tls.context(authority=authority), **options) as (server, pool):
            for _ in range(3):
                reply = await pool.request(b"POST", b"/", body=b"{}")
                assert isinstance(reply, Reply)
                assert await reply.read(10) == b"{}"
            assert server.connections == 1
            wrong = Pool(Origin("https", "localhost", pool.origin.port), tls=tls.context(authority=authority))
            outcome = await wrong.request(b"POST", b"/")
            assert (outcome.code, outcome.sent) == (Trouble.UNREACHABLE, False)
        async with upstream(always(), tls=tls.context(), **options) as (server, pool):
            outcome = await pool.request(b"POST", b"/", [(b"authorization", b"Bearer secret")])
            assert (outcome.code, outcome.sent) == (Trouble.UNREACHABLE, False)
            assert server.seen == []

    run(story)


def test_a_context_that_does_not_verify_is_refused():
    lax = tls.context()
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    nameless = tls.context()
    nameless.check_hostname = False
    for scheme, context in (("https", None), ("https", lax), ("https", nameless), ("http", tls.context())):
        with pytest.raises(RemitError) as fault:
            Pool(Origin(scheme, "tools.example", 443), tls=context)
        assert fault.value.code == "upstream_tls"
    with pytest.raises(RemitError) as fault:
        tls.context(authority="/no/such/file.pem")
    assert fault.value.code == "upstream_tls"
