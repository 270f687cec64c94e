"""Our own client assertions (RFC 7523): how Remit proves itself to another server with a key of its own. Pure."""

from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from remit.core.canonical import b64, canon
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.secret import Secret

LIFE_S: Final = 60
TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def assertion(pem: Secret, *, client: str, audience: str, id: str, now: Instant) -> str:  # noqa: A002 - the claim's own name
    """An assertion that `client` is who asks `audience`, good for a minute. Refuses another key (`key_invalid`)."""
    said: dict[str, str | int] = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": id,
        "iat": now // 1000,
        "exp": now // 1000 + LIFE_S,
    }
    return signed_by(pem, said)


def signed_by(pem: Secret, said: dict[str, str | int]) -> str:
    """These claims as a JWT of this key. Refuses a key of another kind (`key_invalid`)."""
    try:
        key = serialization.load_pem_private_key(pem.reveal(), None)
    except (ValueError, TypeError) as fault:
        raise _invalid() from fault
    match key:
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            text = _text("ES256", said)
            r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        case ed25519.Ed25519PrivateKey():
            text = _text("EdDSA", said)
            signature = key.sign(text)
        case rsa.RSAPrivateKey():
            text = _text("RS256", said)
            signature = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        case _:
            raise _invalid()
    return f"{text.decode()}.{b64(signature)}"


def _text(algorithm: str, said: dict[str, str | int]) -> bytes:
    return f"{b64(canon({'alg': algorithm, 'typ': 'JWT'}))}.{b64(canon(said))}".encode()


def _invalid() -> RemitError:
    return RemitError("key_invalid", "This is no private key that signs.", "Give a PEM of P-256, Ed25519 or RSA.")
