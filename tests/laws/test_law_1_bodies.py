"""Law 1 for bodies: what is decided is what is sent, and what every reader, however lenient, reads of it.

A body that two readers could read differently is refused; what is sent is written from what was decided alone.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.core.body import FORM, MULTIPART
from remit.core.errors import RemitError
from remit.core.operation import Request
from remit.gateway.api.operations import Operations
from tests.kit.planted import Planted, each_goes_red
from tests.oracle.body import readings

LAW = settings(
    max_examples=120, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
TEXT = {"type": "string"}
NAMES = ("to", "note", "photo", "photo_length", "photo_name", "photo_type")
API = Operations(
    "pay",
    {
        kind: {
            "name": kind,
            "http": {"method": "POST", "path": f"/{kind}", "body": kind},
            "inputSchema": {"type": "object", "properties": {name: TEXT for name in NAMES if name != "photo_length"}},
        }
        for kind in ("form", "multipart")
    },
)
MARK = "xYz"
MIXED = b'--in\r\nContent-Disposition: form-data; name="to"\r\n\r\nevil\r\n--in--'
"""A form within a part, as browsers once sent several files of one name."""


def part(name: str = "to", data: bytes = b"acct-1", more: str = "", heads: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n{heads}\r\n'.encode() + data


def photo(more: str = "", kind: str = "image/png", data: bytes = b"\x89PNG", heads: str = "") -> bytes:
    return part("photo", data, f'; filename="a.png"{more}', f"Content-Type: {kind}\r\n{heads}")


def body(*parts: bytes, before: bytes = b"", after: bytes = b"\r\n", mark: str = MARK) -> bytes:
    return (
        before
        + b"".join(b"--%b\r\n%b\r\n" % (mark.encode(), one) for one in parts)
        + b"--"
        + mark.encode()
        + b"--"
        + after
    )


SAID = f"{MULTIPART}; boundary={MARK}"
EVIL = part(data=b"evil")
TRICKS = {
    "a name that stands twice": [(FORM, b"to=acct-1&to=evil"), (SAID, body(part(), EVIL))],
    "a name in another case": [(FORM, b"to=acct-1&TO=evil"), (SAID, body(part(), part("To", b"evil")))],
    "a file's digest beside the file": [(SAID, body(photo(), part("photo_length", b"1")))],
    "another separator": [(FORM, b"to=acct-1;to=evil"), (FORM, b"note=1;to=evil")],
    "a list": [(FORM, b"to=acct-1&to[]=evil"), (FORM, b"to%5B0%5D=evil")],
    "an escape within an escape": [(FORM, b"to=acct-1&note=%2526to%253Devil"), (FORM, b"note=%26to%3Devil")],
    "a charset of the header": [
        (f"{FORM}; charset=utf-7", b"to=%2BAGUAZA-"), (f"{FORM}; charset=utf-16", b"to=%00e%00v"),
    ],
    "a charset of a part": [(SAID, body(part(data=b"+AGUAdg-", heads="Content-Type: text/plain; charset=utf-7\r\n")))],
    "a charset of a field": [
        (FORM, b"_charset_=utf-7&to=%2BAGUAdg-"), (SAID, body(part("_charset_", b"utf-7"), part(data=b"+AGUAdg-"))),
        (SAID, body(part(data=b"+AGUAdg-"), part("_Charset_", b"utf-7"))),
    ],
    "another method": [(FORM, b"to=acct-1&_method=DELETE"), (SAID, body(part(), part("_method", b"DELETE")))],
    "parts within a part": [
        (SAID, body(part(), part("x", MIXED, heads="Content-Type: multipart/mixed; boundary=in\r\n"))),
        (SAID, body(part(), photo(kind="multipart/mixed; boundary=in", data=MIXED))),
        (SAID, body(photo(kind="Multipart/Mixed; boundary=in", data=MIXED))),
    ],
    "a second name of a file": [
        (SAID, body(photo("; filename*=UTF-8''b.exe"))), (SAID, body(photo('; filename="b.exe"'))),
        (SAID, body(part("to", b"acct-1", "; filename*=UTF-8''b.exe"))),
        (SAID, body(part("to", b"acct-1", "; name*=UTF-8''note"))),
    ],
    "a second boundary": [
        (f"{SAID}; boundary=in", body(part(data=b"acct-1\r\n" + body(EVIL, mark="in")))),
        (f"{MULTIPART}; boundary=in; boundary={MARK}", body(part(data=b"acct-1\r\n" + body(EVIL, mark="in")))),
    ],
    "a boundary that begins another": [(f"{MULTIPART}; boundary=xY", body(part()) + body(EVIL, mark="xY"))],
    "a boundary with blanks behind it": [
        (SAID, body(part(data=b"acct-1\r\n--xYz \r\n" + part("note", b"evil"))))
    ],
    "line ends of one octet": [(SAID, body(part(data=b"acct-1\n--xYz\n" + EVIL.replace(b"\r\n", b"\n"))))],
    "what comes before": [(SAID, body(part(), before=b"x\r\n")), (SAID, body(part(), before=b"\r\n"))],
    "what comes after": [
        (SAID, body(part()) + body(EVIL)), (SAID, body(part(), after=b"\r\n--xYz\r\n" + EVIL + b"\r\n--xYz--")),
        (SAID, body(part(), after=b"x")), (FORM, b"to=acct-1\r\n"), (FORM, b"to=acct-1\x00&to=evil"),
    ],
    "a head twice": [(SAID, body(part(heads='Content-Disposition: form-data; name="note"\r\n')))],
    "an encoding of its own": [(SAID, body(part(data=b"ZXZpbA==", heads="Content-Transfer-Encoding: base64\r\n")))],
    "nothing of it": [
        (FORM, b"to=acct-1&note=a+b%0A&photo="), (SAID, body(part(), photo(), part("note", b"a=b&to=evil"))),
        (f"{FORM}; charset=UTF-8", b"to=%C3%A9"),
        (SAID, body(part(heads="Content-Type: text/plain; charset=utf-8\r\n"))),
    ],
}  # fmt: skip


def told(arguments: dict[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(((name.casefold(), value) for name, value in arguments.items()), key=str))


def held(said: str, sent: bytes) -> bool:
    """Hold one body to the law; say whether it was taken."""
    kind = "form" if "urlencoded" in said else "multipart"
    try:
        asked = API.asked(Request("POST", f"/{kind}", body=sent, kind=said), "/v1")
    except RemitError:
        return False
    decided = {("POST", told(asked.call.arguments))}
    assert readings(asked.media, asked.body, "POST") == decided, f"what is sent is not what was decided: {sent!r}"
    came = readings(said, sent, "POST", lines=False)
    assert came == decided, f"what was decided is not what everybody reads: {said} {sent!r}"
    return True


def every_trick_is_refused_or_read_by_all_alike(_folder: Path) -> None:
    taken = {name: [held(said, sent) for said, sent in cases] for name, cases in TRICKS.items()}
    assert all(taken["nothing of it"]), "a plain body is refused"
    assert taken["an escape within an escape"] == [True, True]
    tricks = {name: one for name, one in taken.items() if name not in PLAIN and any(one)}
    assert not tricks, f"a trick was taken: {tricks}"


PLAIN = ("nothing of it", "an escape within an escape", "line ends of one octet")
"""What holds no trick, or one that is over when it is written anew, under another boundary."""
OCTETS = st.sampled_from(
    [
        b"to",
        b"note",
        b"photo",
        b"=",
        b"&",
        b";",
        b"%",
        b"%26",
        b"%3D",
        b"%00",
        b"+",
        b"[",
        b"]",
        b"\r\n",
        b"\n",
        b"--xYz",
        b"--xYz--",
        b"acct-1",
        b"evil",
        b"_charset_",
        b"_method",
        b"utf-7",
        b"DELETE",
        b'Content-Disposition: form-data; name="to"',
        b'; filename="a.png"',
        b"; filename*=UTF-8''b",
        b"Content-Type: text/plain",
        b"; charset=utf-7",
        b"\r\n\r\n",
        b"\xff",
        b" ",
    ]
)


def whatever_is_taken_is_read_by_all_alike(_folder: Path) -> None:
    taken = []

    @LAW
    @given(st.sampled_from([FORM, SAID]), st.lists(OCTETS, max_size=14), st.booleans())
    def run(said: str, pieces: list[bytes], framed: bool) -> None:
        sent = b"".join(pieces)
        if framed and said == SAID:
            sent = body(part(data=b"acct-1" + sent), photo(data=sent))
        elif framed:
            sent = b"to=acct-1&" + sent
        taken.append(held(said, sent))

    run()
    assert any(taken), "every body was refused"


LAWS = (every_trick_is_refused_or_read_by_all_alike, whatever_is_taken_is_read_by_all_alike)
BODY, OPERATION = "core/body.py", "core/operation.py"
OF = every_trick_is_refused_or_read_by_all_alike
NOT, READ, SENT = "not what", "what was decided is not what everybody reads", "what is sent is not what was decided"
FAULTS = (
    Planted("two arguments of one name", OPERATION, 'raise _ambiguous("an argument is given twice")', "pass", OF, NOT),
    Planted(
        "names are told apart by case",
        OPERATION,
        "names = [name.casefold() for name, _ in _pairs(said)]",
        "names = [name for name, _ in _pairs(said)]",
        OF,
        NOT,
    ),
    Planted(
        "a name that is another request",
        OPERATION,
        "if OTHER_ARGUMENT.intersection(names):",
        "if not names and said:",
        OF,
        NOT,
    ),
    Planted("any charset of a part", BODY, "charset=utf-8)?", "charset=[a-z0-9-]+)?", OF, READ),
    Planted("any parameter of a form", BODY, "if not _PLAINLY.fullmatch(said):", "if not said:", OF, READ),
    Planted("a field that says a charset", BODY, "name.casefold() == CHARSET", 'name == "!"', OF, NOT),
    Planted("parts within a part", BODY, 'media.startswith("multipart/")', 'media.startswith("!")', OF, SENT),
    Planted("what follows a file's name", BODY, "_PLACED.fullmatch(", "_PLACED.match(", OF, READ),
    Planted("a second boundary", BODY, "_BOUNDARY.fullmatch(said)", "_BOUNDARY.match(said)", OF, READ),
    Planted(
        "what comes after", BODY, 'rest[-1] not in (b"--", b"--\\r\\n")', 'not rest[-1].startswith(b"--")', OF, READ
    ),
    Planted("what comes before", BODY, "if first or not rest", "if not rest", OF, "a trick was taken"),
    Planted("any head of a part", BODY, 'or name not in ("content-disposition", "content-type")', "", OF, READ),
    Planted("a head that stands twice", BODY, "name in fields or ", "", OF, READ),
    Planted(
        "the octets that came are sent",
        "gateway/api/operations.py",
        "media, body = bodies.written(one.body, [each for each, _ in said.parts])",
        "media, body = request.kind, request.body",
        OF,
        SENT,
    ),
    Planted("a value is sent as it is", BODY, 'b"=" + escaped(one.data)', 'b"=" + one.data', OF, SENT),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
