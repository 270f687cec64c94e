"""Login at a target by SCRAM-SHA-256, as a client (RFC 5802, RFC 7677), with the server's proof checked.

Pure: the nonce is handed in. A server that cannot prove that it knows the password is refused (`upstream_login`).
"""

import base64
import hashlib
import hmac
import stringprep
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from remit.core.errors import RemitError

NAME: Final = "SCRAM-SHA-256"
PLUS: Final = "SCRAM-SHA-256-PLUS"
MOST_ROUNDS: Final = 1_000_000
"""A server may ask for no more hashing than this."""


@dataclass(slots=True)
class Scram:
    """One login. `binding` is the tls-server-end-point hash (RFC 5929), empty without channel binding."""

    password: bytes = field(repr=False)
    nonce: str
    binding: bytes = b""
    _first: str = ""
    _proof: bytes = b""
    proven: bool = False
    """The server has shown that it knows the password."""

    @property
    def name(self) -> str:
        """The mechanism."""
        return PLUS if self.binding else NAME

    @property
    def _header(self) -> str:
        return "p=tls-server-end-point,," if self.binding else "n,,"

    def first(self) -> bytes:
        """The first message. PostgreSQL takes the user from the start-up packet."""
        return f"{self._header}n=,r={self.nonce}".encode()

    def final(self, challenge: bytes) -> bytes:
        """The answer to the server's first message."""
        text, parts = _parts(challenge)
        nonce, salt, rounds = parts.get("r", ""), parts.get("s", ""), parts.get("i", "")
        if not nonce.startswith(self.nonce) or len(nonce) == len(self.nonce) or not rounds.isdecimal():
            raise _refused()
        count = int(rounds)
        if not 4096 <= count <= MOST_ROUNDS:
            raise _refused()
        try:
            salted = hashlib.pbkdf2_hmac(
                "sha256", prepared(self.password), base64.b64decode(salt, validate=True), count
            )
        except ValueError as fault:
            raise _refused() from fault
        channel = base64.b64encode(self._header.encode() + self.binding).decode()
        without = f"c={channel},r={nonce}"
        signed = f"n=,r={self.nonce},{text},{without}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        proof = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        mine = bytes(a ^ b for a, b in zip(key, proof, strict=True))
        self._proof = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return f"{without},p={base64.b64encode(mine).decode()}".encode()

    def check(self, final: bytes) -> None:
        """Hold the server's last message against the password (`upstream_login`)."""
        _, parts = _parts(final)
        try:
            shown = base64.b64decode(parts.get("v", ""), validate=True)
        except ValueError as fault:
            raise _refused() from fault
        if not self._proof or not hmac.compare_digest(shown, self._proof):
            raise _refused()
        self.proven = True


def prepared(password: bytes) -> bytes:
    """SASLprep (RFC 4013) as PostgreSQL does it: what cannot be prepared is taken as it is."""
    if password.isascii():
        return password
    try:
        text = password.decode()
    except UnicodeDecodeError:
        return password
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    folded = unicodedata.normalize("NFKC", mapped)
    tables = (
        stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
        stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
        stringprep.in_table_c9, stringprep.in_table_a1,
    )  # fmt: skip
    odd = any(table(c) for c in folded for table in tables)
    right = any(stringprep.in_table_d1(c) for c in folded)
    mixed = right and (
        any(stringprep.in_table_d2(c) for c in folded)
        or not stringprep.in_table_d1(folded[0])
        or not stringprep.in_table_d1(folded[-1])
    )
    return password if odd or mixed or not folded else folded.encode()


def _parts(data: bytes) -> tuple[str, dict[str, str]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as fault:
        raise _refused() from fault
    return text, {part[:1]: part[2:] for part in text.split(",") if part[1:2] == "="}


def _refused() -> RemitError:
    return RemitError(
        "upstream_login", "The database did not prove that it knows the password.", "Check which server answers there."
    )
