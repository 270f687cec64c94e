"""Keys of clients that came by themselves and prove a key of their own (`private_key_jwt`): found, kept, read anew.

A client says them in its registration or its document, or where it publishes them (`jwks_uri`), an address that a
stranger names: it is dialled as its document is. What is published is kept for five minutes, and read again for a key
that is not known at most every ten seconds, so a client can rotate.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from remit.control.client import Described
from remit.core.client import Client
from remit.core.errors import RemitError
from remit.custody.jwk import PublicKey, read_set, usable
from remit.custody.jws import TokenRefusal
from remit.web.document import fetched, understood
from remit.web.keysets import AGAIN_MS, KEPT_MS
from remit.web.site import Site

T = TypeVar("T")
_AGAIN: Final = ("token_key_unknown", "token_signature")


async def proved(
    site: Site, client: Client | Described, client_id: str, verify: Callable[[tuple[PublicKey, ...]], T | TokenRefusal]
) -> T | TokenRefusal:
    """Prove something by this client's own keys; one that is not known is looked for again where they are published."""
    if client.kind == "dynamic" and client.keys:
        return verify(read_set({"keys": list(client.keys)}))
    found = await _published(site, client, client_id, KEPT_MS)
    answer = found if isinstance(found, TokenRefusal) else verify(found)
    if isinstance(answer, TokenRefusal) and answer.code in _AGAIN:
        found = await _published(site, client, client_id, AGAIN_MS)
        answer = found if isinstance(found, TokenRefusal) else verify(found)
    return answer


async def _published(
    site: Site, client: Client | Described, client_id: str, oldest: int
) -> tuple[PublicKey, ...] | TokenRefusal:
    async def fetch(_: tuple[PublicKey, ...] | None) -> tuple[PublicKey, ...]:
        now = understood(client_id, await fetched(site, client_id)) if client.kind == "document" else client
        found = usable(await fetched(site, now.keys_url) if now.keys_url else {"keys": list(now.keys)})
        if not found:
            raise RemitError("jwk_invalid", "This client publishes no key that counts here.", "Publish public keys.")
        return found

    try:
        return await site.client_keys.of(client_id, fetch, oldest)
    except RemitError:
        return TokenRefusal("token_key_unknown", "The keys of this client cannot be read.")
