"""What an authorization request says (OAuth 2.1 section 4.1.1), sent by the browser or pushed (RFC 9126).

Only what is done here is understood: a code, with an S256 challenge. Nothing that a client sends opens anything else.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from remit.control import credential
from remit.control.consent import Wish
from remit.core import ids, parameters
from remit.core.canonical import Json, b64, canon, read
from remit.core.consent import CHALLENGE
from remit.core.errors import RemitError
from remit.core.resource import Resource, split
from remit.web.metadata import DETAILS
from remit.web.site import Site

PUSHED: Final = "urn:ietf:params:oauth:request_uri:"
PUSHED_LASTS_S: Final = 90
BEGUN_LASTS_MS: Final = 10 * 60_000
IGNORED: Final = frozenset({"openid", "offline_access", "profile", "email"})
"""Scopes that clients of other servers send by habit, and that mean nothing here."""
MEMBERS: Final = frozenset({"type", "brief", "parameters", "purpose", "labels", "actions", "locations"})
LARGEST: Final = 4096
"""Bytes of what parameters say, at most."""
_UNREADABLE: Final = ("json_invalid", "name_invalid", "action_invalid", "resource_invalid", "id_invalid")
_WRAP: Final = "pushed"


class Pushed(msgspec.Struct, frozen=True):
    """A pushed request as its `request_uri` carries it, sealed: nothing is kept here for it."""

    client_id: str
    said: dict[str, str]
    once: str
    until: int
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that can be put to a person."""

    wish: Wish
    challenge: str
    state: str
    silent: bool
    thumb: str = ""


def understood(site: Site, said: Mapping[str, str]) -> Asked:
    """Read a request. Refuses by the error that the RFC names for it."""
    if "request" in said:
        raise RemitError("request_not_supported", "Request objects are not taken.", "Push the request instead.")
    kind = said.get("response_type", "")
    if not kind:
        raise _invalid("response_type is missing.", "Send response_type=code.")
    if kind != "code":
        raise RemitError("unsupported_response_type", "Only a code is given.", "Send response_type=code.")
    if said.get("response_mode", "query") != "query":
        raise _invalid("Answers go by the query alone.", "Leave response_mode out.")
    challenge = said.get("code_challenge", "")
    if said.get("code_challenge_method", "") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise _invalid("An S256 code_challenge is needed.", "Send code_challenge_method=S256 (RFC 7636).")
    thumb = said.get("dpop_jkt", "")
    if thumb and not CHALLENGE.fullmatch(thumb):
        raise _invalid("dpop_jkt is no thumbprint of a key.", "Send that of your DPoP key (RFC 7638, SHA-256).")
    state = said.get("state", "")
    if len(state) > 1024:
        raise _invalid("state is too long.", "Use up to 1024 characters.")
    resources = resources_of(site, said.get("resource", "").split())
    detail, places = (
        details_of(site, said["authorization_details"]) if "authorization_details" in said else (Wish(), ())
    )
    actions = tuple(sorted({*detail.actions, *_scopes(said.get("scope", ""))}))
    wish = replace(detail, resources=tuple(sorted({*resources, *places})), actions=actions)
    return Asked(wish, challenge, state, said.get("prompt", "") == "none", thumb)


def resources_of(site: Site, urls: list[str]) -> tuple[str, ...]:
    """The resources that are named by the exact URLs of their gates (RFC 8707; `invalid_target`)."""
    start = credential.audience(site.authority.issuer, "")
    found = []
    for url in urls:
        ours = url.startswith(start) and url.isascii() and url.isprintable()
        one = site.reader().get(Resource, url.removeprefix(start)) if ours else None
        if one is None or one.state != "active" or credential.audience(site.authority.issuer, one.name) != url:
            raise RemitError("invalid_target", "A resource is not one of ours.", "Send the exact URL of its gate.")
        found.append(one.name)
    return tuple(sorted(set(found)))


def details_of(site: Site, text: str) -> tuple[Wish, tuple[str, ...]]:
    """What `authorization_details` asks for, and at which resources (RFC 9396; `invalid_authorization_details`)."""
    try:
        value = read(text.encode())
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
            raise _details("It is a list of one object.")
        one = value[0]
        if one.get("type") != DETAILS or not one.keys() <= MEMBERS:
            raise _details("Its type is remit_task, with brief, parameters, purpose, labels, actions, locations alone.")
        labels, purpose = one.get("labels", {}), one.get("purpose", "")
        if not isinstance(purpose, str) or len(purpose) > 500 or not purpose.isprintable():
            raise _details("purpose is one printable line of up to 500 characters.")
        if not isinstance(labels, dict) or len(labels) > 16 or not all(_label(*pair) for pair in labels.items()):
            raise _details("labels are up to 16 short printable texts.")
        actions = _texts(one, "actions")
        for action in actions:
            split(action)
        brief = ids.name("brief", one["brief"]) if "brief" in one else ""
        wanted = one.get("parameters", {})
        parameters.read(wanted)
        if len(canon(wanted)) > LARGEST:
            raise _details(f"parameters are up to {LARGEST} bytes.")
        wish = Wish((), brief, purpose, labels, actions, wanted)
        return wish, resources_of(site, list(_texts(one, "locations")))
    except RemitError as fault:
        if fault.code == "limit_invalid":
            raise _details("parameters are, by argument, a value or a limit.") from fault
        if fault.code in _UNREADABLE:
            raise _details("It cannot be read.") from fault
        raise


def pushed(site: Site, said: Mapping[str, str]) -> tuple[dict[str, str], str, str]:
    """The request behind a `request_uri` of ours, for the client that pushed it, and what it is used up by.

    And the `request_uri` by which it goes on: it came in time, and a person may take longer than that to sign in.
    """
    text = said["request_uri"].removeprefix(PUSHED)
    try:
        data = site.authority.vault.unwrap(_WRAP, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        held = msgspec.json.decode(data or b"", type=Pushed)
    except (ValueError, msgspec.MsgspecError) as fault:
        raise _foreign() from fault
    if (
        held.client_id != said.get("client_id")
        or site.now() >= held.until
        or not said["request_uri"].startswith(PUSHED)
    ):
        raise _foreign()
    if held.begun:
        return held.said, held.once, said["request_uri"]
    begun = Pushed(held.client_id, held.said, held.once, site.now() + BEGUN_LASTS_MS, begun=True)
    return held.said, held.once, _uri(site, begun)


def push(site: Site, client_id: str, said: dict[str, str]) -> str:
    """The `request_uri` of a request that was understood."""
    until = site.now() + PUSHED_LASTS_S * 1000
    return _uri(site, Pushed(client_id, said, b64(site.authority.random(16)), until))


def _uri(site: Site, held: Pushed) -> str:
    return PUSHED + b64(site.authority.vault.wrap(_WRAP, msgspec.json.encode(held)))


def _scopes(text: str) -> list[str]:
    wanted = [one for one in text.split(" ") if one and one not in IGNORED]
    try:
        for one in wanted:
            split(one)
    except RemitError as fault:
        raise RemitError(
            "invalid_scope", "A scope is an action, such as mcp:files/read_file.", "Leave scope out."
        ) from fault
    return wanted


def _texts(value: dict[str, Json], name: str) -> tuple[str, ...]:
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > 200 or not all(isinstance(one, str) for one in found):
        raise _details(f"{name} is a list of texts.")
    return tuple(found)


def _label(name: str, value: Json) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(name) <= 40
        and len(value) <= 200
        and name.isprintable()
        and value.isprintable()
    )


def _details(why: str) -> RemitError:
    return RemitError(
        "invalid_authorization_details", f"authorization_details is refused. {why}", "See docs/spec/oauth.md."
    )


def _invalid(why: str, remedy: str) -> RemitError:
    return RemitError("invalid_request", why, remedy)


def _foreign() -> RemitError:
    return RemitError("authorize_refused", "This request_uri is not known, or too old.", "Push the request anew.")
