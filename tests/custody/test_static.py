"""The static source: what may be injected, and that an echo of it never reaches the agent."""

import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.redact import MARK, Redactor
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted, Rung, Source
from remit.custody.sources.static import HeaderShape, StaticSource, VariableShape, register
from tests.custody.sources import Suite, fails_where_it_must

CANARY = b"sk-canary/4f+1c=9a&77<x>"
INTENT = Intent("remit-1", TaskId("tsk_a"), TrustPath.OWN, Instant(5))


def refused(act, *args):
    with pytest.raises(RemitError) as caught:
        act(*args)
    assert CANARY.decode() not in str(caught.value)
    return caught.value.code == "injection_refused"


def test_a_header_or_a_variable_is_lent_and_never_shown():
    header: Source = StaticSource(HeaderShape("Authorization", "Bearer {secret}"), lambda: Secret(CANARY))
    lent = header.lend(header.mint(INTENT))
    assert [(n, v.reveal()) for n, v in lent.headers] == [("Authorization", b"Bearer " + CANARY)]
    assert CANARY.decode() not in repr(lent)
    variable = StaticSource(VariableShape("CRM_TOKEN"), lambda: Secret(CANARY))
    assert [(n, v.reveal()) for n, v in variable.lend(variable.mint(INTENT)).environ] == [("CRM_TOKEN", CANARY)]
    assert lent.secrets() == (Secret(b"Bearer " + CANARY),)
    header.drop(Minted("remit-1", Instant(5), None))
    assert header.probe(Minted("remit-1", Instant(5), None)) is Gone.NOTHING
    assert not header.describe().dynamic


def test_it_does_what_every_source_does_and_never_calls_gone_what_it_cannot_end():
    """A standing secret opens its target for ever: what the suite holds here is that no probe says otherwise."""
    source = StaticSource(HeaderShape("Authorization", "Bearer {secret}"), lambda: Secret(CANARY))
    opens = lambda lent: lent.headers[0][1].reveal() == b"Bearer " + CANARY  # noqa: E731
    suite = Suite(source, lambda **m: INTENT, opens, gone=(Gone.NOTHING,), never=(Gone.NOTHING,))
    suite.holds()
    fails_where_it_must(suite)
    assert (source.describe().rung, source.describe().revocable) == (Rung.BROKERED, False)
    with pytest.raises(AssertionError, match="says nothing"):
        Suite(source, lambda **m: INTENT, opens).holds()


@pytest.mark.parametrize("bad", [b"\r\nX-Admin: 1", b"\n", b"\r", b"\0", b"\x7f", b"\x1b[0m", "é".encode(), b" "])
def test_http_15_control_characters_are_refused_at_registration_and_at_injection(bad):
    shape = HeaderShape("X-Key", "Key {secret}")
    value = Secret(CANARY + bad)
    assert refused(register, value, shape)
    source = StaticSource(shape, lambda: value)
    assert refused(source.mint, INTENT)
    stored = [Secret(CANARY)]
    changing = StaticSource(shape, lambda: stored[0])
    minted = changing.mint(INTENT)
    stored[0] = value
    assert refused(changing.lend, minted)


@pytest.mark.parametrize("bad", [b"\r\nX=1", b"\n", b"\0"])
def test_http_15_line_breaks_and_nul_are_refused_in_variables(bad):
    assert refused(register, Secret(CANARY + bad), VariableShape("KEY"))


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nY", "Host", "transfer-encoding", "Content-Length", "é"])
def test_http_15_a_header_name_is_a_token_that_does_not_frame(name):
    assert refused(HeaderShape, name, "{secret}")


@pytest.mark.parametrize("template", ["", "Bearer", "{secret}{secret}", "{secret}\r\nX: 1", " {secret}", "{secret}\0"])
def test_http_15_a_template_holds_the_secret_once_on_one_line(template):
    assert refused(HeaderShape, "X-Key", template)


@pytest.mark.parametrize(
    "name", ["", "1A", "A=B", "A\0", "LD_PRELOAD", "PATH", "PYTHONPATH", "NODE_OPTIONS", "REMIT_KEY"]
)
def test_a_variable_that_changes_what_runs_is_refused(name):
    assert refused(VariableShape, name)


def test_a_secret_too_short_to_be_redacted_is_refused():
    assert refused(register, Secret(b"1234567"), HeaderShape("X-Key", "{secret}"))


def spellings(value):
    text = value.decode()
    yield value
    yield urllib.parse.quote(text, safe="").encode()
    yield urllib.parse.quote(text, safe="").lower().encode() if text == text.lower() else value
    yield urllib.parse.quote_plus(text).encode()
    yield "".join(f"%{b:02x}" for b in value).encode()
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text).replace("/", "\\/")[1:-1].encode()
    yield "".join(f"\\u{b:04X}" for b in value).encode()
    yield html.escape(text).encode()
    yield "".join(f"&#{b};" for b in value).encode()
    yield value.hex().encode()
    yield value.hex().upper().encode()


def encoded(value, lead):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(lead + value)
        yield encode(lead + value).rstrip(b"=")
        yield encode(lead + value + b" and more")


@pytest.mark.parametrize("where", [b'{"error":"bad key %s here"}', b"GET /?k=%s HTTP/1.1", b"dur;desc=%s", b"%s"])
def test_mcp_20_and_http_13_an_echo_is_redacted_in_every_spelling(where):
    redactor = Redactor([CANARY])
    for spelled in spellings(CANARY):
        answer = where.replace(b"%s", spelled)
        assert redactor.redact(answer) == where.replace(b"%s", MARK), spelled
    for lead in (b"", b"u", b"us", b"user:"):
        for spelled in encoded(CANARY, lead):
            clean = redactor.redact(where.replace(b"%s", spelled))
            assert MARK in clean
            assert b64_core(lead) not in clean


def b64_core(lead):
    """Twelve characters out of the middle, which depend on the secret alone."""
    start = (len(lead) + 5) // 3 * 4
    return base64.b64encode(lead + CANARY)[start : start + 12]


def test_mcp_20_the_injected_form_goes_first_and_what_is_clean_is_untouched():
    source = StaticSource(HeaderShape("Authorization", "Bearer {secret}"), lambda: Secret(CANARY))
    redactor = Redactor(one.reveal() for one in source.secrets())
    assert redactor.redact(b"you sent Bearer " + CANARY + b"!") == b"you sent " + MARK + b"!"
    clean = b'{"text":"100% \\"fine\\" & well"}'
    assert redactor.redact(clean) is clean
    assert Redactor([]).redact(CANARY) == CANARY
    assert redactor.redact(CANARY[:-1]) == CANARY[:-1]


FILLER = st.sampled_from(
    [b"", b"x", b"sk-", b"sk-canary", CANARY[:-1], b"data: {}\n\n", b"%7", b"\\u00", b"&#", b"s" * 40]
)
PIECES = st.lists(FILLER | st.sampled_from(list(spellings(CANARY))), max_size=6)


@given(PIECES, st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_http_13_a_stream_cut_anywhere_says_what_the_whole_would(pieces, cuts):
    redactor = Redactor([CANARY, b"Bearer " + CANARY, CANARY[:12]])
    body, stream, out, at = b"".join(pieces), redactor.stream(), [], 0
    for n in range(len(body)):
        size = cuts[n % len(cuts)]
        if at >= len(body):
            break
        out.append(stream.feed(body[at : at + size]))
        at += size
    out.append(stream.end())
    assert b"".join(out) == redactor.redact(body)
    assert all(spelled not in b"".join(out) for spelled in spellings(CANARY))


def test_a_stream_holds_back_only_what_could_become_a_secret():
    stream = Redactor([CANARY]).stream()
    assert stream.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert stream.feed(b"data: " + CANARY[:10]) == b"data: "
    assert stream.feed(b" no\n\n") == CANARY[:10] + b" no\n\n"
    assert stream.seen == 0
    assert stream.feed(CANARY) + stream.end() == MARK
    assert stream.seen == 1
