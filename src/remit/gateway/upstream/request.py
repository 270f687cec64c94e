"""The head of a request, as octets that can be read in one way only (RFC 9112)."""

import re
import string
from collections.abc import Sequence
from typing import Final

from remit.core.errors import RemitError

_TOKEN: Final = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
_FIELD: Final = bytes(range(0x20, 0x7F)) + b"\t"
_TARGET: Final = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})

# How a message is framed and where its connection goes is said by us alone.
_OURS: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


def encode(host: bytes, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], size: int) -> bytes:
    """Write a request head with our own Host and Content-Length (`size` octets, also when it is 0).

    Refuses (`header_invalid`) names that are no tokens, values with anything but visible ASCII, space and tab (so CR,
    LF, NUL and obs-text), and fields that frame the message or belong to the connection. Refuses (`target_invalid`)
    targets not in origin form and methods other than GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
    """
    if method not in _METHODS or _TARGET.fullmatch(target) is None:
        raise RemitError(
            "target_invalid",
            "The method or the path cannot be sent upstream.",
            "Use a plain HTTP method and a path that starts with / and is percent-encoded ASCII without a fragment.",
        )
    names = [name for name, _ in headers]
    if (
        b"".join(names).translate(None, _TOKEN)
        or not all(names)
        or b"".join([value for _, value in headers]).translate(None, _FIELD)
    ):
        raise _invalid("A header field holds octets that cannot stand there.")
    if not _OURS.isdisjoint(map(bytes.lower, names)):
        raise _invalid("A header field that frames the message was given by hand.")
    return b"%b %b HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n%b\r\n" % (
        method,
        target,
        host,
        size,
        b"".join([b"%b: %b\r\n" % field for field in headers]),
    )


def _invalid(message: str) -> RemitError:
    return RemitError(
        "header_invalid", message, "Check the resource's stored secret and header settings for stray characters."
    )
