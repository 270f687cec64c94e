"""Public keys as JSON Web Keys (RFC 7517): read strictly, named by their thumbprint (RFC 7638)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from remit.core.canonical import Json, b64, canon, unb64
from remit.core.errors import RemitError

Public: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

ALGORITHMS: Final = {"EC": ("ES256",), "OKP": ("EdDSA", "Ed25519"), "RSA": ("RS256",)}
_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MOST_KEYS: Final = 16
_ECDSA: Final = ec.ECDSA(Prehashed(SHA256()))
"""Hashed before: the binding's own hashing takes some microseconds of each call's proof."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key: the algorithms it may be used with come from the key itself, never from a token's header."""

    kid: str
    algorithms: tuple[str, ...]
    thumbprint: str
    public: Public

    def verifies(self, data: bytes, signature: bytes) -> bool:
        """Say whether this key signed these bytes. ES256 is 64 raw bytes (RFC 7518 section 3.4)."""
        try:
            match self.public:
                case ec.EllipticCurvePublicKey():
                    if len(signature) != 64:
                        return False
                    r, s = _integer(signature[:32]), _integer(signature[32:])
                    digest = hashlib.sha256(data).digest()
                    self.public.verify(b"\x30%c%b%b" % (len(r) + len(s), r, s), digest, _ECDSA)
                case ed25519.Ed25519PublicKey():
                    self.public.verify(signature, data)
                case _:
                    self.public.verify(signature, data, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


def _integer(raw: bytes) -> bytes:
    """A number of up to 32 octets as DER writes it (X.690 8.3); by hand, since a proof is checked for each call."""
    short = raw.lstrip(b"\0") or b"\0"
    return b"\x02%c%b%b" % (len(short) + (short[0] >> 7), b"\0" if short[0] >> 7 else b"", short)


def thumbprint(jwk: Mapping[str, Json]) -> str:
    """RFC 7638: base64url of SHA-256 over the required members, in canonical form."""
    kind = jwk.get("kty")
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None or not all(isinstance(jwk.get(m), str) for m in members):
        raise _invalid("its kind is not EC, OKP or RSA, or a member is missing")
    return b64(hashlib.sha256(canon({m: jwk[m] for m in members})).digest())


def read_key(jwk: Json) -> PublicKey:
    """Read one public key, strictly (`jwk_invalid`).

    Refuses symmetric keys, private members, a kind other than P-256, Ed25519 or RSA of 2048 to 8192 bits, an `alg` that
    is not the key's own, a use other than signing, and a point that is not on its curve.
    """
    if not isinstance(jwk, dict):
        raise _invalid("it is not an object")
    if jwk.get("kty") == "oct" or not _PRIVATE.isdisjoint(jwk):
        raise _invalid("it holds secret material; register public keys only")
    name = thumbprint(jwk)
    algorithms = ALGORITHMS[jwk["kty"]]
    if "alg" in jwk:
        if jwk["alg"] not in algorithms:
            raise _invalid("its alg is not one of its own kind (ES256, EdDSA, Ed25519, RS256)")
        algorithms = (jwk["alg"],)
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise _invalid("it is not for verifying signatures")
    kid = jwk.get("kid", name)
    if not isinstance(kid, str) or not 0 < len(kid) <= 256:
        raise _invalid("its kid is not a short text")
    return PublicKey(kid, algorithms, name, _public(jwk))


def read_set(jwks: Json) -> tuple[PublicKey, ...]:
    """Read a JWK Set at registration: 1 to 16 keys as `read_key` wants them, none twice (`jwk_invalid`)."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS:
        raise _invalid("the set holds no keys, or more than 16")
    found = tuple(read_key(jwk) for jwk in keys)
    if len({k.kid for k in found}) != len(found) or len({k.thumbprint for k in found}) != len(found):
        raise _invalid("the set names one key twice")
    return found


def usable(jwks: Json) -> tuple[PublicKey, ...]:
    """Read another issuer's published set: keys that we would not accept are left out.

    A kid that stands twice among the usable keys is left out altogether: which one is meant cannot be known.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    found: list[PublicKey] = []
    for jwk in keys[:64] if isinstance(keys, list) else []:
        try:
            found.append(read_key(jwk))
        except RemitError:
            continue
    kids = [k.kid for k in found]
    return tuple(k for k in found if kids.count(k.kid) == 1)


def choose(keys: Sequence[PublicKey], kid: str | None) -> PublicKey | None:
    """Find the key a header names; without a kid only a set of one key answers."""
    if kid is None:
        return keys[0] if len(keys) == 1 else None
    return next((k for k in keys if k.kid == kid), None)


def _public(jwk: Mapping[str, Json]) -> Public:
    try:
        match jwk["kty"], jwk.get("crv"):
            case "EC", "P-256":
                x, y = unb64(jwk["x"]), unb64(jwk["y"])
                if len(x) == len(y) == 32:
                    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
            case "OKP", "Ed25519":
                return ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"]))
            case "RSA", _:
                n, e = int.from_bytes(unb64(jwk["n"]), "big"), int.from_bytes(unb64(jwk["e"]), "big")
                if 2048 <= n.bit_length() <= 8192 and n % 2 and 65537 <= e < 2**32 and e % 2:
                    return rsa.RSAPublicNumbers(e, n).public_key()
    except (ValueError, RemitError) as fault:
        raise _invalid("its numbers are not a key") from fault
    raise _invalid("it is not P-256, Ed25519, or RSA of 2048 to 8192 bits with an exponent of 65537 or more")


def _invalid(why: str) -> RemitError:
    return RemitError("jwk_invalid", f"This key was refused: {why}.", "Register a public ES256, EdDSA or RS256 key.")
