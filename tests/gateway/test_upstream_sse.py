import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.gateway.upstream.sse import COMMENT, Event, Reader


def read(stream: bytes) -> list[Event]:
    return Reader().feed(stream)


TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\0"), max_size=12)
EVENTS = st.builds(
    Event,
    data=st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"")),
    name=TEXT.filter(bool),
    id=st.none() | TEXT,
    retry=st.none() | st.integers(0, 10**9),
)
# Streams as rough as the wire gives them: every kind of line end, fields, comments, rubbish, a BOM now and then.
LINES = st.sampled_from(
    [
        *b"data: a|data|data:|data:  b|id: 7|id|id: x\0y|event: e|retry: 12|retry: x".split(b"|"),
        b": comment",
        b"",
        b"",
        b"unknown: x",
        b"data: \xff\xfe",
        b"\xef\xbb\xbfdata: c",
        b"id: \xc3\xa9",
    ]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=20).map(
    lambda parts: b"".join(line + end for line, end in parts)
)


def oracle(stream: bytes) -> list[Event]:
    """The standard's own words, line by line, with all of the stream at hand."""
    events: list[Event] = []
    data = b""
    name, own, retry = "", None, None
    for line in stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]:
        if line == b"":
            if data:
                events.append(Event(data.removesuffix(b"\n"), name or "message", own, retry))
            data, name, own, retry = b"", "", None, None
        elif line.startswith(b":"):
            continue
        else:
            field, colon, value = line.partition(b":")
            value = value[1:] if colon and value[:1] == b" " else value
            if field == b"data":
                data += value + b"\n"
            if field == b"event":
                name = value.decode("utf-8", "replace")
            if field == b"id" and b"\0" not in value:
                own = value.decode("utf-8", "replace")
            if field == b"retry" and value and all(48 <= c <= 57 for c in value):
                retry = int(value)
    return events


@given(STREAMS)
def test_reads_what_the_standard_says(stream: bytes) -> None:
    assert read(stream) == oracle(stream)


@given(STREAMS, st.data())
def test_any_chunking_gives_the_same_events(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    reader = Reader()
    events = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        events += reader.feed(stream[start:end])
    whole = Reader()
    assert events == whole.feed(stream)
    assert (reader.last_id, reader.retry) == (whole.last_id, whole.retry)


@given(st.lists(EVENTS, max_size=6))
def test_what_is_written_reads_back(events: list[Event]) -> None:
    assert read(COMMENT.join([b"", *(event.encode() for event in events)])) == events


def test_one_octet_at_a_time_through_bom_and_crlf() -> None:
    reader = Reader()
    stream = b"\xef\xbb\xbfid: 1\r\ndata: a\r\ndata: b\r\n\r\nid: 2\ndata:\n\nid: 3\n\n"
    events = [event for octet in stream for event in reader.feed(bytes([octet]))]
    assert events == [Event(b"a\nb", id="1"), Event(b"", id="2")]
    assert reader.last_id == "3"


def test_an_unfinished_event_is_dropped() -> None:
    assert read(b"data: whole\n\ndata: half\n") == [Event(b"whole")]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 40 + b"\n", b"y" * 40, b":" + b"z" * 40 + b"\n"])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    reader = Reader(limit=1000)
    for _ in range(20):
        reader.feed(piece)
    with pytest.raises(RemitError) as fault:
        reader.feed(piece * 30)
    assert fault.value.code == "upstream_too_large"


def test_the_limit_is_per_event() -> None:
    reader = Reader(limit=1000)
    assert sum(len(reader.feed(b"data: " + b"x" * 900 + b"\n\n")) for _ in range(50)) == 50


@pytest.mark.parametrize(
    "made",
    [
        lambda: Event(b"a\rb"),
        lambda: Event(b"", id="a\nb"),
        lambda: Event(b"", id="a\0"),
        lambda: Event(b"", name="a\r"),
        lambda: Event(b"", retry=-1),
    ],
)
def test_what_cannot_be_written_is_refused(made) -> None:
    with pytest.raises(RemitError) as fault:
        made()
    assert fault.value.code == "event_invalid"
